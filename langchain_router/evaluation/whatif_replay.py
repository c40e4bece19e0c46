"""Asks a policy what it would have done with recorded requests, of which no text is left.

Each request is decided anew from what is stored of it: intent, complexity, features of the text, and what
each candidate that could answer was expected to cost. What a policy knows by then is what the log had taught
up to then: lessons are taken in order, some at a time, and a request is decided before its own. So no policy
is judged on what it learned from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from langchain_router.candidates.candidate import Candidate
from langchain_router.candidates.price import Price
from langchain_router.decision import arm_of
from langchain_router.evaluation.recorded import recorded_candidate
from langchain_router.evaluation.whatif_chances import Chances, Chooser, Plan
from langchain_router.evaluation.whatif_log import Log, Logged
from langchain_router.outcomes.learning import learners_among
from langchain_router.outcomes.lessons import Ended, Lesson, Situation
from langchain_router.policies.context import Context, Policy
from langchain_router.quality.expectation import steps_of_arm
from langchain_router.quality.features import HashedText
from langchain_router.quality.learned import LearnedQuality
from langchain_router.quality.lesson_facts import as_intent
from langchain_router.quality.request_quality import RequestQuality
from langchain_router.request import RoutingRequest
from langchain_router.signals.types import ComplexityScore

_LESSONS_AT_ONCE: Final = 50
"""Learned together, so that beliefs need not be worked out anew for every request."""

_FACTS: Final = HashedText(dimensions=1).size - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedContext(Context):
    """A request of which only the facts are left; what calls were expected to cost is as recorded."""

    costs_usd: Mapping[str, float | None] = field(default_factory=dict)

    def estimated_cost_usd(self, candidate: Candidate) -> float | None:
        """Return what one call was expected to cost in US dollars; None when unknown."""
        return self.costs_usd.get(candidate.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A recorded request with what each policy would have done. Use it before asking for the next.

    Attributes:
        logged: The request.
        chances: For each policy, the probability of each plan.
        quality: What was believed of the request when it was decided.
        asked_usd: By candidate and check, what the models that the check asks were expected to cost.
    """

    logged: Logged
    chances: tuple[Chances, ...]
    quality: RequestQuality
    asked_usd: Mapping[tuple[str, str], float]


class Replay:
    """Recorded requests, decided anew by some policies in the order in which they ended.

    Args:
        log: What is recorded.
        policies: They are taught, so give each a fresh one.
        candidates: Those of the router, where more is known of them than the log and the catalogue say:
            their own figures of quality, price or latency. Matched by name; others are passed over.

    Raises:
        ConfigurationError: A policy names a candidate that never was one.
    """

    def __init__(self, log: Log, policies: Sequence[Policy], *, candidates: Sequence[Candidate] = ()) -> None:
        self._log = log
        self._candidates = _candidates_of(log, {one.name: one for one in candidates})
        for policy in policies:
            check = getattr(policy, "check_candidates", None)
            if check is not None:
                check(list(self._candidates.values()))
        self._choosers = [Chooser(policy) for policy in policies]
        self._quality = LearnedQuality(
            list(self._candidates.values()), feature_map=HashedText(dimensions=_dimensions(log))
        )
        self._learners = learners_among(self._quality, *policies)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What to know of how the policies were asked."""
        return tuple(remark for chooser in self._choosers for remark in chooser.remarks)

    def __iter__(self) -> Iterator[Replayed]:
        requests = {one.decision_id: one for one in self._log.requests}
        untaught: list[Lesson] = []
        for lesson in self._log.lessons:
            if isinstance(lesson, Ended) and lesson.situation.decision_id in requests:
                if len(untaught) >= _LESSONS_AT_ONCE:
                    self._teach(untaught)
                yield self._decided(requests[lesson.situation.decision_id])
            untaught.append(lesson)

    def _decided(self, logged: Logged) -> Replayed:
        situation = logged.ended.situation
        quality = self._quality.for_situation(situation)
        able = [self._candidates[name] for name in _names(situation)]
        chances = tuple(chooser.chances(_context(situation, quality), able) for chooser in self._choosers)
        costs_usd = situation.expected_cost_usd
        asked_usd = {
            step: sum(costs_usd.get(name) or 0.0 for name in names)
            for chooser in self._choosers
            for step, names in chooser.asks.items()
        }
        return Replayed(logged=logged, chances=chances, quality=quality, asked_usd=asked_usd)

    def _teach(self, lessons: list[Lesson]) -> None:
        for learner in self._learners:
            for lesson in lessons:
                learner.learn(lesson)
        lessons.clear()


def plan_recorded(situation: Situation) -> Plan:
    """Return the plan that was chosen, as far as it is the arm."""
    return steps_of_arm(situation.plan)


def arm_recorded(situation: Situation) -> str:
    """Return the name of the plan that was chosen."""
    return arm_of(situation.plan)


def _context(situation: Situation, quality: RequestQuality) -> RecordedContext:
    return RecordedContext(
        request=RoutingRequest(messages=()),
        intent=as_intent(situation),
        complexity=ComplexityScore(value=situation.complexity, source="recorded"),
        quality=quality,
        costs_usd=situation.expected_cost_usd,
    )


def _names(situation: Situation) -> list[str]:
    """Return who could have answered."""
    return list(situation.expected_cost_usd) or [name for name, _ in situation.plan]


def _dimensions(log: Log) -> int:
    """Return how many features of the text were stored, beyond the facts; 1 where there are none."""
    most = max(len(one.ended.situation.features) for one in log.requests)
    return max(1, min(most - _FACTS, 256))


def _candidates_of(log: Log, given: Mapping[str, Candidate]) -> dict[str, Candidate]:
    costs: dict[str, list[float]] = {}
    for one in log.requests:
        for name in _names(one.ended.situation):
            cost_usd = one.ended.situation.expected_cost_usd.get(name)
            costs.setdefault(name, []).extend([] if cost_usd is None else [cost_usd])
    return {name: _candidate(name, given.get(name), usd) for name, usd in costs.items()}


def _candidate(name: str, given: Candidate | None, costs_usd: Sequence[float]) -> Candidate:
    """Return who stands for a recorded candidate; its price only puts it in its place among the others."""
    known = Candidate(model=name).resolved() if given is None else given.resolved()
    mean_usd = sum(costs_usd) / len(costs_usd) if costs_usd else None
    return replace(
        recorded_candidate(name),
        price=None
        if mean_usd is None
        else Price(input_usd_per_token=mean_usd, output_usd_per_token=mean_usd),
        latency_s=known.latency_s,
        quality=known.quality,
        quality_by_intent=known.quality_by_intent,
        provider=known.provider,
    )
