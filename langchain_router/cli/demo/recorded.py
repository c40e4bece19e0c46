"""Recorded prompts, answered as the models named really answered."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from langchain_core.messages import HumanMessage

from langchain_router.candidates.candidate import Candidate
from langchain_router.candidates.price import Price
from langchain_router.cli.demo.traffic import Traffic, Usage, loopback_options
from langchain_router.exceptions import ConfigurationError
from langchain_router.quality.prior import typical_quality
from langchain_router.request import RoutingRequest
from langchain_router.signals import HeuristicComplexityScorer, Intent, KeywordIntentClassifier
from langchain_router.testing import ReplayRow, SimulatedProvider, fit_prices, read_replay

_HISTORY_SHARE = 0.3
_ALLOWED_LOSS = 0.02
_SHRINKAGE_ROWS = 20
_DENSE_SHARE = 0.95
_MOST_ROUTED = 1_000


class RecordedTraffic(Traffic):
    """Recorded prompts, each answered by the model named with what it really answered.

    The first 30 % of the rows (after a seeded shuffle) are history: each model's mean score on them, by
    predicted intent and shrunk to its overall mean, is its quality prior, and the best of them is the
    premium model. The threshold is its mean less two points. Only the other rows are routed and counted.
    """

    def __init__(self, path: Path, *, limit: int | None = None) -> None:
        everything = _distinct(read_replay(path))
        models = _dense_models(everything)
        rows = [row for row in everything if row.outcomes.keys() >= set(models)]
        random.Random(0).shuffle(rows)
        cut = round(len(rows) * _HISTORY_SHARE)
        history, routed = rows[:cut], rows[cut:][: min(limit or _MOST_ROUTED, _MOST_ROUTED)]
        if not models or not history:
            raise ConfigurationError(
                f"{str(path)!r} has too few prompts, or no model that answered nearly all of them; "
                "the demo compares models on the same prompts."
            )
        self._rows = {row.prompt: row for row in routed}
        prices = {m: price for m, price in fit_prices(rows).items() if price is not None}
        means = {m: fmean(row.outcomes[m].score for row in history) for m in models}
        self.premium = max(models, key=lambda m: means[m])
        self.quality = max(0.0, means[self.premium] - _ALLOWED_LOSS)
        self._provider = SimulatedProvider.recorded(routed).start()
        self.name = path.name.partition(".")[0]
        self.title = f"{len(routed)} RECORDED prompts and answers of {path.name}"
        self.notes = (
            f"Priors come from {len(history)} other rows of the same file.",
            "Scores, tokens and costs are the recorded ones; the latency is this machine's.",
            f"Threshold: {self.quality:.3f}, the best model's mean on those rows less {_ALLOWED_LOSS:g}.",
        )
        self.prompts = list(self._rows)
        typical = _measured_priors(history, models)
        self.candidates = [
            Candidate(
                name=model,
                model=f"openai/{model}",
                options=loopback_options(self._provider),
                provider="recorded",
                price=_as_price(prices.get(model)),
                context_tokens=1_000_000,
                quality=typical[model][0],
                quality_by_intent=typical[model][1],
            )
            for model in models
        ]

    def score(self, candidate: str, prompt: str) -> float | None:
        """Return the recorded score."""
        return self._rows[prompt].outcomes[candidate].score

    def cost_usd(self, candidate: str, prompt: str, usage: Usage) -> float | None:  # noqa: ARG002 - as Traffic
        """Return the recorded cost."""
        return self._rows[prompt].outcomes[candidate].cost_usd

    def close(self) -> None:
        """Stop the provider."""
        self._provider.close()


def _measured_priors(
    history: Sequence[ReplayRow], models: Sequence[str]
) -> dict[str, tuple[float, dict[Intent, float]]]:
    """Return each model's quality, overall and by predicted intent, at typical complexity."""
    classifier, scorer = KeywordIntentClassifier(), HeuristicComplexityScorer()
    signals = []
    for row in history:
        request = RoutingRequest(messages=(HumanMessage(row.prompt),))
        intent = classifier.classify(request)
        signals.append((row, intent.label, scorer.score(request, intent).value))
    mean_complexity = fmean(complexity for _, _, complexity in signals)
    priors = {}
    for model in models:
        scores: dict[Intent, list[float]] = defaultdict(list)
        for row, label, _ in signals:
            scores[label].append(row.outcomes[model].score)
        overall = fmean(score for one in scores.values() for score in one)
        shrunk = {
            label: (sum(one) + _SHRINKAGE_ROWS * overall) / (len(one) + _SHRINKAGE_ROWS)
            for label, one in scores.items()
        }
        priors[model] = (
            typical_quality(overall, mean_complexity),
            {label: typical_quality(value, mean_complexity) for label, value in shrunk.items()},
        )
    return priors


def _dense_models(rows: Sequence[ReplayRow]) -> list[str]:
    """Return the models that answered nearly every prompt; the others are left out."""
    answered = Counter(model for row in rows for model in row.outcomes)
    return sorted(model for model, times in answered.items() if times >= _DENSE_SHARE * len(rows))


def _distinct(rows: Sequence[ReplayRow]) -> list[ReplayRow]:
    first: dict[str, ReplayRow] = {}
    for row in rows:
        first.setdefault(row.prompt, row)
    return list(first.values())


def _as_price(pair: tuple[float, float] | None) -> Price | None:
    return None if pair is None else Price(input_usd_per_token=pair[0], output_usd_per_token=pair[1])
