"""How hard to try, as plain data: what cannot work is refused where it is written."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import pytest
import tenacity.asyncio
from tenacity import retry_if_exception_type, stop_after_attempt, wait_fixed

from langchain_router import ConfigurationError
from langchain_router.execution.resilience import Deadlines, Hedging, Resilience


async def later(_: Any) -> bool:
    return True


class Later:
    async def __call__(self, _: Any) -> bool:
        return True


COROUTINES = {
    "function": later,
    "object": Later(),
    "bound method": Later().__call__,
    "partial": functools.partial(later),
    "tenacity's": tenacity.asyncio.retry_if_result(later),
    "composed": retry_if_exception_type(KeyError) | tenacity.asyncio.retry_if_result(later),
}


@pytest.mark.parametrize("name", ["retry", "stop", "wait", "before_sleep"])
@pytest.mark.parametrize("strategy", COROUTINES.values(), ids=COROUTINES.keys())
def test_a_coroutine_strategy_is_refused_when_it_is_given(name: str, strategy: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must not be a coroutine function"):
        Resilience(**{name: strategy})


@pytest.mark.parametrize("name", ["retry", "stop", "wait", "before_sleep"])
@pytest.mark.parametrize("given", [3, "three", stop_after_attempt])
def test_what_cannot_be_called_with_a_state_is_refused(name: str, given: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be a tenacity strategy or a function"):
        Resilience(**{name: given})


def test_a_class_in_place_of_an_object_is_named_with_what_to_write() -> None:
    with pytest.raises(ConfigurationError, match=r"write stop_after_attempt\(\.\.\.\)"):
        Resilience(stop=stop_after_attempt)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "instead"),
    [
        ({"wait": 2}, r"got 2\. Write tenacity's wait_fixed\(2\)\."),
        ({"stop": 3}, r"got 3\. Write tenacity's stop_after_attempt\(3\)\."),
        ({"retry": 3}, r"stop=stop_after_attempt\(3\)"),
        ({"hedging": 2.0}, r"got 2\.0\. Write Hedging\(after_s=2\.0\)\."),
        ({"hedging": False}, r"got False\. Write hedging=None to switch it off\."),
        ({"hedging": Hedging}, r"got the class Hedging; write Hedging\(\.\.\.\)\.$"),
        ({"hedging": {"after_s": 2}}, r"got a dict\. Write Hedging\(\*\*\{\.\.\.\}\)\."),
        ({"breaker": False}, r"got False\. Write breaker=None to switch it off\."),
        ({"breaker": 3}, r"got 3\. Write BreakerConfig\(failures=3\)\."),
        ({"deadlines": {"total_s": 3}}, r"got a dict\. Write Deadlines\(\*\*\{\.\.\.\}\)\."),
        ({"deadlines": 30}, r"got 30\. Write Deadlines\(total_s=30\)\."),
        ({"deadlines": None}, r"got None\. For no limits set each to None: Deadlines\(total_s=None"),
    ],
)
def test_what_was_meant_is_said_in_the_words_to_write(given: dict[str, Any], instead: str) -> None:
    with pytest.raises(ConfigurationError, match=instead):
        Resilience(**given)


@pytest.mark.parametrize("name", ["retry", "wait"])
def test_retry_and_wait_are_always_needed(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be a tenacity strategy"):
        Resilience(**{name: None})  # type: ignore[arg-type]


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), True, "0.2", None])
def test_a_share_is_from_0_to_1(share: Any) -> None:
    with pytest.raises(ConfigurationError, match="retry_budget must be a share from 0 to 1"):
        Resilience(retry_budget=share)
    with pytest.raises(ConfigurationError, match="share must be a share from 0 to 1"):
        Hedging(after_s=1, share=share)


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), True, "5"])
@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Deadlines)])
def test_a_deadline_is_seconds_above_0(name: str, seconds: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be seconds above 0"):
        Deadlines(**{name: seconds})


@pytest.mark.parametrize("seconds", [0, None, float("nan"), "5"])
def test_a_hedge_needs_a_time_to_wait(seconds: Any) -> None:
    with pytest.raises(ConfigurationError, match="after_s must be seconds above 0") as caught:
        Hedging(after_s=seconds)
    assert "no limit" not in str(caught.value)


def test_every_deadline_may_be_switched_off() -> None:
    off = Deadlines(**dict.fromkeys([field.name for field in dataclasses.fields(Deadlines)]))
    assert set(dataclasses.asdict(off).values()) == {None}


@pytest.mark.parametrize(("name", "given"), [("deadlines", None), ("breaker", 5), ("hedging", 2.0)])
def test_the_parts_are_of_their_own_kinds(name: str, given: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be a "):
        Resilience(**{name: given})


def test_what_may_be_left_out_is_off() -> None:
    how = Resilience(breaker=None, hedging=None, stop=None, before_sleep=None)
    assert (how.breaker, how.hedging, how.stop, how.before_sleep) == (None, None, None, None)


@pytest.mark.parametrize("made", [Resilience, Deadlines, functools.partial(Hedging, after_s=1)])
def test_it_cannot_be_changed_afterwards(made: Any) -> None:
    one = made()
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(one, dataclasses.fields(one)[0].name, None)


def test_a_plain_function_does_as_well_as_tenacitys_objects() -> None:
    Resilience(retry=lambda _: False, stop=lambda _: True, wait=lambda _: 0.5)
    Resilience(wait=wait_fixed(1) + wait_fixed(2), stop=stop_after_attempt(1) | stop_after_attempt(2))
