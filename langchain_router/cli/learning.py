"""`langchain-router bench-learning FOLDER`: how fast policies learn on recorded answers."""

from __future__ import annotations

import argparse
from typing import Any

from langchain_router.evaluation.learning_options import add_arguments, options_from


def add_bench_learning(commands: Any) -> None:
    """Add the subcommand.

    Args:
        commands: What `ArgumentParser.add_subparsers` returned.
    """
    parser = commands.add_parser(
        "bench-learning",
        help="measure how fast policies learn on recorded answers",
        description="Lets every policy that learns choose among recorded models, seeing only the score of "
        "the one it chose, and prints what it gained beside choices that do not learn. Calls no model.",
    )
    add_arguments(parser)


def run_bench_learning(chosen: argparse.Namespace) -> None:
    """Run it with what the parser gave.

    Raises:
        ConfigurationError: See `langchain_router.evaluation.learning.run`.
    """
    from langchain_router.evaluation.learning import run

    run(options_from(chosen))
