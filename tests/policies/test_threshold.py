"""Threshold routing: tiers by intent and complexity over names or the price ladder."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage

from langchain_router import (
    INTENTS,
    Candidate,
    ChatRouter,
    ComplexityScore,
    ConfigurationError,
    Constraints,
    Intent,
    IntentPrediction,
    Price,
    Router,
    RoutingDecision,
    RoutingRequest,
    ThresholdPolicy,
    Tier,
)
from langchain_router.policies import DEFAULT_TIERS
from langchain_router.policies.ladder import by_price


class Fixed:
    """Both layers, with answers known in advance."""

    def __init__(self, intent: Intent, complexity: float) -> None:
        self.intent, self.complexity = intent, complexity

    def classify(self, request: RoutingRequest) -> IntentPrediction:
        return IntentPrediction(label=self.intent, probabilities={self.intent: 1.0}, source="fixed")

    def score(self, request: RoutingRequest, intent: IntentPrediction) -> ComplexityScore:
        return ComplexityScore(value=self.complexity, source="fixed")


def priced(name: str, usd: float | None, **known: Any) -> Candidate:
    price = None if usd is None else Price.per_million(input_usd=usd, output_usd=usd)
    return Candidate(model=f"house/{name}", name=name, price=price, **known)


LADDER = {
    1: "a",
    2: "ab",
    3: "abc",
    4: "abcd",
    5: "abcde",
}


def decide(
    complexity: float,
    intent: Intent = "conversation",
    *,
    candidates: list[Candidate] | None = None,
    rungs: int = 4,
    policy: ThresholdPolicy | None = None,
    limits: dict[str, Any] | None = None,
) -> RoutingDecision:
    if candidates is None:
        candidates = [priced(name, usd + 1) for usd, name in enumerate(LADDER[rungs])]
    fixed = Fixed(intent, complexity)
    router = Router(
        candidates, policy=policy or ThresholdPolicy(), intent_classifier=fixed, complexity_scorer=fixed
    )
    asked = RoutingRequest(messages=(HumanMessage("Hi"),), constraints=Constraints.of(limits))
    return router.decide(asked)


def chosen(complexity: float, intent: Intent = "conversation", **given: Any) -> str:
    return decide(complexity, intent, **given).chosen.name


# --- the article's table ----------------------------------------------------------------------------------

FLASH, MINI, SONNET, GPT_4O = "abcd"
RARELY: tuple[Intent, ...] = ("formatting", "classification", "extraction")
SENSITIVE: tuple[Intent, ...] = ("code_generation", "reasoning")
OTHERS: tuple[Intent, ...] = ("code_review", "summarization", "translation", "conversation")


@pytest.mark.parametrize(
    ("intent", "complexity", "expected"),
    [
        *((intent, 0.0, MINI) for intent in RARELY),
        *((intent, 0.69, MINI) for intent in RARELY),
        *((intent, 0.7, GPT_4O) for intent in RARELY),
        *((intent, 0.29, MINI) for intent in SENSITIVE),
        *((intent, 0.3, SONNET) for intent in SENSITIVE),
        *((intent, 0.59, SONNET) for intent in SENSITIVE),
        *((intent, 0.6, GPT_4O) for intent in SENSITIVE),
        *((intent, 0.39, FLASH) for intent in OTHERS),
        *((intent, 0.4, MINI) for intent in OTHERS),
        *((intent, 0.7, SONNET) for intent in OTHERS),
        ("reasoning", 1.0, GPT_4O),
        ("conversation", 1.0, SONNET),
    ],
)  # fmt: skip
def test_with_four_candidates_the_default_is_the_articles_table(
    intent: Intent, complexity: float, expected: str
) -> None:
    assert chosen(complexity, intent) == expected


@pytest.mark.parametrize(
    ("rungs", "sensitive", "default", "rarely"),
    [(1, "aaa", "aaa", "aa"), (2, "abb", "aab", "ab"), (3, "bbc", "abb", "bc"), (4, "bcd", "abc", "bd"),
     (5, "bde", "abd", "be")],
)  # fmt: skip
def test_the_table_fits_any_number_of_candidates(
    rungs: int, sensitive: str, default: str, rarely: str
) -> None:
    assert "".join(chosen(c, "reasoning", rungs=rungs) for c in (0.1, 0.5, 0.9)) == sensitive
    assert "".join(chosen(c, "conversation", rungs=rungs) for c in (0.1, 0.5, 0.9)) == default
    assert "".join(chosen(c, "formatting", rungs=rungs) for c in (0.1, 0.9)) == rarely


@given(st.sampled_from(INTENTS), st.integers(1, 5), st.floats(0, 1), st.floats(0, 1))
def test_a_more_complex_request_never_goes_to_a_cheaper_candidate(
    intent: Intent, rungs: int, a: float, b: float
) -> None:
    easy, hard = sorted((a, b))
    assert chosen(easy, intent, rungs=rungs) <= chosen(hard, intent, rungs=rungs)


def test_the_ladder_is_by_price_and_not_by_the_order_given() -> None:
    shuffled = [priced("dear", 9), priced("cheap", 1), priced("middle", 3)]
    assert [c.name for c in by_price(shuffled)] == ["cheap", "middle", "dear"]
    assert chosen(0.1, candidates=shuffled) == "cheap"


def test_an_unknown_price_stands_at_the_dear_end_of_the_ladder() -> None:
    assert [c.name for c in by_price([priced("unknown", None), priced("dear", 1_000)])] == ["dear", "unknown"]


def test_the_ladder_weighs_three_prompt_tokens_to_one_of_answer() -> None:
    def model(name: str, input_usd: float, output_usd: float) -> Candidate:
        price = Price.per_million(input_usd=input_usd, output_usd=output_usd)
        return Candidate(model=f"house/{name}", name=name, price=price)

    low_input, low_output = model("low-input", 1, 6), model("low-output", 2.5, 2.5)
    assert [c.name for c in by_price([low_output, low_input])] == ["low-input", "low-output"]


# --- tiers of one's own -----------------------------------------------------------------------------------

OWN = ThresholdPolicy({"default": [(0.5, "a"), Tier(1.0, "c")], "reasoning": [(1.0, 1.0)]})


def test_tiers_by_name_go_to_the_candidates_named() -> None:
    assert (chosen(0.49, policy=OWN), chosen(0.5, policy=OWN), chosen(1.0, policy=OWN)) == ("a", "c", "c")


def test_tiers_by_place_go_to_that_rung_of_the_ladder() -> None:
    assert chosen(0.0, "reasoning", policy=OWN) == "d"
    middle = ThresholdPolicy({"default": [(1, 0.5)]})
    assert chosen(0.5, policy=middle, rungs=3) == "b"
    assert chosen(0.5, policy=middle, rungs=5) == "c"


def test_an_intent_without_tiers_of_its_own_takes_the_default() -> None:
    assert chosen(0.1, "translation", policy=OWN) == chosen(0.1, "conversation", policy=OWN) == "a"


def test_tiers_for_all_nine_intents_need_no_default() -> None:
    every = ThresholdPolicy({intent: [(1.0, "b")] for intent in INTENTS})
    assert chosen(0.5, "extraction", policy=every) == "b"


def test_when_the_named_candidate_may_not_answer_the_dearest_that_may_does() -> None:
    candidates = [priced("a", 1, region="us"), priced("b", 2, region="eu"), priced("c", 3, region="eu")]
    decision = decide(0.1, candidates=candidates, policy=OWN, limits={"regions": {"eu"}})
    assert decision.chosen.name == "c"
    assert decision.reason.endswith(
        "go to a, but a is at region 'us', and only eu is allowed, so the dearest that may answer takes it"
    )


def test_places_are_counted_among_the_eligible() -> None:
    candidates = [priced("a", 1, region="us"), priced("b", 2, region="eu"), priced("c", 3, region="eu")]
    assert chosen(0.1, candidates=candidates, limits={"regions": {"eu"}}) == "b"


def test_on_failure_dearer_candidates_come_first_and_then_the_cheaper_ones() -> None:
    plan = [step.candidate.name for step in decide(0.5, "conversation", rungs=5).plan]
    assert plan == ["b", "c", "d", "e", "a"]


def test_the_reason_names_the_intent_the_span_and_the_tier() -> None:
    assert decide(0.45).reason == (
        "conversation requests of complexity 0.4 to 0.7 go to the candidate 33% up the price ladder"
    )
    assert decide(0.1).reason == "conversation requests of complexity 0 to 0.4 go to the cheapest candidate"
    assert decide(0.9, "reasoning").reason.endswith("0.6 to 1 go to the dearest candidate")


def test_the_parameters_in_a_decision_build_the_same_policy_again() -> None:
    params = decide(0.5, policy=OWN).policy_params
    assert repr(ThresholdPolicy(params["tiers"])) == repr(OWN)
    assert repr(OWN).startswith("ThresholdPolicy({'default': [(0.5, 'a'), (1.0, 'c')]")


# --- flips ------------------------------------------------------------------------------------------------


@given(st.sampled_from(INTENTS), st.integers(1, 5), st.floats(0, 1))
def test_the_choice_really_changes_at_each_flip_and_nowhere_nearer(
    intent: Intent, rungs: int, complexity: float
) -> None:
    decision = decide(complexity, intent, rungs=rungs)
    sides = {flip.side: flip for flip in decision.flips}
    assert len(sides) == len(decision.flips)
    low = high = None
    if "below" in sides:
        low = sides["below"].complexity
        assert low <= complexity
        assert chosen(math.nextafter(low, -1), intent, rungs=rungs) == sides["below"].candidate
        assert chosen(low, intent, rungs=rungs) == decision.chosen.name
    if "above" in sides:
        high = sides["above"].complexity
        assert high > complexity
        assert chosen(high, intent, rungs=rungs) == sides["above"].candidate
        assert chosen(math.nextafter(high, -1), intent, rungs=rungs) == decision.chosen.name
    start, end = low or 0.0, 1.0 if high is None else math.nextafter(high, -1)
    for tenth in range(11):
        assert chosen(start + (end - start) * tenth / 10, intent, rungs=rungs) == decision.chosen.name


def test_a_request_exactly_on_a_threshold_would_flip_below_it() -> None:
    decision = decide(0.4)
    assert [(f.side, f.complexity, f.candidate) for f in decision.flips] == [
        ("below", 0.4, "a"),
        ("above", 0.7, "c"),
    ]
    assert (
        "Would flip to a below complexity 0.400 (0.000 away) and to c above complexity 0.700 (0.300 away)."
        in (decision.explain())
    )


def test_a_threshold_between_tiers_of_the_same_candidate_is_no_flip() -> None:
    same = ThresholdPolicy({"default": [(0.3, "b"), (0.6, "b"), (1.0, "c")]})
    assert [(f.side, f.complexity, f.candidate) for f in decide(0.1, policy=same).flips] == [
        ("above", 0.6, "c")
    ]
    assert decide(0.5, rungs=1).flips == ()


# --- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tiers", "named"),
    [
        ({"default": [(0.5, "a"), (0.4, "b"), (1.0, "c")]}, r"thresholds must rise, got \[0.5, 0.4, 1.0\]"),
        ({"default": [(0.5, "a"), (0.5, "b"), (1.0, "c")]}, "thresholds must rise"),
        ({"default": [(0.0, "a"), (1.0, "b")]}, "above 0 and at most 1, got 0.0"),
        ({"default": [(-0.1, "a"), (1.0, "b")]}, "got -0.1"),
        ({"default": [(1.5, "a")]}, "got 1.5"),
        ({"default": [(40, "a"), (100, "b")]}, "got 40"),
        ({"default": [(math.nan, "a"), (1.0, "b")]}, "got nan"),
        ({"default": [("0.5", "a"), (1.0, "b")]}, "got '0.5'"),
        ({"default": [(True, "a")]}, "got True"),
        ({"default": [(0.5, "a")]}, "the last threshold must be 1.0, so that every request fits"),
        ({"default": []}, "the last threshold must be 1.0"),
        ({"default": ["a", "b"]}, "must be pairs of "),
        ({"default": [(0.5, "a", "b"), (1.0, "c")]}, "must be pairs of "),
        ({"default": 0.5}, r"must be pairs of \(below, candidate\), e.g. \[\(0.4, 'cheap'\)"),
        ({"default": [(1.0, 1.5)]}, "a place on the price ladder from 0 to 1, got 1.5"),
        ({"default": [(1.0, math.nan)]}, "from 0 to 1, got nan"),
        ({"default": [(1.0, None)]}, "a candidate's name or a place on the price ladder .* got None"),
        ({"default": [(1.0, True)]}, "got True"),
        ({"default": [(1.0, priced("a", 1))]}, "a candidate's name or a place"),
        ({"poetry": [(1.0, "a")]}, "tiers holds 'poetry'; use 'default' or one of code_generation"),
        ({"reasoning": [(1.0, "a")]}, 'cover neither .* nor \'default\'. Add "default"'),
        ({}, "cover neither 'code_generation' nor 'default'"),
        ([(1.0, "a")], r"tiers must be a mapping such as {\"default\""),
    ],
)  # fmt: skip
def test_impossible_tiers_are_refused_with_what_to_write(tiers: Any, named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        ThresholdPolicy(tiers)


def test_a_tier_that_names_nobody_is_refused_when_the_router_is_built() -> None:
    with pytest.raises(ConfigurationError, match=r"uses 'c', which is not a candidate.* are a, b"):
        decide(0.5, policy=OWN, rungs=2)
    with pytest.raises(ConfigurationError, match="uses 'a', which is not a candidate"):
        ChatRouter.from_models("openai/gpt-4o", policy=OWN)


def test_the_default_tiers_cover_every_intent_and_every_complexity() -> None:
    assert "default" in DEFAULT_TIERS
    assert all(tiers[-1].below == 1 for tiers in DEFAULT_TIERS.values())
