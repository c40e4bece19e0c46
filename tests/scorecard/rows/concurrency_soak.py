"""A soak: nothing grows."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import statistics
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from langchain_router import (
    AgreementCheck,
    CascadePolicy,
    ChatRouter,
)
from tests.scorecard.parts import FaultServer, in_memory, open_files, routed, streamed, whole, wire
from tests.scorecard.row import Figures, Scale, row


@row(
    "C5",
    "A soak: sync, async and streamed requests with every fault at a rate, cancellations, cascades, and some "
    "of them through LiteLLM over HTTP; 180 s after 30 s to warm up (quick: 4 s after 1 s)",
    "Memory grows by at most 5 MB from the first to the last fifth of the soak (medians, after a garbage "
    "collection each); threads and open files stay as they are.",
    bound_s=270,
    quick_bound_s=30,
)
def a_soak_does_not_grow(scale: Scale) -> Figures:
    warm_s, soak_s = scale.seconds(30, 1), scale.seconds(180, 4)
    memory: list[float] = []
    threads: list[int] = []
    files: list[int] = []
    asked: Counter[str] = Counter()
    stop = threading.Event()
    with FaultServer() as server:
        chats = _soaked(server)
        busy = [threading.Thread(target=_soak_sync, args=(chats, stop, asked), daemon=True)]
        busy.append(
            threading.Thread(target=lambda: asyncio.run(_soak_async(chats, stop, asked)), daemon=True)
        )
        for thread in busy:
            thread.start()
        time.sleep(warm_s)
        ends_s = time.monotonic() + soak_s
        while time.monotonic() < ends_s:
            time.sleep(max(0.2, soak_s / 60))
            gc.collect()
            memory.append(_resident_mb())
            threads.append(threading.active_count())
            files.append(open_files())
        stop.set()
        for thread in busy:
            thread.join(10)
        stuck = sum(thread.is_alive() for thread in busy)
    fifth = max(1, len(memory) // 5)

    def growth(values: Sequence[float]) -> float:
        return statistics.median(values[-fifth:]) - statistics.median(values[:fifth])

    figures = Figures()
    figures.tell("requests", asked.total())
    figures.tell("soak", soak_s, "s")
    figures.at_most("memory grew by", growth(memory), 5, "MB")
    figures.tell("memory", statistics.median(memory), "MB")
    figures.at_most("threads grew by", growth(threads), 2)
    figures.at_most("open files grew by", growth(files), 4)
    figures.none("workers that hang", stuck)
    return figures


def _soaked(server: FaultServer) -> list[ChatRouter]:
    every = {"server": 0.05, "rate_limited": 0.03, "malformed": 0.03, "timeout": 0.02, "interrupted": 0.02}
    flaky = in_memory("a", rates={**every, "slow": 0.1}, slow_s=0.005, retry_after="0.05", max_concurrency=20)
    steady = in_memory("b", rank=2, rates={"overloaded": 0.02})
    plain = routed(flaky, steady, in_memory("c", rank=3))
    cascade = ChatRouter(
        candidates=[flaky, steady, in_memory("c", rank=3)],
        policy=CascadePolicy([("a", AgreementCheck(steady)), ("c", None)]),
    )
    server.rate("sick", "500", share=0.2)
    over_http = routed(wire(server, "sick"), wire(server, "healthy", rank=2))
    return [plain, plain, cascade, plain, over_http, cascade]


def _soak_sync(chats: list[ChatRouter], stop: threading.Event, asked: Counter[str]) -> None:
    turn = 0
    while not stop.is_set():
        turn += 1
        chat = chats[turn % len(chats)]
        with contextlib.suppress(Exception):  # the faults of a soak
            list(chat.stream("Hello")) if turn % 3 == 0 else chat.invoke(f"Hello {turn}")
        asked["sync"] += 1
        time.sleep(0.004)


async def _soak_async(chats: list[ChatRouter], stop: threading.Event, asked: Counter[str]) -> None:
    async def worker(turn: int) -> None:
        while not stop.is_set():
            turn += 1
            chat = chats[turn % len(chats)]
            task = asyncio.create_task(streamed(chat) if turn % 3 == 0 else whole(chat))
            await asyncio.wait([task], timeout=0.002 if turn % 7 == 0 else None)
            task.cancel()
            await asyncio.wait([task])
            task.cancelled() or task.exception()
            asked["async"] += 1
            await asyncio.sleep(0.02)

    await asyncio.gather(*(worker(10 * number) for number in range(5)))


def _resident_mb() -> float:
    """Return the memory of this process that is in RAM, in MB."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return float(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # the most there ever was, on macOS
