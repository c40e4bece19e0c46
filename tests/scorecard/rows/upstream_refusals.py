"""Errors that asking again cannot mend: a wrong key, the caller's own fault, too small a window, all down."""

from __future__ import annotations

import asyncio
import logging

from langchain_core.exceptions import ContextOverflowError, ModelInvalidRequestError

from langchain_router import (
    ChatRouter,
    Deadlines,
    Resilience,
    RouterExhaustedError,
)
from tests.scorecard.parts import (
    ANSWER,
    WAYS,
    Clock,
    FaultServer,
    Outcomes,
    Way,
    ask,
    records,
    routed,
    timed,
    wire,
)
from tests.scorecard.row import Figures, Scale, row


@row(
    "U10",
    "401 and 403 at one provider",
    "The candidate is out after one failure, with one WARNING, and called at most once in 5 min; the others "
    "serve everything. Ten minutes on a clock that is moved.",
    p0=True,
)
def a_wrong_key_is_no_one_elses_trouble(scale: Scale) -> Figures:
    step_s = scale.seconds(5, 50)
    most_in_5_min, served, asked = 0, 0, 0
    warnings: list[logging.LogRecord] = []
    with FaultServer() as server, asyncio.Runner() as runner, records(warnings, logging.WARNING):
        for code in ("401", "403"):
            clock, at_s = Clock(), list[float]()
            chat = routed(wire(server, code), wire(server, "sibling", rank=2), clock=clock)
            for number in range(int(600 / step_s)):
                before = server.requests(code)
                served += ask(chat, WAYS[number % 4], runner).text == ANSWER
                asked += 1
                at_s += [clock.now] * (server.requests(code) - before)
                clock.now += step_s
            most_in_5_min = max(
                most_in_5_min, *(sum(one <= other < one + 300 for other in at_s) for one in at_s)
            )
    figures = Figures()
    figures.at_most("calls to it within 5 min", most_in_5_min, 1)
    figures.exactly("warnings for each", len(warnings) / 2, 1)
    figures.exactly("answered", 100 * served / asked, 100, "%")
    figures.tell("requests", asked)
    return figures


@row(
    "U11",
    "400: the caller's own fault",
    "One upstream call, no fallback, no mark against the candidate; the provider's error is raised.",
)
def a_bad_request_is_told_at_once(scale: Scale) -> Figures:
    upstream, fallbacks, raised, marks = 0, 0, 0, 0
    rounds = scale(20, 2)
    with FaultServer() as server, asyncio.Runner() as runner:
        chat = routed(wire(server, "400"), wire(server, "sibling", rank=2))
        for number in range(rounds * len(WAYS)):
            try:
                ask(chat, WAYS[number % 4], runner)
            except ModelInvalidRequestError:
                raised += 1
        upstream, fallbacks = server.requests("400"), server.requests("sibling")
        health = chat.health()["candidates"]["400"]
        marks = health["recent_failures"] + (health["state"] != "closed")
    figures = Figures()
    figures.exactly("upstream calls per request", upstream / (rounds * 4), 1)
    figures.none("fallbacks", fallbacks)
    figures.none("marks against it", marks)
    figures.exactly("raised as the caller's fault", 100 * raised / (rounds * 4), 100, "%")
    return figures


@row(
    "U12",
    "A prompt overflows a candidate's context window",
    "Goes to a candidate with a larger window, passing over one of the same size; a clear error where there "
    "is none. At most one extra call.",
)
def an_overflow_goes_to_a_larger_window(scale: Scale) -> Figures:
    served, clear, extra, lone, rounds = 0, 0, list[int](), list[int](), scale(10, 1)
    with FaultServer() as server, asyncio.Runner() as runner:

        def candidate(name: str, rank: int, tokens: int):  # type: ignore[no-untyped-def]
            return wire(server, name, rank=rank, context_tokens=tokens)

        for name in ("small", "same"):
            server.rate(name, "context-overflow", share=1.0)
        chat = routed(
            candidate("small", 1, 8_000), candidate("same", 2, 8_000), candidate("large", 3, 200_000)
        )
        alone = routed(candidate("small", 1, 8_000), candidate("same", 2, 8_000))
        for way in WAYS * rounds:
            before = len(server.seen)
            served += ask(chat, way, runner).text == ANSWER
            extra.append(len(server.seen) - before - 1)
            before = len(server.seen)
            try:
                ask(alone, way, runner)
            except ContextOverflowError:
                clear += 1
            lone.append(len(server.seen) - before)
    figures = Figures()
    figures.exactly("served by the larger", 100 * served / len(extra), 100, "%")
    figures.at_most("extra calls, most", max(extra), 1)
    figures.exactly("ContextOverflowError where there is none", 100 * clear / len(lone), 100, "%")
    figures.at_most("calls then, most", max(lone), 2)
    return figures


@row(
    "U13",
    "All candidates are down: 500, 503 and a reset; then all hang",
    "One error group that holds every attempt, within the deadline (+ 100 ms), after at most 3 calls.",
    p0=True,
)
def all_down_is_told_in_one_error(scale: Scale) -> Figures:
    total_s, rounds = scale.seconds(1.0, 0.5), scale(10, 1)
    complete, calls, seconds, asked = 0, list[int](), list[float](), 0
    deadlines = Deadlines(total_s=total_s, attempt_s=0.6 * total_s, first_token_s=0.6 * total_s)
    with FaultServer() as server, asyncio.Runner() as runner:
        for names in (("500", "503", "reset-before-headers"), ("500", "503"), ("hang-before-headers",) * 2):
            for way in WAYS * (min(rounds, 3) if "hang" in names[0] else rounds):
                outcomes = Outcomes()
                chat = routed(
                    *(
                        wire(server, name, rank=rank, name=f"{rank}-{name}")
                        for rank, name in enumerate(names, start=1)
                    ),
                    resilience=Resilience(deadlines=deadlines),
                    on_outcome=outcomes,
                )
                chat.warm_up()
                before = len(server.seen)
                asked += 1
                with timed(seconds):
                    told = _raised(chat, way, runner)
                calls.append(len(server.seen) - before)
                complete += told == calls[-1] == len(outcomes.last.attempts)
    figures = Figures()
    figures.exactly("errors that hold every attempt", 100 * complete / asked, 100, "%")
    figures.at_most("longest", max(seconds) * 1e3, total_s * 1e3 + 100, "ms")
    figures.at_most("calls, most", max(calls), 3)
    return figures


def _raised(chat: ChatRouter, way: Way, runner: asyncio.Runner) -> int:
    """Return of how many attempts the error tells; 0 for an answer."""
    try:
        ask(chat, way, runner)
    except RouterExhaustedError as error:
        return len(error.exceptions)
    except Exception:  # noqa: BLE001 - the error of a lone attempt
        return 1
    return 0
