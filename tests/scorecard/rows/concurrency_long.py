"""What only shows after a while, or when somebody looks for it: blocking calls, growth, broken invariants."""

from __future__ import annotations

import asyncio
import gc
import importlib
import inspect
import os
import statistics
import threading
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from blockbuster import BlockingError, blockbuster_ctx
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, run_state_machine_as_test

from langchain_router import (
    AgreementCheck,
    CascadePolicy,
    ChatRouter,
    Hedging,
    HeuristicCheck,
    JudgeCheck,
    Resilience,
)
from langchain_router.checks.check import Verdict
from tests.scorecard.parts import FaultServer, in_memory, open_files, routed, wire
from tests.scorecard.row import Figures, Scale, row

# --- C4 ----------------------------------------------------------------------------------------------


@row(
    "C4",
    "A blocking call on the event loop, looked for by BlockBuster over the package while every asynchronous "
    "way is taken: whole, streamed, events, hedged, failed over, retried, cascades with each check, LiteLLM",
    "No report, after a first call each: imports read files, and so does LiteLLM when it makes its client.",
)
def nothing_blocks_the_loop(scale: Scale) -> Figures:
    reports: Counter[str] = Counter()
    asked = 0
    proof: Counter[str] = Counter()
    with FaultServer() as server, asyncio.Runner() as runner:
        chats = list(_every_way(server))

        async def all_ways() -> None:
            nonlocal asked
            for chat in chats:
                for ask in (_whole, _streamed, _events, _batch):
                    for _ in range(scale(10, 2)):
                        asked += 1
                        await _reported(lambda chat=chat, ask=ask: ask(chat), reports)

        async def warm() -> None:
            for chat in chats:
                for ask in (_whole, _streamed, _events):
                    await ask(chat)

        runner.run(warm())
        with blockbuster_ctx("langchain_router"):
            runner.run(all_ways())
            runner.run(_reported(_blocked_by_the_clock, proof))
    figures = Figures()
    figures.none(f"reports{_named(reports)}", reports.total())
    figures.tell("requests", asked)
    figures.at_least("reports of a call that does block, to see that it is armed", proof.total(), 1)
    return figures


def _every_way(server: FaultServer) -> Iterator[ChatRouter]:
    yield routed(wire(server, "healthy"), in_memory("b", rank=2))
    yield routed(wire(server, "500"), wire(server, "healthy", rank=2), resilience=Resilience(breaker=None))
    yield routed(in_memory("a", rates={"server": 0.5}, max_concurrency=2))
    yield routed(
        in_memory("a", rates={"slow": 1.0}, slow_s=0.01),
        in_memory("b", rank=2),
        resilience=Resilience(hedging=Hedging(after_s=0.001, share=1.0)),
    )
    judge = in_memory("judge", rank=2, answer='{"score": 0.1, "fault": "wrong"}')
    for check in (
        HeuristicCheck(),
        AgreementCheck(in_memory("b", rank=2, answer="Something else.")),
        JudgeCheck(judge),
        lambda request, response: Verdict(passed=False, reason="never"),  # noqa: ARG005
    ):
        yield ChatRouter(
            candidates=[in_memory("a"), in_memory("b", rank=2), in_memory("c", rank=3)],
            policy=CascadePolicy([("a", check), ("c", None)]),
        )


async def _whole(chat: ChatRouter) -> None:
    await chat.ainvoke("Hello")


async def _streamed(chat: ChatRouter) -> None:
    async for _ in chat.astream("Hello"):
        pass


async def _events(chat: ChatRouter) -> None:
    async for _ in chat.astream_events("Hello", version="v2"):
        pass


async def _batch(chat: ChatRouter) -> None:
    await chat.abatch(["Hello", "Good morning"])


async def _reported(ask: Callable[[], Awaitable[None]], reports: Counter[str]) -> None:
    try:
        await ask()
    except Exception as error:  # noqa: BLE001 - looked at for what it comes from
        found: BaseException | None = error
        while found is not None and not isinstance(found, BlockingError):
            found = found.__cause__ or found.__context__
        if found is None:
            return  # a provider's own failure
        ours = [
            one for one in traceback.extract_tb(found.__traceback__) if "langchain_router" in one.filename
        ]
        where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
        reports[f"{found.args[0]} at {where}"] += 1


async def _blocked_by_the_clock() -> None:
    """Block within the package: a clock that sleeps."""
    chat = routed(in_memory("a"), clock=lambda: time.sleep(0.001) or time.monotonic())
    await chat.ainvoke("Hello")


# --- C5 ----------------------------------------------------------------------------------------------


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

    def growth(values: list[Any]) -> float:
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
        try:
            list(chat.stream("Hello")) if turn % 3 == 0 else chat.invoke(f"Hello {turn}")
        except Exception:  # noqa: BLE001, S110 - the faults of a soak
            pass
        asked["sync"] += 1
        time.sleep(0.004)


async def _soak_async(chats: list[ChatRouter], stop: threading.Event, asked: Counter[str]) -> None:
    async def worker(turn: int) -> None:
        while not stop.is_set():
            turn += 1
            chat = chats[turn % len(chats)]
            task = asyncio.create_task(_streamed(chat) if turn % 3 == 0 else _whole(chat))
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
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # the most there ever was, on macOS


# --- C6 ----------------------------------------------------------------------------------------------

_ROOT = Path(__file__).parents[3]


@row(
    "C6",
    "Breaker, budget, limit and gates in any order of events: hypothesis state machines of the test suite",
    "No counter-example in 10,000 steps of each machine (quick: 300).",
    bound_s=150,
    quick_bound_s=30,
)
def no_order_of_events_breaks_an_invariant(scale: Scale) -> Figures:
    wanted, machines = scale(10_000, 300), _machines()
    figures, broken = Figures(), Counter[str]()
    for machine in machines:
        steps = 0

        class Counted(machine):  # type: ignore[misc,valid-type]
            @invariant()
            def count(self) -> None:
                nonlocal steps
                steps += 1

        Counted.__qualname__ = Counted.__name__ = machine.__name__
        while steps < wanted and not broken[machine.__name__]:
            try:
                run_state_machine_as_test(Counted, settings=_settings(scale(100, 5)))
            except AssertionError:
                broken[machine.__name__] += 1
        figures.at_least(f"steps of {machine.__name__}", steps, wanted)
    figures.none(f"counter-examples{_named(broken)}", broken.total())
    figures.at_least("machines", len(machines), 2)
    return figures


def _settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=50,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def _machines() -> list[type[RuleBasedStateMachine]]:
    """Return every state machine in the tests of the execution room."""
    found: dict[str, type[RuleBasedStateMachine]] = {}
    for path in sorted((_ROOT / "tests" / "execution").glob("test_*.py")):
        if "RuleBasedStateMachine" not in path.read_text(encoding="utf-8"):
            continue
        module = importlib.import_module(f"tests.execution.{path.stem}")
        for name, one in inspect.getmembers(module, inspect.isclass):
            if issubclass(one, RuleBasedStateMachine) and one.__module__ == module.__name__:
                found[name] = one
    return list(found.values())


def _named(counted: Counter[str]) -> str:
    found = [name for name, count in counted.items() if count]
    return f" ({', '.join(found)})" if found else ""
