"""The adaptive policy: plans by what was fitted on recorded answers, or by what feedback taught."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from langchain_router import (
    AdaptivePolicy,
    Candidate,
    ChatRouter,
    ConfigurationError,
    CostPolicy,
    HeuristicCheck,
    Price,
)
from langchain_router.checks.scoring.columns import Columns
from langchain_router.checks.scoring.features import FeatureCache
from langchain_router.checks.scoring.gain import GainScorer
from langchain_router.evaluation.plans.arms import came_of
from langchain_router.evaluation.plans.fitting import fit_all
from langchain_router.evaluation.plans.table import Table, dense_table
from langchain_router.policies.adaptive import LEAST_JUDGED
from langchain_router.policies.fitted_plans import FittedArm, FittedPlans
from langchain_router.quality.prompt_inputs import SIZE
from langchain_router.testing.replay import ReplayOutcome, ReplayRow
from langchain_router.testing.scripted import ScriptedChatModel


class Recorded(BaseChatModel):
    """Answers as was recorded."""

    called: str
    answers: dict[str, str]

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        answer = AIMessage(self.answers[str(messages[-1].content)])
        return ChatResult(generations=[ChatGeneration(message=answer)])

    @property
    def _llm_type(self) -> str:
        return "recorded"


def _rows(count: int) -> list[ReplayRow]:
    """Sums of which the cheap models get some wrong, and then seldom alike."""
    rng = np.random.default_rng(5)
    rows = []
    for number in range(count):
        a, b = int(rng.integers(2, 90)), int(rng.integers(2, 90))
        outcomes = {}
        for name, right, usd in (("tiny", 0.7, 1e-5), ("small", 0.8, 2e-5), ("large", 0.98, 1e-3)):
            is_right = rng.random() < right
            told = a + b if is_right else a + b + int(rng.integers(1, 30))
            text = f"{a} + {b} = {told}. The answer is {told}."
            outcomes[name] = ReplayOutcome(score=float(is_right), response=text, cost_usd=usd)
        prompt = f"Question {number}: how much is {a} plus {b}?"
        rows.append(ReplayRow(id=str(number), dataset="sums", domain="", prompt=prompt, outcomes=outcomes))
    return rows


def _candidates(table: Table) -> list[Candidate]:
    usd = {"tiny": 0.1, "small": 0.2, "large": 10.0}
    return [
        Candidate(
            model=Recorded(
                called=name, answers={r.prompt: r.outcomes[name].response or "" for r in table.rows}
            ),
            name=name,
            context_tokens=100_000,
            price=Price.per_million(input_usd=usd[name], output_usd=usd[name]),
        )
        for name in table.models
    ]


def _plans(**changed: Any) -> FittedPlans:
    values: dict[str, Any] = {
        "arms": (FittedArm(draft="small"), FittedArm(draft="large")),
        "reference": 1,
        "quality_weights": np.zeros((SIZE, 2), np.float32),
        "quality_constants": np.array([0.8, 0.95]),
        "cost_weights": np.zeros((SIZE, 2), np.float32),
        "cost_constants": np.array([0.1, 1.0]),
        "rule": "slack",
        "dial": 0.2,
    }
    return FittedPlans(**{**values, **changed})


def _two(**options: Any) -> list[Candidate]:
    return [
        Candidate(
            model=ScriptedChatModel(answers=["An answer."]),
            name=name,
            quality=quality,
            context_tokens=100_000,
            price=Price.per_million(input_usd=usd, output_usd=usd),
            **options,
        )
        for name, quality, usd in (("small", 0.8, 0.1), ("large", 0.95, 5.0))
    ]


# --- fitted plans -------------------------------------------------------------------------------


def test_live_it_serves_what_it_would_have_served_on_the_recorded_answers() -> None:
    whole = dense_table(_rows(260))
    fit, test = whole.of(whole.rows[:200]), whole.of(whole.rows[200:])
    cache = FeatureCache()
    fitting = fit_all(fit, cache=cache)
    point = fitting.choices("adaptive").within(0.02)
    plans = fitting.plans(point)
    router = ChatRouter(candidates=_candidates(whole), policy=AdaptivePolicy(plans), store=None)
    chosen = point.choose(fitting.expected_of(test), fitting.reference)
    came = came_of(fitting.arms, test, cache=cache)
    served = []
    for row, prompt in enumerate(test.prompts):
        arm = fitting.arms[chosen[row]]
        by = arm.last if came.escalated[row, chosen[row]] else arm.draft
        answer = router.invoke(prompt)
        assert by is not None
        served.append((whole.models[by], answer.response_metadata["router"]["served_by"]))
    assert [was for _, was in served] == [expected for expected, _ in served]
    assert {was for _, was in served} > {"large"}  # it escalates some, not all
    assert point.cost_saved > 0.3


def test_routers_that_share_a_policy_ask_second_answers_of_their_own_candidates() -> None:
    scorer = GainScorer(columns=Columns(), weights=np.zeros(Columns().width, np.float32), constant=0.0)
    cascade = FittedArm(draft="small", seconds=("mid",), last="large", most_gain=0.1, scorer=scorer)
    plans = _plans(
        arms=(FittedArm(draft="large"), cascade),
        reference=0,
        quality_constants=np.array([0.95, 0.95]),
        cost_constants=np.array([1.0, 0.2]),
    )
    policy = AdaptivePolicy(plans)
    for _ in range(2):
        mid = Candidate(model=ScriptedChatModel(answers=["Another."]), name="mid", context_tokens=100_000)
        router = ChatRouter(candidates=[*_two(), mid], policy=policy, store=None)
        check = router.decide("Hello").plan[0].check
        assert check is not None
        assert [model.model for model in check.models] == [router.core.candidates[2].model]


def test_the_cheapest_plan_within_the_slack_is_taken_and_said() -> None:
    decision = ChatRouter(candidates=_two(), policy=AdaptivePolicy(_plans()), store=None).decide("Hello")
    assert decision.chosen.name == "small"
    assert decision.confidence == pytest.approx(0.8)
    assert "at most 0.20 under the best single model" in decision.explain()
    assert decision.policy_params["plans"] == _plans().fingerprint


def test_less_slack_takes_the_best() -> None:
    policy = AdaptivePolicy(_plans(dial=0.1))
    assert ChatRouter(candidates=_two(), policy=policy, store=None).decide("Hello").chosen.name == "large"


def test_plans_come_from_a_file_too(tmp_path: Path) -> None:
    _plans().save(tmp_path / "plans.npz")
    policy = AdaptivePolicy(tmp_path / "plans.npz")
    assert policy.fitted is not None
    assert policy.fitted.fingerprint == _plans().fingerprint


def test_a_plan_whose_model_may_not_answer_is_left_out() -> None:
    router = ChatRouter(candidates=_two(), policy=AdaptivePolicy(_plans()), store=None)
    assert router.decide("Hello", min_quality=0.9).chosen.name == "large"


def test_where_no_plan_has_its_models_at_hand_it_chooses_without() -> None:
    plans = _plans(
        arms=(FittedArm(draft="large"),),
        reference=0,
        quality_weights=np.zeros((SIZE, 1), np.float32),
        quality_constants=np.array([0.9]),
        cost_weights=np.zeros((SIZE, 1), np.float32),
        cost_constants=np.array([1.0]),
    )
    router = ChatRouter(candidates=_two(), policy=AdaptivePolicy(plans), store=None)
    decision = router.decide("Hello", max_cost_usd=1e-4)
    assert decision.chosen.name == "small"
    assert "no fitted plan has all its models at hand" in decision.reason


def test_plans_of_models_that_are_no_candidates_are_refused_with_the_name_to_give() -> None:
    with pytest.raises(ConfigurationError, match=r"call 'large', which no candidate is named.*name='large'"):
        ChatRouter(candidates=_two()[:1], policy=AdaptivePolicy(_plans()), store=None)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"plans": 3}, "plans must be fitted plans"),
        ({"plans": "/no/such/file.npz"}, "There is no file"),
        ({"plans": []}, "plans must be a list such as"),
        ({"quality": 2.0}, "quality"),
    ],
)
def test_what_is_no_plan_is_refused(given: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        AdaptivePolicy(**given)


def test_a_quality_beside_fitted_plans_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"quality=0\.9 is for plans that were not fitted"):
        AdaptivePolicy(_plans(), quality=0.9)


# --- by feedback --------------------------------------------------------------------------------


def test_until_enough_answers_are_judged_it_chooses_as_the_cost_policy_does() -> None:
    router = ChatRouter(candidates=_two(), quality=0.9, store=None)
    alone = ChatRouter(candidates=_two(), policy=CostPolicy(0.9), store=None)
    assert router.decide("Hello").reason == alone.decide("Hello").reason
    assert router.decide("Hello").policy == "cost"


def test_once_there_is_feedback_the_default_goes_by_it() -> None:
    router = ChatRouter(candidates=_two(), quality=0.9, store=None)
    assert router.decide("Hello").chosen.name == "large"
    for number in range(LEAST_JUDGED + 40):
        answer = router.invoke("Hello", model="small")
        router.record_feedback(answer, score=1.0, source=f"judge-{number}", key="user")
    router.flush()
    decision = router.decide("Hello")
    assert decision.policy == "adaptive"
    assert decision.chosen.name == "small"
    assert "the cheapest plan with predicted quality of at least 0.9" in decision.reason


def test_a_plan_of_ones_own_is_taken_when_it_is_the_cheapest_good_one() -> None:
    policy = AdaptivePolicy(["large", [("small", HeuristicCheck()), ("large", None)]], quality=0.75)
    decision = ChatRouter(candidates=_two(), policy=policy, store=None).decide("Hello")
    assert [step.candidate.name for step in decision.plan] == ["small", "large"]
    assert decision.has_checks


def test_where_nothing_is_good_enough_the_best_plan_is_taken() -> None:
    policy = AdaptivePolicy(["small", "large"], quality=0.99)
    decision = ChatRouter(candidates=_two(), policy=policy, store=None).decide("Hello")
    assert decision.chosen.name == "large"
    assert "the best plan there is" in decision.reason
