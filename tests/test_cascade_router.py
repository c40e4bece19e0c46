"""A router with a cascade, as an application meets it: who is asked, whose breaker counts, what is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tenacity import wait_none

from langchain_router import (
    AgreementCheck,
    Candidate,
    CascadePolicy,
    ChatRouter,
    ConfigurationError,
    Deadlines,
    HeuristicCheck,
    JudgeCheck,
    Price,
    Resilience,
    SpendCap,
)
from langchain_router.testing import FaultyChatModel


def model(name: str, *answers: str, usd: float = 1.0, limit: int | None = None, **faults: Any) -> Candidate:
    return Candidate(
        model=FaultyChatModel(answers=answers or (f"{name} says yes",), **faults),
        name=name,
        price=Price.per_million(input_usd=usd, output_usd=usd),
        max_concurrency=limit,
    )


def cascade(check: Any, cheap: Candidate, dear: Candidate, *more: Candidate, **options: Any) -> ChatRouter:
    policy = CascadePolicy([(cheap.name, check), (dear.name, None)])
    return ChatRouter.from_models(cheap, dear, *more, policy=policy, **options)


def served_by(answer: Any) -> str:
    name: str = answer.response_metadata["router"]["served_by"]
    return name


def never(*_: Any) -> bool:
    return False


# --- only the checked tier may answer ----------------------------------------------------------------


def by_cost(router: ChatRouter) -> Any:
    return router.invoke("Hello", max_cost_usd=0.01)


def by_constraint(router: ChatRouter) -> Any:
    return router.constrained(max_cost_usd=0.01).invoke("Hello")


def by_breaker(router: ChatRouter) -> Any:
    for _ in range(2):
        answer = router.invoke("Hello")
    return answer


@pytest.mark.parametrize("way", [by_cost, by_constraint, by_breaker])
def test_a_cascade_whose_premium_tier_may_not_answer_is_answered_by_the_tier_that_may(
    way: Callable[[ChatRouter], Any],
) -> None:
    faults: dict[str, Any] = {"rates": {"auth": 1.0}} if way is by_breaker else {}
    router = cascade(HeuristicCheck(), model("cheap"), model("dear", usd=1e6, **faults))
    assert served_by(way(router)) == "cheap"


@pytest.mark.parametrize("way", [by_cost, by_constraint, by_breaker])
def test_an_answer_that_nobody_may_take_over_is_served_with_what_its_check_said(
    way: Callable[[ChatRouter], Any],
) -> None:
    faults: dict[str, Any] = {"rates": {"auth": 1.0}} if way is by_breaker else {}
    refusing = model("cheap", "I'm sorry, but I can't help with that.")
    answer = way(cascade(HeuristicCheck(), refusing, model("dear", usd=1e6, **faults)))
    assert served_by(answer) == "cheap"
    assert answer.response_metadata["router_outcome"]["passed"] is False


# --- whom a check asks ---------------------------------------------------------------------------------


def test_a_judge_has_a_breaker_of_its_own_though_it_bears_the_name_of_a_candidate() -> None:
    judge = Candidate(model=FaultyChatModel(answers=["x"], rates={"auth": 1.0}), name="dear")
    router = cascade(JudgeCheck(judge), model("cheap"), model("dear"))
    for _ in range(3):
        assert served_by(router.invoke("Hello")) == "dear"
    assert router.health()["candidates"]["dear"]["state"] == "closed"
    assert router.health()["candidates"]["dear (asked by a check)"]["state"] == "open"


def test_a_name_given_to_a_check_means_the_routers_own_candidate() -> None:
    second = model("second", "48")
    router = cascade(AgreementCheck("second"), model("cheap", "The answer is 48."), model("dear"), second)
    answer = router.invoke("How many is 6 * 8?")
    assert served_by(answer) == "cheap"
    assert [
        (one["candidate"], one["role"]) for one in answer.response_metadata["router_outcome"]["attempts"]
    ] == [
        ("cheap", "draft"),
        ("second", "second"),
    ]
    assert second.chat_model().calls == 1  # type: ignore[attr-defined]


# --- what is reported -----------------------------------------------------------------------------------


def test_the_outcome_says_whether_the_answer_passed_its_check() -> None:
    def passed(router: ChatRouter) -> object:
        return router.invoke("Hello").response_metadata["router_outcome"]["passed"]

    def always(*_: Any) -> bool:
        return True

    down = model("dear", rates={"server": 1.0})
    quick = Resilience(wait=wait_none())
    assert passed(cascade(always, model("cheap"), model("dear"))) is True
    assert passed(cascade(never, model("cheap"), model("dear"))) is None, "the last tier is not checked"
    assert passed(cascade(never, model("cheap"), down, resilience=quick)) is False, "there was no better one"


@pytest.mark.parametrize(
    "given",
    [3, lambda _: None, asyncio.sleep, print.__class__],
    ids=["number", "one", "async", "class"],
)
def test_a_listener_that_could_never_be_told_is_refused(given: Any) -> None:
    with pytest.raises(ConfigurationError, match="on_outcome must"):
        ChatRouter.from_models(model("a"), on_outcome=given)


# --- what does not count against a candidate ----------------------------------------------------------


async def test_waiting_for_a_place_does_not_open_the_breaker_of_a_healthy_candidate() -> None:
    slow = model("slow", limit=2, rates={"slow": 1.0}, slow_s=0.04)
    router = ChatRouter.from_models(slow, resilience=Resilience(deadlines=Deadlines(total_s=0.3)))
    came = await asyncio.gather(*(router.ainvoke("Hello") for _ in range(60)), return_exceptions=True)
    assert any(isinstance(one, Exception) for one in came), "too many for the time there is"
    assert router.health()["candidates"]["slow"]["state"] == "closed"


def test_a_spend_cap_reserves_the_most_that_running_requests_may_cost() -> None:
    router = ChatRouter.from_models(
        model("a", usd=1e3, rates={"slow": 1.0}, slow_s=0.05), spend_cap=SpendCap(usd=5.0, then="refuse")
    )
    came = router.batch(["Hello"] * 20, return_exceptions=True, max_tokens=1_000)
    assert sum(not isinstance(one, Exception) for one in came) <= 6
