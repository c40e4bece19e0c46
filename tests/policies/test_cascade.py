"""Cascade routing: who is a tier, who stands behind the tiers, and what is planned without any."""

from __future__ import annotations

import re
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_router import (
    AgreementCheck,
    Candidate,
    CascadePolicy,
    ComplexityScore,
    ConfigurationError,
    Constraints,
    HeuristicCheck,
    Intent,
    IntentPrediction,
    JudgeCheck,
    Price,
    Router,
    RoutingDecision,
    RoutingRequest,
)
from langchain_router.checks.check import Verdict
from langchain_router.execution.errors import ErrorKind
from langchain_router.execution.moves import Call

CHECK = HeuristicCheck()


class Fixed:
    """Both layers, with answers known in advance."""

    def __init__(self, intent: Intent) -> None:
        self.intent = intent

    def classify(self, request: RoutingRequest) -> IntentPrediction:
        return IntentPrediction(label=self.intent, probabilities={self.intent: 1.0}, source="fixed")

    def score(self, request: RoutingRequest, intent: IntentPrediction) -> ComplexityScore:
        return ComplexityScore(value=0.5, source="fixed")


def priced(name: str, usd: float | None, quality: float | None = None, **known: Any) -> Candidate:
    price = None if usd is None else Price.per_million(input_usd=usd, output_usd=usd)
    return Candidate(model=f"house/{name}", name=name, price=price, quality=quality, **known)


def candidates() -> list[Candidate]:
    return [
        priced("flash", 0.1, 0.6, region="eu"),
        priced("mini", 0.2, 0.7, region="us"),
        priced("sonnet", 3.0, 0.9, region="eu"),
        priced("opus", 15.0, 0.95, region="us"),
    ]


def router(
    policy: CascadePolicy, given: list[Candidate] | None = None, intent: Intent = "reasoning"
) -> Router:
    fixed = Fixed(intent)
    return Router(given or candidates(), policy=policy, intent_classifier=fixed, complexity_scorer=fixed)


def asked(text: str = "Why does it rain?", **limits: Any) -> RoutingRequest:
    return RoutingRequest(messages=(HumanMessage(text),), constraints=Constraints.of(limits))


def plan(decision: RoutingDecision) -> list[tuple[str, bool]]:
    return [(step.candidate.name, step.check is not None) for step in decision.plan]


THREE: list[tuple[Any, Any]] = [("flash", CHECK), ("mini", CHECK), ("sonnet", None)]


# --- tiers of one's own ---------------------------------------------------------------------------


def test_the_tiers_are_the_plan_in_their_order_and_the_others_stand_behind_them() -> None:
    decision = router(CascadePolicy(THREE)).decide(asked())
    assert plan(decision) == [("flash", True), ("mini", True), ("sonnet", False), ("opus", False)]
    assert decision.policy == "cascade"
    assert decision.propensity == 1.0


def test_others_follow_best_first() -> None:
    decision = router(CascadePolicy([("mini", CHECK), ("sonnet", None)])).decide(asked())
    assert plan(decision)[2:] == [("opus", False), ("flash", False)]


def test_a_tier_is_a_candidate_or_its_name_and_its_check_may_be_a_function() -> None:
    def long_enough(_: RoutingRequest, response: Any) -> bool:
        return len(response.text) > 20

    cheap, dear = priced("cheap", 1), priced("dear", 9)
    policy = CascadePolicy([(cheap, long_enough), (dear, None)])
    decision = router(policy, [cheap, dear]).decide(asked())
    assert plan(decision) == [("cheap", True), ("dear", False)]
    assert decision.to_dict()["checks"][0] == "OwnCheck(long_enough)"


def test_the_decision_says_who_takes_over_what() -> None:
    decision = router(CascadePolicy(THREE)).decide(asked())
    assert decision.reason == "the first tier; mini takes over what HeuristicCheck() does not pass"
    remarks = {one.name: one.remark for one in decision.eligible}
    assert remarks["sonnet"] == "the next tier"
    assert remarks["opus"] == "no tier of the cascade; called when all tiers fail"
    assert "counts if HeuristicCheck() passes it, else mini is asked" in decision.explain()
    assert decision.policy_params == {
        "tiers": [["flash", "HeuristicCheck()"], ["mini", "HeuristicCheck()"], ["sonnet", None]]
    }


def test_a_tier_that_may_not_answer_is_left_out() -> None:
    decision = router(CascadePolicy(THREE)).decide(asked(regions={"eu"}))
    assert plan(decision) == [("flash", True), ("sonnet", False)]
    assert "mini" in decision.excluded


def test_where_the_last_tier_may_not_answer_the_others_take_over() -> None:
    decision = router(CascadePolicy(THREE)).decide(asked(regions={"us"}))
    assert plan(decision) == [("mini", True), ("opus", False)]
    assert decision.reason == "the first tier; opus takes over what HeuristicCheck() does not pass"


def test_the_only_one_that_may_answer_is_checked_all_the_same_so_that_its_verdict_is_known() -> None:
    given = [priced("cheap", 1, region="eu"), priced("dear", 9, region="us")]
    decision = router(CascadePolicy([("cheap", CHECK), ("dear", None)]), given).decide(asked(regions={"eu"}))
    assert plan(decision) == [("cheap", True)]
    assert decision.reason == (
        "the first tier; nobody that may answer now takes over what HeuristicCheck() does not pass"
    )


def test_where_no_tier_may_answer_the_dearest_that_may_stands_in() -> None:
    decision = router(CascadePolicy([("flash", CHECK), ("sonnet", None)])).decide(asked(regions={"us"}))
    assert plan(decision) == [("opus", False), ("mini", False)]


def test_a_tier_whose_breaker_is_open_comes_last_and_with_its_check() -> None:
    serving = router(CascadePolicy(THREE))
    for _ in range(5):
        ticket = serving._gates.admit(serving.candidates[0])
        assert ticket is not None
        ticket.failed(ErrorKind.SERVER)
    decision = serving.decide(asked())
    assert plan(decision) == [("mini", True), ("sonnet", False), ("opus", False), ("flash", True)]


def test_what_a_cascade_decided_is_walked_with_its_verdicts_in_the_outcome() -> None:
    outcomes = []
    fixed = Fixed("reasoning")

    def judged(_: RoutingRequest, response: AIMessage) -> Verdict:
        return Verdict(passed=response.text == "good", score=0.2)

    serving = Router(
        candidates(),
        policy=CascadePolicy([("flash", judged), ("sonnet", None)]),
        intent_classifier=fixed,
        complexity_scorer=fixed,
        on_outcome=lambda decision, outcome: outcomes.append((decision.id, outcome)),
    )

    def call(one: Call) -> AIMessage:
        return AIMessage("good" if one.step.candidate.name == "sonnet" else "cheap")

    request = asked()
    decision = serving.decide(request)
    served = serving.serve(decision, request, call)
    assert served.served_by == "sonnet"
    ((decision_id, outcome),) = outcomes
    assert decision_id == outcome.decision_id == decision.id
    assert [(one.candidate, one.role) for one in outcome.attempts] == [
        ("flash", "draft"),
        ("sonnet", "answer"),
    ]
    assert outcome.attempts[0].verdict == Verdict(passed=False, score=0.2)


# --- without tiers --------------------------------------------------------------------------------


def test_an_answer_that_can_be_compared_is_drafted_and_compared_with_a_second_of_another_family() -> None:
    given = [priced("gpt-mini", 0.1, 0.7), priced("gpt-nano", 0.05, 0.6), priced("qwen", 0.2, 0.7)]
    decision = router(CascadePolicy(), [*given, priced("opus", 15.0, 0.95)]).decide(
        asked("How many are 6 * 7?")
    )
    assert plan(decision)[:2] == [("gpt-mini", True), ("opus", False)]
    check = decision.plan[0].check
    assert isinstance(check, AgreementCheck)
    assert check.second.name == "qwen"
    assert decision.policy_params == {"tiers": None, "quality": 0.85}


def test_an_answer_that_cannot_be_compared_is_given_by_one_model() -> None:
    decision = router(CascadePolicy(quality=0.5), intent="conversation").decide(asked("Tell me a tale."))
    assert not decision.has_checks
    assert decision.chosen.name == "flash"
    assert decision.policy == "cascade"
    assert "cannot be checked cheaply" in decision.reason


@pytest.mark.parametrize(
    "given",
    [
        [priced("cheap", 0.1, 0.6), priced("dear", 3.0, 0.9)],
        [priced("cheap", 2.0, 0.6), priced("second", 2.0, 0.6), priced("dear", 3.0, 0.9)],
        [priced("good", 0.1, 0.95), priced("worse", 1.0, 0.6), priced("worst", 2.0, 0.5)],
        [priced("a", None, 0.6), priced("b", None, 0.7), priced("c", None, 0.9)],
    ],
    ids=["no second", "too dear together", "the best is the cheapest", "no prices"],
)
def test_where_two_cheap_models_would_not_pay_the_best_answers_alone(given: list[Candidate]) -> None:
    decision = router(CascadePolicy(), given).decide(asked("How many are 6 * 7?"))
    assert not decision.has_checks
    assert decision.chosen.name == max(given, key=lambda one: one.quality or 0).name


def test_with_only_one_that_may_answer_there_is_no_cascade() -> None:
    given = [priced("eu", 1, 0.6, region="eu"), priced("us", 9, 0.9, region="us")]
    decision = router(CascadePolicy(), given).decide(asked("How many are 6 * 7?", regions={"eu"}))
    assert plan(decision) == [("eu", False)]
    assert decision.reason == "the only candidate that may answer"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([priced("a", 1), priced("b", 2), priced("c", 30)], r"no quality is known: give Candidate\(quality="),
        ([priced("a", None, 0.6), priced("b", None, 0.7)], r"no price is known: give Candidate\(price="),
        ([priced("a", 1, 0.6), priced("b", 3, 0.9)], "no two other models together cost less"),
    ],
)
def test_where_no_cascade_is_built_the_decision_says_why(given: list[Candidate], why: str) -> None:
    decision = router(CascadePolicy(), given).decide(asked("How many are 6 * 7?"))
    assert not decision.has_checks
    assert re.search(f"no cascade, as {why}", decision.explain())


# --- what cannot work -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tiers", "says"),
    [
        ([], "needs at least one tier"),
        ("flash", "tiers must be pairs"),
        ([("flash", CHECK, 3)], "tiers must be pairs"),
        ([(3, None)], "starts with a candidate of the router or its name, got an int"),
        ([("flash", None), ("sonnet", None)], "'flash' has no check, so nothing behind it"),
        ([("flash", CHECK), ("sonnet", CHECK)], "last tier 'sonnet' has a check, but nobody to escalate to"),
        ([("flash", CHECK), ("flash", None)], "Two tiers call 'flash'"),
        ([(Candidate, None)], r"got the class Candidate; write Candidate\(\.\.\.\)"),
        ([("flash", "strictly"), ("sonnet", None)], "A check must be a check"),
        ([("flash", HeuristicCheck), ("sonnet", None)], r"write HeuristicCheck\(\.\.\.\)"),
    ],
)
def test_tiers_that_cannot_work_are_refused_where_they_are_written(tiers: Any, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        CascadePolicy(tiers)


def test_a_tier_that_is_no_candidate_is_refused_when_the_router_is_built() -> None:
    with pytest.raises(ConfigurationError, match="'gemini', which is not a candidate of the router"):
        router(CascadePolicy([("gemini", CHECK), ("sonnet", None)]))


@pytest.mark.parametrize("make", [JudgeCheck, AgreementCheck, lambda name: CHECK & JudgeCheck(name)])
def test_a_check_that_asks_a_model_nobody_knows_is_refused_when_the_router_is_built(make: Any) -> None:
    with pytest.raises(
        ConfigurationError, match="check of 'flash' asks 'c', which is neither a candidate of"
    ):
        router(CascadePolicy([("flash", make("c")), ("sonnet", None)]))
    for known in (
        "mini",  # a candidate of the router
        "gpt-4o-mini",  # LiteLLM lists it
        "house/c",
        Candidate(model="c", provider="house"),
        Candidate(model="c", options={"api_base": "http://127.0.0.1:1"}),
    ):
        router(CascadePolicy([("flash", make(known)), ("sonnet", None)]))


def test_a_cascade_of_one_candidate_is_refused_when_the_router_is_built() -> None:
    with pytest.raises(ConfigurationError, match="there is only 'flash'"):
        router(CascadePolicy(), [priced("flash", 1)])


def test_tiers_and_a_quality_for_going_without_them_are_not_both_given() -> None:
    with pytest.raises(ConfigurationError, match="for a cascade without tiers"):
        CascadePolicy(THREE, quality=0.9)


def test_its_repr_says_what_it_is() -> None:
    assert repr(CascadePolicy(THREE[1:])) == "CascadePolicy([('mini', HeuristicCheck()), ('sonnet', None)])"
    assert repr(CascadePolicy(quality=0.9)) == "CascadePolicy(quality=0.9)"
