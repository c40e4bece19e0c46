"""tenacity's words: users compose retry, stop and wait, and see every attempt in the state."""

from __future__ import annotations

import logging
import pickle
import threading
from typing import Any

import pytest
import tenacity
from langchain_core.exceptions import ModelAPIError, ModelRateLimitError, ModelTimeoutError
from tenacity import (
    RetryCallState,
    before_sleep_log,
    retry_if_exception_type,
    retry_if_result,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential,
    wait_fixed,
)

from langchain_router import ConfigurationError, RouterExhaustedError
from langchain_router.execution.drivers import drive
from langchain_router.execution.moves import Call
from langchain_router.execution.resilience import Resilience
from langchain_router.execution.retrying import (
    AttemptState,
    retry_if_another_may_serve,
    retry_if_insufficient,
    stop_after_cost,
)
from tests.execution.breakers import in_eight_threads
from tests.execution.walks import REJECTS, World, decision, down, message, priced, seen


def world_of(**how: Any) -> World:
    world = World(Resilience(**{"wait": wait_fixed(1), "breaker": None, "retry_budget": 1.0, **how}))
    for name, said in (("a", "cheap"), ("b", "better"), ("c", "good")):
        world.says(name, said)
    return world


TIERS: tuple[Any, ...] = (("a", REJECTS), ("b", REJECTS), "c")


# --- stop -----------------------------------------------------------------------------------------


def test_stops_compose_and_the_first_that_is_met_counts() -> None:
    by_number = world_of(stop=stop_after_attempt(2) | stop_after_cost(1.0))
    assert by_number.serve(*TIERS).served_by == "b"
    by_cost = world_of(stop=stop_after_attempt(2) | stop_after_cost(100e-6))
    assert by_cost.serve(*TIERS).served_by == "a"
    both = world_of(stop=stop_after_attempt(1) & stop_after_cost(200e-6))
    assert both.serve(*TIERS).served_by == "b"


def test_stop_after_delay_goes_by_the_routers_clock() -> None:
    world = world_of(stop=stop_after_delay(5))
    world.says("a", world.takes(2, "cheap"))
    world.says("b", world.takes(4, "better"))
    assert world.serve(*TIERS).served_by == "b"
    assert world.called == ["a", "b"]


def test_what_a_failed_call_is_taken_to_have_cost_counts_for_stop_after_cost() -> None:
    world = world_of(stop=stop_after_cost(1e-6))
    world.says("a", ModelTimeoutError("late"))
    with pytest.raises(ModelTimeoutError):
        world.serve(*TIERS)
    assert world.called == ["a"]


@pytest.mark.parametrize("usd", [0, -1, float("nan"), True, "1", None])
def test_a_cost_that_is_no_amount_is_refused(usd: Any) -> None:
    with pytest.raises(ConfigurationError, match="stop_after_cost takes US dollars above 0"):
        stop_after_cost(usd)


def test_a_stop_sees_for_how_long_the_request_has_waited() -> None:
    world = world_of(stop=lambda state: state.idle_for >= 2)
    world.says("a", down())
    with pytest.raises(RouterExhaustedError):
        world.serve("a")
    assert world.slept == [1, 1]


# --- retry ----------------------------------------------------------------------------------------


def test_retry_may_be_narrower_than_the_default() -> None:
    world = world_of(retry=retry_if_exception_type(ModelRateLimitError) | retry_if_insufficient())
    error = ModelTimeoutError("late")
    world.says("a", error)
    with pytest.raises(ModelTimeoutError) as caught:
        world.serve(*TIERS)
    assert caught.value is error
    assert world.called == ["a"]


def test_retry_may_be_wider_than_the_default() -> None:
    world = world_of(retry=retry_if_another_may_serve() | retry_if_exception_type(KeyError))
    world.says("a", KeyError("odd model"))
    assert world.serve("a", "b").served_by == "b"


def test_retry_may_look_at_the_answer_itself() -> None:
    world = world_of(retry=retry_if_result(lambda answer: answer.text == "cheap"))
    served = world.serve("a", "b")
    assert served.served_by == "b"
    assert seen(served) == [("a", "answer", None), ("b", "answer", None)]


def test_retry_may_be_a_function_of_the_state() -> None:
    def unless_frugal(state: RetryCallState) -> bool:
        assert isinstance(state, AttemptState)
        return state.verdict is not None and not state.verdict.passed and state.spent_usd < 200e-6

    world = world_of(retry=unless_frugal)
    assert world.serve(*TIERS).served_by == "b"


def test_the_routers_own_words_say_no_to_a_state_without_an_attempt() -> None:
    state = RetryCallState(None, None, (), {})  # type: ignore[arg-type]
    assert not retry_if_another_may_serve()(state)
    assert not retry_if_insufficient()(state)
    assert not stop_after_cost(1)(state)


# --- wait -----------------------------------------------------------------------------------------


def test_wait_is_asked_with_the_number_of_the_attempt() -> None:
    world = world_of(wait=wait_exponential(multiplier=1))
    world.says("a", down(), down(), "at last")
    world.serve("a")
    assert world.slept == [1, 2]


def test_waits_add_up() -> None:
    world = world_of(wait=wait_fixed(1) + wait_fixed(2))
    world.says("a", down(), "at last")
    world.serve("a")
    assert world.slept == [3]


def test_by_default_the_wait_is_full_jitter() -> None:
    waits = []
    for _ in range(200):
        world = World(Resilience(retry_budget=1.0))
        world.says("a", down(), "at last")
        world.serve("a")
        waits += world.slept
    assert 0 <= min(waits) < 0.1
    assert 0.4 < max(waits) <= 0.5


# --- before_sleep ---------------------------------------------------------------------------------


def notes_of(*plan: Any, **said: Any) -> list[dict[str, Any]]:
    """What `before_sleep` sees, each time it is called."""
    notes: list[dict[str, Any]] = []

    def note(state: RetryCallState) -> None:
        assert isinstance(state, AttemptState)
        assert state.attempt is not None
        assert state.next_action is not None
        assert state.next_action.sleep == state.upcoming_sleep
        notes.append(
            {
                "of": state.attempt.candidate,
                "number": state.attempt_number,
                "failed": state.outcome is not None and state.outcome.failed,
                "score": None if state.verdict is None else state.verdict.score,
                "spent": round(state.spent_usd * 1e6),
                "next": state.next_candidate,
                "sleep": state.upcoming_sleep,
                "calls": len(state.attempts),
                "decision": state.decision.id,
            }
        )

    world = world_of(before_sleep=note)
    for name, words in said.items():
        world.says(name, *words)
    world.serve(*plan)
    return notes


def test_before_sleep_sees_an_escalation() -> None:
    first, second = notes_of(*TIERS)
    shared = {"failed": False, "sleep": 0.0, "decision": "d"}
    assert first == {"of": "a", "number": 1, "score": 0.1, "spent": 110, "next": "b", "calls": 1, **shared}
    assert second == {"of": "b", "number": 2, "score": 0.3, "spent": 220, "next": "c", "calls": 2, **shared}


def test_before_sleep_sees_a_failover_and_then_a_retry_with_its_wait() -> None:
    failover, retry = notes_of("a", "b", a=[down(), "now"], b=[down()])
    assert (failover["of"], failover["failed"], failover["next"], failover["sleep"]) == ("a", True, "b", 0.0)
    assert (retry["of"], retry["failed"], retry["next"], retry["sleep"]) == ("b", True, "a", 1.0)


def test_before_sleep_names_who_is_really_called_next() -> None:
    named: list[str | None] = []

    def note(state: RetryCallState) -> None:
        assert isinstance(state, AttemptState)
        named.append(state.next_candidate)

    world, busy = world_of(before_sleep=note), priced("b", max_concurrency=1)
    assert world.gates.admit(busy) is not None
    world.says("a", down())
    world.serve("a", busy, "c")
    assert named == ["c"]


def test_before_sleep_is_not_called_before_the_first_attempt_nor_after_the_last() -> None:
    assert notes_of("a") == []
    assert notes_of("c", "a", c=["good"]) == []


def test_tenacitys_own_log_before_sleep_works(caplog: pytest.LogCaptureFixture) -> None:
    log = before_sleep_log(logging.getLogger("mine"), logging.INFO)
    world = world_of(before_sleep=log)
    world.says("a", down("no answer"), "now")
    with caplog.at_level(logging.INFO):
        world.serve("a")
    assert "Retrying langchain_router in 1 seconds as it raised ModelAPIError: no answer" in caplog.text
    assert "before_sleep raised" not in caplog.text


def test_no_word_of_a_rejected_draft_gets_into_tenacitys_log(caplog: pytest.LogCaptureFixture) -> None:
    log = before_sleep_log(logging.getLogger("mine"), logging.INFO)
    states: list[str] = []

    def note(state: RetryCallState) -> None:
        log(state)
        states.append(repr(state))

    world = world_of(before_sleep=note)
    with caplog.at_level(logging.INFO):
        assert world.serve(*TIERS).served_by == "c"
    assert "Retrying langchain_router in 0 seconds as it returned AIMessage()." in caplog.text
    assert "cheap" not in caplog.text + "".join(states)


def test_before_sleep_may_look_at_the_draft_all_the_same() -> None:
    drafts: list[Any] = []
    world = world_of(before_sleep=lambda state: drafts.append(state.outcome.result()))
    world.serve(*TIERS)
    assert [one.text for one in drafts] == ["cheap", "better"]
    assert drafts[0] == message("cheap")
    assert message("cheap") == drafts[0] != drafts[1]
    assert pickle.loads(pickle.dumps(drafts[0])) == message("cheap")  # noqa: S301 - our own bytes


def test_a_before_sleep_that_raises_is_logged_without_content_and_goes_no_further(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def note(_: RetryCallState) -> None:
        raise ValueError("six times seven")

    world = world_of(before_sleep=note)
    world.says("a", down())
    assert world.serve("a", "b").served_by == "b"
    assert "before_sleep raised ValueError" in caplog.text
    assert "six times seven" not in caplog.text


# --- strategies of the user's ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["retry", "stop", "wait"])
def test_where_a_strategy_raises_the_default_decides_and_the_log_says_so(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: RetryCallState) -> bool:
        raise ZeroDivisionError

    world = world_of(**{name: broken})
    world.says("a", down(), "yes")
    assert world.serve("a").served_by == "a"
    assert f"{name} raised ZeroDivisionError" in caplog.text
    assert world.is_at_rest()


@pytest.mark.parametrize("name", ["retry", "stop", "wait"])
def test_no_strategy_that_raises_costs_a_draft_that_is_in_hand(name: str) -> None:
    def broken(_: RetryCallState) -> bool:
        raise ZeroDivisionError

    world = world_of(**{name: broken})
    world.says("a", down())
    world.says("b", "better")
    world.says("c", down())
    assert world.serve("a", ("b", REJECTS), "c").served_by == "b"


def test_the_wait_is_asked_about_the_failure_though_another_has_answered_since() -> None:
    waits: list[float] = []

    def by_error(error: BaseException) -> float:
        waits.append(2.0)
        assert str(error) == "down"
        return 2.0

    world = world_of(wait=tenacity.wait_exception(by_error))
    world.says("a", down("down"), "good")
    world.says("b", "better")
    served = world.serve("a", ("b", REJECTS))
    assert waits, "the object was asked"
    assert (served.served_by, world.slept) == ("a", [2.0])


def test_stop_before_delay_knows_the_sleep_that_would_come() -> None:
    world = world_of(stop=tenacity.stop_before_delay(5), wait=lambda _: 6.0)
    world.says("a", down("first"), "yes")
    with pytest.raises(ModelAPIError, match="first"):
        world.serve("a")
    assert world.slept == []


def test_one_set_of_strategies_serves_many_threads_at_once() -> None:
    world = world_of(
        stop=stop_after_attempt(3) | stop_after_cost(0.05), wait=tenacity.wait_random_exponential(max=0.001)
    )
    lock, wrong = threading.Lock(), []

    def answer(call: Call) -> Any:
        return message("cheap" if call.step.check else "good")

    def work(number: int, _: threading.Barrier) -> None:
        for _turn in range(50):
            served = drive(world.walk(decision(*TIERS)), answer, sleep=lambda _: None)
            if [one.candidate for one in served.attempts] != ["a", "b", "c"]:
                with lock:
                    wrong.append(number)

    in_eight_threads(work)
    assert wrong == []
    assert len(world.outcomes) == 8 * 50
    assert world.is_at_rest()
