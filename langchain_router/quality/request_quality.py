"""What is believed of one request: of each candidate, and of plans."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

from langchain_router.candidates.candidate import Candidate
from langchain_router.decision import arm_of
from langchain_router.quality.cost_ratios import CostRatios
from langchain_router.quality.expectation import Expectation, PlanNames, StepBelief, of_plan, steps_of_arm
from langchain_router.quality.inputs import TYPICAL_COMPLEXITY, in_plan
from langchain_router.quality.linear import ExactLinear
from langchain_router.quality.prior import PriorQuality, QualityCurve
from langchain_router.quality.sums import Whole
from langchain_router.signals.types import IntentPrediction

UNSTATED: Final = 0.5
"""What is expected of a candidate that states no quality, before anything was seen of it."""


class RequestQuality:
    """A `QualityModel` for one request, made by `LearnedQuality.for_request`.

    Attributes:
        features: Of the request's text, as `Situation.features` takes them.
    """

    def __init__(
        self,
        *,
        intent: IntentPrediction,
        complexity: float,
        features: tuple[int, ...],
        inputs: Callable[[], Whole],
        candidates: Mapping[str, Candidate],
        has_learned: bool,
        prior: PriorQuality,
        answers: ExactLinear,
        passes: ExactLinear,
        costs: CostRatios,
        asks: CostRatios,
        lock: AbstractContextManager[Any],
    ) -> None:
        self.features = features
        self._intent = intent
        self._complexity = complexity
        self._make_inputs = inputs
        self._candidates = candidates
        self._has_learned = has_learned
        self._prior = prior
        self._answers = answers
        self._passes = passes
        self._costs = costs
        self._asks = asks
        self._lock = lock
        self._priors: dict[str, float] = {}

    def curve(self, candidate: Candidate, intent: IntentPrediction) -> QualityCurve | None:
        """Return the prior's curve, moved as a whole by what was learned for this request.

        None when neither the candidate says how good it is, nor anything was learned of it.
        """
        prior = self._prior.curve(candidate, intent)
        if not self._has_learned:
            return prior
        residual, _, count = self._residuals.get(candidate.name, (0.0, 0.0, 0.0))
        if prior is None:
            if not count:
                return None
            level = _share(UNSTATED + residual)
            return lambda _: level
        if not residual:
            return prior
        return lambda complexity: _share(prior(complexity) + residual)

    @functools.cached_property
    def judged(self) -> float:
        """On how many judged answers all of this rests, older ones counting for less."""
        return sum(count for _, _, count in self._residuals.values()) if self._has_learned else 0.0

    @functools.cached_property
    def _inputs(self) -> Whole:
        return self._make_inputs()

    @functools.cached_property
    def _residuals(self) -> Mapping[str, tuple[float, float, float]]:
        """By candidate: what was learned beyond its prior, how unsure that is, and from how much."""
        names = list(self._candidates)
        with self._lock:
            means, deviations = self._answers.predict(names, self._inputs)
            counts = [self._answers.count(name) for name in names]
        return dict(zip(names, zip(means.tolist(), deviations.tolist(), counts, strict=True), strict=True))

    def success(self, candidate: Candidate) -> tuple[float, float]:
        """Return the expected quality of a candidate that answers alone, and its standard deviation."""
        residual, deviation, _ = self._residuals[candidate.name]
        return _share(self._prior_of(candidate.name) + residual), deviation

    def expect(
        self,
        plans: Sequence[PlanNames],
        *,
        cost_usd: Mapping[str, float | None],
        asked_usd: Mapping[tuple[str, str], float] | None = None,
    ) -> list[Expectation]:
        """Return what to expect of each plan.

        Args:
            plans: Names and checks of their steps; what comes after the first that is not checked does not
                count.
            cost_usd: By candidate, what one call is expected to cost in US dollars; None when unknown.
            asked_usd: By candidate and check, what the check is expected to ask besides, in US dollars,
                before anything was seen of it: 0 for those not given.

        Raises:
            KeyError: A plan names a candidate that the model does not know.
        """
        arms = [steps_of_arm(plan) for plan in plans]
        several = [arm for arm in arms if len(arm) > 1 or arm[0][1] is not None]
        with self._lock:
            passing = self._passing({step for arm in several for step in arm})
            answering = self._answering(several)
            calling = {name: self._costs_of(name, cost_usd.get(name)) for arm in arms for name, _ in arm}
            asking = {
                (name, check): self._asks_of(name, check, cost_usd.get(name), asked_usd or {})
                for arm in several
                for name, check in arm
                if check is not None
            }
        expected = []
        for arm in arms:
            steps = []
            for place, (name, check) in enumerate(arm):
                success, deviation = answering.get((arm, place)) or self.success(self._candidates[name])
                usd, usd_sd = calling[name]
                pass_rate, pass_sd = (1.0, 0.0) if check is None else passing[name, check]
                if check is not None and usd is not None:
                    more, more_sd = asking[name, check]
                    usd, usd_sd = usd + more, math.hypot(usd_sd, more_sd)
                steps.append(
                    StepBelief(
                        success=success,
                        success_sd=deviation,
                        pass_rate=pass_rate,
                        pass_sd=pass_sd,
                        cost_usd=usd,
                        cost_sd=usd_sd,
                    )
                )
            expected.append(of_plan(steps))
        return expected

    def _passing(self, steps: set[tuple[str, str | None]]) -> dict[tuple[str, str], tuple[float, float]]:
        pairs = sorted((name, check) for name, check in steps if check is not None)
        if not pairs:
            return {}
        keys = [check_key(name, check) for name, check in pairs]
        means, deviations = self._passes.predict(keys, self._inputs)
        return {
            pair: (_share(self._prior_of(pair[0]) + mean), deviation)
            for pair, mean, deviation in zip(pairs, means.tolist(), deviations.tolist(), strict=True)
        }

    def _answering(
        self, arms: Sequence[tuple[tuple[str, str | None], ...]]
    ) -> dict[tuple[tuple[tuple[str, str | None], ...], int], tuple[float, float]]:
        places = [(arm, place) for arm in dict.fromkeys(arms) for place in range(len(arm))]
        if not places:
            return {}
        names = [arm[place][0] for arm, place in places]
        rows = [
            in_plan(
                self._inputs,
                arm_of(arm) if len(arm) > 1 else None,
                passed=None if arm[place][1] is None else True,
                escalated=place > 0,
            )
            for arm, place in places
        ]
        means, deviations = self._answers.predict_rows(names, rows)
        return {
            where: (_share(self._prior_of(name) + mean), deviation)
            for where, name, mean, deviation in zip(places, names, means, deviations, strict=True)
        }

    def _costs_of(self, name: str, usd: float | None) -> tuple[float | None, float]:
        if usd is None:
            return None, 0.0
        ratio, deviation = self._costs.expect(name, self._intent.probabilities)
        return usd * ratio, usd * deviation

    def _asks_of(
        self, name: str, check: str, usd: float | None, asked_usd: Mapping[tuple[str, str], float]
    ) -> tuple[float, float]:
        if not usd:
            return asked_usd.get((name, check), 0.0), 0.0
        prior = asked_usd.get((name, check), 0.0) / usd
        ratio, deviation = self._asks.expect(check_key(name, check), self._intent.probabilities, prior=prior)
        return usd * ratio, usd * deviation

    def _prior_of(self, name: str) -> float:
        if name not in self._priors:
            curve = self._prior.curve(self._candidates[name], self._intent)
            self._priors[name] = UNSTATED if curve is None else prior_at(curve, self._complexity)
        return self._priors[name]


def check_key(name: str, check: str) -> str:
    """Return the key under which the checks of a candidate's drafts are learned."""
    return f"{name}\n{check}"


def prior_at(curve: QualityCurve, complexity: float) -> float:
    """Return what a prior says at a complexity that a log may hold."""
    return curve(min(max(complexity, 0.0), 1.0) if math.isfinite(complexity) else TYPICAL_COMPLEXITY)


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)
