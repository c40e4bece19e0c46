"""Processes that use a store and are killed at a moment of our choice, and what must hold of it then."""

from __future__ import annotations

import os
import select
import signal
import sqlite3
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import Engine, event

from langchain_router.outcomes.lessons import Ended, Labelled
from langchain_router.outcomes.store import OutcomeStore, open_store
from tests.outcomes.makers import ASKED, outcome, said, situation

_MOMENTS = ("before_cursor_execute", "after_cursor_execute", "commit")
_MOST_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of a process.

    Attributes:
        told: What it wrote to its pipe, line by line; a line that was cut off is left out.
        status: Its exit status, negative for the signal that ended it.
    """

    told: tuple[str, ...]
    status: int


def run(work: Callable[[int], None], *, kill_after_s: float | None = None) -> Ran:
    """Do some work in a forked process and wait for its end, or kill it.

    Args:
        work: Takes the descriptor to which it may tell something.
        kill_after_s: How long after it has first told something it is killed; None lets it live.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        _work_and_exit(work, writer)
    os.close(writer)
    told = _read(reader, pid, kill_after_s)
    os.close(reader)
    _, status = os.waitpid(pid, 0)
    lines = told.split(b"\n")[:-1]
    return Ran(told=tuple(line.decode() for line in lines), status=os.waitstatus_to_exitcode(status))


def kill_myself_at(number: int) -> None:
    """Kill this process at the so-manieth moment of its work with databases, counted from now."""
    count = 0

    def at_a_moment(*_: Any) -> None:
        nonlocal count
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)

    for moment in _MOMENTS:
        event.listen(Engine, moment, at_a_moment)


def moments(work: Callable[[], Any]) -> int:
    """Count the moments of some work at which `kill_myself_at` could kill."""
    count = 0

    def at_a_moment(*_: Any) -> None:
        nonlocal count
        count += 1

    for moment in _MOMENTS:
        event.listen(Engine, moment, at_a_moment)
    try:
        work()
    finally:
        for moment in _MOMENTS:
            event.remove(Engine, moment, at_a_moment)
    return count


def use(url: str, name: str, told: int) -> None:
    """Use a store until killed: requests, some of them with feedback, each told once it is acknowledged."""
    store = open_store(url)
    number = 0
    while True:
        decision_id = f"{name}-{number}"
        store.decided(situation(decision_id, at_s=time.time()), ASKED)
        if number % 7:  # of some the process dies before the answer comes
            store.ended(outcome(decision_id))
        if number % 5 == 0:
            store.add_feedback(said(0.5, decision_id))
            os.write(told, f"{decision_id}\n".encode())
        number += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a store was found to hold.

    Attributes:
        is_whole: Whether SQLite finds nothing wrong with it.
        lost: Acknowledged feedback that is not there.
        orphans: Decisions without an outcome.
        told_unknown: How many of these the store says it does not know the end of.
        wrong_lessons: Lessons that are missing, double, or of a request without an outcome.
    """

    is_whole: bool
    lost: int
    orphans: int
    told_unknown: int
    wrong_lessons: int


def look(path: Path, acknowledged: set[str]) -> Found:
    """Open a store whose process was killed, and look whether all is there."""
    store = open_store(path)
    ended, labelled = _lessons(store)
    counts = store.counts()
    store.close()
    connection = sqlite3.connect(path)
    whole = connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    feedback = {row[0] for row in connection.execute("SELECT decision_id FROM router_feedback")}
    outcomes = {row[0] for row in connection.execute("SELECT decision_id FROM router_outcomes")}
    orphans = connection.execute(
        "SELECT count(*) FROM router_decisions WHERE id NOT IN (SELECT decision_id FROM router_outcomes)"
    ).fetchone()[0]
    connection.close()
    wrong = len(ended) - len(set(ended)) + len(labelled) - len(set(labelled))
    wrong += len(outcomes ^ set(ended)) + len(outcomes & feedback ^ set(labelled))
    return Found(
        is_whole=whole,
        lost=len(acknowledged - feedback),
        orphans=orphans,
        told_unknown=counts["unknown"],
        wrong_lessons=wrong,
    )


def _lessons(store: OutcomeStore) -> tuple[list[str], list[str]]:
    ended: list[str] = []
    labelled: list[str] = []
    after = 0
    while some := store.lessons(after):
        for after, lesson in some:  # noqa: B007 - the last number is where the next part begins
            if isinstance(lesson, Ended):
                ended.append(lesson.situation.decision_id)
            elif isinstance(lesson, Labelled):
                labelled.append(lesson.ended.situation.decision_id)
    return ended, labelled


def _work_and_exit(work: Callable[[int], None], told: int) -> NoReturn:
    status = 1
    try:
        work(told)
        status = 0
    except BaseException:  # noqa: BLE001 - shown, and told by the status
        traceback.print_exc()
    finally:
        os._exit(status)


def _read(reader: int, pid: int, kill_after_s: float | None) -> bytes:
    told = b""
    end_s = time.monotonic() + _MOST_S
    is_timed = False
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, end_s - time.monotonic()))
        some = os.read(reader, 65_536) if ready else b""
        told += some
        if not some:
            if not ready:
                os.kill(pid, signal.SIGKILL)
                told += _rest(reader)
            return told
        if kill_after_s is not None and not is_timed:
            is_timed = True
            end_s = time.monotonic() + kill_after_s


def _rest(reader: int) -> bytes:
    rest = b""
    while some := os.read(reader, 65_536):
        rest += some
    return rest
