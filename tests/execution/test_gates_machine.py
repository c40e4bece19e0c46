"""Several requests through the same gates, their calls ending in any order and way."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from langchain_core.exceptions import ModelAuthenticationError, ModelInvalidRequestError, ModelTimeoutError

from langchain_router import Candidate
from langchain_router.checks.base import as_check
from langchain_router.checks.check import Ask
from langchain_router.execution.breaker_config import BreakerConfig
from langchain_router.execution.gates import Gates
from langchain_router.execution.moves import Call, Hedge, Move, Reply, RunCheck, SideBySide, Sleep
from langchain_router.execution.plan import walk
from langchain_router.execution.resilience import Hedging, Resilience
from langchain_router.execution.served import Served
from langchain_router.outcomes.records import Outcome
from tests.execution.breakers import Clock
from tests.execution.walks import Asking, ByHand, World, asking, decision, down, message, priced, told_to_wait

LIMITS: dict[str, int | None] = {"a": 1, "b": 2, "c": None}
CANDIDATES = {name: priced(name, max_concurrency=most) for name, most in LIMITS.items()}
PLANS = ["abc", "ba", "cab", "b", "a?b", "c?ba", "a&bc", "b&ca"]
"""`?` is a check of one's own on the step before, `&` one that asks `c` beside it."""

FAILURES: dict[str, Any] = {
    "down": down,
    "late": lambda: ModelTimeoutError("late"),
    "auth": lambda: ModelAuthenticationError("key"),
    "bad": lambda: ModelInvalidRequestError("no such option"),
    "bug": lambda: KeyError("bug"),
    "wait": lambda: told_to_wait(4),
    "cancel": KeyboardInterrupt,
}
what = st.sampled_from(["yes", "yes", "no", "begun", *FAILURES])


def planned(text: str) -> Any:
    steps: list[Any] = []
    for one in text:
        if one == "?":
            steps[-1] = (steps[-1], as_check(lambda _, answer: answer.text == "yes"))
        elif one == "&":
            steps[-1] = (steps[-1], Asking(Ask(candidate=CANDIDATES["c"], role="second"), beside=True))
        else:
            steps.append(CANDIDATES[one])
    return decision(*steps)


class UnderWay:
    """A request on its way: its walk, or the live answer that it came to."""

    def __init__(self, shared: Gates, clock: Clock, plan: str) -> None:
        self.outcomes: list[Outcome] = []
        self.served: Served | None = None
        self.hedge_has_begun = False
        machine = walk(
            planned(plan), asking(), gates=shared, clock=clock, is_live=True, report=self.outcomes.append
        )
        self.walk: ByHand | None = None
        self.error: BaseException | None = None
        try:
            self.walk = ByHand(machine)
        except Exception as error:  # noqa: BLE001 - nobody may be called now
            self.error = error

    @property
    def move(self) -> Move | None:
        return None if self.walk is None else self.walk.move

    def calls(self) -> list[Candidate]:
        """Who is being called for it at this moment."""
        match self.move:
            case Call(step=step):
                return [step.candidate]
            case SideBySide(calls=calls):
                return [call.step.candidate for call in calls]
            case Hedge(first=first, second=second):
                return [first.step.candidate, *([second.step.candidate] if self.hedge_has_begun else [])]
        if self.served is not None and self.served.outcome is None:
            return [CANDIDATES[self.served.served_by]]
        return []

    def goes_on(self, came: Any) -> None:
        assert self.walk is not None
        self.hedge_has_begun = False
        try:
            self.walk.throw(came) if isinstance(came, BaseException) else self.walk.send(came)
        except BaseException as error:  # noqa: BLE001 - it ended with an error
            self.error = error
        self.served = self.walk.served


class GatesMachine(RuleBasedStateMachine):
    """Requests begin, their calls end in any way and order, and time passes."""

    @initialize(seed=st.integers(0, 1_000), is_hedged=st.booleans())
    def begin(self, seed: int, is_hedged: bool) -> None:
        self.clock = Clock()
        how = Resilience(
            wait=lambda _: 1.0,
            breaker=BreakerConfig(failures=3, window=8, min_calls=5),
            retry_budget=1.0,
            hedging=Hedging(after_s=1, share=1.0) if is_hedged else None,
        )
        self.gates = Gates(how, clock=self.clock, rng=random.Random(seed))
        self.requests: list[UnderWay] = []

    @rule(plan=st.sampled_from(PLANS))
    def a_request_begins(self, plan: str) -> None:
        if sum(request.move is not None for request in self.requests) < 6:
            self.requests.append(UnderWay(self.gates, self.clock, plan))

    def waiting(self) -> list[UnderWay]:
        return [request for request in self.requests if request.move is not None]

    def live(self) -> list[UnderWay]:
        return [one for one in self.requests if one.served is not None and one.served.outcome is None]

    @precondition(lambda self: self.waiting())
    @rule(data=st.data(), word=what)
    def a_move_is_done(self, data: st.DataObject, word: str) -> None:
        request = data.draw(st.sampled_from(self.waiting()))
        move = request.move
        if word == "cancel":
            request.goes_on(KeyboardInterrupt())
            return
        match move:
            case Call():
                request.goes_on(self.came(word))
            case RunCheck(run=run):
                request.goes_on(run.call())
            case Sleep(seconds=seconds):
                self.clock.now += seconds
                request.goes_on(None)
            case SideBySide():
                first = self.came(word)
                second = None if isinstance(first, Exception) else self.came(data.draw(what))
                request.goes_on([first, second if not isinstance(second, KeyboardInterrupt) else down()])
            case Hedge():
                self.hedged(request, move, word, data)

    def hedged(self, request: UnderWay, move: Hedge, word: str, data: st.DataObject) -> None:
        if not request.hedge_has_begun and data.draw(st.booleans()):
            request.hedge_has_begun = move.may_begin()
            return  # both are under way now
        first = self.came(word)
        if not request.hedge_has_begun:
            request.goes_on([first, None])
        elif isinstance(first, Exception):
            second = self.came(data.draw(what))
            request.goes_on([first, second if not isinstance(second, KeyboardInterrupt) else down()])
        else:
            request.goes_on([first, None] if data.draw(st.booleans()) else [None, first])

    def came(self, word: str) -> Any:
        if word in FAILURES:
            return FAILURES[word]()
        text = "yes" if word == "begun" else word
        return Reply(answer=text, message=message(text), is_complete=word != "begun")

    @precondition(lambda self: self.live())
    @rule(data=st.data(), word=what)
    def a_live_answer_ends(self, data: st.DataObject, word: str) -> None:
        request = data.draw(st.sampled_from(self.live()))
        assert request.served is not None
        came = self.came(word)
        if isinstance(came, BaseException):
            request.served.finish(None, came)
        else:
            request.served.finish(came.message)

    @rule(seconds=st.sampled_from([0.1, 1.0, 7.0, 31.0, 301.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    # --- at all times ---

    @invariant()
    def nobody_bears_more_calls_than_it_may_and_all_are_counted(self) -> None:
        health = self.gates.snapshot()
        calls = [candidate.name for request in self.requests for candidate in request.calls()]
        for name, most in LIMITS.items():
            if name not in health or most is None:
                continue
            in_flight = health[name]["in_flight"]
            assert 0 <= in_flight <= most
            assert in_flight >= calls.count(name), "every call holds a place"

    @invariant()
    def there_is_at_most_one_trial_for_each_candidate(self) -> None:
        for state in self.gates.snapshot().values():
            assert state["is_trial_under_way"] in (False, True)
            assert not (state["is_trial_under_way"] and state["state"] == "closed")

    @invariant()
    def the_budget_counts_the_walks_that_are_under_way(self) -> None:
        assert self.gates._retries._active == len(self.waiting())

    @invariant()
    def every_request_that_is_over_has_been_reported_once_and_no_other(self) -> None:
        for request in self.requests:
            is_over = request.move is None and request not in self.live()
            assert len(request.outcomes) == is_over

    def teardown(self) -> None:
        if not hasattr(self, "requests"):
            return
        for request in self.requests:
            if request.walk is not None and request.move is not None:
                request.walk.machine.close()
            if request.served is not None:
                request.served.finish(None, GeneratorExit())
        world = World()
        world.gates = self.gates
        assert world.is_at_rest(), "when all is over, nothing is held"


GatesMachine.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
test_no_order_of_events_breaks_the_gates = GatesMachine.TestCase
