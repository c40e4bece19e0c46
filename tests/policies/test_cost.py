"""Cost-optimised routing: the cheapest that is good enough, and who stands in when nobody is."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage

from langchain_router import (
    Candidate,
    ChatRouter,
    ComplexityScore,
    ConfigurationError,
    CostPolicy,
    Intent,
    IntentPrediction,
    Price,
    Router,
    RoutingDecision,
    RoutingRequest,
)
from langchain_router.policies import make_policy
from langchain_router.quality.prior import PriorQuality, QualityModel

TYPICAL = 0.35
EPSILON = 0.003  # flips are found to within 1/512
SURE = IntentPrediction(label="conversation", probabilities={"conversation": 1.0}, source="fixed")


class Fixed:
    """Both layers, with answers known in advance."""

    def __init__(self, complexity: float) -> None:
        self.complexity = complexity

    def classify(self, request: RoutingRequest) -> IntentPrediction:
        return SURE

    def score(self, request: RoutingRequest, intent: IntentPrediction) -> ComplexityScore:
        return ComplexityScore(value=self.complexity, source="fixed")


def model(name: str, usd: float | None, quality: float | None, **known: Any) -> Candidate:
    price = None if usd is None else Price.per_million(input_usd=usd, output_usd=usd)
    return Candidate(model=f"house/{name}", name=name, price=price, quality=quality, **known)


CHEAP, MIDDLE, DEAR = model("cheap", 1, 0.70), model("middle", 5, 0.87), model("dear", 20, 0.95)
TRIO = [DEAR, CHEAP, MIDDLE]


def decide(
    candidates: list[Candidate],
    policy: CostPolicy | None = None,
    complexity: float = TYPICAL,
    quality_model: QualityModel | None = None,
) -> RoutingDecision:
    fixed = Fixed(complexity)
    router = Router(
        candidates,
        policy=policy or CostPolicy(),
        intent_classifier=fixed,
        complexity_scorer=fixed,
        quality=quality_model,
    )
    return router.decide(RoutingRequest(messages=(HumanMessage("Hi"),)))


def plan(decision: RoutingDecision) -> list[str]:
    return [step.candidate.name for step in decision.plan]


# --- the choice -------------------------------------------------------------------------------------------


def test_the_cheapest_that_is_good_enough_is_chosen() -> None:
    decision = decide(TRIO)
    assert decision.chosen.name == "middle"
    assert decision.reason == "the cheapest with predicted quality of at least 0.85"
    assert decision.confidence == pytest.approx(0.87)


def test_a_lower_threshold_saves_and_a_higher_one_spends() -> None:
    assert decide(TRIO, CostPolicy(0.6)).chosen.name == "cheap"
    assert decide(TRIO, CostPolicy(0.9)).chosen.name == "dear"


def test_a_prediction_that_just_reaches_the_threshold_is_enough() -> None:
    curve = PriorQuality().curve(MIDDLE, SURE)
    assert curve is not None
    exact = curve(TYPICAL)
    assert decide(TRIO, CostPolicy(exact)).chosen.name == "middle"
    assert decide(TRIO, CostPolicy(math.nextafter(exact, 1))).chosen.name == "dear"


def test_a_harder_request_goes_to_a_better_model() -> None:
    names = [decide(TRIO, CostPolicy(0.65), complexity=c).chosen.name for c in (0.2, 0.5, 0.95)]
    assert names == ["cheap", "middle", "dear"]


def test_without_anyone_good_enough_the_best_answers() -> None:
    decision = decide(TRIO, CostPolicy(0.99))
    assert plan(decision) == ["dear", "middle", "cheap"]
    assert decision.reason == "the best there is, as none is predicted to reach quality 0.99"


def test_without_anyone_good_enough_the_named_fallback_answers() -> None:
    decision = decide(TRIO, CostPolicy(0.99, fallback="cheap"))
    assert plan(decision) == ["cheap", "dear", "middle"]
    assert decision.reason == "the named fallback, as none is predicted to reach quality 0.99"
    assert decide(TRIO, CostPolicy(fallback="cheap")).chosen.name == "middle"


def test_a_named_fallback_that_may_not_answer_is_passed_over() -> None:
    router = ChatRouter(candidates=TRIO, policy=CostPolicy(0.99, fallback="cheap"))
    assert router.decide("Hi", min_quality=0.5, max_cost_usd=1).chosen.name == "cheap"
    assert router.decide("Hi", min_quality=0.9).chosen.name == "dear"


def test_an_unknown_price_ranks_behind_every_known_one() -> None:
    unknown = model("unknown", None, 0.99)
    assert plan(decide([unknown, DEAR, MIDDLE])) == ["middle", "dear", "unknown"]
    assert decide([unknown, CHEAP]).chosen.name == "unknown"


def test_an_unknown_quality_is_never_good_enough() -> None:
    unrated = model("unrated", 0.001, None)
    decision = decide([unrated, DEAR], CostPolicy(0.0))
    assert plan(decision) == ["dear", "unrated"]
    assert [one.remark for one in decision.eligible] == ["", "its quality is unknown"]
    assert plan(decide([unrated, CHEAP], CostPolicy(0.99))) == ["cheap", "unrated"]


def test_on_failure_the_other_good_ones_come_by_price_and_then_the_best_of_the_rest() -> None:
    weak, weaker = model("weak", 0.5, 0.6), model("weaker", 0.1, 0.5)
    decision = decide([weaker, weak, *TRIO])
    assert plan(decision) == ["middle", "dear", "cheap", "weak", "weaker"]
    remarks = [one.remark for one in decision.eligible]
    assert remarks[1] == "good enough, but ranked behind on cost"
    assert set(remarks[2:]) == {"predicted under the threshold of 0.85"}


# --- objectives -------------------------------------------------------------------------------------------

FAST = model("fast", 10, 0.9, latency_s=0.5)
SLOW = model("slow", 1, 0.9, latency_s=5.0)
UNTIMED = model("untimed", 2, 0.9)


def test_for_latency_the_fastest_good_one_is_chosen_and_an_unknown_latency_is_last() -> None:
    decision = decide([UNTIMED, SLOW, FAST], CostPolicy(objective="latency"))
    assert plan(decision) == ["fast", "slow", "untimed"]
    assert decision.reason.startswith("the fastest with predicted quality")
    assert decision.eligible[1].remark == "good enough, but ranked behind on latency"


def test_equal_latencies_are_told_apart_by_cost() -> None:
    same = model("same-but-cheaper", 0.5, 0.9, latency_s=0.5)
    assert decide([FAST, same], CostPolicy(objective="latency")).chosen.name == "same-but-cheaper"


@pytest.mark.parametrize(("cost", "expected"), [(0.9, "slow"), (0.1, "fast")])
def test_weights_trade_cost_against_latency(cost: float, expected: str) -> None:
    decision = decide([FAST, SLOW], CostPolicy(objective={"cost": cost, "latency": 1 - cost}))
    assert decision.chosen.name == expected
    assert decision.reason.startswith("the best weighing of cost and latency with")


def test_weighing_puts_whoever_lacks_a_figure_last() -> None:
    assert (
        plan(decide([UNTIMED, FAST, SLOW], CostPolicy(objective={"cost": 1, "latency": 1})))[-1] == "untimed"
    )


# --- the promise, over many sets of candidates ------------------------------------------------------------

prices = st.none() | st.floats(0.01, 100)
qualities = st.none() | st.floats(0, 1)


@st.composite
def crowds(draw: st.DrawFn) -> list[Candidate]:
    drawn = draw(st.lists(st.tuples(prices, qualities), min_size=1, max_size=6))
    return [model(f"m{i}", usd, quality) for i, (usd, quality) in enumerate(drawn)]


@given(crowds(), st.floats(0, 1), st.floats(0, 1))
def test_no_cheaper_eligible_candidate_would_also_have_been_good_enough(
    candidates: list[Candidate], threshold: float, complexity: float
) -> None:
    decision = decide(candidates, CostPolicy(threshold), complexity)
    assert sorted(plan(decision)) == sorted(c.name for c in candidates)
    good = {
        one.name: math.inf if one.estimated_cost_usd is None else one.estimated_cost_usd
        for one in decision.eligible
        if one.predicted_quality is not None and one.predicted_quality >= threshold
    }
    if good:
        assert good[decision.chosen.name] == min(good.values())
    else:
        best = max((one.predicted_quality or -1 for one in decision.eligible), default=-1)
        assert (decision.confidence or -1) == best


@given(crowds(), st.floats(0, 1), st.floats(0, 1))
def test_the_choice_really_changes_at_each_flip_and_nowhere_nearer(
    candidates: list[Candidate], threshold: float, complexity: float
) -> None:
    policy = CostPolicy(threshold)
    decision = decide(candidates, policy, complexity)

    def chosen(at: float) -> str:
        return decide(candidates, policy, at).chosen.name

    start, end = 0.0, 1.0
    for flip in decision.flips:
        assert flip.candidate != decision.chosen.name
        if flip.side == "below":
            assert flip.complexity < complexity
            start = flip.complexity + EPSILON
            beyond = max(flip.complexity - EPSILON, 0)
        else:
            assert flip.complexity >= complexity
            end = flip.complexity - EPSILON
            beyond = min(flip.complexity + EPSILON, 1)
        # Other crossings may lie as near as the flip is exact: then the next one's choice is right too.
        near = {chosen(beyond), chosen(flip.complexity), chosen(min(flip.complexity + EPSILON / 2, 1))}
        assert flip.candidate in near or near - {decision.chosen.name}
    for tenth in range(11):
        at = start + (end - start) * tenth / 10
        if start <= at <= end:
            assert chosen(at) == decision.chosen.name


@pytest.mark.parametrize("complexity", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_well_separated_flips_name_who_would_have_been_chosen(complexity: float) -> None:
    policy = CostPolicy(0.65)
    decision = decide(TRIO, policy, complexity)
    assert decision.flips
    for flip in decision.flips:
        away = -EPSILON if flip.side == "below" else EPSILON
        assert decide(TRIO, policy, flip.complexity + away).chosen.name == flip.candidate
        assert decide(TRIO, policy, flip.complexity - away).chosen.name == decision.chosen.name


def test_a_request_within_a_hair_of_a_crossing_has_the_flip_on_its_right_side() -> None:
    policy = CostPolicy(0.65)
    low, high = 0.0, 1.0
    for _ in range(60):  # where `cheap` stops being good enough, exactly
        middle = (low + high) / 2
        low, high = (middle, high) if decide(TRIO, policy, middle).chosen.name == "cheap" else (low, middle)
    (above,) = decide(TRIO, policy, low).flips
    assert (above.side, above.candidate) == ("above", "middle")
    below, above = decide(TRIO, policy, high).flips
    assert (below.side, below.candidate) == ("below", "cheap")
    assert (above.side, above.candidate) == ("above", "dear")
    assert below.complexity == pytest.approx(low, abs=EPSILON)


def test_the_only_candidate_never_flips() -> None:
    assert decide([CHEAP]).flips == ()


# --- building it ------------------------------------------------------------------------------------------


def test_a_quality_model_of_ones_own_decides_what_is_good_enough() -> None:
    class Inverted:
        def curve(self, candidate: Candidate, intent: IntentPrediction) -> Callable[[float], float] | None:
            figure = candidate.quality
            return None if figure is None else lambda _: 1 - figure

    assert decide(TRIO, CostPolicy(0.2), quality_model=Inverted()).chosen.name == "cheap"


@pytest.mark.parametrize(
    ("given_", "named"),
    [
        ({"quality": 85}, "quality must be from 0 to 1, got 85"),
        ({"quality": -0.1}, "got -0.1"),
        ({"quality": math.nan}, "got nan"),
        ({"quality": "high"}, "got 'high'"),
        ({"quality": True}, "got True"),
        ({"fallback": 5}, "fallback must be a candidate's name, got int"),
        ({"fallback": CHEAP}, "fallback must be a candidate's name, got Candidate"),
        ({"objective": "speed"}, "objective must be 'cost', 'latency' or weights .* got 'speed'"),
        ({"objective": {"speed": 1}}, "objective must be"),
        ({"objective": {}}, "objective must be"),
        ({"objective": None}, "objective must be"),
        ({"objective": ["cost"]}, "objective must be"),
        ({"objective": {"cost": 0}}, r"objective\['cost'\] must be a number above 0, got 0"),
        ({"objective": {"cost": -1, "latency": 1}}, "got -1"),
        ({"objective": {"cost": math.nan}}, "got nan"),
        ({"objective": {"cost": math.inf}}, "got inf"),
        ({"objective": {"cost": "1"}}, "got '1'"),
    ],
)
def test_wrong_parameters_are_refused_with_the_value(given_: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        CostPolicy(**given_)


def test_a_fallback_that_is_nobody_is_refused_when_the_router_is_built() -> None:
    with pytest.raises(
        ConfigurationError, match=r"fallback is 'x', which is not a candidate.* are cheap, dear"
    ):
        decide([CHEAP, DEAR], CostPolicy(fallback="x"))


def test_the_parameters_in_a_decision_build_the_same_policy_again() -> None:
    policy = CostPolicy(0.7, fallback="cheap", objective={"cost": 0.7, "latency": 0.3})
    assert repr(CostPolicy(**decide(TRIO, policy).policy_params)) == repr(policy)


def test_a_policy_is_found_by_its_name_and_the_threshold_by_quality() -> None:
    assert repr(make_policy("cost", quality=None)) == repr(CostPolicy())
    assert repr(make_policy("cost", quality=0.7)) == repr(CostPolicy(0.7))
    assert make_policy("threshold", quality=None).__class__.__name__ == "ThresholdPolicy"


def test_the_intent_decides_through_the_figures_by_intent() -> None:
    by_intent: dict[Intent, float] = {"conversation": 0.95, "reasoning": 0.3}
    chatty = model("chatty", 0.5, 0.6, quality_by_intent=by_intent)
    router = ChatRouter(candidates=[chatty, DEAR], quality=0.8)
    assert router.decide("Hello, how are you today?").chosen.name == "chatty"
    assert router.decide("Prove that there are infinitely many primes.").chosen.name == "dear"
