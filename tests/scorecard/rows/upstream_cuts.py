"""Answers cut short or unreadable: nothing is lost before a token shows, nothing is spliced after one."""

from __future__ import annotations

import asyncio

from langchain_core.exceptions import ModelError
from tenacity import wait_none

from langchain_router import (
    ChatRouter,
    Resilience,
    StreamInterruptedError,
)
from tests.scorecard.parts import ANSWER, WAYS, FaultServer, Outcomes, Way, ask, routed, watch, wire
from tests.scorecard.row import Figures, Scale, row

_PATIENT = Resilience(breaker=None)
"""So that every call of a row meets its fault, instead of an open breaker."""

_AT_ONCE = Resilience(breaker=None, wait=wait_none())


# --- U6, U7, U8 --------------------------------------------------------------------------------------

_BEFORE_A_TOKEN = (
    "reset-before-headers",
    "close-before-headers",
    "cut-before-token",
    "early-close-before-token",
    "error-event-first",
    "truncated-json-first",
    "empty-body",
)
_AFTER_A_TOKEN = (
    "reset-mid-body",
    "cut-stream",
    "early-close",
    "early-close-unframed",
    "done-without-finish",
    "error-event",
)
_UNREADABLE = (
    "truncated-json-first",
    "html",
    "choices-empty",
    "choices-null",
    "error-event-first",
    "error-event",
    "truncated-json",
    "empty-body",
    "length-too-long",
)
_WHOLE_AS_A_STREAM = frozenset({"length-too-long"})  # all of it came, `[DONE]` too
_ABSURD_USAGE = ("usage-negative", "usage-huge", "usage-strings")


@row(
    "U6",
    "The connection is cut, or the answer ends, before the first token",
    "The sibling serves, and nothing of it shows but the attempt.",
    p0=True,
)
def cuts_before_a_token_do_not_show(scale: Scale) -> Figures:
    served, recorded, asked = 0, 0, 0
    with FaultServer() as server, asyncio.Runner() as runner:
        for fault in _BEFORE_A_TOKEN:
            chat = routed(wire(server, fault), wire(server, "sibling", rank=2), resilience=_PATIENT)
            for way in WAYS * scale(10, 1):
                asked += 1
                answer = ask(chat, way, runner)
                served += answer.text == ANSWER
                attempts = answer.response_metadata["router"]["attempts"]
                recorded += [one["candidate"] for one in attempts] == [fault, "sibling"]
    figures = Figures()
    figures.exactly("served", 100 * served / asked, 100, "%")
    figures.exactly("with both attempts recorded", 100 * recorded / asked, 100, "%")
    figures.tell("calls", asked)
    return figures


@row(
    "U7",
    "A stream is cut after a token, or ends cleanly without a finish reason",
    "StreamInterruptedError with the text that had arrived; the outcome says truncated; the sibling is not "
    "called, so nothing is spliced.",
    p0=True,
)
def cuts_after_a_token_are_told(scale: Scale) -> Figures:
    told, truncated, cuts = 0, 0, 0
    with FaultServer() as server, asyncio.Runner() as runner:
        for number in range(scale(200, 24)):
            fault = _AFTER_A_TOKEN[number % len(_AFTER_A_TOKEN)]
            outcomes = Outcomes()
            chat = routed(
                wire(server, fault),
                wire(server, "sibling", rank=2),
                resilience=_PATIENT,
                on_outcome=outcomes,
            )
            seen: list[str] = []
            cuts += 1
            error = _interrupted(chat, WAYS[2 + number // 2 % 2], runner, seen)
            told += error is not None and "".join(seen) == error.partial != "" and _is_part(error.partial)
            truncated += outcomes.last.status == "truncated"
        spliced = server.requests("sibling")
    figures = Figures()
    figures.exactly("StreamInterruptedError with what was shown", 100 * told / cuts, 100, "%")
    figures.exactly("outcomes truncated", 100 * truncated / cuts, 100, "%")
    figures.none("calls to the sibling", spliced)
    figures.tell("cuts", cuts)
    return figures


def _is_part(text: str) -> bool:
    return ANSWER.startswith(text) and text != ANSWER


def _interrupted(
    chat: ChatRouter, way: Way, runner: asyncio.Runner, seen: list[str]
) -> StreamInterruptedError | None:
    try:
        watch(chat, way, runner, lambda chunk: seen.append(chunk.text))
    except StreamInterruptedError as error:
        return error
    return None


@row(
    "U8",
    "A 200 that is no answer: half a JSON document, a web page, no choices, an error inside the stream; "
    "and absurd usage figures",
    "Every error is a ModelError (none is bare) and recorded; a sibling serves what no token was shown of; "
    "absurd figures are not billed.",
    p0=True,
)
def unreadable_answers_are_errors(scale: Scale) -> Figures:
    bare, served, must_serve, unrecorded, billed, calls = 0, 0, 0, 0, 0, 0
    with FaultServer() as server, asyncio.Runner() as runner:
        for fault in _UNREADABLE:
            ways = ("invoke", "ainvoke") if fault in _WHOLE_AS_A_STREAM else WAYS
            for way in ways * scale(5, 1):
                calls += 1
                outcomes = Outcomes()
                alone = routed(wire(server, fault), resilience=_AT_ONCE, on_outcome=outcomes)
                shown = False
                try:
                    ask(alone, way, runner)
                except StreamInterruptedError:
                    shown = True
                except Exception as error:  # noqa: BLE001 - counted
                    bare += not isinstance(error, ModelError)
                else:
                    bare += 1
                unrecorded += outcomes.last.attempts[0].error_kind is None
                if shown:
                    continue
                must_serve += 1
                beside = routed(wire(server, fault), wire(server, "sibling", rank=2), resilience=_PATIENT)
                served += ask(beside, way, runner).text == ANSWER
        for fault in _ABSURD_USAGE:
            for way in WAYS * scale(5, 1):
                calls += 1
                outcomes = Outcomes()
                chat = routed(wire(server, fault), wire(server, "sibling", rank=2), on_outcome=outcomes)
                answer = ask(chat, way, runner)
                cost = outcomes.last.cost_usd
                must_serve += 1
                served += answer.text == ANSWER
                billed += cost is not None and not 0 <= cost <= 1e-3
    figures = Figures()
    figures.none("bare exceptions or silent answers", bare)
    figures.exactly("served by a sibling", 100 * served / must_serve, 100, "%")
    figures.none("faults not recorded", unrecorded)
    figures.none("absurd bills", billed)
    figures.tell("calls", calls)
    return figures
