"""Measures suites, two at a time: each in a process of its own, with one thread for linear algebra."""

from __future__ import annotations

import functools
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any, Final

from langchain_router.evaluation.plans.results import SuiteFigures
from langchain_router.evaluation.plans.suites import Suite, read_rows
from langchain_router.exceptions import ConfigurationError, RouterError
from langchain_router.testing.replay import ReplayRow

ONLINE_SEEDS: Final = 3
"""Orders in which `--online` asks the prompts; `bench-learning --seeds` asks in more."""

_LOOK_EVERY_S = 0.2
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a run measures, the same for all of its suites.

    Attributes:
        folds: In how many parts rows are split, where no rows to fit on are given.
        max_quality_loss: Mean loss that is allowed, in score points.
        confidence: That no more is lost.
        seed: Of all lots.
        online: Whether policies learn prompt by prompt too.
        save: A folder for the plans fitted for each suite; None keeps none.
    """

    folds: int
    max_quality_loss: float
    confidence: float
    seed: int
    online: bool = False
    save: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What came of a suite.

    Attributes:
        suite: Which.
        figures: How all did on it; None where it could not be measured.
        online: How fast policies learned on it, as JSON-serialisable data, where that was asked for.
        failure: Why it could not be measured.
    """

    suite: Suite
    figures: SuiteFigures | None = None
    online: dict[str, Any] | None = None
    failure: str | None = None


Measure = Callable[[Suite, Settings, Callable[[str], None]], Measured]


def measure_all(
    suites: Sequence[Suite],
    settings: Settings,
    *,
    jobs: int,
    progress: Callable[[str, str], None] = lambda *_: None,
    measure: Measure | None = None,
) -> Iterator[Measured]:
    """Yield what came of each suite, as soon as it is known.

    A suite that cannot be measured does not end the others.

    Args:
        suites: What to measure, best the longest first.
        settings: How.
        jobs: How many at a time, each in a process; 1 measures in this one.
        progress: Told the name of a suite and what is being done for it.
        measure: Measures one; `measure_one` when None. It is sent to other processes by name.

    Raises:
        ConfigurationError: A process was ended from outside, as happens when memory runs out.
    """
    work = functools.partial(_guarded, measure or measure_one)
    if jobs == 1 or len(suites) == 1:
        for suite in suites:
            yield work(suite, settings, functools.partial(progress, suite.name))
        return
    yield from _side_by_side(suites, settings, work, min(jobs, len(suites)), progress)


def measure_one(suite: Suite, settings: Settings, progress: Callable[[str], None]) -> Measured:
    """Measure a suite.

    Raises:
        ConfigurationError: Its files cannot be read, or hold too little to measure.
    """
    from langchain_router.evaluation.plans.engine import bench_folds, bench_suite

    rows = read_rows(suite.test)
    fit_rows = read_rows(suite.fit) if suite.fit else ()
    how: dict[str, Any] = {
        "max_quality_loss": settings.max_quality_loss,
        "confidence": settings.confidence,
        "seed": settings.seed,
        "progress": progress,
    }
    if suite.fit:
        figures = bench_suite(suite.name, fit_rows, rows, **how)
    else:
        figures = bench_folds(suite.name, rows, folds=settings.folds, **how)
    online = _online(suite.name, rows, progress) if settings.online else None
    if settings.save is not None:
        _save(suite.name, fit_rows or rows, settings, settings.save, progress)
    return Measured(suite=suite, figures=figures, online=online)


def _save(
    name: str,
    rows: Sequence[ReplayRow],
    settings: Settings,
    folder: str,
    progress: Callable[[str], None],
) -> None:
    """Fit once more, on all rows that may be fitted on, and keep what `AdaptivePolicy` loads."""
    from langchain_router.evaluation.plans.fitting import fit_plans

    plans = fit_plans(
        rows,
        max_quality_loss=settings.max_quality_loss,
        confidence=settings.confidence,
        progress=lambda text: progress(f"to be saved, {text}"),
    )
    plans.save(Path(folder) / f"{name}.npz")


def _online(name: str, rows: tuple[ReplayRow, ...], progress: Callable[[str], None]) -> dict[str, Any]:
    """Let policies learn on the rows that the other figures are from, starting from prices alone."""
    from langchain_router.evaluation.bandit import as_traffic
    from langchain_router.evaluation.bench import to_dict
    from langchain_router.evaluation.learning_curves import bench_learning
    from langchain_router.evaluation.recorded import Recorded
    from langchain_router.policies.exploring import COST_WEIGHT

    learned = bench_learning(
        as_traffic(Recorded(name=name, rows=rows)),
        cost_weight=COST_WEIGHT,
        seeds=ONLINE_SEEDS,
        progress=lambda text: progress("online, " + text.removeprefix(f"{name}: ")),
    )
    return {**to_dict(learned), "cost_weight": COST_WEIGHT, "seeds": ONLINE_SEEDS}


def _guarded(measure: Measure, suite: Suite, settings: Settings, progress: Callable[[str], None]) -> Measured:
    try:
        return measure(suite, settings, progress)
    except RouterError as error:
        return Measured(suite=suite, failure=str(error))


def _side_by_side(
    suites: Sequence[Suite],
    settings: Settings,
    work: Measure,
    jobs: int,
    progress: Callable[[str, str], None],
) -> Iterator[Measured]:
    context = multiprocessing.get_context("spawn")  # numpy must be imported after its threads are set
    said = context.Queue()
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_start, initargs=(said,))
    try:
        waiting: set[Future[Measured]] = {pool.submit(_in_worker, work, suite, settings) for suite in suites}
        while waiting:
            done, waiting = wait(waiting, timeout=_LOOK_EVERY_S, return_when=FIRST_COMPLETED)
            _pass_on(said, progress)
            for one in done:
                yield one.result()
    except BrokenProcessPool:
        raise ConfigurationError(
            "A process that measured a suite was ended from outside, perhaps because memory ran out: try "
            "--jobs 1. --json holds the suites that were done."
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)
        _pass_on(said, progress)  # what the last ones said before they ended
        said.close()


def _pass_on(said: Any, progress: Callable[[str, str], None]) -> None:
    while True:
        try:
            name, text = said.get_nowait()
        except Empty:
            return
        progress(name, text)


_said: Any = None  # of a worker: where it tells what it is doing


def _start(said: Any) -> None:
    global _said  # noqa: PLW0603 - a queue reaches a worker at its start only
    _said = said
    for name in _THREADS:
        os.environ[name] = "1"


def _in_worker(work: Measure, suite: Suite, settings: Settings) -> Measured:
    return work(suite, settings, lambda text: _said.put((suite.name, text)))
