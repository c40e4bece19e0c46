"""Cancellation at every point of a walk: nothing stays held, and the request is reported once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.exceptions import ModelTimeoutError
from langchain_core.messages import HumanMessage

from langchain_router import Candidate
from langchain_router.checks.base import Check, as_check
from langchain_router.checks.check import Ask
from langchain_router.execution.breaker_config import BreakerConfig
from langchain_router.execution.moves import Call, Hedge, Move, Reply, RunCheck, SideBySide, Sleep
from langchain_router.execution.resilience import Hedging, Resilience
from tests.execution.walks import Asking, ByHand, World, decision, down, message, priced, told_to_wait

INTERRUPTS: list[type[BaseException]] = [asyncio.CancelledError, KeyboardInterrupt, GeneratorExit, SystemExit]
SAID: dict[str, Any] = {
    "yes": lambda: Reply(answer="yes", message=message("yes")),
    "no": lambda: Reply(answer="no", message=message("no")),
    "begun": lambda: Reply(answer="no", message=message("no"), is_complete=False),
    "down": down,
    "wait": lambda: told_to_wait(2),
    "late": lambda: ModelTimeoutError("late"),
}
said = st.sampled_from(list(SAID))


def alone(name: str) -> Candidate:
    return priced(name, max_concurrency=1)


def check(kind: str) -> Check | None:
    judge = Asking(Ask(candidate=alone("d"), role="judge", messages=(HumanMessage("Right?"),)))
    made: dict[str, Check | None] = {
        "none": None,
        "own": as_check(lambda _, answer: answer.text == "yes"),
        "judge": judge,
        "beside": Asking(Ask(candidate=alone("c"), role="second"), beside=True),
    }
    return made[kind]


def answer_to(move: Move, words: st.DataObject) -> Any:
    """Whatever a move may be answered with; an exception is to be thrown."""
    match move:
        case Call():
            return SAID[words.draw(said)]()
        case RunCheck(run=run):
            return run.call()
        case Sleep():
            return None
        case SideBySide(calls=calls):
            first = SAID[words.draw(said)]()
            if isinstance(first, Exception):
                return [first, *(None for _ in calls[1:])]
            return [first, *(SAID[words.draw(said)]() for _ in calls[1:])]
        case Hedge():
            first = SAID[words.draw(said)]()
            if not words.draw(st.booleans()) or not move.may_begin():
                return [first, None]
            second = SAID[words.draw(said)]()
            if isinstance(first, Reply) and isinstance(second, Reply):
                return [first, None] if words.draw(st.booleans()) else [None, second]
            return [first, second]


@settings(deadline=None, max_examples=300)
@given(
    checks=st.tuples(
        st.sampled_from(["none", "own", "judge", "beside"]), st.sampled_from(["none", "own", "judge"])
    ),
    is_hedged=st.booleans(),
    at=st.integers(0, 12),
    interrupt=st.sampled_from(INTERRUPTS),
    words=st.data(),
)
def test_wherever_it_is_interrupted_nothing_stays_held_and_it_is_reported_once(
    checks: tuple[str, str], is_hedged: bool, at: int, interrupt: type[BaseException], words: st.DataObject
) -> None:
    how = Resilience(
        wait=lambda _: 1.0,
        stop=lambda _: False,
        breaker=BreakerConfig(failures=2, jitter=0),
        retry_budget=1.0,
        hedging=Hedging(after_s=1, share=1.0) if is_hedged else None,
    )
    world = World(how)
    first, second = map(check, checks)
    plan = decision(
        (alone("a"), first) if first else alone("a"),
        (alone("b"), second) if second else alone("b"),
        alone("c"),
    )
    walk = ByHand(world.walk(plan, is_live=True))
    for _ in range(at):
        if walk.move is None:
            break
        if isinstance(walk.move, Sleep):
            world.clock.now += walk.move.seconds
        came = answer_to(walk.move, words)
        try:
            walk.throw(came) if isinstance(came, Exception) else walk.send(came)
        except Exception:  # noqa: BLE001 - it ended with an error, which is one of its ends
            break
    if walk.move is not None:
        error = interrupt()
        with pytest.raises(interrupt) as caught:
            walk.throw(error)
        assert caught.value is error
        assert world.outcome.status == "cancelled"
        assert world.outcome.served_by is None
    elif walk.served is not None:
        walk.served.finish(None, interrupt())
    assert len(world.outcomes) == 1
    assert world.is_at_rest()


def test_a_call_that_is_given_up_says_nothing_of_its_candidates_health() -> None:
    world = World(Resilience(breaker=BreakerConfig(failures=1, jitter=0)))
    walk = ByHand(world.walk(decision("a")))
    with pytest.raises(asyncio.CancelledError):
        walk.throw(asyncio.CancelledError())
    assert world.gates.reason_against(priced("a")) is None
    assert world.gates.snapshot()["a"]["recent_calls"] == 0


def test_a_trial_call_that_is_given_up_leaves_the_trial_to_the_next() -> None:
    world = World(Resilience(breaker=BreakerConfig(failures=1, jitter=0)))
    world.failed_before("a")
    world.clock.now += 31
    walk = ByHand(world.walk(decision("a")))
    assert world.gates.snapshot()["a"]["is_trial_under_way"]
    with pytest.raises(KeyboardInterrupt):
        walk.throw(KeyboardInterrupt())
    ticket = world.gates.admit(priced("a"))
    assert ticket is not None
    ticket.succeeded()
    assert world.gates.snapshot()["a"]["state"] == "closed"


def test_what_an_interrupted_call_cost_is_an_estimate() -> None:
    world = World()
    walk = ByHand(world.walk(decision("a")))
    with pytest.raises(KeyboardInterrupt):
        walk.throw(KeyboardInterrupt())
    (attempt,) = world.outcome.attempts
    assert attempt.error_kind == "cancelled"
    assert attempt.estimated
    assert attempt.cost_usd is not None
    assert attempt.cost_usd > 0
