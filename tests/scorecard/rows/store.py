"""The store under fault: locked, full, and at the exit of its process."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from langchain_router.exceptions import StoreError
from langchain_router.outcomes.store import OutcomeStore, open_store
from tests.outcomes.makers import ASKED, outcome, request, said, situation
from tests.scorecard.parts import Clock
from tests.scorecard.row import Figures, Scale, percentile, row
from tests.scorecard.store_parts import folder as a_folder
from tests.scorecard.store_parts import made

ROOT = Path(__file__).parents[3]
_QUEUE = 2_048
_FULL = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
"""
_EXIT = """
import asyncio, logging, sys
logging.basicConfig()
from langchain_router.outcomes.store import open_store
from tests.outcomes.makers import request
store = open_store(sys.argv[1])
async def use():
    for number in range(int(sys.argv[2])):
        request(store, f"d{number}")
asyncio.run(use())
"""


@row(
    "S1",
    "The store is locked for 30 s by another process",
    "Writing a request down takes at most 1 ms at the 99th percentile. The queue holds 2,048 rows, what "
    "comes beyond is dropped and counted exactly, and afterwards every queued row is written.",
    p0=True,
    bound_s=120,
    quick_bound_s=40,
)
def locked(scale: Scale) -> Figures:
    held_s, extra = scale(30, 2), 952
    figures = Figures()
    with a_folder() as folder:
        store = open_store(folder / "router.db")
        with _locked(folder / "router.db", held_s) as other:
            started_s = time.monotonic()
            took = [_timed(store.decided, situation(f"d{number}"), ASKED) for number in range(_QUEUE + extra)]
            store.flush(0.5)
            status = store.health()["status"]
            if held_s > 10:  # longer than feedback waits
                refused = _is_refused(store)
                figures.exactly("feedback was refused with an error, not lost", refused, 1)
            other.wait()
            figures.at_least("locked", time.monotonic() - started_s, held_s * 0.9, "s")
        figures.none("rows still queued 10 s later", store.flush(10))
        counts = store.counts()
        figures.at_most("p99 of writing a request down", percentile(took, 0.99) * 1e3, 1, "ms")
        figures.none("queued rows that were lost", _QUEUE - counts["decisions"])
        figures.exactly("dropped, as counted", counts["dropped"], extra)
        figures.exactly("said so in health()", status == "degraded", 1)
        figures.exactly("health() is well again", store.health()["status"] == "ok", 1)
        store.close()
    return figures


@row(
    "S2",
    "The disk is full, the file may only be read, or its folder cannot be made",
    "Every request is served. health() says degraded and why; at most one warning in 20 s. All that was "
    "queued is written once it can be.",
    p0=True,
    bound_s=60,
    quick_bound_s=40,
)
def full(scale: Scale) -> Figures:
    figures = Figures()
    requests = scale(1_000, 200)
    for what, error, limits in (
        ("full", "full", "PRAGMA max_page_count=40"),
        ("read-only", "unusable", "PRAGMA query_only=ON"),
    ):
        with a_folder() as folder:
            made(folder / "router.db")
            with _each_connection(limits), _warnings() as warnings:
                clock = Clock()
                store = open_store(folder / "router.db", clock=clock)
                served = _served(store, requests)
                store.flush(0.5)
                health = store.health()
                clock.now += 21
                store.flush(0.3)
            figures.exactly(f"{what}: requests served", served, requests)
            figures.exactly(
                f"{what}: degraded, and why", (health["status"], health["error"]) == ("degraded", error), 1
            )
            figures.exactly(f"{what}: warnings in 21 s", len(warnings), 2)
            _renewed(store)
            figures.none(f"{what}: rows not written afterwards", store.flush(10))
            figures.none(f"{what}: requests lost", requests - store.counts()["outcomes"])
            store.close()
    with a_folder() as folder:
        (folder / "file").write_text("in the way")
        store = open_store(folder / "file" / "router.db")
        figures.exactly("no folder: requests served", _served(store, requests), requests)
        figures.exactly("no folder: degraded", store.health()["status"] == "degraded", 1)
        (folder / "file").unlink()
        figures.none("no folder: rows not written afterwards", store.flush(10))
        store.close()
    return figures


@row(
    "S8",
    "The interpreter exits, the store is closed, the event loop is closed",
    "What is queued is written, or given up after two seconds with its exact count.",
    bound_s=60,
    quick_bound_s=40,
)
def exits(scale: Scale) -> Figures:
    figures = Figures()
    count = scale(1_000, 300)
    with a_folder() as folder:
        path = made(folder / "router.db")
        done, _ = _exited(path, count)
        with closing(sqlite3.connect(path)) as connection:
            written = connection.execute("SELECT count(*) FROM router_outcomes").fetchone()[0]
        figures.none("rows lost at exit", 2 * (count - written))
        figures.exactly("words at exit", len(done.stderr), 0)
        path = made(folder / "locked.db")
        free, alone_s = _exited(path, 0)
        with _locked(path, 30) as other:
            done, took_s = _exited(path, count)
            other.kill()
        figures.at_most("longer to exit when locked", took_s - alone_s, 4, "s")
        told = f"{2 * count} rows were not written" in done.stderr
        figures.exactly("told exactly how many rows were given up", told and free.returncode == 0, 1)

        store = open_store(folder / "locked.db")
        with _locked(folder / "locked.db", 30) as other:
            for number in range(50):
                request(store, f"e{number}")
            started_s = time.monotonic()
            figures.exactly("given up by close()", store.close(), 100)
            figures.at_most("close() when locked", time.monotonic() - started_s, 2.5, "s")
            other.kill()

        store = open_store(folder / "router.db")

        async def use(name: str) -> None:
            request(store, name)
            await store.aadd_feedback(said(1.0, name))

        for name in ("loop-1", "loop-2"):
            asyncio.run(use(name))
        figures.none("feedback lost with its event loop", 2 - store.counts()["feedback"])
        store.close()
    return figures


# --- parts -------------------------------------------------------------------------------------------


@contextmanager
def _locked(path: Path, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """Have another process hold the lock to write."""
    with subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, "-c", _FULL, str(path), str(seconds)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        try:
            yield other
        finally:
            other.kill()


@contextmanager
def _each_connection(pragma: str) -> Iterator[None]:
    def prepare(connection: Any, _: Any) -> None:
        connection.execute(pragma).close()

    event.listen(Engine, "connect", prepare)
    try:
        yield
    finally:
        event.remove(Engine, "connect", prepare)


@contextmanager
def _warnings() -> Iterator[list[logging.LogRecord]]:
    seen: list[logging.LogRecord] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = seen.append  # type: ignore[assignment,method-assign]
    logging.getLogger("langchain_router").addHandler(handler)
    try:
        yield seen
    finally:
        logging.getLogger("langchain_router").removeHandler(handler)


def _renewed(store: Any) -> None:
    """Let the store open another connection, as after the disk was made larger."""
    store._database.close(5.0)


def _served(store: OutcomeStore, requests: int) -> int:
    """Return how many requests were written down, or not, without an error."""
    served = 0
    for number in range(requests):
        store.decided(situation(f"d{number}"), ASKED)
        store.ended(outcome(f"d{number}"))
        served += 1
    return served


def _timed(call: Callable[..., object], *given: object) -> float:
    started_s = time.perf_counter()
    call(*given)
    return time.perf_counter() - started_s


def _is_refused(store: OutcomeStore) -> bool:
    try:
        store.add_feedback(said(1.0, "d1"))
    except StoreError:
        return True
    return False


def _exited(path: Path, count: int) -> tuple[subprocess.CompletedProcess[str], float]:
    started_s = time.monotonic()
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", _EXIT, str(path), str(count)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
    )
    return done, time.monotonic() - started_s
