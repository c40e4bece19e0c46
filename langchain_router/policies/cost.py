"""Cost-optimised routing: the cheapest candidate that is good enough."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from langchain_router.candidates.candidate import Candidate
from langchain_router.decision import Flip, RoutingDecision
from langchain_router.exceptions import ConfigurationError
from langchain_router.policies.context import Context

Objective = Literal["cost", "latency"]

_UNLIKELY = 2.0  # above any complexity: good enough however hard the request
_BISECTIONS = 9  # finds a crossing to within 1/512


class CostPolicy:
    """Choose the cheapest candidate whose predicted quality reaches a threshold.

    Prefer `ThresholdPolicy` when all you know of the candidates is their price. The threshold is a wish:
    when no eligible candidate reaches it, the fallback answers. A limit that must hold, with an error when
    nobody meets it, is the constraint `min_quality`.

    Args:
        quality: Least predicted quality that is good enough, 0..1. The seed article's 0.85 by default.
        fallback: Name of the candidate that answers when none is good enough; by default the one with the
            highest predicted quality.
        objective: What to minimise among the good enough: `"cost"` (the default), `"latency"` for those
            who route for speed, or weights such as `{"cost": 0.7, "latency": 0.3}`, each value divided by
            the largest among the candidates compared.

    Raises:
        ConfigurationError: A parameter is out of range; when the router is built, a fallback that is not
            a candidate's name.

    Example:
        >>> CostPolicy(quality=0.8, objective={"cost": 0.7, "latency": 0.3})
        CostPolicy(quality=0.8, fallback=None, objective={'cost': 0.7, 'latency': 0.3})
    """

    name = "cost"

    def __init__(
        self,
        quality: float = 0.85,
        *,
        fallback: str | None = None,
        objective: Objective | Mapping[str, float] = "cost",
    ) -> None:
        if isinstance(quality, bool) or not isinstance(quality, (int, float)) or not 0 <= quality <= 1:
            raise ConfigurationError(f"quality must be from 0 to 1, got {quality!r}.")
        if fallback is not None and not isinstance(fallback, str):
            raise ConfigurationError(f"fallback must be a candidate's name, got {type(fallback).__name__}.")
        self.quality = float(quality)
        self.fallback = fallback
        self.objective = objective
        self._weights = _checked_weights(objective)

    def check_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Refuse a fallback that is not among the candidates."""
        known = sorted(candidate.name for candidate in candidates)
        if self.fallback is not None and self.fallback not in known:
            raise ConfigurationError(
                f"fallback is {self.fallback!r}, which is not a candidate. "
                f"The candidates are {', '.join(known)}."
            )

    def select(self, context: Context, candidates: Sequence[Candidate]) -> RoutingDecision:
        """Choose; on failure the other good enough ones follow by objective, then the best of the rest."""
        predicted = {c.name: context.predicted_quality(c) for c in candidates}
        ranked = self._ranked(context, candidates)
        good = [c for c in ranked if self._is_enough(predicted[c.name])]
        others = sorted((c for c in ranked if c not in good), key=lambda c: -_or(predicted[c.name], -1))
        if good:
            plan = [*good, *others]
            reason = f"{self._superlative()} with predicted quality of at least {self.quality:g}"
        else:
            plan, reason = self._fall_back(others, known=any(one is not None for one in predicted.values()))
        return context.decision(
            plan,
            reason=reason,
            policy=self.name,
            policy_params={
                "quality": self.quality,
                "fallback": self.fallback,
                "objective": self._plain_objective(),
            },
            remarks={c.name: self._remark(predicted[c.name]) for c in plan[1:]},
            flips=self._flips(context, ranked, chosen=plan[0]),
        )

    def _ranked(self, context: Context, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Sort by the objective, best first; an unknown price or latency counts as the worst."""
        values = {
            "cost": {c.name: _or(context.estimated_cost_usd(c), math.inf) for c in candidates},
            "latency": {c.name: _or(c.latency_s, math.inf) for c in candidates},
        }
        largest = {
            what: max((v for v in by_name.values() if v < math.inf), default=0.0) or 1.0
            for what, by_name in values.items()
        }

        def loss(candidate: Candidate) -> tuple[float, float]:
            total = sum(
                weight * values[what][candidate.name] / largest[what]
                for what, weight in self._weights.items()
            )
            return total, values["cost"][candidate.name]

        return sorted(candidates, key=loss)

    def _fall_back(self, by_quality: list[Candidate], *, known: bool) -> tuple[list[Candidate], str]:
        named = [c for c in by_quality if c.name == self.fallback]
        if named:
            plan = [*named, *(c for c in by_quality if c.name != self.fallback)]
            return plan, f"the named fallback, as none is predicted to reach quality {self.quality:g}"
        reason = f"the best there is, as none is predicted to reach quality {self.quality:g}"
        return by_quality, reason if known else "the first of those that may, as no quality is known"

    def _remark(self, predicted: float | None) -> str:
        if self._is_enough(predicted):
            return "good enough, but ranked behind on " + " and ".join(self._weights)
        if predicted is None:
            return "its quality is unknown"
        return f"predicted under the threshold of {self.quality:g}"

    def _flips(self, context: Context, ranked: Sequence[Candidate], *, chosen: Candidate) -> tuple[Flip, ...]:
        """Find the nearest complexities at which a candidate stops or starts being good enough."""
        enough_to = {c.name: self._enough_to(context, c) for c in ranked}

        def choice_at(complexity: float) -> Candidate:
            good = (c for c in ranked if enough_to[c.name] >= complexity)
            by_quality = sorted(ranked, key=lambda c: -_or(context.predicted_quality(c, complexity), -1))
            return next(good, None) or self._fall_back(by_quality, known=True)[0][0]

        value = context.complexity.value
        crossings = sorted({c for c in enough_to.values() if 0 <= c <= 1})
        flips = []
        for crossing in reversed([c for c in crossings if c < value]):
            other = choice_at(crossing)
            if other is not chosen:
                flips.append(Flip(complexity=crossing, candidate=other.name, side="below"))
                break
        for crossing in (c for c in crossings if c >= value):
            other = choice_at(math.nextafter(crossing, 2))
            if other is not chosen:
                flips.append(Flip(complexity=crossing, candidate=other.name, side="above"))
                break
        return tuple(flips)

    def _enough_to(self, context: Context, candidate: Candidate) -> float:
        """Return the highest complexity at which the candidate is good enough; negative when never."""
        at_least = self._is_enough(context.predicted_quality(candidate, 0.0))
        curve = context.curves[candidate.name]
        if curve is None or not at_least:
            return -1.0
        if self._is_enough(context.predicted_quality(candidate, 1.0)):
            return _UNLIKELY
        value = min(max(context.complexity.value, 0.0), 1.0)
        # From the request's own complexity, so that a crossing near it is never put on its wrong side.
        low, high = (value, 1.0) if self._is_enough(context.predicted_quality(candidate)) else (0.0, value)
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            if curve(middle) >= self.quality:  # it has answered at both ends, so it does between them
                low = middle
            else:
                high = middle
        return low

    def _is_enough(self, predicted: float | None) -> bool:
        return predicted is not None and predicted >= self.quality

    def _superlative(self) -> str:
        if len(self._weights) > 1:
            return "the best weighing of " + " and ".join(self._weights)
        return "the cheapest" if "cost" in self._weights else "the fastest"

    def _plain_objective(self) -> Any:
        return self.objective if isinstance(self.objective, str) else dict(self.objective)

    def __repr__(self) -> str:
        objective = self._plain_objective()
        return f"CostPolicy(quality={self.quality!r}, fallback={self.fallback!r}, objective={objective!r})"


def _checked_weights(objective: Objective | Mapping[str, float]) -> dict[str, float]:
    weights = {objective: 1.0} if isinstance(objective, str) else objective
    if not isinstance(weights, Mapping) or not weights or not set(weights) <= {"cost", "latency"}:
        raise ConfigurationError(
            "objective must be 'cost', 'latency' or weights such as {'cost': 0.7, 'latency': 0.3}, "
            f"got {objective!r}."
        )
    for what, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 < weight < math.inf:
            raise ConfigurationError(f"objective[{what!r}] must be a number above 0, got {weight!r}.")
    return {str(what): float(weight) for what, weight in weights.items()}


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
