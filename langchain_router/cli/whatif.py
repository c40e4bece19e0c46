"""`langchain-router whatif`: what another policy would have come to on recorded traffic."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_router.exceptions import ConfigurationError

if TYPE_CHECKING:
    from langchain_router.outcomes.store import OutcomeStore


def add_whatif(commands: Any) -> None:
    """Add the subcommand.

    Args:
        commands: What `ArgumentParser.add_subparsers` returned.
    """
    parser = commands.add_parser(
        "whatif",
        help="estimate what another policy would have cost, and how well it would have answered",
        description="Estimates cost and quality of another policy on recorded traffic, with intervals, and "
        "refuses where the log does not tell: the recorded policy must have left something to chance.",
    )
    add_store(parser)
    parser.add_argument(
        "--policy",
        required=True,
        metavar="SPEC",
        help="cost:quality=0.9, threshold, thompson:cost_weight=0.2, cascade, single:MODEL, ...",
    )
    parser.add_argument("--since", metavar="LENGTH", help="how far back to look: 30d, 12h (all)")
    parser.add_argument("--confidence", type=float, default=0.95, help="of the intervals (%(default)s)")
    parser.add_argument(
        "--cost-only", action="store_true", help="leave quality out; for logs without feedback"
    )
    parser.add_argument("--json", dest="json_path", metavar="FILE", help="write the figures as JSON")


def add_store(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the store."""
    parser.add_argument(
        "--store",
        required=True,
        metavar="URL",
        help="sqlite:///router.db, a path, or postgresql+psycopg://...",
    )


def run_whatif(chosen: argparse.Namespace) -> None:
    """Run it with what the parser gave.

    Raises:
        ConfigurationError: See `langchain_router.evaluation.whatif.whatif`, like the next two.
        InsufficientEvidenceError: What is recorded does not tell.
        StoreError: The store could not be read.
    """
    from langchain_router.evaluation.output import write_json
    from langchain_router.evaluation.policy_spec import policy_from
    from langchain_router.evaluation.whatif import whatif
    from langchain_router.evaluation.whatif_report import whatif_lines
    from langchain_router.evaluation.whatif_since import seconds_from

    policy = policy_from(chosen.policy, seed=0)
    since_s = None if chosen.since is None else seconds_from(chosen.since)
    with store_of(chosen.store) as store:
        found = whatif(
            store, policy, since_s=since_s, cost_only=chosen.cost_only, confidence=chosen.confidence
        )
    print("\n".join(whatif_lines(found)))
    if chosen.json_path is not None:
        write_json(chosen.json_path, found.to_dict())


@contextmanager
def store_of(url: str) -> Iterator[OutcomeStore]:
    """Open a store that is there, and close it.

    Raises:
        ConfigurationError: There is no such file: a store that does not exist yet would be made.
    """
    from langchain_router.outcomes.store import open_store
    from langchain_router.outcomes.storing.urls import address_of

    path = address_of(url).path
    if path is not None and not Path(path).is_file():
        raise ConfigurationError(
            f"There is no store at {path!r}. Name the file that your router writes to "
            "(`router.health()['store']['url']` tells)."
        )
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()
