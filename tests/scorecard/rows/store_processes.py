"""The store and its processes: killed, forked, and several at once."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

from langchain_router.outcomes.store import OutcomeStore, open_store
from langchain_router.outcomes.storing.migrations import MIGRATIONS
from tests.crash.harness import kill_myself_at, look, moments, run, use
from tests.outcomes.makers import request, said
from tests.scorecard.row import Figures, Scale, row
from tests.scorecard.store_parts import folder as a_folder


@row(
    "S4",
    "kill -9 between call and outcome, and in the middle of a batch",
    "The store opens and SQLite finds it whole; no acknowledged feedback is lost; every outcome is one "
    "lesson; decisions without an outcome are told as unknown. 100 kills, half of them at a random time, "
    "half at a random statement.",
    p0=True,
    bound_s=240,
    quick_bound_s=60,
)
def killed(scale: Scale) -> Figures:
    rng = random.Random(4)
    kills = scale(100, 12)
    figures = Figures()
    survived = lost = wrong = unlike = acknowledged_in_all = orphans = whole = 0
    with a_folder() as folder:
        for number in range(kills):
            path = (
                folder / f"{number // 10}.db"
            )  # ten kills for each store, so that later ones find a history
            name = str(number)
            if number % 2:
                ran = run(_using(path, name), kill_after_s=rng.uniform(0.0, 0.05))
            else:
                ran = run(_using(path, name, kill_at=rng.randrange(1, 400)))
            survived += ran.status != -9
            found = look(path, set(ran.told))
            acknowledged_in_all += len(ran.told)
            whole += found.is_whole
            lost += found.lost
            wrong += found.wrong_lessons
            unlike += found.orphans != found.told_unknown
            orphans += found.orphans
    figures.none("processes that were not killed", survived)
    figures.exactly("stores whole afterwards", whole, kills)
    figures.none("acknowledged feedback lost", lost)
    figures.none("lessons missing, double or unfounded", wrong)
    figures.none("times that unknown was not told exactly", unlike)
    figures.tell("acknowledged", acknowledged_in_all)
    figures.tell("decisions found without an outcome", orphans)
    return figures


@row(
    "S5",
    "A migration is interrupted by kill -9 at every step",
    "The next process finds the old schema or the new one, finishes the rest, and can use the store. Every "
    "statement and commit of the migrations, 20 times.",
    bound_s=240,
    quick_bound_s=60,
)
def interrupted(scale: Scale) -> Figures:
    figures = Figures()
    times = scale(20, 1)
    unfinished = survived = 0
    with a_folder() as folder:
        steps = moments(lambda: open_store(folder / "counted.db").close())
        for number in range(times):
            for step in range(1, steps + 1):
                path = folder / f"{number}-{step}.db"
                survived += run(_opening(path, step)).status != -9
                unfinished += not _is_usable(path)
                for one in folder.glob(f"{path.name}*"):
                    one.unlink()
    figures.at_least("moments at which it was killed", steps, 3 * len(MIGRATIONS))
    figures.none("processes that were not killed", survived)
    figures.none("stores that could not be used afterwards", unfinished)
    figures.tell("kills", times * steps)
    return figures


@row(
    "S6",
    "fork while the store is in use, as gunicorn does",
    "Each child has a writer and a connection of its own: no row of its own is lost, none of its parent's is "
    "written twice.",
    bound_s=120,
    quick_bound_s=40,
)
def forked(scale: Scale) -> Figures:
    figures = Figures()
    children, each = scale(20, 4), scale(500, 100)
    with a_folder() as folder:
        store = open_store(folder / "router.db")
        status = []
        for child in range(children):
            _requests(store, f"parent-{child}", each)  # queued, and under way, when the child comes
            status.append(run(_child(store, f"child-{child}", each)).status)
        figures.none("rows queued in the parent afterwards", store.flush(10))
        counts = store.counts()
        lessons = _numbers(store)
        store.close()
    figures.none("children that failed", sum(one != 0 for one in status))
    figures.none("requests lost", 2 * children * each - counts["outcomes"])
    figures.none("rows dropped", counts["dropped"])
    figures.none("feedback lost", children - counts["feedback"])
    figures.none(
        "lessons missing or double", sum(map(abs, (len(lessons) - len(set(lessons)), *_gaps(lessons))))
    )
    figures.exactly("lessons", len(lessons), 2 * children * each + children)
    return figures


@row(
    "S7",
    "Two processes write to one file",
    "All of 20,000 rows are there, and the lessons are numbered without gaps.",
    bound_s=120,
    quick_bound_s=40,
)
def two_processes(scale: Scale) -> Figures:
    figures = Figures()
    each = scale(5_000, 500)
    with a_folder() as folder:
        path = folder / "router.db"
        ran = run(_both(path, each))
        store = open_store(path)
        counts, lessons = store.counts(), _numbers(store)
        store.close()
    figures.none("processes that failed", ran.status)
    figures.none("rows lost", 4 * each - counts["decisions"] - counts["outcomes"])
    figures.none("gaps in the lessons", sum(_gaps(lessons)))
    figures.exactly("lessons", len(lessons), 2 * each)
    figures.tell("rows", 4 * each)
    return figures


# --- parts -------------------------------------------------------------------------------------------


def _using(path: Path, name: str, kill_at: int | None = None) -> Callable[[int], None]:
    def work(told: int) -> None:
        if kill_at is not None:
            kill_myself_at(kill_at)
        use(str(path), name, told)

    return work


def _opening(path: Path, kill_at: int) -> Callable[[int], None]:
    def work(_: int) -> None:
        kill_myself_at(kill_at)
        open_store(path).close()

    return work


def _is_usable(path: Path) -> bool:
    store = open_store(path)
    request(store)
    is_usable = store.add_feedback(said(1.0))[0].status == "new" and len(store.lessons()) == 2
    store.close()
    return is_usable


def _requests(store: OutcomeStore, name: str, count: int) -> None:
    for number in range(count):
        request(store, f"{name}-{number}")
        if number % 400 == 399:
            store.flush(10)  # a row that finds the queue full would be dropped


def _child(store: OutcomeStore, name: str, count: int) -> Callable[[int], None]:
    def work(_: int) -> None:
        _requests(store, name, count)
        store.add_feedback(said(1.0, f"{name}-0"))
        if store.close(10):
            raise RuntimeError("rows were left")

    return work


def _both(path: Path, count: int) -> Callable[[int], None]:
    def work(_: int) -> None:
        """Fork before either has opened the store; each then makes or finds it."""
        pid = os.fork()
        store = open_store(path)
        _requests(store, "one" if pid else "other", count)
        left = store.close(10)
        if pid == 0:
            os._exit(left)
        _, status = os.waitpid(pid, 0)
        if left or status:
            raise RuntimeError("rows were left")

    return work


def _numbers(store: OutcomeStore) -> list[int]:
    numbers: list[int] = []
    while some := store.lessons(numbers[-1] if numbers else 0):
        numbers += [number for number, _ in some]
    return numbers


def _gaps(numbers: list[int]) -> list[int]:
    return [abs(number - expected) for expected, number in enumerate(numbers, 1)]
