"""Judges and classifiers that are slow, down or unreadable."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage

from langchain_router import (
    Candidate,
    CascadePolicy,
    ChatRouter,
    JudgeCheck,
    LLMIntentClassifier,
)
from langchain_router.request import RoutingRequest
from tests.scorecard.parts import ANSWER, FaultServer, Outcomes, in_memory, model_of, wire
from tests.scorecard.row import Figures, Scale, row
from tests.scorecard.rows.input import deciding

_JUDGE_S = 0.1
_IN_MEMORY = ("hang", "slow", "server", "connect", "rate_limited", "auth", "malformed", "unknown")
_ON_THE_WIRE = ("hang-before-headers", "drip-bytes", "500", "reset-before-headers", "html", "choices-empty")
_UNREADABLE = ("", "0.9", "The score is 0.9.", '{"score": 2, "fault": "none"}', '{"score": 0.9}', "[" * 500)


@row(
    "I6",
    "A judge, and a model that classifies intents, that is slow, down, or answers with something unreadable",
    "What was set for that case happens (escalate, accept; keywords) within the judge's deadline + 50 ms, "
    "without an error, sync and async. On a quiet machine 10 ms would do; two busy cores are not quiet.",
)
def a_failing_judge_is_done_without(scale: Scale) -> Figures:
    late_ms, classified_ms = _Late(), _Late()
    with FaultServer() as server, asyncio.Runner() as runner:
        ways = (None, runner) * scale(5, 1)
        _warm_up(server, runner)
        for name, make in _judges(server, scale).items():
            for on in ways:
                for then, expected in (("escalate", "dear"), ("accept", "cheap")):
                    late_ms.note(partial(_judged, make, then, on), expected)
                if not name.startswith("wire"):
                    classified_ms.note(partial(_classified, make, on), True)
    figures = Figures()
    for what, late in (("judge", late_ms), ("classifier", classified_ms)):
        figures.none(f"errors, {what}", late.errors)
        figures.none(f"other than the default, {what}", late.others)
        figures.at_most(f"latest after the {what}'s deadline", max(late.ms, default=math.inf), 50, "ms")
        figures.at_least(f"times asked, {what}", len(late.ms), 10)
    return figures


@dataclass(slots=True)
class _Late:
    """Counts how long after the deadline something came, and what came that should not."""

    ms: list[float] = field(default_factory=list)
    errors: int = 0
    others: int = 0

    def note(self, ask: Callable[[], tuple[float, object]], expected: object) -> None:
        try:
            took_s, came = ask()
        except Exception:  # noqa: BLE001 - counted
            self.errors += 1
            return
        self.others += came != expected
        self.ms.append((took_s - _JUDGE_S) * 1e3)


def _judges(server: FaultServer, scale: Scale) -> dict[str, Callable[[], Candidate]]:
    """Return how to make each judge; a fresh one for each call, so that no breaker spares it."""
    every = scale(1, 2)
    found: dict[str, Callable[[], Candidate]] = {}
    for fault in _IN_MEMORY[::every]:
        found[fault] = partial(in_memory, "judge", script=[fault] * 9, hang_s=5, slow_s=5)
    for text in _UNREADABLE[::every]:
        found[f"says {text!r}"] = partial(in_memory, "judge", answer=text)
    for fault in _ON_THE_WIRE[:: scale(1, 3)]:
        found[f"wire {fault}"] = partial(wire, server, fault, name="judge")
    return found


def _judged(make: Callable[[], Candidate], then: Any, runner: asyncio.Runner | None) -> tuple[float, str]:
    """Ask a fresh cascade (so that no breaker spares the judge); return how long it took and who served."""
    judge = make()
    check = JudgeCheck(judge, timeout_s=_JUDGE_S, when_unavailable=then)
    outcomes = Outcomes()
    chat = ChatRouter(
        candidates=[in_memory("cheap"), in_memory("dear", rank=2)],
        policy=CascadePolicy([("cheap", check), ("dear", None)]),
        on_outcome=outcomes,
    )
    judge.chat_model()  # LiteLLM takes its time to make one
    started_s = time.perf_counter()
    answer = chat.invoke("Hello") if runner is None else runner.run(chat.ainvoke("Hello"))
    took_s = time.perf_counter() - started_s
    if answer.text != ANSWER or not any(attempt.role == "judge" for attempt in outcomes.last.attempts):
        raise AssertionError("the judge was not asked, or the answer is not the candidate's")
    return took_s, str(answer.response_metadata["router"]["served_by"])


def _classified(make: Callable[[], Candidate], runner: asyncio.Runner | None) -> tuple[float, bool]:
    """Decide with a classifier that fails; return how long it took and whether keywords stood in."""
    classifier = LLMIntentClassifier(model_of(make()), timeout_s=_JUDGE_S)
    router = deciding(intent_classifier=classifier)
    started_s = time.perf_counter()
    decision = (
        router.decide("Translate this into German: tree")
        if runner is None
        else runner.run(router.adecide("Translate this into German: tree"))
    )
    took_s = time.perf_counter() - started_s
    return took_s, decision.intent.source == "keywords" and decision.intent.label == "translation"


def _warm_up(server: FaultServer, runner: asyncio.Runner) -> None:
    """Let LiteLLM do what it does on its first calls, which takes seconds."""
    request = RoutingRequest(messages=(HumanMessage("Hello"),))
    judge = wire(server, "healthy")
    JudgeCheck(judge, timeout_s=30).check(request, AIMessage(ANSWER))
    runner.run(JudgeCheck(judge, timeout_s=30).acheck(request, AIMessage(ANSWER)))
