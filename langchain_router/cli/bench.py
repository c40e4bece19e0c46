"""`langchain-router bench`: what policies save and lose on recorded answers, beside baselines."""

from __future__ import annotations

import argparse
from typing import Any

from langchain_router.evaluation.plans.options import add_arguments, options_from


def add_bench(commands: Any) -> None:
    """Add the subcommand.

    Args:
        commands: What `ArgumentParser.add_subparsers` returned.
    """
    parser = commands.add_parser(
        "bench",
        help="measure what policies save and lose on recorded answers, beside baselines",
        description="Fits every policy on some recorded answers, sets it on the same, runs it on others, and "
        "says what it saved and lost there beside the best single model. Give --fit and --test, or a folder "
        "or files that are split into folds. Calls no model.",
    )
    add_arguments(parser)


def run_bench(chosen: argparse.Namespace) -> None:
    """Run it with what the parser gave.

    Raises:
        ConfigurationError: See `langchain_router.evaluation.plans.command.run`.
    """
    from langchain_router.evaluation.plans.command import run

    run(options_from(chosen))
