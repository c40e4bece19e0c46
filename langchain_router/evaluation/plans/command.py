"""`langchain-router bench`: measures policies on recorded answers, and says what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from langchain_router.evaluation.output import make_console, write_json
from langchain_router.evaluation.plans.measuring import Measure, Measured, Settings, measure_all
from langchain_router.evaluation.plans.options import Options
from langchain_router.evaluation.plans.stored import Run, read_json, run_as_json, run_from_json
from langchain_router.evaluation.plans.suites import (
    DataFacts,
    Suite,
    facts_of,
    find_suites,
    given_suite,
    read_rows,
)
from langchain_router.exceptions import ConfigurationError


def run(options: Options, *, measure: Measure | None = None) -> Run:
    """Measure, print, and write what was asked for; the JSON file anew after every suite.

    Args:
        options: What to measure.
        measure: Measures a suite; `measuring.measure_one` when None.

    Raises:
        ConfigurationError: A file is missing or unreadable, no suite could be measured, or something that is
            needed for the output is not installed.
    """
    console = make_console()
    from langchain_router.evaluation.plans import report

    _check_outputs(options)
    extra = {
        name: None if path is None else read_json(path)
        for name, path in (("signals", options.signals_json), ("checks", options.checks_json))
    }
    if options.redraw:
        found = run_from_json([read_json(path) for path in options.redraw])
        report.print_intro(console, found.settings)
        for suite in found.suites:
            report.print_suite(console, suite, found.facts[suite.name], found.settings)
    else:
        found = _measured(console, options, measure)
    report.print_summary(console, found)
    if not found.suites:
        raise ConfigurationError("No suite could be measured; the reasons are above.")
    _write(options, found)
    if options.plot_path is not None:
        from langchain_router.evaluation.plans.plot import plot_run

        plot_run(found.suites, options.plot_path, allowed=found.settings.max_quality_loss)
    if options.page_path is not None:
        from langchain_router.evaluation.plans.page import write_page

        write_page(found, options.page_path, figures_path=options.json_path, **extra)
    return found


def _measured(console: Any, options: Options, measure: Measure | None) -> Run:
    from langchain_router.evaluation.plans import report
    from langchain_router.evaluation.plans.bars import Bars

    suites = (
        (given_suite(options.fit, options.test),) if options.fit else find_suites(options.paths, options.sets)
    )
    if options.save is not None:
        _make_folder(options.save)
    settings = Settings(
        folds=options.folds,
        max_quality_loss=options.max_quality_loss,
        confidence=options.confidence,
        seed=options.seed,
        online=options.online,
        save=options.save,
    )
    report.print_intro(console, settings)
    with console.status("Reading..."):
        facts = {suite.name: _facts(suite) for suite in suites}
    found = Run(settings=settings, suites=(), facts=facts, failures={}, online={})
    by_length = sorted(suites, key=lambda suite: -facts[suite.name].rows)
    with Bars(console, {suite.name: facts[suite.name].rows for suite in suites}) as bars:
        for one in measure_all(by_length, settings, jobs=options.jobs, progress=bars.tell, measure=measure):
            bars.done(one.suite.name)
            found = _with(found, one, suites)
            if one.figures is not None:
                report.print_suite(console, one.figures, facts[one.suite.name], settings)
                _write(options, found)
            if one.online is not None:
                report.print_online(console, one.suite.name, one.online)
    return found


def _facts(suite: Suite) -> DataFacts:
    return facts_of(read_rows(suite.test), read_rows(suite.fit) if suite.fit else ())


def _with(found: Run, one: Measured, order: Sequence[Suite]) -> Run:
    """Return a run with one suite more, in the order in which they were asked for."""
    name = one.suite.name
    places = {suite.name: place for place, suite in enumerate(order)}
    suites = found.suites if one.figures is None else (*found.suites, one.figures)
    return replace(
        found,
        suites=tuple(sorted(suites, key=lambda suite: places[suite.name])),
        failures=found.failures if one.failure is None else {**found.failures, name: one.failure},
        online=found.online if one.online is None else {**found.online, name: one.online},
    )


def _write(options: Options, found: Run) -> None:
    if options.json_path is not None:
        write_json(options.json_path, run_as_json(found))


def _check_outputs(options: Options) -> None:
    """Refuse at once what would fail after all was measured."""
    for path in (options.json_path, options.plot_path):
        if path is not None and not Path(path).parent.is_dir():
            raise ConfigurationError(f"There is no folder {str(Path(path).parent)!r} to write {path!r} in.")
    if (options.plot_path or options.page_path) and find_spec("matplotlib") is None:
        raise ConfigurationError("A plot needs matplotlib: pip install 'langchain-llm-router[report]'.")


def _make_folder(path: str) -> None:
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"The folder {path!r} cannot be made: {error.strerror}.") from None
