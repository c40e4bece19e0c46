"""Measures every check on a folder of recorded answers; `python -m langchain_router.evaluation.cascades`.

Models are chosen and checks fitted on the development rows of each data set, the former by the rule in
`lineup`; figures are reported on the other rows, or on all without the checks that were fitted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from langchain_router.evaluation.bench import (
    PairResult,
    SetResult,
    bench_pairs,
    bench_set,
    contenders,
    to_dict,
)
from langchain_router.evaluation.fitted_checks import fitted_contenders
from langchain_router.evaluation.lineup import choose_lineup
from langchain_router.evaluation.options import Options, add_arguments, options_from
from langchain_router.evaluation.output import make_console, write_json
from langchain_router.evaluation.recorded import Recorded, read_set
from langchain_router.exceptions import ConfigurationError, RouterError


def run(options: Options) -> None:
    """Measure, print, and write what was asked for.

    Raises:
        ConfigurationError: A file is missing or unreadable, a model is unknown, or something that is
            needed for the output is not installed.
    """
    console = make_console()
    from langchain_router.evaluation import report

    if options.resamples < 1 or not options.sets:
        raise ConfigurationError("Give at least one data set and one resample.")
    sets = [read_set(options.folder, name) for name in options.sets]
    rows = "all" if options.all_rows else "those on which nothing was chosen or fitted (70 %)"
    report.print_intro(console, rows=rows, resamples=options.resamples, seed=options.seed)
    results: list[SetResult] = []
    pairs: dict[str, tuple[PairResult, ...]] = {}
    for data in sets:
        development, others = data.split()
        lineup = choose_lineup(
            development.rows, draft=options.draft, second=options.second, premium=options.premium
        )
        reported = data if options.all_rows else others
        checks = contenders()
        if not options.all_rows:  # else they would be measured on what they were fitted on
            checks += fitted_contenders(development.rows, lineup, reported=others.rows)
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
        write_json(options.json_path, to_dict({"options": options, "sets": results, "pairs": pairs}))
    if options.plot_path is not None:
        from langchain_router.evaluation.plot import plot_sets

        plot_sets(results, options.plot_path)


def _pairs(console: Any, data: Recorded, premium: str, options: Options) -> tuple[PairResult, ...]:
    from langchain_router.evaluation import report

    with console.status(f"Measuring every pair on {data.name}..."):
        found = bench_pairs(data, premium, resamples=options.resamples, seed=options.seed)
    report.print_pairs(console, data.name, premium, found)
    return found


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
