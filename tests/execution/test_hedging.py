"""Hedging: a slow call gets a second beside it; who answers first wins, the other is given up and paid."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.exceptions import ModelInvalidRequestError, ModelTimeoutError

from langchain_router import RouterExhaustedError
from langchain_router.execution.breaker_config import BreakerConfig
from langchain_router.execution.moves import Call, Hedge, Reply
from langchain_router.execution.resilience import Deadlines, Hedging, Resilience
from tests.execution.walks import REJECTS, ByHand, World, asking, decision, down, message, priced, seen


def world_of(**how: Any) -> World:
    given = {
        "hedging": Hedging(after_s=2.0, share=1.0),
        "wait": lambda _: 0.0,
        "breaker": BreakerConfig(jitter=0),
        "retry_budget": 1.0,
        **how,
    }
    return World(Resilience(**given))


def hedged(world: World, *plan: Any, begins: bool = True, **how: Any) -> ByHand:
    """A walk whose first call has been waited for long enough, with a second beside it if that may begin."""
    walk = ByHand(world.walk(decision(*(plan or ("a", "b"))), **how))
    assert isinstance(walk.move, Hedge)
    world.clock.now += walk.move.after_s
    assert walk.move.may_begin() is begins
    return walk


def answer(text: str = "42") -> Reply:
    return Reply(answer=text, message=message(text))


# --- what the machine makes of it -----------------------------------------------------------------


def test_both_calls_are_contested_so_that_nothing_of_them_shows_before_one_has_won() -> None:
    move = hedged(world_of()).move
    assert isinstance(move, Hedge)
    assert (move.first.role, move.second.role) == ("answer", "hedge")
    assert (move.first.number, move.second.number) == (1, 2)
    assert move.first.is_contested
    assert move.second.is_contested
    assert move.after_s == 2.0


@pytest.mark.parametrize("winner", ["a", "b"])
def test_the_loser_is_recorded_as_cancelled_with_an_estimated_cost(winner: str) -> None:
    world = world_of()
    walk = hedged(world)
    walk.send([answer(), None] if winner == "a" else [None, answer()])
    assert walk.served is not None
    assert walk.served.served_by == world.outcome.served_by == winner
    lost = [None if winner == "a" else "cancelled", "cancelled" if winner == "a" else None]
    assert seen(world.outcome) == [("a", "answer", lost[0]), ("b", "hedge", lost[1])]
    (loser,) = [one for one in world.outcome.attempts if one.error_kind]
    assert loser.estimated
    assert loser.cost_usd == pytest.approx(asking().prompt_tokens * 1e-6)
    assert world.outcome.cost_usd == pytest.approx(110e-6 + asking().prompt_tokens * 1e-6)
    assert world.is_at_rest()


def test_the_latency_of_the_second_counts_from_its_own_beginning() -> None:
    world = world_of()
    walk = hedged(world)
    world.clock.now += 1.5
    walk.send([None, answer()])
    assert [one.latency_s for one in world.outcome.attempts] == [3.5, 1.5]


def test_a_hedge_that_was_never_begun_is_not_recorded_and_holds_nothing() -> None:
    world = world_of()
    walk = ByHand(world.walk(decision("a", "b")))
    walk.send([answer(), None])
    assert seen(world.outcome) == [("a", "answer", None)]
    assert world.is_at_rest()


def test_while_the_first_is_fast_nobody_else_lacks_the_place_of_the_second() -> None:
    world, other = world_of(), priced("b", max_concurrency=1)
    walk = ByHand(world.walk(decision("a", other)))
    assert world.gates.snapshot().get("b", {}).get("in_flight", 0) == 0
    walk.send([answer(), None])
    assert world.is_at_rest()


def test_a_second_that_is_busy_or_left_alone_does_not_begin() -> None:
    world, busy = world_of(), priced("b", max_concurrency=1)
    assert world.gates.admit(busy) is not None
    walk = hedged(world, "a", busy, begins=False)
    walk.send([answer(), None])
    assert seen(world.outcome) == [("a", "answer", None)]


def test_what_a_hedge_could_not_begin_for_takes_nothing_off_its_budget() -> None:
    world, busy = world_of(), priced("b", max_concurrency=1)
    ticket = world.gates.admit(busy)
    assert ticket is not None
    walk = hedged(world, "a", busy, begins=False)
    ticket.succeeded()
    assert isinstance(walk.move, Hedge)
    assert walk.move.may_begin()


def test_a_first_that_fails_early_is_a_failover_and_no_hedge() -> None:
    world = world_of()
    walk = ByHand(world.walk(decision("a", "b")))
    walk.send([ModelTimeoutError("early"), None])
    assert isinstance(walk.move, Call)
    assert (walk.move.step.candidate.name, walk.move.role) == ("b", "answer")
    walk.send(answer())
    assert seen(world.outcome) == [("a", "answer", "timeout"), ("b", "answer", None)]


def test_where_both_fail_the_group_holds_both_and_the_next_is_called() -> None:
    world = world_of(stop=None)
    walk = hedged(world, "a", "b", "c")
    errors = [ModelTimeoutError("a"), ModelTimeoutError("b"), ModelTimeoutError("c")]
    walk.send(errors[:2])
    assert isinstance(walk.move, Call)
    assert (walk.move.step.candidate.name, walk.move.number) == ("c", 3)
    with pytest.raises(RouterExhaustedError) as caught:
        walk.throw(errors[2])
    assert list(caught.value.exceptions) == errors
    assert [error.__notes__ for error in errors] == [
        [f"langchain_router: attempt {number}, candidate {name!r}, timeout."]
        for number, name in enumerate("abc", start=1)
    ]
    assert world.is_at_rest()


def test_where_both_fail_in_passing_either_may_be_asked_again() -> None:
    world = world_of()
    walk = hedged(world)
    walk.send([ModelTimeoutError("a"), down("b")])
    assert isinstance(walk.move, Call)
    assert walk.move.step.candidate.name == "b"


@pytest.mark.parametrize("which", [0, 1])
def test_a_bug_or_bad_request_of_either_surfaces_when_neither_answers(which: int) -> None:
    bad = ModelInvalidRequestError("no such option")
    errors: list[Exception] = [down(), down()]
    errors[which] = bad
    walk = hedged(world_of())
    with pytest.raises(ModelInvalidRequestError) as caught:
        walk.send(errors)
    assert caught.value is bad


def test_a_first_that_fails_while_the_second_answers_is_recorded_and_counts_against_it() -> None:
    world = world_of(breaker=BreakerConfig(failures=1, jitter=0))
    hedged(world).send([down(), answer()])
    assert seen(world.outcome) == [("a", "answer", "server"), ("b", "hedge", None)]
    assert world.gates.reason_against(priced("a")) is not None


@pytest.mark.parametrize("began", [False, True])
def test_an_interrupt_gives_up_what_was_begun_and_nothing_else(began: bool) -> None:
    world = world_of()
    plan = decision(priced("a", max_concurrency=1), priced("b", max_concurrency=1))
    walk = ByHand(world.walk(plan))
    if began:
        assert isinstance(walk.move, Hedge)
        assert walk.move.may_begin()
    with pytest.raises(KeyboardInterrupt):
        walk.throw(KeyboardInterrupt())
    assert seen(world.outcome) == [("a", "answer", "cancelled"), ("b", "hedge", "cancelled")][: 1 + began]
    assert world.outcome.status == "cancelled"
    assert world.is_at_rest()


# --- who is hedged --------------------------------------------------------------------------------


def test_hedges_are_five_in_a_hundred_requests_by_default() -> None:
    world, begun = world_of(hedging=Hedging(after_s=2.0)), 0
    for _ in range(1_000):
        walk = ByHand(world.walk(decision("a", "b")))
        assert isinstance(walk.move, Hedge)
        is_begun = walk.move.may_begin()
        begun += is_begun
        walk.send([answer(), None])
    assert 45 <= begun <= 50


@pytest.mark.parametrize(
    "plan",
    [(("a", REJECTS), "b"), ("a", ("b", REJECTS)), ("a",), ("a", priced("b", 1_000.0))],
    ids=["a draft", "with a draft", "with nobody", "with one that is too dear"],
)
def test_these_are_not_hedged(plan: Any) -> None:
    walk = ByHand(world_of().walk(decision(*plan), asking(max_cost_usd=0.001)))
    assert isinstance(walk.move, Call)
    assert not walk.move.is_contested
    walk.machine.close()


def test_hedging_is_off_by_default() -> None:
    walk = ByHand(world_of(hedging=None).walk(decision("a", "b")))
    assert isinstance(walk.move, Call)
    walk.machine.close()


def test_the_last_tier_of_a_cascade_is_hedged_by_those_behind_it() -> None:
    world = world_of()
    walk = ByHand(world.walk(decision(("a", REJECTS), "b", "c")))
    walk.send(Reply(answer="cheap", message=message("cheap")))
    assert isinstance(walk.move, Hedge)
    assert (walk.move.first.step.candidate.name, walk.move.second.step.candidate.name) == ("b", "c")
    walk.machine.close()


def test_the_second_has_no_more_time_than_is_left_when_it_begins() -> None:
    walk = ByHand(world_of(deadlines=Deadlines(total_s=10)).walk(decision("a", "b")))
    assert isinstance(walk.move, Hedge)
    assert (walk.move.first.timeout_s, walk.move.second.timeout_s) == (10, 8)
    walk.machine.close()


def test_a_live_hedge_keeps_the_place_of_the_winner_only_until_it_is_finished() -> None:
    world = world_of()
    walk = hedged(world, priced("a", max_concurrency=1), priced("b", max_concurrency=1), is_live=True)
    walk.send([None, Reply(answer="begun", is_complete=False)])
    health = world.gates.snapshot()
    assert (health["a"]["in_flight"], health["b"]["in_flight"]) == (0, 1)
    assert walk.served is not None
    walk.served.finish(message("done"))
    assert world.is_at_rest()
