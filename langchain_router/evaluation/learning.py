"""Measures how fast policies learn on recorded outcomes: `python -m langchain_router.evaluation.learning`.

Every policy sees only the score of the model that it chose. What it is measured by is utility: the score,
less the cost weight times the cost as a share of what an answer of the dearest model costs on average. Beside
the policies stand choices that no one could have made beforehand, since they know all scores: the best single
model, the best model for each intent, and the best answer to each prompt.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence

from langchain_router.evaluation.bandit import as_traffic
from langchain_router.evaluation.bench import to_dict
from langchain_router.evaluation.learning_curves import bench_learning
from langchain_router.evaluation.learning_options import Options, add_arguments, options_from
from langchain_router.evaluation.output import make_console, write_json
from langchain_router.evaluation.recorded import read_set
from langchain_router.exceptions import ConfigurationError, RouterError


def run(options: Options) -> None:
    """Measure, print, and write what was asked for.

    Raises:
        ConfigurationError: A file is missing or unreadable, or something that is needed for the output is
            not installed.
    """
    console = make_console()
    from langchain_router.evaluation import learning_report

    if options.seeds < 1 or options.passes < 1 or not options.sets:
        raise ConfigurationError("Give at least one data set, one seed and one pass.")
    if not 0 <= options.cost_weight < math.inf:
        raise ConfigurationError(f"--cost-weight must be 0 or more, got {options.cost_weight!r}.")
    sets = [read_set(options.folder, name) for name in options.sets]
    learning_report.print_intro(
        console, seeds=options.seeds, passes=options.passes, cost_weight=options.cost_weight
    )
    results = []
    for data in sets:
        with console.status(f"Reading {data.name}...") as status:
            result = bench_learning(
                as_traffic(data),
                cost_weight=options.cost_weight,
                seeds=options.seeds,
                passes=options.passes,
                progress=status.update,
            )
        results.append(result)
        learning_report.print_set(console, result)
    if options.json_path is not None:
        write_json(options.json_path, to_dict({"options": options, "sets": results}))
    if options.plot_path is not None:
        from langchain_router.evaluation.learning_plot import plot_learning

        plot_learning(results, options.plot_path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m langchain_router.evaluation.learning", description=__doc__
    )
    add_arguments(parser)
    try:
        run(options_from(parser.parse_args(arguments)))
    except RouterError as error:
        print(f"learning: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
