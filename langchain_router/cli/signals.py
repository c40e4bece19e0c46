"""`langchain-router bench-signals`: how well intents and complexity are told, on labelled prompts."""

from __future__ import annotations

import argparse
from typing import Any


def add_bench_signals(commands: Any) -> None:
    """Add the subcommand.

    Args:
        commands: What `ArgumentParser.add_subparsers` returned.
    """
    parser = commands.add_parser(
        "bench-signals",
        help="measure the learned intent classifier and complexity scorer on labelled prompts",
        description="Compares the intent classifier with labels (macro-F1, beside the keywords) and ranks "
        "prompts by complexity within each source (Spearman, beside their length). Calls no model.",
    )
    parser.add_argument(
        "--intent",
        nargs="+",
        default=[],
        action="extend",
        metavar="FILE",
        help="one JSON object a line with prompt and intent (.jsonl, .jsonl.gz)",
    )
    parser.add_argument(
        "--difficulty",
        nargs="+",
        default=[],
        action="extend",
        metavar="FILE",
        help="one JSON object a line with prompt, difficulty and source",
    )
    parser.add_argument("--json", dest="json_path", metavar="FILE", help="write the figures as JSON")


def run_bench_signals(chosen: argparse.Namespace) -> None:
    """Run it with what the parser gave.

    Raises:
        ConfigurationError: See `langchain_router.evaluation.signals_report.run`.
    """
    from langchain_router.evaluation.signals_report import run

    run(chosen.intent, chosen.difficulty, chosen.json_path)
