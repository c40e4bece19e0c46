"""A cap on what a tenant may spend: it holds whatever the prompts say."""

from __future__ import annotations

import pytest

from langchain_router import (
    Candidate,
    CascadePolicy,
    ChatRouter,
    JudgeCheck,
    NoEligibleCandidateError,
    Price,
    SpendCap,
)
from langchain_router.candidates.spend_cap import Spending
from langchain_router.exceptions import ConfigurationError
from langchain_router.request import RoutingRequest
from langchain_router.testing import FaultyChatModel

REQUEST = RoutingRequest(messages=(), tenant="acme")


def router(cap: SpendCap, *, cheap_usd: float = 1.0) -> ChatRouter:
    """A router that takes everything for hard, so that all goes to the dear candidate."""

    def model(name: str, usd: float, quality: float) -> Candidate:
        price = Price.per_million(input_usd=usd, output_usd=usd)
        return Candidate(model=FaultyChatModel(answers=["yes"]), name=name, price=price, quality=quality)

    return ChatRouter.from_models(
        model("cheap", cheap_usd, 0.5), model("dear", 100.0, 0.99), quality=0.9, spend_cap=cap
    )


def served(routed: ChatRouter, tenant: str | None) -> str:
    config = {"configurable": {} if tenant is None else {"router_tenant": tenant}}
    name: str = routed.invoke("Prove it.", config).response_metadata["router"]["served_by"]  # type: ignore[arg-type]
    return name


def test_a_tenant_at_its_cap_gets_the_cheapest_candidate_and_others_are_not_touched() -> None:
    routed = router(SpendCap(usd=0.05))
    first = [served(routed, "acme") for _ in range(60)]
    assert first[0] == "dear"
    assert first[-1] == "cheap"
    assert first == sorted(first, reverse=True), "once at the cap, it stays there"
    assert served(routed, "other") == "dear"
    assert served(routed, None) == "dear"


def test_the_spend_never_passes_the_cap_by_more_than_a_request() -> None:
    routed = router(SpendCap(usd=0.05, then="refuse"), cheap_usd=90.0)
    costs: list[float] = []

    def ask_until_refused() -> None:
        for _ in range(1_000):
            answer = routed.invoke("Prove it.", {"configurable": {"router_tenant": "acme"}})
            costs.append(answer.response_metadata["router_outcome"]["cost_usd"])

    with pytest.raises(NoEligibleCandidateError, match=r"would take tenant 'acme' over \$0.05 in 3600 s"):
        ask_until_refused()
    assert 0 < sum(costs) <= 0.05 + max(costs)


def test_the_window_slides() -> None:
    now = [0.0]
    spending = Spending(SpendCap(usd=1.0, per_s=60), clock=lambda: now[0])
    spending.ended("c", REQUEST, known_usd=0.75, is_all=True)
    now[0] = 30.0
    spending.ended("d", REQUEST, known_usd=0.5, is_all=True)
    assert spending.spent_usd("acme") == 1.25
    now[0] = 61.0
    assert spending.spent_usd("acme") == 0.5
    now[0] = 200.0
    assert spending.spent_usd("acme") == 0.0


def test_a_running_request_counts_with_its_estimate_until_its_cost_is_known() -> None:
    spending = Spending(SpendCap(usd=1.0))
    spending.began("d", REQUEST, 0.4)
    assert spending.spent_usd("acme") == 0.4
    spending.ended("d", REQUEST, known_usd=0.1, is_all=True)
    assert spending.spent_usd("acme") == 0.1


def test_an_unknown_cost_counts_with_its_estimate_and_never_as_nothing() -> None:
    spending = Spending(SpendCap(usd=1.0))
    spending.began("d", REQUEST, 0.4)
    spending.ended("d", REQUEST, known_usd=0.1, is_all=False)
    assert spending.spent_usd("acme") == 0.4


def test_a_candidate_without_a_price_does_not_answer_under_a_cap() -> None:
    free = Candidate(model=FaultyChatModel(answers=["yes"]), name="unpriced")
    routed = ChatRouter.from_models(free, spend_cap=SpendCap(usd=1.0))
    with pytest.raises(NoEligibleCandidateError, match="has no known price, and the spending"):
        routed.invoke("Hello")


def test_memory_does_not_grow_with_tenants_that_have_gone() -> None:
    now = [0.0]
    spending = Spending(SpendCap(usd=1.0, per_s=1.0), clock=lambda: now[0])
    for number in range(3_000):
        now[0] += 0.01
        request = RoutingRequest(messages=(), tenant=str(number))
        spending.ended(str(number), request, known_usd=0.1, is_all=True)
    assert len(spending._spent) < 1_500


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"usd": 0}, "usd of a SpendCap"),
        ({"usd": 1, "per_s": float("inf")}, "per_s"),
        ({"usd": 1, "then": "x"}, "then"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        SpendCap(**given)  # type: ignore[arg-type]


def test_a_tenant_is_a_name() -> None:
    with pytest.raises(ConfigurationError, match="router_tenant must be a non-empty string, got 7"):
        router(SpendCap(usd=1)).invoke("Hello", {"configurable": {"router_tenant": 7}})


def test_a_plan_is_counted_with_what_its_checks_may_ask_while_it_runs() -> None:
    outcomes: list[float] = []

    def priced(name: str, usd: float) -> Candidate:
        price = Price.per_million(input_usd=0, output_usd=usd)
        return Candidate(model=FaultyChatModel(answers=[name]), name=name, price=price)

    judge = priced("judge", 50.0)
    policy = CascadePolicy([("cheap", JudgeCheck(judge)), ("dear", None)])
    routed = ChatRouter.from_models(
        priced("cheap", 1.0), priced("dear", 100.0), policy=policy, spend_cap=SpendCap(usd=1.0)
    )
    spending = routed.core._spending
    assert spending is not None
    began = spending.began

    def note(decision_id: str, request: RoutingRequest, estimated_usd: float) -> None:
        outcomes.append(estimated_usd)
        began(decision_id, request, estimated_usd)

    spending.began = note  # type: ignore[method-assign]
    routed.invoke("Hello", max_tokens=1_000)
    assert outcomes == [pytest.approx((1 + 50 + 100) * 1_000 / 1e6)]
