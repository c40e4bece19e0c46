"""What the router adds to a provider's load: retries in an overload, a client's own retries, hedges."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from langchain_router import Candidate, ChatRouter, Deadlines, Hedging, Price, Resilience
from tests.faults.exchange import ANSWER
from tests.scorecard.capacity import Capacity, LimitedChatModel
from tests.scorecard.parts import (
    KEY,
    FaultServer,
    Outcomes,
    calling_threads,
    in_memory,
    paced,
    records,
    routed,
    settles,
    wire,
)
from tests.scorecard.row import Figures, Scale, row
from tests.scorecard.virtual import run_virtually

# --- U14 ---------------------------------------------------------------------------------------------

_RPS = 50.0
_SPARE = 1.5  # the capacity, as a multiple of what is asked
_ADVANCE = 3  # calls that the retry budget allows where its share gives none
_PATIENCE = Resilience(deadlines=Deadlines(attempt_s=1.5, total_s=6.0))


@row(
    "U14",
    "A provider's capacity drops to 10 % for 30 s under 50 requests a second, then comes back; callers wait "
    "1.5 s, and work for those who left is done all the same",
    "No lasting overload: 95 % of the requests are served again 30 s after its return, and calls per request "
    "stay at or under 1.2 before, in and after the trouble (less the 3 that the retry budget advances), "
    "1.25 with two candidates at the same provider, as failing over is not rationed until their "
    "breakers open. In virtual time in memory; in the full run also over HTTP in real time.",
    bound_s=150,
    quick_bound_s=30,
)
def an_overload_ends_with_its_cause(scale: Scale) -> Figures:
    figures = Figures()
    for count, most in ((1, 1.2), (2, 1.25)):
        rps = scale.seconds(_RPS, 12)
        came = run_virtually(_storm(_limited_models(count, rps), rps))
        _tell(figures, f"{count} in memory", came, most)
    if not scale.is_quick:
        with FaultServer() as server:
            capacity = Capacity(_RPS * _SPARE)
            server.rate("storm", capacity.behave, share=1.0)
            made = lambda: (capacity, [wire(server, "storm")])  # noqa: E731
            _tell(figures, "1 over HTTP", asyncio.run(_storm(made, _RPS)), 1.2)
    return figures


Made = Callable[[], tuple[Capacity, list[Candidate]]]


def _limited_models(count: int, rps: float) -> Made:
    def make() -> tuple[Capacity, list[Candidate]]:
        capacity = Capacity(rps * _SPARE)
        names = [f"limited-{number}" for number in range(count)]
        return capacity, [
            Candidate(
                model=LimitedChatModel(capacity=capacity),
                name=name,
                quality=0.9,
                price=Price.per_million(input_usd=rank, output_usd=rank),
            )
            for rank, name in enumerate(names, start=1)
        ]

    return make


async def _storm(make: Made, rps: float) -> dict[str, float]:
    """Run it; return calls per request and the share of requests that were served."""
    lead_s, trouble_s, after_s = 10.0, 30.0, 40.0
    loop = asyncio.get_running_loop()
    capacity, candidates = make()
    chat = routed(*candidates, resilience=_PATIENCE)
    chat.warm_up()
    with contextlib.suppress(Exception):
        await chat.ainvoke("Hello")
    capacity.calls.clear()
    asked_s: list[float] = []
    served_s: list[float] = []
    began_s = loop.time()

    async def one(_: int) -> None:
        asked_s.append(at_s := loop.time() - began_s)
        with contextlib.suppress(Exception):
            await chat.ainvoke("Hello")
            served_s.append(at_s)

    async def trouble() -> None:
        await asyncio.sleep(lead_s)
        capacity.rps /= 10
        await asyncio.sleep(trouble_s)
        capacity.rps *= 10

    total_s = lead_s + trouble_s + after_s
    await asyncio.gather(trouble(), paced(rps, int(total_s * rps), one))
    ended_s = lead_s + trouble_s

    def of_those_asked(counted_s: list[float], begin_s: float, end_s: float) -> tuple[float, int]:
        asked = sum(begin_s <= at_s < end_s for at_s in asked_s)
        return sum(begin_s <= at_s < end_s for at_s in counted_s) / asked, asked

    calls_s = [at_s - began_s for at_s in capacity.calls]
    spans = [(0.0, lead_s), (lead_s, ended_s), (ended_s, total_s)]
    ratios = [of_those_asked(calls_s, *span) for span in spans]
    return {
        "calls": max(ratio - _ADVANCE / asked for ratio, asked in ratios),
        "in trouble": of_those_asked(served_s, lead_s, ended_s)[0],
        "after": of_those_asked(served_s, ended_s + 30, total_s)[0],
    }


def _tell(figures: Figures, where: str, came: dict[str, float], most_calls: float) -> None:
    figures.at_least(f"{where}: served afterwards", 100 * came["after"], 95, "%")
    figures.at_most(f"{where}: calls per request", came["calls"], most_calls)
    figures.tell(f"{where}: served in trouble", 100 * came["in trouble"], "%")


# --- U15 ---------------------------------------------------------------------------------------------


@row(
    "U15",
    "A client of the user's own retries by itself beneath the router",
    "Warned about once for each class of client; upstream calls per request are the router's times the "
    "client's own, as configured, and never more; the router's own LiteLLM candidates make one call each.",
)
def nested_retries_are_told(scale: Scale) -> Figures:
    excess, served, asked = 0, 0, 0
    warned: list[logging.LogRecord] = []
    rounds = scale(3, 1)
    with FaultServer() as server, records(warned, logging.WARNING):
        server.rate("down", "500", share=1.0)
        for retries in (0, 1):
            for _ in range(rounds):
                chat = routed(_own_client(server, retries), wire(server, "sibling", rank=2))
                before = server.requests("down")
                asked += 1
                served += chat.invoke("Hello").text == ANSWER
                excess += abs(server.requests("down") - before - (1 + retries))
        own = routed(wire(server, "down", name="ours"), wire(server, "sibling", rank=2))
        before = server.requests("down")
        asked += 1
        served += own.invoke("Hello").text == ANSWER
        ours = server.requests("down") - before
        ChatRouter(candidates=[_own_client(server, None)])  # the client's default: it retries
    about = [one for one in warned if "max_retries" in one.getMessage()]
    figures = Figures()
    figures.exactly("warnings for four such clients of one class", len(about), 1)
    figures.none("calls more or fewer than configured", excess)
    figures.exactly("upstream calls of a LiteLLM candidate that fails", ours, 1)
    figures.exactly("answered", 100 * served / asked, 100, "%")
    return figures


def _own_client(server: FaultServer, retries: int | None) -> Candidate:
    client = ChatOpenAI(model="down", base_url=server.base_url, api_key=SecretStr(KEY), max_retries=retries)
    return Candidate(
        model=client, name="own", quality=0.9, price=Price.per_million(input_usd=1, output_usd=1)
    )


# --- U16 ---------------------------------------------------------------------------------------------


@row(
    "U16",
    "Hedging is on and the primary is slow: now and then, then always; async, sync and streamed",
    "At most one hedge a request, and hedges within 5 % of the requests; the loser is cancelled and its cost "
    "recorded; both calls are in one outcome.",
)
def hedges_are_few_and_billed(scale: Scale) -> Figures:
    resilience = Resilience(hedging=Hedging(after_s=0.02, share=0.05))
    requests, hedges, most, incomplete, shares = 0, 0, 0, 0, list[float]()
    for rate, count in ((0.04, scale(1_000, 100)), (1.0, scale(1_000, 100))):
        outcomes = Outcomes()
        chat = routed(
            in_memory("slow", rates={"slow": rate}, slow_s=0.08, answer="Yes."),
            in_memory("quick", rank=2, answer="Yes."),
            resilience=resilience,
            on_outcome=outcomes,
        )
        asyncio.run(_ask_in_turn(chat, count))
        made = [[one for one in o.attempts if one.role == "hedge"] for _, o in outcomes.all]
        requests += len(outcomes.all)
        hedges += sum(map(len, made))
        most = max(most, *map(len, made))
        shares.append(sum(map(len, made)) / len(outcomes.all))
        for (_, outcome), hedge in zip(outcomes.all, made, strict=True):
            if not hedge:
                continue
            kinds = sorted(str(one.error_kind) for one in outcome.attempts)
            complete = kinds == ["None", "cancelled"] and outcome.cost_usd is not None
            loser = next((one for one in outcome.attempts if one.error_kind), None)
            incomplete += not (complete and loser is not None and loser.estimated and loser.cost_usd)
    sync = routed(
        in_memory("slow", rates={"slow": 1.0}, slow_s=0.08, answer="Yes."),
        in_memory("quick", rank=2, answer="Yes."),
        resilience=resilience,
        on_outcome=(sync_outcomes := Outcomes()),
    )
    for number in range(scale(60, 22)):
        sync.invoke("Hello") if number % 2 else list(sync.stream("Hello"))
    sync_hedges = sum(one.role == "hedge" for _, o in sync_outcomes.all for one in o.attempts)
    figures = Figures()
    figures.at_most("hedges of one request, most", most, 1)
    figures.at_most("hedges per request, worst", 100 * max(shares), 5, "%")
    figures.at_least("hedges", hedges, 1)
    figures.none("losers not cancelled or not billed, or outcomes not whole", incomplete)
    figures.tell("requests", requests)
    figures.at_most("sync: hedges per request", 100 * sync_hedges / len(sync_outcomes.all), 5, "%")
    figures.at_least("sync: hedges", sync_hedges, 1)
    figures.none("threads left", settles(calling_threads))
    return figures


async def _ask_in_turn(chat: ChatRouter, count: int) -> None:
    """Ask a hundred at a time, streamed and not."""
    for start in range(0, count, 100):
        await asyncio.gather(*(_one(chat, number) for number in range(start, start + 100)))


async def _one(chat: ChatRouter, number: int) -> None:
    if number % 2:
        await chat.ainvoke("Hello")
    else:
        async for _ in chat.astream("Hello"):
            pass
