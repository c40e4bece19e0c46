"""Held-out log loss and Brier score of the learned quality on recorded outcomes.

    .venv/bin/python tests/quality/recorded_fit.py FOLDER [SET ...]

The folder holds replay files (`langchain_router.testing.replay`); none are part of this project. Half of the
rows, by a hash of their ids, are shown to the model with the scores of every candidate; the other half is
judged. Beside it stand what a router without feedback knows (the prior: 0.5 where nothing is stated), each
candidate's mean, and its mean by intent, both drawn towards 0.5 and the mean by two and ten observations.
Log loss is the cross-entropy between the expected and the actual score; shares are kept within 0.01..0.99.
"""

from __future__ import annotations

import hashlib
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from langchain_router import Candidate
from langchain_router.evaluation.recorded import as_request, read_set, recorded_candidate
from langchain_router.outcomes.lessons import Call, Ended, Label, Labelled, Situation
from langchain_router.quality.features import HashedText
from langchain_router.quality.inputs import Shrinkage
from langchain_router.quality.learned import LearnedQuality
from langchain_router.signals import HeuristicComplexityScorer, KeywordIntentClassifier

_SETS = ("zeroeval_gsm", "routellm_mmlu", "alpacaeval")
Predict = Callable[[Situation, str], float]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A row as the model meets it."""

    situation: Situation
    scores: dict[str, float]


def read(folder: str, name: str, feature_map: HashedText) -> tuple[list[Seen], list[Seen]]:
    """Return the half to learn from, and the half to judge by."""
    halves: tuple[list[Seen], list[Seen]] = ([], [])
    classifier, scorer = KeywordIntentClassifier(), HeuristicComplexityScorer()
    for row in sorted(read_set(folder, name).rows, key=lambda row: _hash(row.id)):  # files go by subject
        request = as_request(row)
        intent = classifier.classify(request)
        situation = Situation(
            decision_id=row.id,
            at_s=0.0,
            intent=intent.label,
            intent_probabilities=dict(intent.probabilities),
            complexity=scorer.score(request, intent).value,
            features=feature_map.features(request),
            arm="",
            plan=(),
            policy="all",
        )
        scores = {model: outcome.score for model, outcome in row.outcomes.items()}
        halves[_hash("half " + row.id)[0] % 2].append(Seen(situation=situation, scores=scores))
    return halves


def learned(
    rows: Sequence[Seen],
    candidates: Sequence[Candidate],
    feature_map: HashedText,
    shrinkage: Shrinkage | None = None,
) -> LearnedQuality:
    """Return a model that has seen every candidate's score on all rows."""
    model = LearnedQuality(candidates, feature_map=feature_map, half_life_s=None, shrinkage=shrinkage)
    for row in rows:
        for name, score in row.scores.items():
            situation = replace(row.situation, arm=name, plan=((name, None),))
            call = Call(candidate=name, role="answer")
            ended = Ended(situation=situation, status="ok", served_by=name, calls=(call,), latency_s=1.0)
            model.learn(Labelled(ended=ended, old=None, new=Label(score=score, weight=1.0)))
    return model


def by_learned(model: LearnedQuality) -> Predict:
    """Predict with the model."""
    return lambda situation, name: model.for_situation(situation).success(model.candidates[name])[0]


def by_mean(rows: Sequence[Seen], *, by_intent: bool) -> Predict:
    """Predict with each candidate's mean, or with its mean by intent."""
    overall: dict[str, list[float]] = defaultdict(list)
    single: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        for name, score in row.scores.items():
            overall[name].append(score)
            single[name, row.situation.intent].append(score)
    means = {name: (sum(seen) + 1) / (len(seen) + 2) for name, seen in overall.items()}
    if not by_intent:
        return lambda _, name: means[name]
    drawn = {key: (sum(seen) + 10 * means[key[0]]) / (len(seen) + 10) for key, seen in single.items()}
    return lambda situation, name: drawn.get((name, situation.intent), means[name])


def losses(rows: Sequence[Seen], predict: Predict) -> tuple[float, float]:
    """Return log loss and Brier score over all rows and candidates."""
    logs, squares = [], []
    for row in rows:
        for name, score in row.scores.items():
            share = min(max(predict(row.situation, name), 0.01), 0.99)
            logs.append(-score * math.log(share) - (1 - score) * math.log(1 - share))
            squares.append((share - score) ** 2)
    return fmean(logs), fmean(squares)


def main(folder: str, names: Sequence[str]) -> None:
    """Measure and print."""
    feature_map = HashedText()
    print(f"{'set':<20} {'learned from':>12} {'what predicts':<18} {'log loss':>9} {'Brier':>8}")
    for name in names:
        seen, held_out = read(folder, name, feature_map)
        models = sorted({model for row in seen for model in row.scores})
        candidates = [recorded_candidate(model) for model in models]
        for limit in (20, 100, len(seen)):
            some = seen[:limit]
            ways: dict[str, Predict] = {
                "prior": by_learned(LearnedQuality(candidates, feature_map=feature_map)),
                "mean": by_mean(some, by_intent=False),
                "mean by intent": by_mean(some, by_intent=True),
                "LearnedQuality": by_learned(learned(some, candidates, feature_map)),
            }
            for way, predict in ways.items():
                log, square = losses(held_out, predict)
                print(f"{name:<20} {len(some):>12} {way:<18} {log:>9.4f} {square:>8.4f}")


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    main(sys.argv[1], sys.argv[2:] or _SETS)
