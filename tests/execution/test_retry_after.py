"""When a provider wants to be asked again: from whichever client's error, and only what can be meant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from langchain_core.exceptions import ModelAPIError, ModelAuthenticationError, ModelRateLimitError
from tenacity import stop_after_attempt

from langchain_router import Candidate, ChatRouter, Price, Resilience
from langchain_router.exceptions import CircuitOpenError, RouterExhaustedError
from langchain_router.execution.errors import retry_after_s
from langchain_router.testing import FaultyChatModel

FREE, DEAR = (Price.per_million(input_usd=usd, output_usd=usd) for usd in (0, 9))
LIMITED = {"rate_limited": 1.0}
NOON = 1_750_000_000.0


def bearing(**attributes: Any) -> Exception:
    error = RuntimeError("429")
    error.__dict__.update(attributes)
    return error


def told(value: Any, name: str = "retry-after") -> Exception:
    return bearing(response=SimpleNamespace(headers={name: value}))


def http_date(seconds: float, *, usegmt: bool = True) -> str:
    return format_datetime(datetime.fromtimestamp(NOON + seconds, UTC), usegmt=usegmt)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2", 2.0),
        (" 2 ", 2.0),
        ("0", 0.0),
        ("2.5", 2.5),
        (".5", 0.5),
        (7, 7.0),
        (7.25, 7.25),
        (b"3", 3.0),
        ("1000000000", 1e9),
        (http_date(90), 90.0),
        (http_date(90, usegmt=False), 90.0),
        ("Sun, 15 Jun 2025 15:07:40", 60.0),  # without a zone
        # what cannot be meant
        (http_date(-90), None),
        ("-2", None),
        ("nan", None),
        ("inf", None),
        ("9" * 400, None),
        ("1_000", None),
        ("\u0663", None),  # a digit of another script
        ("1e3", None),
        ("soon, perhaps", None),
        ("Sun, 99 Jun 2025 15:07:40 GMT", None),
        ("", None),
        (None, None),
        (True, None),
    ],
)
def test_seconds_fractions_and_dates_are_read_and_junk_is_not(value: Any, seconds: float | None) -> None:
    assert retry_after_s(told(value), now=lambda: NOON) == seconds


@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after": "4"},
        {"Retry-After": "4"},
        {"RETRY-AFTER": "4"},
        {b"Retry-After": b"4"},
        httpx.Headers({"Retry-After": "4"}),
    ],
)
def test_headers_may_be_any_mapping_in_any_case(headers: Mapping[Any, Any]) -> None:
    assert retry_after_s(bearing(response=SimpleNamespace(headers=headers))) == 4
    assert retry_after_s(bearing(litellm_response_headers=headers)) == 4
    assert retry_after_s(bearing(headers=headers)) == 4
    assert retry_after_s(bearing(response={"ResponseMetadata": {"HTTPHeaders": headers}})) == 4  # botocore


def test_litellms_own_place_comes_before_the_response_that_it_makes_up() -> None:
    error = bearing(
        litellm_response_headers={"retry-after": "4"},
        response=SimpleNamespace(headers={"retry-after": "5"}),
    )
    assert retry_after_s(error) == 4


def test_a_cause_is_asked_where_the_error_itself_says_nothing() -> None:
    error = RuntimeError("mapped")
    error.__cause__ = RuntimeError("between")
    error.__cause__.__cause__ = told("6")
    assert retry_after_s(error) == 6
    error.__dict__["headers"] = {"retry-after": "junk"}
    assert retry_after_s(error) == 6


def test_a_chain_of_causes_that_bites_its_tail_ends() -> None:
    first, second = RuntimeError("1"), RuntimeError("2")
    first.__cause__, second.__cause__ = second, first
    assert retry_after_s(first) is None


def test_milliseconds_tell_more_than_seconds() -> None:
    assert retry_after_s(bearing(headers={"retry-after": "1", "retry-after-ms": "250"})) == 0.25
    assert retry_after_s(bearing(headers={"retry-after": "1", "retry-after-ms": "junk"})) == 1


def test_a_router_that_is_a_candidate_knows_when_its_own_may_be_asked() -> None:
    assert retry_after_s(CircuitOpenError({"a": 8, "b": 3})) == 3


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"response": None},
        {"response": "text"},
        {"response": {"ResponseMetadata": None}},
        {"headers": ["retry-after", "3"]},
        {"litellm_response_headers": {}},
    ],
)
def test_what_is_something_else_does_no_harm(attributes: dict[str, Any]) -> None:
    assert retry_after_s(bearing(**attributes)) is None


def test_the_wall_clock_is_read_for_dates_only() -> None:
    def never() -> float:
        raise AssertionError

    assert retry_after_s(told("2"), now=never) == 2
    assert retry_after_s(told(http_date(2))) is None  # long ago by the real clock


# --- groups ---------------------------------------------------------------------------------------


def limited(seconds: str | None) -> Exception:
    error = ModelRateLimitError("slow down")
    error.__dict__["headers"] = {} if seconds is None else {"retry-after": seconds}
    return error


@pytest.mark.parametrize(
    ("members", "seconds"),
    [
        ([limited("30"), limited("12")], 12),  # one of them is enough
        ([limited("30"), ModelAuthenticationError("no key")], 30),  # the other never will
        ([limited("30"), limited(None)], None),  # the other may at any time
        ([limited("30"), ModelAPIError("down")], None),
        ([ModelAuthenticationError("no key")], None),
        ([limited("30"), RouterExhaustedError("x", [limited("9"), limited("60")])], 9),
    ],
)
def test_a_router_of_whom_nobody_answered_may_be_asked_when_the_first_of_them_may(
    members: list[Exception], seconds: float | None
) -> None:
    assert retry_after_s(RouterExhaustedError("all failed", members)) == seconds


def test_of_any_other_group_the_longest_time_counts_since_all_of_it_must_go_well() -> None:
    assert retry_after_s(ExceptionGroup("x", [limited("30"), limited("12"), KeyError()])) == 30
    assert retry_after_s(ExceptionGroup("x", [KeyError()])) is None


def test_a_nested_router_whose_candidates_are_all_limited_is_left_alone_for_the_shortest_time() -> None:
    inner = ChatRouter(
        candidates=[
            Candidate(model=FaultyChatModel(answers=["x"], rates=LIMITED, retry_after=seconds), name=seconds)
            for seconds in ("30", "20")
        ],
        resilience=Resilience(stop=stop_after_attempt(2)),  # else it would wait, and answer
    )
    well = FaultyChatModel(answers=["here"])
    router = ChatRouter(
        candidates=[
            Candidate(model=inner, name="inner", quality=0.99, price=FREE),
            Candidate(model=well, name="well", quality=0.99, price=DEAR),
        ]
    )
    answer = router.invoke("Hello")
    assert answer.text == "here"
    assert answer.response_metadata["router_outcome"]["attempts"][0]["error_kind"] == "rate_limited"
    health = router.health()["candidates"]["inner"]
    assert health["state"] == "cooling"
    assert 19 < health["wait_s"] <= 20
