"""What the quality model costs in time, beside bare numpy products of the same size.

Run with `.venv/bin/python tests/benchmarks/quality.py`. Everything is compared in pairs taken in turn, so the
ratios hold on a busy machine; the absolute times do not.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from langchain_core.messages import HumanMessage

from langchain_router import Candidate
from langchain_router.outcomes.lessons import Call, Ended, Label, Labelled, Situation
from langchain_router.quality.features import HashedText
from langchain_router.quality.learned import LearnedQuality
from langchain_router.quality.lesson_facts import as_intent
from langchain_router.request import RoutingRequest

_ROUNDS = 2_000
_NAMES = [f"model-{number}" for number in range(10)]
_CHECK = "HeuristicCheck()"
_PROMPT = "Summarise this report in three bullet points for a busy manager: " + "sales rose. " * 20


def main() -> None:
    """Measure and print."""
    model = LearnedQuality([Candidate(model="any/model", name=name, quality=0.8) for name in _NAMES])
    request = RoutingRequest(messages=(HumanMessage(_PROMPT),))
    lessons = _lessons(model, request)
    for lesson in itertools.islice(lessons, 500):
        model.learn(lesson)
    situation = next(lessons).ended.situation
    intent = as_intent(situation)
    candidates = list(model.candidates.values())
    size = len(model.for_situation(situation).features) + 21
    dots = np.random.default_rng(1).random((len(_NAMES), size, size))
    vector = dots[0, 0].copy()
    plans = [((a, _CHECK), (b, None)) for a, b in itertools.combinations(_NAMES, 2)][:10]
    told = lessons

    def bare_predict() -> object:
        return dots @ vector @ vector

    def predict() -> object:
        asked = model.for_request(request, intent, 0.4, features=situation.features)
        return [asked.success(one) for one in candidates]

    def learn_and_predict() -> object:
        model.learn(next(told))
        return predict()

    print(f"{size} inputs, {len(_NAMES)} candidates")
    print(f"{'what':<58} {'median':>8} {'beside':>8} {'ratio':>7}")
    _print_pair("features of a prompt | its UTF-8", lambda: HashedText().features(request), _PROMPT.encode)
    _print_pair(
        "one lesson | bare outer product", lambda: model.learn(next(told)), lambda: np.outer(vector, vector)
    )
    _print_pair("ten candidates | bare products of the same size", predict, bare_predict)
    _print_pair(
        "a lesson, then ten candidates | bare products",
        learn_and_predict,
        bare_predict,
    )
    _print_pair(
        "ten plans of two steps | bare products",
        lambda: model.expect(situation, plans),
        bare_predict,
    )


def _lessons(model: LearnedQuality, request: RoutingRequest) -> itertools.chain[Labelled]:
    features = model.feature_map.features(request)
    situation = Situation(
        decision_id="1",
        at_s=1e9,
        intent="summarization",
        intent_probabilities={"summarization": 0.7, "extraction": 0.3},
        complexity=0.4,
        features=features,
        arm="",
        plan=(),
        policy="benchmark",
        expected_cost_usd=dict.fromkeys(_NAMES, 0.001),
    )

    def endless() -> itertools.chain[Labelled]:
        return itertools.chain.from_iterable(
            [
                Labelled(
                    ended=Ended(
                        situation=replace(situation, arm=name, plan=((name, None),)),
                        status="ok",
                        served_by=name,
                        calls=(Call(candidate=name, role="answer", cost_usd=0.0012),),
                        latency_s=1.0,
                    ),
                    old=None,
                    new=Label(score=float(number % 4 > 0), weight=1.0),
                )
                for name in _NAMES
            ]
            for number in itertools.count()
        )

    return endless()


def _print_pair(what: str, ours: Callable[[], object], bare: Callable[[], object]) -> None:
    def run(call: Callable[[], object]) -> float:
        started = time.perf_counter()
        call()
        return time.perf_counter() - started

    for _ in range(20):
        run(ours)
        run(bare)
    pairs = [(run(ours), run(bare)) for _ in range(_ROUNDS)]
    ratio = statistics.median(one / other for one, other in pairs)
    one, other = (statistics.median(side) * 1e6 for side in zip(*pairs, strict=True))
    print(f"{what:<58} {one:>5.0f} us {other:>5.1f} us {ratio:>7.1f}")


if __name__ == "__main__":
    main()
