"""The router: how it is built, what it refuses, and that a broken part does not lose a request."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from langchain_core.language_models.fake_chat_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.prompts import ChatPromptTemplate

import langchain_router
from langchain_router import (
    Candidate,
    CascadePolicy,
    ChatRouter,
    ComplexityScore,
    ConfigurationError,
    CostPolicy,
    HeuristicComplexityScorer,
    IntentPrediction,
    KeywordIntentClassifier,
    NoEligibleCandidateError,
    Router,
    RoutingDecision,
    RoutingRequest,
    ThresholdPolicy,
)
from langchain_router.policies import Context

PROOF = "Prove step by step that there are infinitely many primes, then compare two other proofs."
ONE, TWO = (Candidate(model=f"house/{name}", name=name, quality=0.9) for name in ("one", "two"))
PROMPTS = ["Hello!", PROOF, "Translate into French: good night", "", "```python\nx = 1\n```\nWhy?"]


def facts(decision: RoutingDecision) -> dict[str, Any]:
    return {**decision.to_dict(), "decision_id": None}


class Surely:
    """A classifier with a fixed label, which may also be a model."""

    def __init__(self, label: langchain_router.Intent = "reasoning") -> None:
        self.label = label
        self.asked = 0

    def classify(self, request: RoutingRequest) -> IntentPrediction:
        self.asked += 1
        return IntentPrediction(label=self.label, probabilities={self.label: 1.0}, source="surely")


class SurelyAsync(Surely):
    async def aclassify(self, request: RoutingRequest) -> IntentPrediction:
        return IntentPrediction(label="extraction", probabilities={"extraction": 1.0}, source="awaited")


class Broken:
    """Every part of a router, out of order. Its message must not be logged: it could hold prompt text."""

    def classify(self, request: RoutingRequest) -> IntentPrediction:
        raise RuntimeError(str(request.messages))

    async def aclassify(self, request: RoutingRequest) -> IntentPrediction:
        raise RuntimeError(str(request.messages))

    def score(self, request: RoutingRequest, intent: IntentPrediction) -> ComplexityScore:
        raise RuntimeError(str(request.messages))


# --- deciding ---------------------------------------------------------------------------------------------


def test_all_kinds_of_langchain_input_are_decided_alike() -> None:
    router = ChatRouter(candidates=[ONE, TWO])
    prompt = ChatPromptTemplate.from_messages([("human", "{q}")]).invoke({"q": PROOF})
    inputs: list[Any] = [
        PROOF,
        [HumanMessage(PROOF)],
        [("human", PROOF)],
        prompt,
        [{"role": "user", "content": PROOF}],
    ]
    assert len({str(facts(router.decide(given))) for given in inputs}) == 1


@pytest.mark.parametrize("text", PROMPTS)
async def test_adecide_decides_as_decide_does(text: str) -> None:
    for policy in ("cost", "threshold"):
        router = ChatRouter.from_models("openai/gpt-4o-mini", "openai/gpt-4o", policy=policy)
        assert facts(await router.adecide(text)) == facts(router.decide(text))


async def test_adecide_refuses_as_decide_does() -> None:
    router = ChatRouter(candidates=[ONE, TWO])
    with pytest.raises(NoEligibleCandidateError) as sync:
        router.decide("Hi", regions={"eu"})
    with pytest.raises(NoEligibleCandidateError) as awaited:
        await router.adecide("Hi", regions={"eu"})
    assert sync.value.excluded == awaited.value.excluded
    with pytest.raises(ConfigurationError, match="max_cost_usd"):
        await router.adecide("Hi", max_cost=1)


async def test_a_classifier_that_is_a_model_is_awaited() -> None:
    router = ChatRouter(candidates=[ONE], intent_classifier=SurelyAsync())
    assert router.decide("Hi").intent.source == "surely"
    assert (await router.adecide("Hi")).intent.source == "awaited"


def test_the_same_request_is_decided_the_same_way_every_time() -> None:
    router = ChatRouter.from_models("openai/gpt-4o-mini", "openai/gpt-4o")
    assert len({str(facts(router.decide(PROOF))) for _ in range(20)}) == 1


def test_only_the_model_named_by_a_call_may_answer() -> None:
    router = ChatRouter(candidates=[ONE, TWO])
    decision = router.decide("Hi", model="two")
    assert [step.candidate.name for step in decision.plan] == ["two"]
    assert decision.excluded == {"one": ("is not the model asked for, 'two'",)}


def test_a_model_that_is_no_candidate_is_refused_with_the_candidates() -> None:
    with pytest.raises(ConfigurationError, match=r"model='three' is not a candidate.* are one, two"):
        ChatRouter(candidates=[ONE, TWO]).decide("Hi", model="three")


def test_max_tokens_under_any_of_its_names_bounds_the_answer() -> None:
    small = Candidate(model="house/small", name="small", max_output_tokens=100, quality=0.9)
    router = ChatRouter(candidates=[small, ONE])
    for name in ("max_tokens", "max_completion_tokens", "max_output_tokens"):
        assert list(router.decide("Hi", None, **{name: 101}).excluded) == ["small"]
        assert not router.decide("Hi", None, **{name: 100}).excluded


def test_deciding_makes_no_chat_model() -> None:
    router = ChatRouter.from_models("openai/gpt-4o-mini", "openai/gpt-4o")
    router.decide(PROOF)
    assert all(candidate._made.model is None for candidate in router.candidates)


def test_every_public_name_can_be_imported() -> None:
    for name in langchain_router.__all__:
        assert getattr(langchain_router, name) is not None
    assert set(dir(langchain_router)) == set(langchain_router.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Rooter'"):
        _ = langchain_router.Rooter


# --- parts of one's own -----------------------------------------------------------------------------------


def test_parts_of_ones_own_are_used() -> None:
    class Scorer:
        def score(self, request: RoutingRequest, intent: IntentPrediction) -> ComplexityScore:
            return ComplexityScore(value=0.9 if intent.label == "reasoning" else 0.1, source="mine")

    class Quality:
        def curve(self, candidate: Candidate, intent: IntentPrediction) -> Callable[[float], float] | None:
            return lambda complexity: complexity

    class Policy:
        def select(self, context: Context, candidates: Sequence[Candidate]) -> RoutingDecision:
            return context.decision(list(candidates), reason="mine", policy="mine", policy_params={})

    router = ChatRouter(
        candidates=[ONE],
        policy=Policy(),
        intent_classifier=Surely(),
        complexity_scorer=Scorer(),
        quality_model=Quality(),
    )
    decision = router.decide("Hi")
    assert (decision.policy, decision.intent.source, decision.complexity.source) == ("mine", "surely", "mine")
    assert decision.confidence == 0.9


def test_a_broken_classifier_falls_back_to_keywords_and_warns(caplog: pytest.LogCaptureFixture) -> None:
    plain, broken = (ChatRouter(candidates=[ONE], intent_classifier=c) for c in (None, Broken()))
    found, expected = facts(broken.decide(PROOF)), facts(plain.decide(PROOF))
    assert found.pop("intent_source") == "keywords, as the classifier raised RuntimeError"
    assert found == {name: value for name, value in expected.items() if name != "intent_source"}
    assert caplog.messages == ["intent classifier failed (RuntimeError); using keywords"]
    assert "primes" not in caplog.text


async def test_a_broken_awaited_classifier_falls_back_to_keywords_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    plain, broken = (ChatRouter(candidates=[ONE], intent_classifier=c) for c in (None, Broken()))
    found, expected = facts(await broken.adecide(PROOF)), facts(plain.decide(PROOF))
    assert found.pop("intent_source") == "keywords, as the classifier raised RuntimeError"
    assert found == {name: value for name, value in expected.items() if name != "intent_source"}
    assert caplog.messages == ["intent classifier failed (RuntimeError); using keywords"]


def test_a_broken_scorer_falls_back_to_the_heuristic_and_warns(caplog: pytest.LogCaptureFixture) -> None:
    plain, broken = (ChatRouter(candidates=[ONE], complexity_scorer=s) for s in (None, Broken()))
    assert facts(broken.decide(PROOF)) == facts(plain.decide(PROOF))
    assert caplog.messages == ["complexity scorer failed (RuntimeError); using the heuristic"]
    assert caplog.records[0].levelname == "WARNING"
    assert "primes" not in caplog.text


@pytest.mark.parametrize("raises_at_once", [True, False])
def test_a_broken_quality_model_leaves_the_quality_unknown_and_warns(
    raises_at_once: bool, caplog: pytest.LogCaptureFixture
) -> None:
    class BrokenQuality:
        def curve(self, candidate: Candidate, intent: IntentPrediction) -> Callable[[float], float] | None:
            if raises_at_once:
                raise RuntimeError
            return lambda _: 1 / 0

    decision = ChatRouter(candidates=[ONE], quality_model=BrokenQuality()).decide(PROOF)
    assert decision.confidence is None
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("quality model failed")


def test_an_interrupt_in_a_part_of_ones_own_is_not_swallowed() -> None:
    class Interrupted(Surely):
        def classify(self, request: RoutingRequest) -> IntentPrediction:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ChatRouter(candidates=[ONE], intent_classifier=Interrupted()).decide("Hi")


class Returning:
    """Parts that return what they should not."""

    def __init__(self, value: object) -> None:
        self.value = value

    def classify(self, request: RoutingRequest) -> Any:
        return self.value

    def score(self, request: RoutingRequest, intent: IntentPrediction) -> Any:
        return self.value


@pytest.mark.parametrize("value", ["reasoning", None], ids=repr)
def test_a_classifier_that_returns_something_else_falls_back(value: object) -> None:
    ChatRouter(candidates=[ONE], intent_classifier=Returning(value)).decide("Hi")


@pytest.mark.parametrize(
    "value", [0.5, None, ComplexityScore(value=float("nan")), ComplexityScore(value=7.0)]
)
def test_a_scorer_that_returns_something_else_falls_back(value: object) -> None:
    decision = ChatRouter(candidates=[ONE], complexity_scorer=Returning(value)).decide("Hi")
    assert 0 <= decision.complexity.value <= 1


# --- what is refused when it is built ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"candidates": []}, r'A router needs at least one candidate, e.g. ChatRouter.from_models\("openai/'),
        ({}, "A router needs at least one candidate"),
        ({"candidates": "openai/gpt-4o"}, r"candidates must be a list of models; write candidates=\[...\]"),
        ({"candidates": ONE}, "candidates must be a list of models"),
        ({"candidates": FakeListChatModel(responses=["x"])}, "candidates must be a list of models"),
        ({"candidates": [5]}, "a LiteLLM model string such as 'openai/gpt-4o-mini' or .* got an int"),
        ({"candidates": [ONE, ONE]}, r"Two candidates are called 'one'. Give one another name"),
        ({"candidates": ["openai/gpt-4o", "openai/gpt-4o"]}, "Two candidates are called 'openai/gpt-4o'"),
        ({"policy": "treshold"}, "policy 'treshold' is unknown; use adaptive, .* Did you mean 'threshold'"),
        ({"policy": "xyz"}, "policy 'xyz' is unknown; use adaptive, cascade, cost, "),
        ({"policy": 3}, "policy must be a policy or the name of one, got 3"),
        ({"policy": CostPolicy}, r"got the class CostPolicy; write CostPolicy\(\.\.\.\)"),
        ({"policy": CostPolicy(), "quality": 0.9}, r"Give one of them, e.g. policy=CostPolicy\("),
        ({"policy": [("one", None)]}, r"got a list\. For tiers write policy=CascadePolicy\("),
        ({"policy": CascadePolicy(quality=0.9), "quality": 0.8}, r"policy=CascadePolicy\(quality=0.8\)"),
        ({"temprature": 0, "candidates": ["openai/gpt-4o"]}, "did you mean 'temperature'"),
        ({"policy": "threshold", "quality": 0.9}, r"quality=0.9 sets .* policy='threshold' is given"),
        ({"quality": 85}, "quality must be from 0 to 1, got 85"),
        ({"quality": "high"}, "quality must be from 0 to 1, got 'high'"),
        ({"intent_classifier": KeywordIntentClassifier}, r"intent_classifier must be .* classify\(\)"),
        ({"intent_classifier": "llm"}, r"intent_classifier must be .* classify\(\), got 'llm'"),
        ({"complexity_scorer": HeuristicComplexityScorer}, r"complexity_scorer must be .* score\(\)"),
        ({"complexity_scorer": lambda _: 0.5}, r"complexity_scorer must be .* score\(\)"),
        ({"quality_model": {"one": 0.9}}, r"quality_model must be .* a method curve\(\)"),
        ({"trace": "yes"}, "ChatRouter cannot be built: trace: Input should be 'none' or 'chain'"),
        ({"candidate": [ONE]}, "'candidate' is not an argument of ChatRouter; did you mean 'candidates'"),
        ({"cache": True}, "ChatRouter takes no cache"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_with_what_to_write(given: dict[str, Any], named: str) -> None:
    basis: dict[str, Any] = {} if not given or "candidates" in given else {"candidates": [ONE]}
    with pytest.raises(ConfigurationError, match=named):
        ChatRouter(**{**basis, **given})


def test_a_configuration_error_is_a_value_error_too() -> None:
    with pytest.raises(ValueError, match="at least one candidate"):
        ChatRouter(candidates=[])


def test_the_router_without_langchain_refuses_the_same() -> None:
    with pytest.raises(ConfigurationError, match="at least one candidate"):
        Router([], policy=CostPolicy())
    with pytest.raises(ConfigurationError, match="Two candidates are called 'one'"):
        Router([ONE, ONE], policy=CostPolicy())
    with pytest.raises(ConfigurationError, match="fallback is 'x'"):
        Router([ONE], policy=CostPolicy(fallback="x"))
    with pytest.raises(ConfigurationError, match="uses 'x', which is not a candidate"):
        Router([ONE], policy=ThresholdPolicy({"default": [(1.0, "x")]}))


@pytest.mark.parametrize("wrong", [None, 5, {"openai/gpt-4o": 1}])
def test_candidates_that_are_no_list_are_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="candidates must be a list of models"):
        ChatRouter(candidates=wrong)


@pytest.mark.parametrize("wrong", [{"max_tokens": "100"}, {"tools": 5}], ids=str)
def test_options_of_the_wrong_type_are_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        ChatRouter(candidates=[ONE]).decide("Hi", None, **wrong)


# --- serving ----------------------------------------------------------------------------------------------


def test_serve_walks_the_plan_of_a_decision() -> None:
    router = Router([ONE, TWO], policy=CostPolicy())
    request = RoutingRequest(messages=(HumanMessage("Hi"),))
    decision = router.decide(request)

    def call(step: Any) -> AIMessage:
        if step.number == 1:
            raise TimeoutError
        return AIMessage(f"from {step.step.candidate.name}")

    served = router.serve(decision, request, call)
    assert served.answer.content == f"from {decision.plan[1].candidate.name}"
    assert [attempt.error_kind for attempt in served.attempts] == ["timeout", None]


async def test_aserve_walks_the_plan_of_a_decision() -> None:
    router = Router([ONE, TWO], policy=CostPolicy())
    request = RoutingRequest(messages=(HumanMessage("Hi"),))
    decision = await router.adecide(request)

    async def call(step: Any) -> str:
        if step.number == 1:
            raise ConnectionError
        return "second"

    served = await router.aserve(decision, request, call)
    assert (served.answer, len(served.attempts)) == ("second", 2)
