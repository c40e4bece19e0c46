"""Lets a policy learn on recorded outcomes as it would on traffic: it sees only what its own choice came to.

Each recorded prompt goes through the real signals, the real policy and the real learners. The recorded score
of the chosen model is the feedback, given at once; those of the others stay hidden from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from langchain_router.candidates.candidate import Candidate
from langchain_router.candidates.price import Price
from langchain_router.evaluation.recorded import Recorded, as_request, recorded_candidate
from langchain_router.exceptions import ConfigurationError
from langchain_router.outcomes.learning import learners_among
from langchain_router.outcomes.lessons import Call, Ended, Label, Labelled
from langchain_router.outcomes.recorder import situation_of
from langchain_router.policies.context import Context, Policy
from langchain_router.quality.features import HashedText
from langchain_router.quality.learned import LearnedQuality
from langchain_router.request import RoutingRequest
from langchain_router.signals import (
    ComplexityScore,
    HeuristicComplexityScorer,
    IntentPrediction,
    KeywordIntentClassifier,
)
from langchain_router.testing.replay import ReplayRow, fit_prices

Floats = NDArray[np.float64]

_DENSE_SHARE = 0.95
_USUAL_TOKENS = 400  # of prompt and answer, where none were recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A recorded prompt with its signals, which are the same whoever answers.

    Attributes:
        request: What is asked.
        intent: Layer 1's prediction.
        complexity: Layer 2's score.
        features: Of the text.
    """

    request: RoutingRequest = field(repr=False)
    intent: IntentPrediction
    complexity: ComplexityScore
    features: tuple[int, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """A data set, ready to learn on.

    Attributes:
        name: What it is called in reports.
        candidates: One for each model: its price, and nothing of its quality.
        prompts: In the order of the file.
        score: What each model's answer to each prompt was worth, 0..1; NaN where it was not asked.
        cost_usd: What it cost, in US dollars; NaN likewise.
    """

    name: str
    candidates: tuple[Candidate, ...]
    prompts: tuple[Prompt, ...] = field(repr=False)
    score: Floats = field(repr=False)
    cost_usd: Floats = field(repr=False)

    @property
    def dearest_usd(self) -> float:
        """The mean cost of the dearest model's answers, in US dollars."""
        return float(np.nanmean(self.cost_usd, axis=0).max())

    def utility(self, cost_weight: float) -> Floats:
        """Return each answer's score, less the weight times its cost as a share of `dearest_usd`."""
        return self.score - cost_weight * self.cost_usd / self.dearest_usd


def as_traffic(data: Recorded) -> Traffic:
    """Prepare a data set: the models that answered nearly all prompts, or all where those are few.

    Prices are those that the recorded costs imply, as users know what they pay. Qualities are left unknown.

    Raises:
        ConfigurationError: Fewer than two models have both scores and costs.
    """
    models = _models(data.rows)
    score = _matrix(data.rows, models, lambda outcome: outcome.score)
    cost_usd = _matrix(data.rows, models, lambda outcome: outcome.cost_usd)
    asked = np.logical_not(np.isnan(score).all(axis=1))
    rows = [row for row, is_asked in zip(data.rows, asked.tolist(), strict=True) if is_asked]
    prices = fit_prices(rows)
    mean_usd = np.nanmean(cost_usd, axis=0)
    candidates = tuple(
        replace(recorded_candidate(model), price=_price(prices[model], float(usd)))
        for model, usd in zip(models, mean_usd, strict=True)
    )
    return Traffic(
        name=data.name,
        candidates=candidates,
        prompts=tuple(_prompts(rows)),
        score=score[asked],
        cost_usd=cost_usd[asked],
    )


def run_policy(
    traffic: Traffic, make: Callable[[int], Policy], *, seed: int, passes: int = 1
) -> NDArray[np.int64]:
    """Let a policy learn over the prompts in a random order; return which model answered each, in that order.

    A `LearnedQuality` learns beside it, and is the quality model that the policy is given, as in a router
    with a store.

    Args:
        traffic: The data set.
        make: Makes the policy for a seed.
        seed: Of the order and of the policy's lots.
        passes: How often all prompts are asked.
    """
    policy = make(seed)
    quality = LearnedQuality(traffic.candidates)
    learners = learners_among(policy, quality)
    places = {one.name: place for place, one in enumerate(traffic.candidates)}
    rows = order(traffic, seed, passes)
    chosen = np.zeros(len(rows), np.int64)
    for step, row in enumerate(rows.tolist()):
        prompt = traffic.prompts[row]
        view = quality.for_request(
            prompt.request, prompt.intent, prompt.complexity.value, features=prompt.features
        )
        context = Context(
            request=prompt.request, intent=prompt.intent, complexity=prompt.complexity, quality=view
        )
        able = [one for one in traffic.candidates if not np.isnan(traffic.score[row, places[one.name]])]
        decision = policy.select(context, able)
        place = places[decision.chosen.name]
        chosen[step] = place
        ended = Ended(
            situation=replace(situation_of(decision, at_s=float(step)), features=prompt.features),
            status="ok",
            served_by=decision.chosen.name,
            calls=(
                Call(
                    candidate=decision.chosen.name,
                    role="answer",
                    cost_usd=float(traffic.cost_usd[row, place]),
                ),
            ),
            latency_s=1.0,
        )
        label = Label(score=float(traffic.score[row, place]), weight=1.0)
        for learner in learners:
            learner.learn(ended)
            learner.learn(Labelled(ended=ended, old=None, new=label))
    return chosen


def order(traffic: Traffic, seed: int, passes: int = 1) -> NDArray[np.int64]:
    """Return the order in which a seed asks the prompts."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.permutation(len(traffic.prompts)) for _ in range(passes)])


def static_choice(value: Floats) -> NDArray[np.int64]:
    """Return the model that answers each prompt when one is chosen for all: the best on average in hindsight.

    Where that one was not asked, the next best answers.

    Args:
        value: Of each answer (prompts by models); NaN where a model was not asked.
    """
    ranked = np.argsort(-np.nanmean(value, axis=0), kind="stable")
    available = ~np.isnan(value[:, ranked])
    chosen: NDArray[np.int64] = ranked[available.argmax(axis=1)]
    return chosen


def table_choice(value: Floats, intents: Sequence[str]) -> NDArray[np.int64]:
    """Return the model that answers each prompt when one is chosen for each intent, in hindsight."""
    labels = np.array(intents)
    chosen = static_choice(value)
    for label in dict.fromkeys(intents):
        rows = np.flatnonzero(labels == label)
        known = np.flatnonzero(~np.isnan(value[rows]).all(axis=0))
        chosen[rows] = known[static_choice(value[np.ix_(rows, known)])]
    return chosen


def _models(rows: Sequence[ReplayRow]) -> list[str]:
    counts: dict[str, int] = {}
    for row in rows:
        for model, outcome in row.outcomes.items():
            counts[model] = counts.get(model, 0) + (outcome.cost_usd is not None)
    dense = [model for model, count in counts.items() if count >= _DENSE_SHARE * len(rows)]
    found = dense if 2 * len(dense) > len(counts) else [model for model, count in counts.items() if count]
    if len(found) < 2:
        raise ConfigurationError("Fewer than two models have scores and costs; there is nothing to choose.")
    return sorted(found)


def _matrix(rows: Sequence[ReplayRow], models: Sequence[str], what: Callable[[Any], float | None]) -> Floats:
    def value(outcomes: Mapping[str, Any], model: str) -> float:
        outcome = outcomes.get(model)
        known = None if outcome is None or outcome.cost_usd is None else what(outcome)
        return float("nan") if known is None else known

    return np.array([[value(row.outcomes, model) for model in models] for row in rows], np.float64)


def _price(fitted: tuple[float, float] | None, mean_usd: float) -> Price:
    if fitted is None or not any(fitted):
        fitted = (mean_usd / _USUAL_TOKENS, mean_usd / _USUAL_TOKENS)
    return Price(input_usd_per_token=fitted[0], output_usd_per_token=fitted[1])


def _prompts(rows: Sequence[ReplayRow]) -> list[Prompt]:
    classifier, scorer, feature_map = KeywordIntentClassifier(), HeuristicComplexityScorer(), HashedText()
    found = []
    for row in rows:
        request = as_request(row)
        intent = classifier.classify(request)
        found.append(
            Prompt(
                request=request,
                intent=intent,
                complexity=scorer.score(request, intent),
                features=feature_map.features(request),
            )
        )
    return found
