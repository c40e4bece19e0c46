"""`langchain-router bench-implicit FILE...`: how often implicit signals fire on recorded messages."""

from __future__ import annotations

import argparse
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from langchain_router.exceptions import ConfigurationError
from langchain_router.outcomes.hooks.implicit import KEYS, implied_by, turns_of


def add_bench_implicit(commands: Any) -> None:
    """Add the subcommand.

    Args:
        commands: What `ArgumentParser.add_subparsers` returned.
    """
    parser = commands.add_parser(
        "bench-implicit",
        help="count how often implicit feedback signals fire on recorded messages",
        description="Reads recorded conversations and counts the messages on which each implicit signal "
        "fires: apart for follow-ups, and for opening messages, on which any firing is a false alarm. Which "
        "of the follow-ups were in earnest is not recorded, so look at them with --show.",
    )
    add_arguments(parser)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "files", nargs="+", help="JSON lines with turns, messages, a request's messages or a prompt"
    )
    parser.add_argument("--show", action="store_true", help="print what fired, shortened")


def run_bench_implicit(chosen: argparse.Namespace) -> None:
    """Run it with what the parser gave.

    Raises:
        ConfigurationError: A file cannot be read.
    """
    print(f"{'file':<28} {'messages':<11} {'count':>6} " + " ".join(f"{key:>10}" for key in KEYS))
    for file in map(Path, chosen.files):
        seen: set[tuple[str, str]] = set()
        counts: Counter[str] = Counter()
        fired: Counter[tuple[str, str]] = Counter()
        for before, said in _messages(file):
            if (before, said) in seen:
                continue
            seen.add((before, said))
            kind = "follow-ups" if before else "opening"
            counts[kind] += 1
            implied = implied_by(said, before)
            if implied is None:
                continue
            fired[kind, implied.key] += 1
            if chosen.show:
                after = f" | after: {_short(before)}" if before else ""
                print(f"  {kind} {implied.key}: {_short(said)}{after}")

        for kind in ("follow-ups", "opening"):
            if counts[kind]:
                told = " ".join(f"{fired[kind, key]:>10}" for key in KEYS)
                print(f"{file.name[:28]:<28} {kind:<11} {counts[kind]:>6} {told}")


def _messages(file: Path) -> Iterator[tuple[str, str]]:
    """Yield each message of a user, with the one before it, or without for an opening one."""
    opened = gzip.open if file.suffix == ".gz" else open
    try:
        with opened(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                turns = _turns(json.loads(line))
                yield from (("", turn) for turn in turns[:1])
                yield from pairwise(turns)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file.name} cannot be read ({type(error).__name__}).") from error


def _turns(row: Any) -> list[str]:
    if not isinstance(row, dict):
        return []
    if isinstance(row.get("turns"), list):
        return [turn for turn in row["turns"] if isinstance(turn, str)]
    asked: dict[str, Any] = row["request"] if isinstance(row.get("request"), dict) else row
    found = turns_of(asked.get("messages") or asked.get("input") or asked.get("contents"))
    return found or [one for one in [row.get("prompt")] if isinstance(one, str)]


def _short(text: str) -> str:
    return repr(text[:100])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(parser)
    run_bench_implicit(parser.parse_args())
