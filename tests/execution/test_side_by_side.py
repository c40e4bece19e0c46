"""Second opinions: asked side by side with the draft, and reused where their model's turn comes."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from langchain_core.exceptions import ModelTimeoutError
from langchain_core.messages import HumanMessage

from langchain_router import AgreementCheck, Candidate
from langchain_router.checks.check import Ask
from langchain_router.execution.breaker_config import BreakerConfig
from langchain_router.execution.errors import ErrorKind
from langchain_router.execution.gates import Gates
from langchain_router.execution.moves import Call, Reply, SideBySide
from langchain_router.execution.resilience import Resilience
from tests.execution.walks import (
    REJECTS,
    Asking,
    ByHand,
    World,
    asking,
    decision,
    down,
    message,
    priced,
    seen,
    told_to_wait,
)


def second(candidate: Candidate | str = "b", *, beside: bool = True, **ask: Any) -> Asking:
    who = candidate if isinstance(candidate, Candidate) else priced(candidate)
    return Asking(Ask(candidate=who, role="second", **ask), beside=beside)


@pytest.fixture(params=[False, True], ids=["sync", "async"])
def world(request: pytest.FixtureRequest) -> World:
    world = World(is_async=request.param)
    world.says("a", "draft")
    world.says("b", "no")
    world.says("c", "final")
    return world


def test_the_second_is_called_at_the_same_time_as_the_draft() -> None:
    world, both = World(), threading.Barrier(2, timeout=5)

    def together(_: Call) -> str:
        both.wait()  # breaks unless both are under way at once
        return "yes"

    world.says("a", together)
    world.says("b", together)
    assert world.serve(("a", second()), "c").served_by == "a"


def test_the_second_is_not_called_again_when_the_check_asks_for_it(world: World) -> None:
    check = second()
    assert world.serve(("a", check), "c").served_by == "c"
    assert sorted(world.called) == ["a", "b", "c"]
    assert [one.text for one in check.heard if not isinstance(one, Exception)] == ["no"]


def test_draft_and_second_are_numbered_and_recorded_in_order(world: World) -> None:
    world.serve(("a", second()), "c")
    assert seen(world.outcome) == [("a", "draft", None), ("b", "second", None), ("c", "answer", None)]
    numbers = {call.step.candidate.name: call.number for call in world.calls}
    assert numbers == {"a": 1, "b": 2, "c": 3}
    assert world.outcome.cost_usd == pytest.approx(330e-6)


@pytest.mark.parametrize("beside", [False, True])
def test_the_seconds_answer_is_the_answer_of_its_own_tier_without_a_further_call(
    world: World, beside: bool
) -> None:
    served = world.serve(("a", second(beside=beside)), "b", "c")
    assert (served.answer.text, served.served_by) == ("no", "b")
    assert sorted(world.called) == ["a", "b"]
    assert world.outcome.cost_usd == pytest.approx(220e-6)


def test_the_seconds_answer_is_reviewed_at_its_own_tier(world: World) -> None:
    world.says("b", "better")
    served = world.serve(("a", second()), ("b", REJECTS), "c")
    assert served.served_by == "c"
    assert sorted(world.called) == ["a", "b", "c"]
    assert [one.verdict is not None for one in served.attempts] == [True, True, False]


def test_an_answer_that_is_paid_for_is_reused_though_no_call_is_affordable_any_more(world: World) -> None:
    tiers = ((priced("a", 4.0), second(priced("b", 4.0))), priced("b", 4.0))
    served = world.serve(*tiers, request=asking(max_cost_usd=0.0009))
    assert served.served_by == "b"


def test_a_second_that_does_not_fit_the_money_beside_the_draft_is_not_asked_beside_it(world: World) -> None:
    check = second(priced("b", 4.0))
    world.serve((priced("a", 4.0), check), request=asking(max_cost_usd=0.0006))
    assert world.called == ["a"]


def test_the_second_at_a_place_that_the_request_excludes_is_never_called(world: World) -> None:
    check = second(priced("b", provider="elsewhere"))
    world.serve((priced("a", provider="here"), check), "c", request=asking(providers={"here"}))
    assert world.called == ["a", "c"]
    assert "was not asked" in str(check.heard[0])


def test_a_second_answer_to_a_question_of_the_checks_own_is_never_an_answer_to_the_request(
    world: World,
) -> None:
    check = second(messages=(HumanMessage("Something else?"),))
    served = world.serve(("a", check), "b")
    assert served.served_by == "b"
    assert world.called == ["a", "b", "b"]
    assert [call.messages is None for call in world.calls] == [True, False, True]


def test_a_second_of_the_drafts_own_model_is_asked_afterwards_anew(world: World) -> None:
    world.says("a", "draft", "yes")
    assert world.serve(("a", second("a")), "c").served_by == "a"
    assert [call.role for call in world.calls] == ["draft", "second"]


def test_an_answer_that_was_reused_is_not_its_own_second_opinion(world: World) -> None:
    world.says("b", "no", "yes")
    assert world.serve(("a", second()), ("b", second()), "c").served_by == "b"
    assert sorted(world.called) == ["a", "b", "b"]


def test_a_second_that_fails_is_thrown_into_the_check_and_called_again_at_its_own_tier(world: World) -> None:
    error = ModelTimeoutError("late")
    world.says("b", error, "now")
    check = second()
    assert world.serve(("a", check), "b").answer.text == "now"
    assert check.heard == [error]
    assert seen(world.outcome) == [("a", "draft", None), ("b", "second", "timeout"), ("b", "answer", None)]


def test_a_second_that_is_left_alone_is_asked_neither_beside_nor_after_the_draft(world: World) -> None:
    world.failed_before("b", ErrorKind.RATE_LIMITED, 30.0)
    world.serve(("a", second()), "c")
    assert world.called == ["a", "c"]


# --- the draft fails ------------------------------------------------------------------------------


def test_where_the_draft_fails_the_second_is_given_up_and_paid_in_part() -> None:
    world = World()
    walk = ByHand(world.walk(decision(("a", second()), "c")))
    assert isinstance(walk.move, SideBySide)
    walk.send([down(), None])
    walk.send(Reply(answer="final", message=message("final")))
    assert walk.served is not None
    assert walk.served.served_by == "c"
    assert seen(world.outcome)[:2] == [("a", "draft", "server"), ("b", "second", "cancelled")]
    given_up = world.outcome.attempts[1]
    assert given_up.estimated
    assert given_up.cost_usd == pytest.approx(asking().prompt_tokens * 1e-6)
    assert world.is_at_rest()


def test_a_second_that_was_given_up_is_asked_again_when_a_later_tier_wants_it(world: World) -> None:
    world.says("a", down())
    world.says("b", "yes")
    check = second()
    world.says("c", "draft")
    assert world.serve(("a", check), ("c", check), "d").served_by == "c"
    assert [one.text for one in check.heard if not isinstance(one, Exception)] == ["yes"]


def test_a_second_that_is_given_up_does_not_count_against_its_health() -> None:
    world = World(Resilience(breaker=BreakerConfig(failures=1, jitter=0)))
    walk = ByHand(world.walk(decision(("a", second()), "c")))
    walk.send([told_to_wait(5), None])
    assert world.gates.reason_against(priced("b")) is None
    assert world.gates.reason_against(priced("a")) is not None
    walk.machine.close()


def test_an_interrupt_settles_both_calls_as_given_up() -> None:
    world = World()
    walk = ByHand(
        world.walk(decision((priced("a", max_concurrency=1), second(priced("b", max_concurrency=1)))))
    )
    with pytest.raises(KeyboardInterrupt):
        walk.throw(KeyboardInterrupt())
    assert seen(world.outcome) == [("a", "draft", "cancelled"), ("b", "second", "cancelled")]
    assert world.outcome.status == "cancelled"
    assert world.is_at_rest()


def test_the_agreement_check_that_ships_works_so(world: World) -> None:
    world.says("a", "It is 42.")
    world.says("b", "The answer is 42.")
    served = world.serve(("a", AgreementCheck(priced("b"))), "c")
    assert served.served_by == "a"
    assert sorted(world.called) == ["a", "b"]


# --- models of the same name, and models that cannot ------------------------------------------------


def test_another_model_of_a_candidates_name_is_asked_as_a_second_and_never_served_as_the_candidate() -> None:
    world = World()
    own = priced("b")
    world.gates = Gates(world.resilience, candidates=[priced("a"), own], clock=world.clock)
    world.says("a", "draft")
    world.says("b", "no", "from the candidate itself")
    stranger = priced("b", options={"temperature": 1.0})
    served = world.serve(("a", second(stranger, beside=True)), own)
    assert served.answer.text == "from the candidate itself"
    assert sorted(world.called) == ["a", "b", "b"]


@pytest.mark.parametrize("beside", [False, True])
def test_a_second_that_cannot_do_what_the_request_needs_is_neither_asked_nor_paid(
    world: World, beside: bool
) -> None:
    blind = priced("b", capabilities=frozenset({"tool_calling"}))
    needs_eyes = asking(require={"image_inputs"})
    check = second(blind, beside=beside)
    world.serve(("a", check), "c", request=needs_eyes)
    assert world.called == ["a", "c"]
    (said,) = check.heard
    assert "lacks image input" in str(said)


# --- a second or a judge in a hurry ------------------------------------------------------------------


HURRIED = Resilience(wait=lambda _: 0.0, breaker=BreakerConfig(jitter=0, failures=2), retry_budget=1.0)


def test_a_candidate_too_slow_for_a_check_stays_in_service_as_a_tier() -> None:
    world = World(HURRIED)
    world.says("a", "draft")
    for _ in range(3):
        world.says("b", ModelTimeoutError("late"))
        with pytest.raises(ModelTimeoutError):
            world.serve("b")
    assert world.gates.reason_against(priced("b")), "as a tier it was too slow with all the time there is"

    world = World(HURRIED)
    world.says("a", "draft")
    world.says("c", "final")
    for _ in range(5):
        world.says("b", ModelTimeoutError("late"))
        world.serve(("a", second(beside=False, timeout_s=2.0)), "c")
    assert world.gates.reason_against(priced("b")) is None
    assert world.called.count("b") == 2, "it is not asked in a hurry any more"
    world.says("b", "as a tier it has the time it takes")
    assert world.serve("b").served_by == "b"


def test_a_second_that_had_as_long_as_any_call_is_ejected_for_its_silence() -> None:
    world = World(HURRIED)
    world.says("a", "draft")
    world.says("b", ModelTimeoutError("late"))
    world.says("c", "final")
    for _ in range(2):
        world.serve(("a", second(beside=False)), "c")
    assert world.gates.reason_against(priced("b"))


def test_a_judge_asked_when_the_request_has_no_time_left_is_blamed_for_nothing() -> None:
    world = World(HURRIED)
    world.says("a", world.takes(599.9, "draft"))
    world.says("c", "final")
    for _ in range(4):
        world.says("b", world.takes(0.2, ModelTimeoutError("late")))
        world.serve(("a", second(beside=False, timeout_s=2.0)), "c")
    assert world.called.count("b") == 4
    assert all(one["failures_in_a_row"] == 0 for name, one in world.gates.snapshot().items() if "b" in name)
