"""Many requests at once: none lost or counted twice, cancelled ones leave nothing, threads and loops mix."""

from __future__ import annotations

import asyncio
import random
import resource
import statistics
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.exceptions import ModelError
from langchain_core.language_models import FakeListChatModel

from langchain_router import (
    AgreementCheck,
    BreakerConfig,
    Candidate,
    CascadePolicy,
    ChatRouter,
    Hedging,
    Price,
    Resilience,
    StreamInterruptedError,
)
from tests.scorecard.parts import (
    Clock,
    FaultServer,
    Outcomes,
    calling_threads,
    in_memory,
    model_of,
    routed,
    settles,
    timed,
    wire,
)
from tests.scorecard.row import Figures, Scale, percentile, row

# --- C1 ----------------------------------------------------------------------------------------------


@row(
    "C1",
    "1,000 concurrent ainvoke",
    "One decision and one outcome each, and the concurrency limit holds. Wall time at most 1.3 × that of the "
    "same model called through LiteLLM over HTTP without a router, in turn in the same run. Overhead of calls "
    "one after another, beside a fake model that answers at once: the median and the 99th percentile, less "
    "those without a router. The wall time beside that fake model is told, not held: its whole call takes "
    "less than a decision.",
    p0=True,
    bound_s=180,
    quick_bound_s=30,
)
def a_thousand_at_once(scale: Scale) -> Figures:
    count, limit = scale(1_000, 80), 50
    outcomes = Outcomes()
    limited = in_memory("small", rates={"slow": 1.0}, slow_s=0.02, max_concurrency=limit)
    chat = routed(limited, in_memory("large", rank=2), on_outcome=outcomes)
    peak = _Peak(model_of(limited))
    answers = asyncio.run(_gathered(chat.ainvoke, count))
    ids = Counter(answer.response_metadata["router"]["decision_id"] for answer in answers)
    reported = Counter(outcome.decision_id for _, outcome in outcomes.all)

    figures = Figures()
    figures.exactly("answers with a decision of their own", len(ids), count)
    figures.none("outcomes lost or double", sum((reported - ids).values()) + sum((ids - reported).values()))
    figures.at_most("most calls at once to a candidate limited to 50", peak.most, limit)
    ours_s, theirs_s = _walls_over_http(count, scale(1, 2))
    figures.at_most("wall time beside LiteLLM over HTTP", sum(ours_s) / sum(theirs_s), 1.3, "×")
    figures.tell("unrouted", statistics.median(theirs_s), "s")

    fake = FakeListChatModel(responses=["An answer."])
    beside = _plain(fake)
    walls = [
        asyncio.run(_wall(beside.ainvoke, count)) / asyncio.run(_wall(fake.ainvoke, count))
        for _ in range(scale(5, 1))
    ]
    ours, theirs = asyncio.run(_one_by_one(beside.ainvoke, fake.ainvoke, scale(2_000, 200)))
    for what, share, most_ms in (("median", 0.5, 1), ("p99", 0.99, 5)):
        added_ms = (percentile(ours, share) - percentile(theirs, share)) * 1e3
        figures.at_most(f"overhead, {what}", added_ms, most_ms, "ms")
    figures.tell("wall time beside a fake model", statistics.median(walls), "×")
    return figures


def _walls_over_http(count: int, rounds: int) -> tuple[list[float], list[float]]:
    """Return the wall times of so many concurrent calls, routed and not."""
    _allow_sockets(4 * count)
    ours: list[float] = []
    theirs: list[float] = []
    with FaultServer() as server, asyncio.Runner() as runner:
        candidate = wire(server, "healthy")
        chat = routed(candidate, wire(server, "second", rank=2), wire(server, "third", rank=3))
        pair = ((chat.ainvoke, ours), (candidate.chat_model().ainvoke, theirs))
        for ask, _ in pair:
            runner.run(_wall(ask, 10))
        for number in range(rounds):
            for ask, into in pair if number % 2 else reversed(pair):
                into.append(runner.run(_wall(ask, count)))
    return ours, theirs


def _allow_sockets(count: int) -> None:
    """Raise this process's limit of open files; a thousand calls hold two thousand sockets here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        most = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


class _Peak:
    """Counts how many calls of a model are under way at once."""

    def __init__(self, model: Any) -> None:
        self.now = self.most = 0
        original = model.asleep

        async def counted(seconds: float) -> None:
            self.now += 1
            self.most = max(self.most, self.now)
            try:
                await original(seconds)
            finally:
                self.now -= 1

        model.asleep = counted


def _plain(model: FakeListChatModel) -> ChatRouter:
    return ChatRouter(
        candidates=[
            Candidate(
                model=model,
                name=name,
                quality=quality,
                context_tokens=100_000,
                price=Price.per_million(input_usd=usd, output_usd=usd),
            )
            for name, quality, usd in (("small", 0.8, 0.1), ("middle", 0.9, 1), ("large", 0.95, 5))
        ]
    )


async def _gathered(ask: Callable[[str], Awaitable[Any]], count: int) -> list[Any]:
    return await asyncio.gather(*(ask("What is the capital of France?") for _ in range(count)))


async def _wall(ask: Callable[[str], Awaitable[Any]], count: int) -> float:
    took: list[float] = []
    with timed(took):
        await _gathered(ask, count)
    return took[0]


async def _one_by_one(
    one: Callable[[str], Awaitable[Any]], other: Callable[[str], Awaitable[Any]], rounds: int
) -> tuple[list[float], list[float]]:
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(rounds + 20):
        for ask, into in ((one, ours), (other, theirs)):
            with timed(into if number >= 20 else []):
                await ask("What is the capital of France?")
    return ours, theirs


# --- C2 ----------------------------------------------------------------------------------------------

_TROUBLE = {"slow": 0.5, "server": 0.1, "hang": 0.1}


@row(
    "C2",
    "1,000 requests cancelled at random moments: plain, streamed, hedged, in a cascade, and trial calls of a "
    "half-open breaker",
    "CancelledError is out within 50 ms of the cancellation; the place, the trial and the ticket are given "
    "back; the outcome says cancelled, or ok where the answer was whole already; breakers do not move.",
    p0=True,
    bound_s=90,
)
def cancelling_leaves_nothing(scale: Scale) -> Figures:
    count = scale(1_000, 150)
    delays: list[float] = []
    ended: Counter[str] = Counter()
    outcomes = Outcomes()
    chats = _cancellable(outcomes)
    before = [{name: _circuit(state) for name, state in chat.health().items()} for chat in chats]
    asyncio.run(_cancel_many(chats, count, delays, ended))
    moved = sum(
        _circuit(state) != before[number].get(name, _circuit(state)) or state["state"] == "open"
        for number, chat in enumerate(chats)
        for name, state in chat.health().items()
    )
    in_flight = sum(state["in_flight"] or 0 for chat in chats for state in chat.health().values())
    trials = _cancelled_trials(scale(50, 10))
    statuses = Counter(outcome.status for _, outcome in outcomes.all)
    figures = Figures()
    figures.tell("cancelled", ended["cancelled"])
    figures.at_most("CancelledError out, slowest", max(delays) * 1e3, 50, "ms")
    figures.none("that ended otherwise though cancelled", ended["otherwise"])
    figures.none("places not given back", in_flight)
    figures.none("breakers moved", moved)
    figures.none("trials not given back", trials)
    figures.none("outcomes that are neither", statuses.total() - statuses["cancelled"] - statuses["ok"])
    figures.tell("whose answer was whole already", statuses["ok"] - ended["done"])
    figures.none("threads left", settles(calling_threads))
    return figures


def _cancellable(outcomes: Outcomes) -> list[ChatRouter]:
    """Return routers in each of which a call takes a different way."""

    def slow(name: str, rank: int, slow_s: float = 0.01) -> Candidate:
        return in_memory(name, rank=rank, rates={"slow": 1.0}, slow_s=slow_s, max_concurrency=200)

    agreeing = AgreementCheck(slow("b", 2))
    return [
        routed(slow("a", 1), slow("b", 2), on_outcome=outcomes),
        routed(
            slow("a", 1),
            slow("b", 2),
            on_outcome=outcomes,
            resilience=Resilience(hedging=Hedging(after_s=0.003, share=1.0)),
        ),
        ChatRouter(
            candidates=[slow("a", 1), slow("b", 2), slow("c", 3)],
            policy=CascadePolicy([("a", agreeing), ("c", None)]),
            on_outcome=outcomes,
        ),
    ]


def _circuit(state: dict[str, Any]) -> tuple[Any, ...]:
    return state["state"], state["recent_failures"], state["openings"]


async def _cancel_many(chats: list[ChatRouter], count: int, delays: list[float], ended: Counter[str]) -> None:
    rng = random.Random(7)

    async def one(chat: ChatRouter, way: int, after_s: float) -> None:
        task = asyncio.create_task(_ask(chat, way))
        await asyncio.sleep(after_s)
        if task.done():
            ended["done"] += 1
            task.result()
            return
        started_s = time.perf_counter()
        task.cancel()
        try:
            await task
            ended["otherwise"] += 1
        except asyncio.CancelledError:
            ended["cancelled"] += 1
        except Exception:  # noqa: BLE001 - counted
            ended["otherwise"] += 1
        delays.append(time.perf_counter() - started_s)

    for start in range(0, count, 10):
        await asyncio.gather(
            *(
                one(chats[number % len(chats)], number // 3 % 2, rng.uniform(0, 0.02))
                for number in range(start, start + 10)
            )
        )


async def _ask(chat: ChatRouter, way: int) -> None:
    if way == 0:
        await chat.ainvoke("Hello")
    else:
        async for _ in chat.astream("Hello"):
            pass


def _cancelled_trials(count: int) -> int:
    """Cancel trial calls; return how many trials are then still taken to be under way."""
    stuck = 0
    for _ in range(count):
        clock = Clock()
        sick = in_memory("sick", script=["server"], rates={"hang": 1.0})
        chat = routed(
            sick,
            in_memory("well", rank=2),
            clock=clock,
            resilience=Resilience(breaker=BreakerConfig(failures=1, open_s=10)),
        )

        async def cancelled(chat: ChatRouter = chat, clock: Clock = clock) -> int:
            await chat.ainvoke("Hello")
            clock.now += 20
            task = asyncio.create_task(chat.ainvoke("Hello"))
            await asyncio.sleep(0.002)
            was_trying = chat.health()["sick"]["is_trial_under_way"]
            task.cancel()
            await asyncio.wait([task])
            health = chat.health()["sick"]
            return not was_trying or health["is_trial_under_way"] or health["state"] != "half_open"

        stuck += asyncio.run(cancelled())
    return stuck


# --- C3 ----------------------------------------------------------------------------------------------


@row(
    "C3",
    "8 threads and 4 event loops on one router, with failures, a concurrency limit and LiteLLM over HTTP",
    "Every request has one outcome and every call is counted, nobody waits for ever, and no error but the "
    "providers' own.",
    p0=True,
    bound_s=100,
)
def threads_and_loops_share_a_router(scale: Scale) -> Figures:
    ends_s = time.monotonic() + scale.seconds(60, 3)
    asked: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    lock = threading.Lock()
    outcomes = Outcomes()
    flaky = in_memory(
        "flaky", rates={"server": 0.1, "malformed": 0.05, "slow": 0.2}, slow_s=0.002, max_concurrency=8
    )
    steady = in_memory("steady", rank=2, rates={"overloaded": 0.02})
    with FaultServer() as server:
        over_http = wire(server, "healthy", rank=3)
        chat = routed(flaky, steady, over_http, on_outcome=outcomes, resilience=Resilience(retry_budget=1.0))
        chat.warm_up()
        chat.constrained(providers={"simulated"}).invoke("Hello", model="healthy")

        def note(what: str, error: BaseException | None) -> None:
            with lock:
                asked[what] += 1
                if error is not None and not isinstance(error, (ModelError, StreamInterruptedError)):
                    errors[type(error).__name__] += 1

        def in_a_thread(number: int) -> None:
            turn = number
            while time.monotonic() < ends_s:
                turn += 1
                error = None
                try:
                    if turn % 25 == 0:
                        chat.invoke("Hello", model="healthy")
                    elif turn % 2:
                        chat.invoke("Hello")
                    else:
                        list(chat.stream("Hello"))
                except BaseException as caught:  # noqa: BLE001 - counted
                    error = caught
                note("sync", error)

        async def in_a_loop(number: int) -> None:
            async def worker(turn: int) -> None:
                while time.monotonic() < ends_s:
                    turn += 1
                    error = None
                    try:
                        if turn % 25 == 0:
                            await chat.ainvoke("Hello", model="healthy")
                        else:
                            await _ask(chat, turn % 2)
                    except BaseException as caught:  # noqa: BLE001 - counted
                        error = caught
                    note("async", error)

            await asyncio.gather(*(worker(number * 10 + one) for one in range(5)))

        threads = [threading.Thread(target=in_a_thread, args=(n,), daemon=True) for n in range(8)]
        threads += [
            threading.Thread(target=lambda n=n: asyncio.run(in_a_loop(n)), daemon=True) for n in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, ends_s + 15 - time.monotonic()))
        stuck = sum(thread.is_alive() for thread in threads)
        attempts = Counter(one.candidate for _, outcome in outcomes.all for one in outcome.attempts)
        made = Counter(
            {
                "flaky": model_of(flaky).calls,
                "steady": model_of(steady).calls,
                "healthy": server.requests("healthy"),
            }
        )
        in_flight = sum(state["in_flight"] or 0 for state in chat.health().values())
    figures = Figures()
    figures.tell("requests", asked.total())
    figures.none("requests without exactly one outcome", abs(len(outcomes.all) - asked.total() - 1))
    figures.none("calls not counted or counted twice", sum(((made - attempts) + (attempts - made)).values()))
    figures.none("places not given back", in_flight)
    figures.none("threads and loops that hang", stuck)
    figures.none(f"errors of another kind{_named(errors)}", errors.total())
    figures.at_least("calls over HTTP", made["healthy"], scale(100, 5))
    return figures


def _named(errors: Counter[str]) -> str:
    return f" ({', '.join(sorted(errors))})" if errors else ""
