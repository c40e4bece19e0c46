"""What writing a request down costs the caller, and how fast rows are written.

python tests/benchmarks/store.py                          # SQLite, in a temporary folder
python tests/benchmarks/store.py postgresql+psycopg://... # a server of your own, in an empty database
"""

from __future__ import annotations

import queue
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from langchain_core.messages import HumanMessage  # noqa: E402

from langchain_router.outcomes.asked import Asked  # noqa: E402
from langchain_router.outcomes.store import OutcomeStore, open_store  # noqa: E402
from langchain_router.request import RoutingRequest  # noqa: E402
from tests.outcomes.makers import outcome, said, situation  # noqa: E402

_REQUESTS = 20_000
_ROUNDS = 40
_EACH = 500


def main(url: str | None) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(url or f"sqlite:///{folder}/router.db")
        request = RoutingRequest(messages=(HumanMessage("What is the capital of France? " * 30),))
        asked = Asked.of(request, key=store.key)
        hashing_us = _median_us(lambda _: Asked.of(request, key=store.key), 2_000)
        print(f"hashing a prompt of {asked.prompt_chars} characters: {hashing_us:.1f} us")
        _caller(store, asked)
        _throughput(store, asked)
        store.close()


def _caller(store: OutcomeStore, asked: Asked) -> None:
    rows = [(situation(f"a{number}"), outcome(f"a{number}")) for number in range(_ROUNDS * _EACH)]
    bare: queue.Queue[object] = queue.Queue(maxsize=2_048)
    ours: list[float] = []
    theirs: list[float] = []
    for start in range(0, len(rows), _EACH):
        some = rows[start : start + _EACH]
        for one, other in some:
            begun = time.perf_counter()
            store.decided(one, asked)
            store.ended(other)
            ours.append(time.perf_counter() - begun)
        for one, other in some:
            begun = time.perf_counter()
            bare.put_nowait(one)
            bare.put_nowait(other)
            theirs.append(time.perf_counter() - begun)
        while not bare.empty():
            bare.get_nowait()
        store.flush(10)
    for name, share in (("median", 0.5), ("p99", 0.99)):
        mine, other_s = (sorted(took)[int(share * len(took))] for took in (ours, theirs))
        print(
            f"decided + ended, {name}: {mine * 1e6:.2f} us, {mine / other_s:.1f} times two put_nowait "
            f"({other_s * 1e6:.2f} us)"
        )


def _throughput(store: OutcomeStore, asked: Asked) -> None:
    rows = [(situation(f"b{number}"), outcome(f"b{number}")) for number in range(_REQUESTS)]
    begun = time.perf_counter()
    for number, (one, other) in enumerate(rows):
        store.decided(one, asked)
        store.ended(other)
        if number % 500 == 499:
            store.flush(10)
    store.flush(10)
    print(f"rows written: {2 * _REQUESTS / (time.perf_counter() - begun):,.0f} a second")
    count = 300
    one_us = _median_us(lambda number: store.add_feedback(said(0.5, f"b{number}")), count)
    print(f"one feedback, until it is on the disk: {one_us / 1e3:.2f} ms")
    begun = time.perf_counter()
    store.add_feedback(*(said(0.5, f"b{number}") for number in range(count, count + 5_000)))
    print(f"feedback in one call of 5,000: {5_000 / (time.perf_counter() - begun):,.0f} a second")
    begun, after, seen = time.perf_counter(), 0, 0
    while some := store.lessons(after):
        after, seen = some[-1][0], seen + len(some)
    print(f"lessons read: {seen / (time.perf_counter() - begun):,.0f} a second")


def _median_us(call: Callable[[int], object], count: int) -> float:
    took = []
    for number in range(count):
        begun = time.perf_counter()
        call(number)
        took.append(time.perf_counter() - begun)
    return statistics.median(took) * 1e6


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
