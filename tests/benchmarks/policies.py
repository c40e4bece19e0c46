"""What the policies that explore take to decide among ten arms, and to learn.

Run with `.venv/bin/python tests/benchmarks/policies.py`. Times are medians and depend on the machine; beside
them stands how they compare with `CostPolicy`, measured in turn on the same candidates and quality model.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from langchain_core.messages import HumanMessage

from langchain_router import (
    Candidate,
    ComplexityScore,
    CostPolicy,
    EpsilonGreedyPolicy,
    IntentPrediction,
    LinThompsonPolicy,
    Price,
    RoutingDecision,
    RoutingRequest,
    ThompsonPolicy,
)
from langchain_router.outcomes.lessons import Call, Ended, Label, Labelled
from langchain_router.outcomes.recorder import situation_of
from langchain_router.policies.context import Context, Policy
from langchain_router.quality.learned import LearnedQuality

_ROUNDS = 1_000
_LESSONS = 500
_REQUEST = RoutingRequest(messages=(HumanMessage("Summarise this report in three bullet points."),))
_INTENT = IntentPrediction(label="summarization", probabilities={"summarization": 1.0}, source="fixed")


def main() -> None:
    """Measure and print."""
    candidates = [
        Candidate(
            model="any/model",
            name=f"model-{i}",
            price=Price.per_million(input_usd=i + 1, output_usd=4 * i + 4),
        )
        for i in range(10)
    ]
    quality = LearnedQuality(candidates)

    def context() -> Context:
        view = quality.for_request(_REQUEST, _INTENT, 0.4)
        return Context(request=_REQUEST, intent=_INTENT, complexity=ComplexityScore(value=0.4), quality=view)

    policies: dict[str, Policy] = {
        "thompson": ThompsonPolicy(seed=1),
        "lin_thompson": LinThompsonPolicy(seed=1),
        "epsilon_greedy": EpsilonGreedyPolicy(seed=1),
    }
    thompson = policies["thompson"]
    assert isinstance(thompson, ThompsonPolicy)
    learning = []
    for number in range(_LESSONS):
        lesson = _lesson(thompson.select(context(), candidates), number)
        quality.learn(lesson)
        started = time.perf_counter()
        thompson.learn(lesson)
        learning.append(time.perf_counter() - started)
    beside = CostPolicy()
    for name, policy in policies.items():
        asked = [context() for _ in range(2 * _ROUNDS)]
        taken: tuple[list[float], list[float]] = ([], [])
        for first, second in zip(asked[::2], asked[1::2], strict=True):
            taken[0].append(_seconds(lambda policy=policy, one=first: policy.select(one, candidates)))  # type: ignore[misc]
            taken[1].append(_seconds(lambda one=second: beside.select(one, candidates)))  # type: ignore[misc]
        own, other = map(statistics.median, taken)
        print(f"{name:<15} decides among 10 in {1e6 * own:6.0f} us, {own / other:4.1f} times CostPolicy's")
    print(f"{'thompson':<15} learns a lesson in {1e6 * statistics.median(learning):6.0f} us")


def _lesson(decision: RoutingDecision, number: int) -> Labelled:
    situation = situation_of(decision, at_s=float(number))
    name = situation.plan[0][0]
    call = Call(candidate=name, role="answer")
    ended = Ended(situation=situation, status="ok", served_by=name, calls=(call,), latency_s=1.0)
    return Labelled(ended=ended, old=None, new=Label(score=float(number % 3 > 0), weight=1.0))


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
