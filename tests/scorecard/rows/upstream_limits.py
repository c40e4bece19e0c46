"""Candidates that limit, fail and recover: how soon they are left alone, and how soon they are back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from langchain_router import (
    BreakerConfig,
    ChatRouter,
    Resilience,
)
from tests.faults.behaviours import Behaviour, healthy, rate_limited
from tests.faults.exchange import Exchange
from tests.scorecard.parts import (
    ANSWER,
    WAYS,
    Clock,
    FaultServer,
    Outcomes,
    ask,
    in_memory,
    paced,
    routed,
    timed,
    wire,
)
from tests.scorecard.row import Figures, Scale, percentile, row

_CAP_S = 60.0


@row(
    "U1",
    "429 with Retry-After as seconds, as a date, as junk and as 10⁹",
    "No call to that candidate before the time (at most 60 s; junk: the default cool-down), and a call after "
    "it; the sibling serves meanwhile. Added latency is the 99th percentile of a call that passes over the "
    "limited candidate less that of a router without it, in memory, in turn.",
    p0=True,
    bound_s=120,
)
def rate_limits_are_obeyed(scale: Scale) -> Figures:
    calls, early, back, served = 0, 0, 0, 0
    with FaultServer() as server, asyncio.Runner() as runner:
        for kind in ("seconds", "date", "junk", "huge"):
            clock, limited = Clock(), f"limited-{kind}"
            chat = routed(wire(server, limited), wire(server, "sibling", rank=2), clock=clock)
            named_s: list[float] = []
            server.script(limited, _limit(kind, named_s))
            started_s = time.monotonic()
            served += ask(chat, "invoke", runner).text == ANSWER
            wait_s = min(named_s[0], _CAP_S)
            if kind == "date":  # a date stands still while the answer travels
                wait_s -= time.monotonic() - started_s
            began_s, count = clock.now, scale(249, 7)
            for number in range(count):
                clock.now = began_s + wait_s * 0.999 * number / count
                served += ask(chat, WAYS[number % 4], runner).text == ANSWER
            calls += 1 + count
            before = server.requests(limited)
            early += before - 1
            clock.now = began_s + min(named_s[0], _CAP_S) + 0.001
            served += ask(chat, "invoke", runner).text == ANSWER
            back += server.requests(limited) - before
    figures = Figures()
    figures.none("early calls", early)
    figures.tell("calls before the time", calls)
    figures.exactly("kinds called again after it", back, 4)
    figures.exactly("answered", 100 * served / (calls + 4), 100, "%")
    with_it, without = _beside(scale(1_000, 100))
    for share, what in ((0.99, "p99"), (0.5, "p50")):
        added_ms = (percentile(with_it, share) - percentile(without, share)) * 1e3
        figures.at_most(f"added latency, {what}", added_ms, 20, "ms")
    return figures


def _limit(kind: str, named_s: list[float]) -> Behaviour:
    """Answer 429 once; note after how many seconds the candidate may be called again."""

    async def behave(exchange: Exchange) -> None:
        if kind == "date":
            at = (datetime.now(UTC) + timedelta(seconds=30)).replace(microsecond=0)
            named_s.append(at.timestamp() - time.time())
            text = format_datetime(at, usegmt=True)
        else:
            text, seconds = {
                "seconds": ("30", 30.0),
                "junk": ("soon, perhaps", BreakerConfig().rate_limit_s),
                "huge": ("1000000000", 1e9),
            }[kind]
            named_s.append(seconds)
        await rate_limited(text)(exchange)

    return behave


def _beside(rounds: int) -> tuple[list[float], list[float]]:
    """Return how long calls take that pass over a limited candidate, and calls without one, in turn."""
    clock = Clock()
    limited = in_memory("limited", script=["rate_limited"], retry_after="60")
    chat = routed(limited, in_memory("sibling", rank=2), clock=clock)
    beside = routed(in_memory("sibling", rank=2), clock=clock)
    chat.invoke("Hello")
    with_it: list[float] = []
    without: list[float] = []
    for _ in range(rounds):
        for one, into in ((chat, with_it), (beside, without)):
            with timed(into):
                one.invoke("Hello")
    return with_it, without


@row(
    "U2",
    "The first of three candidates answers every call with 500, at 50 requests a second",
    "Users see success; upstream calls per request stay low after the first 20 requests; the breaker opens.",
    p0=True,
    bound_s=120,
    quick_bound_s=30,
)
def a_sick_candidate_is_left_alone(scale: Scale) -> Figures:
    seconds = scale.seconds(60, 3)
    requests, served = int(50 * seconds), 0
    outcomes = Outcomes()
    with FaultServer() as server:
        names = ("sick", "well", "third")
        chat = routed(
            *(wire(server, name, rank=rank) for rank, name in enumerate(names, start=1)), on_outcome=outcomes
        )
        chat.warm_up()

        async def one(_: int) -> None:
            nonlocal served
            with contextlib.suppress(Exception):
                answer = await chat.ainvoke("Hello")
                served += answer.text == ANSWER

        async def all_of_them() -> None:
            # The first calls of all take a second, and so does LiteLLM's first look at an error.
            warm = routed(wire(server, "500"), wire(server, "healthy", rank=2))
            await paced(50, 20, lambda _: warm.ainvoke("Hello"))
            server.forget()
            server.rate("sick", "500", share=1.0)
            await paced(50, requests, one)

        asyncio.run(all_of_them())
        to_sick = [seen.at_s for seen in server.seen if seen.model == "sick"]
        upstream = len(server.seen)
        state = chat.health()["candidates"]["sick"]["state"]
    later = outcomes.all[20:]
    figures = Figures()
    figures.at_least("success", 100 * served / requests, 99.9, "%")
    figures.tell("requests", requests)
    calls_later = sum(len(outcome.attempts) for _, outcome in later)
    figures.at_most("upstream calls per request after the first 20", calls_later / len(later), 1.10)
    at_first = sum(at_s < to_sick[0] + 20 for at_s in to_sick)  # it stays open for longer than that
    figures.at_most("failures before it opened", at_first, 10)
    figures.tell("calls to it in all", len(to_sick))
    figures.exactly("breaker open at the end", float(state in ("open", "half_open")), 1)
    figures.exactly(
        "calls made but not recorded", upstream - sum(len(o.attempts) for _, o in outcomes.all), 0
    )
    return figures


@row(
    "U3",
    "A candidate recovers while its breaker is open, under load",
    "Half-open lets one call through at a time; the candidate is back in service within its open duration "
    "plus 1 s; no user sees an error, also when the first trial still fails.",
    p0=True,
    bound_s=60,
)
def a_candidate_comes_back(scale: Scale) -> Figures:
    open_s = 0.5
    late: list[float] = []
    errors, peaks, rounds = 0, 0, scale(8, 2)
    resilience = Resilience(breaker=BreakerConfig(failures=3, open_s=open_s))
    with FaultServer() as server:
        for number in range(rounds):
            name, still_sick = f"patient-{number}", number % 2  # one trial more fails in every other round
            chat = routed(wire(server, name), wire(server, "well", rank=2), resilience=resilience)
            chat.warm_up()
            server.script(name, *["500"] * (3 + still_sick), *[_slowly] * 1_000)
            expected_s = open_s + still_sick * 2 * open_s
            errors += asyncio.run(_load_until_back(chat, name, late, expected_s))
            opened = [seen for seen in server.seen if seen.model == name][2].at_s
            peaks = max(peaks, server.most_in_flight(name) if opened else 0)
    figures = Figures()
    figures.at_most("calls to it at once while half-open", peaks, 1)
    figures.at_most("back in service after its open duration", max(late) * 1e3, 1_000, "ms")
    figures.none("users' errors", errors)
    figures.tell("recoveries", rounds)
    return figures


async def _slowly(exchange: Exchange) -> None:
    await exchange.pause(0.05)
    await healthy(exchange)


async def _load_until_back(chat: ChatRouter, name: str, late: list[float], expected_s: float) -> int:
    """Ask 40 times a second until the candidate answers; note how late that is; return users' errors."""
    errors, opened_s, tasks = 0, 0.0, set()
    is_back = asyncio.Event()

    async def one() -> None:
        nonlocal errors
        try:
            answer = await chat.ainvoke("Hello")
        except Exception:  # noqa: BLE001 - counted
            errors += 1
            return
        if answer.response_metadata["router"]["served_by"] == name:
            is_back.set()

    for _ in range(3):  # one after another: no more failures than open the breaker
        await one()
    opened_s = time.monotonic()
    while not is_back.is_set() and time.monotonic() - opened_s < expected_s + 3:
        task = asyncio.create_task(one())
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        await asyncio.sleep(0.025)
    late.append(time.monotonic() - opened_s - expected_s)
    await asyncio.gather(*tasks)
    return errors
