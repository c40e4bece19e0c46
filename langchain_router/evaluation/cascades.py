"""Measures every check on a folder of recorded answers; `python -m langchain_router.evaluation.cascades`.

Models are chosen on the development rows of each data set, by the rule in `lineup`; figures are reported on
the other rows unless all are asked for.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_router.evaluation.bench import (
    PairResult,
    SetResult,
    bench_pairs,
    bench_set,
    contenders,
    to_dict,
)
from langchain_router.evaluation.lineup import choose_lineup
from langchain_router.evaluation.options import Options, add_arguments, options_from
from langchain_router.evaluation.recorded import Recorded, read_set
from langchain_router.exceptions import ConfigurationError, RouterError

_WIDTH = 100  # of the tables where the output is not a terminal


def run(options: Options) -> None:
    """Measure, print, and write what was asked for.

    Raises:
        ConfigurationError: A file is missing or unreadable, a model is unknown, or something that is
            needed for the output is not installed.
    """
    console = _console()
    from langchain_router.evaluation import report

    if options.resamples < 1 or not options.sets:
        raise ConfigurationError("Give at least one data set and one resample.")
    sets = [read_set(options.folder, name) for name in options.sets]
    rows = "all" if options.all_rows else "those on which no model was chosen (70 %)"
    report.print_intro(console, rows=rows, resamples=options.resamples, seed=options.seed)
    checks = contenders()
    results: list[SetResult] = []
    pairs: dict[str, tuple[PairResult, ...]] = {}
    for data in sets:
        development, others = data.split()
        lineup = choose_lineup(
            development.rows, draft=options.draft, second=options.second, premium=options.premium
        )
        reported = data if options.all_rows else others
        with console.status(f"Measuring {data.name}..."):
            result = bench_set(
                reported, lineup, checks=checks, resamples=options.resamples, seed=options.seed
            )
        results.append(result)
        report.print_set(console, result)
        if options.every_pair:
            pairs[data.name] = _pairs(console, reported, lineup.premium, options)
    report.print_summary(console, results)
    if options.json_path is not None:
        _write(options.json_path, {"options": options, "sets": results, "pairs": pairs})
    if options.plot_path is not None:
        from langchain_router.evaluation.plot import plot_sets

        plot_sets(results, options.plot_path)


def _pairs(console: Any, data: Recorded, premium: str, options: Options) -> tuple[PairResult, ...]:
    from langchain_router.evaluation import report

    with console.status(f"Measuring every pair on {data.name}..."):
        found = bench_pairs(data, premium, resamples=options.resamples, seed=options.seed)
    report.print_pairs(console, data.name, premium, found)
    return found


def _console() -> Any:
    try:
        from rich.console import Console
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "rich":
            raise
        raise ConfigurationError(
            "The tables need rich: pip install 'langchain-llm-router[report]'."
        ) from None
    return Console() if sys.stdout.isatty() else Console(width=_WIDTH)


def _write(path: str, found: object) -> None:
    try:
        Path(path).write_text(json.dumps(to_dict(found), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"The figures cannot be written to {path!r}: {error}") from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m langchain_router.evaluation.cascades", description=__doc__
    )
    add_arguments(parser)
    try:
        run(options_from(parser.parse_args(arguments)))
    except RouterError as error:
        print(f"cascades: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
