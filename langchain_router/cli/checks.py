"""`langchain-router bench-checks FOLDER`: which checks beat random escalation on recorded answers."""

from __future__ import annotations

import argparse
from typing import Any

from langchain_router.evaluation.options import add_arguments, options_from


def add_bench_checks(commands: Any) -> None:
    """Add the subcommand.

    Args:
        commands: What `ArgumentParser.add_subparsers` returned.
    """
    parser = commands.add_parser(
        "bench-checks",
        help="measure every check on recorded answers, beside random escalation",
        description="Runs every check on recorded answers and prints, for each data set, what a cascade with "
        "it saves and loses beside a random cascade of the same rate and of the same cost. Calls no model.",
    )
    add_arguments(parser)


def run_bench_checks(chosen: argparse.Namespace) -> None:
    """Run it with what the parser gave.

    Raises:
        ConfigurationError: See `langchain_router.evaluation.cascades.run`.
    """
    from langchain_router.evaluation.cascades import run

    run(options_from(chosen))
