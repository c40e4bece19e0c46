"""What the tests of the plan machine share: a world in which time stands still and models say what is set.

A `World` walks plans with the real machine, gates and drivers. Only the calls themselves are scripted.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.exceptions import (
    ModelAPIError,
    ModelAuthenticationError,
    ModelInvalidRequestError,
    ModelRateLimitError,
    ModelTimeoutError,
)
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.errors import GraphInterrupt

from langchain_router import (
    Candidate,
    ComplexityScore,
    Constraints,
    IntentPrediction,
    MalformedResponseError,
    Price,
    RoutingDecision,
)
from langchain_router.checks.base import Check
from langchain_router.checks.check import Ask, Review, Verdict
from langchain_router.decision import Step
from langchain_router.execution.breaker_config import BreakerConfig
from langchain_router.execution.drivers import adrive, drive
from langchain_router.execution.errors import ErrorKind
from langchain_router.execution.gates import Gates
from langchain_router.execution.moves import Call, Move, Reply
from langchain_router.execution.plan import Machine, walk
from langchain_router.execution.resilience import Resilience
from langchain_router.execution.served import Served
from langchain_router.execution.workers import _is_traced
from langchain_router.outcomes.records import Outcome
from langchain_router.request import RoutingRequest
from tests.execution.breakers import Clock

needs_interruption = pytest.mark.skipif(
    _is_traced(), reason="in Python 3.11 no call is interrupted while a debugger or coverage looks on"
)

QUESTION = "What is six times seven?"
Said = Any
"""What a call comes to: a text, any answer, a `Reply`, an exception to raise, or a function of the call."""


def priced(name: str, usd: float = 1.0, **known: Any) -> Candidate:
    """A candidate that takes `usd` for a million tokens, of prompt or of answer."""
    known.setdefault("price", Price.per_million(input_usd=usd, output_usd=usd))
    return Candidate(model=f"house/{name}", name=name, **known)


def unpriced(name: str, **known: Any) -> Candidate:
    return Candidate(model=f"house/{name}", name=name, **known)


def asking(**constraints: Any) -> RoutingRequest:
    return RoutingRequest(messages=(HumanMessage(QUESTION),), constraints=Constraints.of(constraints))


Planned = Step | Candidate | str | tuple[Candidate | str, Check]


def decision(*plan: Planned, answer_tokens: int = 100) -> RoutingDecision:
    return RoutingDecision(
        id="d",
        plan=tuple(map(as_step, plan)),
        reason="scripted",
        intent=IntentPrediction(label="reasoning", probabilities={"reasoning": 1.0}, source="scripted"),
        complexity=ComplexityScore(value=0.5),
        estimated_cost_usd=None,
        confidence=None,
        propensity=1.0,
        eligible=(),
        policy="scripted",
        expected_output_tokens=answer_tokens,
    )


def as_step(given: Planned) -> Step:
    if isinstance(given, Step):
        return given
    who, check = given if isinstance(given, tuple) else (given, None)
    return Step(candidate=who if isinstance(who, Candidate) else priced(who), check=check)


def message(text: str = "42", *, tokens: tuple[int, int] | None = (10, 100), **known: Any) -> AIMessage:
    """An answer that used so many tokens of prompt and of answer."""
    usage = None
    if tokens is not None:
        usage = {"input_tokens": tokens[0], "output_tokens": tokens[1], "total_tokens": sum(tokens)}
    return AIMessage(text, usage_metadata=usage, **known)


def told_to_wait(seconds: float) -> ModelRateLimitError:
    """A rate limit whose provider says when to come back."""
    error = ModelRateLimitError("slow down")
    error.headers = {"retry-after": str(seconds)}  # type: ignore[attr-defined]
    return error


def down(text: str = "down") -> ModelAPIError:
    return ModelAPIError(text)


WORDS: dict[str, Callable[[], Any]] = {
    "yes": lambda: message("yes"),
    "no": lambda: message("no"),
    "down": lambda: down("down"),
    "wait": lambda: told_to_wait(3),
    "late": lambda: ModelTimeoutError("late"),
    "auth": lambda: ModelAuthenticationError("key"),
    "malformed": lambda: MalformedResponseError("junk"),
    "bad": lambda: ModelInvalidRequestError("no such option"),
    "bug": lambda: KeyError("bug"),
    "interrupt": lambda: GraphInterrupt(),
    "unusable": lambda: Reply(answer="{", message=message("{"), fault="it does not parse"),
}
"""What a call can come to, anew each time."""


class Scored(Check):
    """Gives the answers of each text a score; passes from 0.5 on."""

    name = "scored"

    def __init__(self, **scores: float | None) -> None:
        self.scores = scores

    def review(self, request: RoutingRequest, response: AIMessage) -> Review:
        yield from ()
        score = self.scores[response.text]
        return Verdict(passed=score is not None and score >= 0.5, score=score, reason="as told")


class Asking(Check):
    """Asks another model, and passes what it says yes to; keeps what was sent or thrown in."""

    name = "asking"

    def __init__(self, ask: Ask, *, beside: bool = False, without: bool = False) -> None:
        self.ask, self.beside, self.without = ask, beside, without
        self.heard: list[AIMessage | Exception] = []

    @property
    def seconds(self) -> tuple[Ask, ...]:
        return (self.ask,) if self.beside else ()

    def review(self, request: RoutingRequest, response: AIMessage) -> Review:
        try:
            said = yield self.ask
        except Exception as error:  # noqa: BLE001 - what the test looks at
            self.heard.append(error)
            return Verdict(passed=self.without, reason="no word")
        self.heard.append(said)
        return Verdict(passed=said.text == "yes", reason="heard")


REJECTS = Scored(cheap=0.1, better=0.3, good=0.9)
"""Passes the answer "good" and no other."""


class World:
    """Scripted models, a clock that moves only when told, and the real machine, gates and drivers.

    Args:
        resilience: Given to the gates; breakers without jitter by default.
        is_async: Which driver is used.
    """

    def __init__(self, resilience: Resilience | None = None, *, is_async: bool = False) -> None:
        self.clock = Clock()
        self.resilience = resilience or Resilience(
            wait=lambda _: 0.0, breaker=BreakerConfig(jitter=0), retry_budget=1.0
        )
        self.gates = Gates(self.resilience, clock=self.clock)
        self.is_async = is_async
        self.calls: list[Call] = []
        self.slept: list[float] = []
        self.outcomes: list[Outcome] = []
        self._scripts: dict[str, list[Said]] = {}
        self._lock = threading.Lock()

    def says(self, name: str, *said: Said) -> None:
        """Set what a candidate's calls come to, one after another; the last goes on for ever."""
        self._scripts[name] = list(said)

    def takes(self, seconds: float, said: Said) -> Callable[[Call], Said]:
        """Something to say that takes its time."""

        def after(_: Call) -> Said:
            self.clock.now += seconds
            return said

        return after

    # --- walking ---

    def walk(self, plan: RoutingDecision, request: RoutingRequest | None = None, **how: Any) -> Machine:
        how.setdefault("report", self.outcomes.append)
        return walk(plan, request or asking(), gates=self.gates, clock=self.clock, **how)

    def serve(self, *plan: Planned, request: RoutingRequest | None = None, **how: Any) -> Served:
        return self.drive(self.walk(decision(*plan), request, **how))

    def drive(self, machine: Machine) -> Served:
        if self.is_async:
            return asyncio.run(adrive(machine, self.acall, sleep=self.asleep))
        return drive(machine, self.call, sleep=self.sleep)

    def call(self, call: Call) -> Any:
        with self._lock:
            self.calls.append(call)
            script = self._scripts[call.step.candidate.name]
            said = script.pop(0) if len(script) > 1 else script[0]
        while callable(said) and not isinstance(said, type):
            said = said(call)
        if isinstance(said, BaseException):
            raise said
        return message(said) if isinstance(said, str) else said

    async def acall(self, call: Call) -> Any:
        await asyncio.sleep(0)
        return self.call(call)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.now += seconds

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)

    def failed_before(
        self,
        who: str | Candidate,
        kind: ErrorKind = ErrorKind.SERVER,
        told_s: float | None = None,
        times: int = 1,
    ) -> None:
        """Let calls of other requests have failed."""
        for _ in range(times):
            ticket = self.gates.admit(who if isinstance(who, Candidate) else priced(who))
            assert ticket is not None
            ticket.failed(kind, told_s)

    # --- what came of it ---

    @property
    def called(self) -> list[str]:
        return [call.step.candidate.name for call in self.calls]

    @property
    def outcome(self) -> Outcome:
        """What the one request came to."""
        assert len(self.outcomes) == 1, "reported exactly once"
        return self.outcomes[0]

    def is_at_rest(self) -> bool:
        """Whether nobody is under way any more, by what gates and budget count."""
        health = self.gates.snapshot().values()
        is_idle = all(not one["in_flight"] and not one.get("is_trial_under_way") for one in health)
        return is_idle and self.gates._retries._active == 0


class ByHand:
    """Drives a machine move by move: each is answered by the test, which sees all there is to see."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.move: Move | None = next(machine)
        self.served: Served | None = None

    def send(self, came: Any = None) -> Move | None:
        return self._go(lambda: self.machine.send(came))

    def throw(self, error: BaseException) -> Move | None:
        return self._go(lambda: self.machine.throw(error))

    def _go(self, on: Callable[[], Move]) -> Move | None:
        try:
            self.move = on()
        except StopIteration as end:
            self.move, self.served = None, end.value
        except BaseException:
            self.move = None
            raise
        return self.move


def seen(outcome: Outcome | Served) -> list[tuple[str, str, str | None]]:
    """Candidate, role and kind of failure of each attempt."""
    return [(one.candidate, one.role, one.error_kind) for one in outcome.attempts]
