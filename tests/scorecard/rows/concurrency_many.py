"""A thousand requests at once: none is lost or counted twice, and the router adds little."""

from __future__ import annotations

import asyncio
import resource
import statistics
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.language_models import FakeListChatModel

from langchain_router import (
    Candidate,
    ChatRouter,
    Price,
)
from tests.scorecard.parts import (
    FaultServer,
    Outcomes,
    in_memory,
    model_of,
    routed,
    timed,
    wire,
)
from tests.scorecard.row import TIMES, Figures, Scale, percentile, row


@row(
    "C1",
    "1,000 concurrent ainvoke",
    "One decision and one outcome each, and the concurrency limit holds. Wall time at most 1.3 times that of "
    "the same model called through LiteLLM over HTTP without a router, in turn in the same run. Overhead of "
    "calls one after another, beside a fake model that answers at once: the median and the 99th percentile, "
    "less those without a router. The wall time beside that fake model is told, not held: its whole call "
    "takes less than a decision.",
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
    ours_s, theirs_s = _walls_over_http(count, scale(3, 2))
    figures.at_most("wall time beside LiteLLM over HTTP", sum(ours_s) / sum(theirs_s), 1.3, TIMES)
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
    figures.tell("wall time beside a fake model", statistics.median(walls), TIMES)
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
            runner.run(_wall(ask, count // 2))  # makes the connections that both then use
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
