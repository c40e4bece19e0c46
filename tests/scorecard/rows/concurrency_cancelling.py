"""Requests that are cancelled: they end at once and leave nothing behind."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from typing import Any

from langchain_core.callbacks import AsyncCallbackHandler

from langchain_router import (
    AgreementCheck,
    BreakerConfig,
    Candidate,
    CascadePolicy,
    ChatRouter,
    Hedging,
    Resilience,
)
from langchain_router.chat.stream_modes import Holdback
from tests.scorecard.parts import (
    Clock,
    Outcomes,
    calling_threads,
    in_memory,
    routed,
    settles,
    streamed,
    whole,
)
from tests.scorecard.row import Figures, Scale, row


@row(
    "C2",
    "1,000 requests cancelled at random moments: plain, streamed, hedged, in a cascade, while a slow handler "
    "hears the tokens that were held back, and trial calls of a half-open breaker",
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
    before = [
        {name: _circuit(state) for name, state in chat.health()["candidates"].items()} for chat in chats
    ]
    asyncio.run(_cancel_many(chats, count, delays, ended))
    moved = sum(
        _circuit(state) != before[number].get(name, _circuit(state)) or state["state"] == "open"
        for number, chat in enumerate(chats)
        for name, state in chat.health()["candidates"].items()
    )
    in_flight = sum(
        state["in_flight"] or 0 for chat in chats for state in chat.health()["candidates"].values()
    )
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

    def slow(name: str, rank: int, slow_s: float = 0.01, **more: Any) -> Candidate:
        return in_memory(name, rank=rank, rates={"slow": 1.0}, slow_s=slow_s, max_concurrency=200, **more)

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
        ChatRouter(
            candidates=[slow("a", 1, 0.001, answer="word " * 50), slow("c", 3)],
            policy=CascadePolicy([("a", lambda *_: True), ("c", None)]),
            stream_mode=Holdback(tokens=2),
            callbacks=[_SlowToHear()],
            on_outcome=outcomes,
        ),
    ]


class _SlowToHear(AsyncCallbackHandler):
    """Shows tokens, and takes longer over each than any request is left to live."""

    ignore_chain = True

    async def on_llm_new_token(self, *_: Any, **__: Any) -> None:
        await asyncio.sleep(0.1)


def _circuit(state: dict[str, Any]) -> tuple[Any, ...]:
    return state["state"], state["recent_failures"], state["openings"]


async def _cancel_many(chats: list[ChatRouter], count: int, delays: list[float], ended: Counter[str]) -> None:
    rng = random.Random(7)

    async def one(chat: ChatRouter, way: int, after_s: float) -> None:
        task = asyncio.create_task(whole(chat) if way == 0 else streamed(chat))
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
                one(chats[number % len(chats)], number // len(chats) % 2, rng.uniform(0, 0.02))
                for number in range(start, start + 10)
            )
        )


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
            was_trying = chat.health()["candidates"]["sick"]["is_trial_under_way"]
            task.cancel()
            await asyncio.wait([task])
            health = chat.health()["candidates"]["sick"]
            return not was_trying or health["is_trial_under_way"] or health["state"] != "half_open"

        stuck += asyncio.run(cancelled())
    return stuck
