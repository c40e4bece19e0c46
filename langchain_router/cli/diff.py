"""`langchain-router diff`: the recorded requests that another policy would treat differently."""

from __future__ import annotations

import argparse
from typing import Any

from langchain_router.cli.whatif import add_store, store_of
from langchain_router.exceptions import ConfigurationError


def add_diff(commands: Any) -> None:
    """Add the subcommand.

    Args:
        commands: What `ArgumentParser.add_subparsers` returned.
    """
    parser = commands.add_parser(
        "diff",
        help="list the recorded requests that would go elsewhere under another policy",
        description="Decides recorded requests anew under two policies and lists those that go elsewhere, "
        "with the expected change in cost. Calls no model.",
    )
    add_store(parser)
    parser.add_argument(
        "--policy",
        action="append",
        default=[],
        metavar="SPEC",
        help="give it twice: recorded, cost:quality=0.9, threshold, single:MODEL, ...",
    )
    parser.add_argument("--since", default="7d", metavar="LENGTH", help="how far back to look (%(default)s)")
    parser.add_argument("--limit", type=int, default=20, help="most requests listed (%(default)s)")
    parser.add_argument("--json", dest="json_path", metavar="FILE", help="write all of them as JSON")


def run_diff(chosen: argparse.Namespace) -> None:
    """Run it with what the parser gave.

    Raises:
        ConfigurationError: See `langchain_router.evaluation.log_diff.log_diff`, like the next.
        StoreError: The store could not be read.
    """
    from langchain_router.evaluation.log_diff import log_diff
    from langchain_router.evaluation.output import write_json
    from langchain_router.evaluation.whatif_report import diff_lines
    from langchain_router.evaluation.whatif_since import seconds_from

    if len(chosen.policy) != 2:
        raise ConfigurationError(
            f"diff compares two policies, got {len(chosen.policy)}. "
            "Write --policy recorded --policy cost:quality=0.9."
        )
    if chosen.limit < 0:
        raise ConfigurationError(f"--limit must be 0 or more, got {chosen.limit}.")
    since_s = seconds_from(chosen.since)
    with store_of(chosen.store) as store:
        found = log_diff(store, *chosen.policy, since_s=since_s)
    print("\n".join(diff_lines(found, limit=chosen.limit)))
    if chosen.json_path is not None:
        write_json(chosen.json_path, found.to_dict())
