"""What a call cost: what the provider counted, at the candidate's price; the unknown is never zero."""

from __future__ import annotations

import functools
from operator import add
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage

from langchain_router import Candidate, CascadePolicy, ChatRouter, JudgeCheck, Price
from langchain_router.execution.errors import ErrorKind
from langchain_router.outcomes.bill import billed_tokens, cost_of_failure_usd, cost_usd
from langchain_router.testing import FaultyChatModel

PRICED = Candidate(
    model="house/a",
    name="a",
    price=Price.per_million(input_usd=1.0, output_usd=10.0, cached_input_usd=0.1),
)
UNPRICED = Candidate(model="house/b", name="b")


def used(prompt: int, answer: int, *, cached: int | None = None, **metadata: Any) -> AIMessage:
    usage: dict[str, Any] = {
        "input_tokens": prompt,
        "output_tokens": answer,
        "total_tokens": prompt + answer,
    }
    if cached is not None:
        usage["input_token_details"] = {"cache_read": cached}
    return AIMessage("x", usage_metadata=usage, response_metadata=metadata)


def test_prompt_and_answer_are_billed_at_their_prices() -> None:
    assert billed_tokens(used(1_000, 200)) == (1_000, 200)
    assert cost_usd(PRICED, used(1_000, 200)) == pytest.approx(0.003)


def test_cached_prompt_tokens_are_billed_at_theirs() -> None:
    assert cost_usd(PRICED, used(1_000, 0, cached=900)) == pytest.approx(0.00019)


@pytest.mark.parametrize("cached", [5_000, -5_000])
def test_a_cache_that_cannot_be_makes_no_cost_that_cannot_be(cached: int) -> None:
    cost = cost_usd(PRICED, used(1_000, 0, cached=cached))
    assert cost is not None
    assert 0.0001 - 1e-12 <= cost <= 0.001 + 1e-12


def test_tokens_that_cost_nothing_cost_nothing() -> None:
    own = Candidate(model="house/own", name="own", price=Price.per_million(input_usd=0, output_usd=0))
    assert cost_usd(own, used(10, 10)) == 0.0


@pytest.mark.parametrize("message", [None, AIMessage("x"), HumanMessage("x")])
def test_without_usage_the_cost_is_unknown(message: Any) -> None:
    assert billed_tokens(message) is None
    assert cost_usd(PRICED, message) is None


@pytest.mark.parametrize("tokens", [(-1, 5), (5, -1), (10**9, 5), (5, 10**12)])
def test_absurd_usage_is_no_usage(tokens: tuple[int, int]) -> None:
    assert billed_tokens(used(*tokens)) is None
    assert cost_usd(PRICED, used(*tokens)) is None


def test_without_a_price_what_litellm_says_counts() -> None:
    assert cost_usd(UNPRICED, used(10, 10, response_cost=0.25)) == 0.25
    assert cost_usd(PRICED, used(1_000, 200, response_cost=0.25)) == pytest.approx(0.003)


@pytest.mark.parametrize("said", [None, 0, -1.0, True, "0.25", float("inf"), float("nan")])
def test_what_cannot_be_a_cost_leaves_it_unknown(said: Any) -> None:
    assert cost_usd(UNPRICED, used(10, 10, response_cost=said)) is None


FREE = {
    ErrorKind.RATE_LIMITED,
    ErrorKind.OVERLOADED,
    ErrorKind.SERVER,
    ErrorKind.CONNECT,
    ErrorKind.AUTH,
    ErrorKind.NOT_FOUND,
    ErrorKind.UNSUPPORTED,
    ErrorKind.BAD_REQUEST,
    ErrorKind.CONTEXT_OVERFLOW,
}


@pytest.mark.parametrize("kind", list(ErrorKind))
def test_a_failed_call_is_free_or_taken_to_have_cost_its_prompt(kind: ErrorKind) -> None:
    expected = 0.0 if kind in FREE else pytest.approx(0.001)
    assert cost_of_failure_usd(PRICED, kind, prompt_tokens=1_000) == expected
    assert cost_of_failure_usd(UNPRICED, kind, prompt_tokens=1_000) == (0.0 if kind in FREE else None)


@given(st.integers(0, 10_000_000), st.integers(0, 10_000_000), st.integers(0, 20_000_000))
def test_no_cost_is_negative(prompt: int, answer: int, cached: int) -> None:
    cost = cost_usd(PRICED, used(prompt, answer, cached=cached))
    assert cost is not None
    assert cost >= 0


# --- a router as a candidate ----------------------------------------------------------------------


def routed(*, judge_price: Price | None) -> ChatRouter:
    """A router whose only candidate is a router: a cascade of a draft, a judge and a premium answer."""
    price = Price.per_million(input_usd=1_000, output_usd=1_000)
    cheap, premium = (
        Candidate(model=FaultyChatModel(answers=[name]), name=name, price=price, quality=quality)
        for name, quality in (("cheap", 0.7), ("premium", 0.95))
    )
    judge = Candidate(
        model=FaultyChatModel(answers=['{"score": 0.1, "fault": "wrong"}']), name="judge", price=judge_price
    )
    tiers = CascadePolicy([("cheap", JudgeCheck(judge)), ("premium", None)])
    inner = ChatRouter(candidates=[cheap, premium], policy=tiers)
    return ChatRouter(candidates=[Candidate(model=inner, name="inner")])


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_a_router_that_is_a_candidate_says_what_its_drafts_and_judges_cost_too(way: str) -> None:
    chat = routed(judge_price=Price.per_million(input_usd=1_000, output_usd=1_000))
    answer = chat.invoke("Hello") if way == "invoke" else functools.reduce(add, chat.stream("Hello"))
    told = answer.response_metadata
    nested = told["router"]["nested"]["attempts"]
    assert [one["role"] for one in nested] == ["draft", "judge", "answer"]
    usage = answer.usage_metadata
    assert usage is not None
    assert told["router_outcome"]["cost_usd"] > 2 * usage["total_tokens"] / 1_000


def test_what_a_router_that_is_a_candidate_does_not_know_stays_unknown() -> None:
    outcome = routed(judge_price=None).invoke("Hello").response_metadata["router_outcome"]
    assert (outcome["cost_usd"], outcome["known_cost_usd"]) == (None, 0.0)


def test_one_judge_without_a_price_does_not_hide_what_is_known() -> None:
    inner = routed(judge_price=None).candidates[0].model
    assert isinstance(inner, ChatRouter)
    outcome = inner.invoke("Hello").response_metadata["router_outcome"]
    known = [one["cost_usd"] for one in outcome["attempts"] if one["cost_usd"] is not None]
    assert outcome["cost_usd"] is None
    assert outcome["known_cost_usd"] == pytest.approx(sum(known))
    assert len(known) == 2


@pytest.mark.parametrize("said", [None, True, -1.0, "0.25", float("nan"), float("inf")])
def test_what_cannot_be_the_cost_of_a_nested_router_is_not_taken(said: Any) -> None:
    assert cost_usd(UNPRICED, used(10, 10, router_outcome={"cost_usd": said})) is None
    assert cost_usd(UNPRICED, used(10, 10, router_outcome="free")) is None
    assert cost_usd(UNPRICED, used(10, 10, router_outcome={"cost_usd": 0.0})) == 0.0
