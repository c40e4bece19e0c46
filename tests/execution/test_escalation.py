"""Escalation: a draft that its check does not pass is followed by the next tier, and kept in case."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAuthenticationError,
    ModelInvalidRequestError,
    ModelTimeoutError,
)
from langgraph.errors import GraphInterrupt
from tenacity import retry_if_exception_type, stop_after_attempt

from langchain_router import ConfigurationError, RouterExhaustedError, StreamInterruptedError
from langchain_router.execution.moves import Reply
from langchain_router.execution.resilience import Deadlines, Resilience
from langchain_router.execution.retrying import retry_if_insufficient, stop_after_cost
from tests.execution.walks import (
    QUESTION,
    REJECTS,
    Scored,
    World,
    asking,
    down,
    message,
    priced,
    seen,
)

TIERS: tuple[Any, ...] = (("a", REJECTS), ("b", REJECTS), "c")


def world_of(a: Any = "cheap", b: Any = "better", c: Any = "good", *, how: Resilience | None = None) -> World:
    world = World(how)
    for name, said in (("a", a), ("b", b), ("c", c)):
        world.says(name, said)
    return world


def test_a_rejected_draft_is_followed_by_the_next_tier() -> None:
    world = world_of(b="good")
    served = world.serve(*TIERS)
    assert served.answer.text == "good"
    assert served.served_by == "b"
    assert world.called == ["a", "b"]
    assert seen(served) == [("a", "draft", None), ("b", "draft", None)]


def test_the_verdict_of_each_tier_is_on_its_attempt() -> None:
    served = world_of().serve(*TIERS)
    verdicts = [attempt.verdict for attempt in served.attempts]
    assert [None if one is None else (one.passed, one.score) for one in verdicts] == [
        (False, 0.1),
        (False, 0.3),
        None,
    ]


def test_a_draft_that_passes_ends_the_walk() -> None:
    world = world_of(a="good")
    assert world.serve(*TIERS).served_by == "a"
    assert world.called == ["a"]


def test_the_last_tier_is_accepted_as_it_is() -> None:
    served = world_of(c="cheap").serve(*TIERS)
    assert (served.answer.text, served.served_by) == ("cheap", "c")
    assert served.attempts[-1].role == "answer"


def test_a_failing_tier_is_passed_over() -> None:
    world = world_of(b=down())
    served = world.serve(*TIERS)
    assert served.served_by == "c"
    assert seen(served) == [("a", "draft", None), ("b", "draft", "server"), ("c", "answer", None)]


# --- the best draft -------------------------------------------------------------------------------


@pytest.mark.parametrize("a_is_better", [False, True])
def test_the_draft_with_the_highest_score_is_returned_when_later_tiers_fail(a_is_better: bool) -> None:
    first, second = ("better", "cheap") if a_is_better else ("cheap", "better")
    served = world_of(first, second, ModelTimeoutError("down")).serve(*TIERS)
    assert (served.answer.text, served.served_by) == ("better", "a" if a_is_better else "b")
    assert served.outcome is not None
    assert served.outcome.status == "ok"


@pytest.mark.parametrize("score", [None, 0.0, 0.2])
def test_of_drafts_with_the_same_score_the_later_tiers_is_returned(score: float | None) -> None:
    check = Scored(first=score, second=score)
    served = world_of("first", "second", ModelTimeoutError("down")).serve(("a", check), ("b", check), "c")
    assert served.served_by == "b"


def test_a_draft_that_cannot_be_used_is_returned_only_when_there_is_no_other() -> None:
    useless = Reply(answer="{", message=message("{"), fault="it does not parse")
    check = Scored(first=None)
    served = world_of("first", useless, ModelTimeoutError("down")).serve(("a", check), ("b", check), "c")
    assert served.answer.text == "first"
    assert served.attempts[1].verdict is not None
    assert served.attempts[1].verdict.reason == "it does not parse"


def test_the_best_draft_is_returned_when_stop_says_enough() -> None:
    world = world_of(how=Resilience(stop=stop_after_attempt(2)))
    assert world.serve(*TIERS).answer.text == "better"
    assert world.called == ["a", "b"]


def test_the_best_draft_is_returned_when_so_much_has_been_spent() -> None:
    world = world_of(how=Resilience(stop=stop_after_cost(100e-6)))  # a draft costs 110e-6
    assert world.serve(*TIERS).answer.text == "cheap"


def test_the_best_draft_is_returned_when_no_further_tier_is_affordable() -> None:
    world = world_of()
    plan = (("a", REJECTS), (priced("b", 50.0), REJECTS), priced("c", 100.0))
    served = world.serve(*plan, request=asking(max_cost_usd=0.001))
    assert served.answer.text == "cheap"
    assert world.called == ["a"]


def test_a_tier_that_is_not_affordable_is_passed_over_for_one_that_is() -> None:
    world = world_of()
    plan = (("a", REJECTS), (priced("b", 50.0), REJECTS), priced("c", 2.0))
    assert world.serve(*plan, request=asking(max_cost_usd=0.001)).served_by == "c"
    assert world.called == ["a", "c"]


def test_the_best_draft_is_returned_when_the_total_deadline_is_over() -> None:
    world = World(Resilience(deadlines=Deadlines(total_s=10)))
    world.says("a", world.takes(6, "cheap"))
    world.says("b", world.takes(6, "better"))
    served = world.serve(*TIERS)
    assert served.answer.text == "better"
    assert world.called == ["a", "b"]
    assert [call.timeout_s for call in world.calls] == [10, 4]


@pytest.mark.parametrize(
    "error",
    [ModelInvalidRequestError("no"), ContextOverflowError("long"), ModelAuthenticationError("key")],
    ids=lambda given: type(given).__name__,
)
def test_an_error_of_a_later_tiers_own_leaves_the_draft(error: Exception) -> None:
    world = world_of(b=error, c=error)
    served = world.serve(*TIERS)
    assert served.answer.text == "cheap"
    assert world.outcome.status == "ok"


def test_a_draft_outlives_a_failure_that_the_users_own_retry_does_not_go_on_after() -> None:
    world = world_of(b=ModelTimeoutError("late"), how=Resilience(retry=retry_if_insufficient()))
    assert world.serve(*TIERS).answer.text == "cheap"
    assert world.called == ["a", "b"]


@pytest.mark.parametrize(
    "error",
    [
        KeyError("bug"),
        GraphInterrupt(),
        KeyboardInterrupt(),
        asyncio.CancelledError(),
        StreamInterruptedError(partial="ha", candidate="c", decision_id="d"),
    ],
    ids=lambda given: type(given).__name__,
)
def test_a_bug_or_an_interrupt_surfaces_though_a_draft_is_in_hand(error: BaseException) -> None:
    world = world_of(b=error)
    with pytest.raises(type(error)) as caught:
        world.serve(*TIERS)
    assert caught.value is error
    assert world.outcome.served_by is None
    assert world.is_at_rest()


def test_there_is_an_error_only_when_every_attempt_failed() -> None:
    world = world_of(ModelTimeoutError("a"), ModelTimeoutError("b"), ModelTimeoutError("c"))
    with pytest.raises(RouterExhaustedError) as caught:
        world.serve(*TIERS)
    assert [str(error) for error in caught.value.exceptions] == ["a", "b", "c"]
    assert world.outcome.status == "timeout"


# --- what counts as insufficient ------------------------------------------------------------------


def test_a_threshold_of_ones_own_goes_before_the_checks() -> None:
    world = world_of(a="better", how=Resilience(retry=retry_if_insufficient(below=0.2)))
    assert world.serve(*TIERS).served_by == "a"
    world = world_of(a="good", b="good", how=Resilience(retry=retry_if_insufficient(below=0.95)))
    assert world.serve(*TIERS).served_by == "c"


def test_without_a_score_a_threshold_leaves_the_verdict_as_it_is() -> None:
    world = world_of(how=Resilience(retry=retry_if_insufficient(below=0.2)))
    assert world.serve(("a", Scored(cheap=None)), "b").served_by == "b"


@pytest.mark.parametrize("below", [-0.1, 1.1, True, "0.5", float("nan")])
def test_a_threshold_that_is_no_share_is_refused(below: Any) -> None:
    with pytest.raises(ConfigurationError, match="below must be from 0 to 1"):
        retry_if_insufficient(below=below)


def test_where_only_failures_are_retried_a_rejected_draft_is_taken() -> None:
    world = world_of(how=Resilience(retry=retry_if_exception_type(ModelTimeoutError)))
    assert world.serve(*TIERS).served_by == "a"


def test_an_answer_that_is_no_message_is_not_checked() -> None:
    world = world_of(a=Reply(answer={"parsed": 42}))
    served = world.serve(*TIERS)
    assert served.answer == {"parsed": 42}
    assert served.attempts[0].verdict is not None
    assert served.attempts[0].verdict.passed


# --- live drafts ----------------------------------------------------------------------------------


def begun(text: str) -> Reply:
    """A live stream of which only the beginning has arrived."""
    return Reply(answer=text, message=message(text, tokens=None), is_complete=False, is_streamed=True)


def limited(name: str) -> Any:
    return priced(name, max_concurrency=1)


def test_a_live_draft_that_is_given_up_costs_at_least_its_prompt_and_frees_its_place() -> None:
    world = world_of(a=begun("cheap"), c=begun("good"))
    served = world.serve((limited("a"), REJECTS), limited("c"), is_live=True)
    served.finish(message("good"))
    assert served.outcome is not None
    draft = served.outcome.attempts[0]
    assert draft.estimated
    assert draft.cost_usd is not None
    assert served.outcome.cost_usd == pytest.approx(draft.cost_usd + 110e-6)
    assert world.is_at_rest()


@pytest.mark.parametrize("error", [KeyError("bug"), KeyboardInterrupt()], ids=lambda given: repr(given))
def test_a_live_draft_frees_its_place_when_the_walk_breaks_off(error: BaseException) -> None:
    world = world_of(a=begun("cheap"), c=error)
    with pytest.raises(type(error)):
        world.serve((limited("a"), REJECTS), limited("c"), is_live=True)
    assert world.is_at_rest()


def test_a_live_draft_that_turns_out_best_is_finished_with_what_it_really_cost() -> None:
    world = world_of(a=begun("cheap"), c=ModelTimeoutError("late"))
    served = world.serve((limited("a"), REJECTS), "c", is_live=True)
    assert world.outcomes == []
    outcome = served.finish(message("cheap", response_metadata={"finish_reason": "stop"}))
    assert (outcome.served_by, outcome.status) == ("a", "ok")
    assert outcome.cost_usd == pytest.approx(110e-6 + 10e-6)  # the late call's prompt is taken to be billed
    assert not outcome.attempts[0].estimated
    assert outcome.attempts[0].verdict is not None
    assert world.is_at_rest()


def test_nothing_that_is_logged_holds_what_was_asked_or_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="langchain_router"):
        world_of(b=down()).serve(*TIERS)
    assert caplog.records
    for said in (QUESTION, "cheap", "good"):
        assert said not in caplog.text
