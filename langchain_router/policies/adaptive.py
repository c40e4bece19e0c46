"""Adaptive routing: choose among plans by what was learned of them, from recordings or from feedback."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from langchain_router.candidates.candidate import Candidate
from langchain_router.candidates.family import family
from langchain_router.decision import RoutingDecision, Step, arm_of
from langchain_router.exceptions import ConfigurationError
from langchain_router.policies.arms import Arm, Arms, PlanGiven, expectations
from langchain_router.policies.cascade import has_comparable_answer
from langchain_router.policies.certified import CertifiedSlacks
from langchain_router.policies.context import Context
from langchain_router.policies.cost import CostPolicy
from langchain_router.wording import kind_of

if TYPE_CHECKING:
    from langchain_router.evaluation.calibration.calibration import Calibration
    from langchain_router.evaluation.calibration.watch import CertificateWatch
    from langchain_router.policies.fitted_plans import FittedArm, FittedPlans
    from langchain_router.quality.prior import QualityCurve

LEAST_JUDGED: Final = 50
"""Judged answers from which on the default policy goes by what was learned of plans."""

_MOST_PAIRS: Final = 4


class AdaptivePolicy:
    """Choose the cheapest plan that is predicted to be good enough: one model, or a cascade.

    A plan is the arm: a model alone, or a cheap draft with a check and a better model for what does not pass.
    There are two sources of what to expect of each:

    - `plans` fitted on recorded answers (`langchain-router bench --save`, `fit_plans`). Their checks are
      fitted, too, and they are set to lose no more quality than was allowed. This saves most. What they
      expect does not move with feedback: fit them again when models or traffic change.
    - without them, the router's quality model, which learns from feedback. The plans are the candidates and,
      for requests whose answers can be compared, cascades of two cheap models that must agree; or those
      given. The cheapest with a predicted quality of at least `quality` is taken. Until 50 answers are judged
      it chooses as `CostPolicy` does. This is what `ChatRouter` does by default.

    Prefer `CostPolicy` where decisions must not change with feedback, `LinThompsonPolicy` where quality is
    known of no candidate and exploring is welcome.

    Args:
        plans: What `fit_plans` made, or the file it was saved in; or plans of your own, names of candidates
            or `(candidate, check)` pairs.
        quality: Least predicted quality, 0..1, where plans were not fitted; 0.85 when None.
        calibration: What was certified of fitted plans (`langchain-router calibrate`), or the file it was
            saved in: for each intent as much predicted quality is given up as it says; without a certificate
            the best single model answers. The decision carries the certificate, and `router.health()` tells
            when one no longer fits what is heard.

    Raises:
        ConfigurationError: A value is out of range, the file holds no plans, `quality` is given beside fitted
            plans, the calibration is of other plans; when the router is built, a plan names a model that is
            not a candidate.

    Example:
        >>> AdaptivePolicy(quality=0.9)
        AdaptivePolicy(quality=0.9)
    """

    name = "adaptive"

    def __init__(
        self,
        plans: FittedPlans | str | os.PathLike[str] | Sequence[PlanGiven] | None = None,
        *,
        quality: float | None = None,
        calibration: Calibration | str | os.PathLike[str] | None = None,
    ) -> None:
        self.fitted: FittedPlans | None = None
        self._arms = Arms()
        if plans is not None and not isinstance(plans, (list, tuple)):
            self.fitted = _fitted(plans)
            if quality is not None:
                raise ConfigurationError(
                    f"quality={quality!r} is for plans that were not fitted; these keep to what was allowed "
                    "when they were: leave it out, or fit them again with another max_quality_loss."
                )
        elif plans is not None:
            self._arms = Arms.given(plans)
        self._certified: CertifiedSlacks | None = None
        if calibration is not None:
            if self.fitted is None:
                raise ConfigurationError(
                    "calibration= is about fitted plans: give those that were saved with it as plans=."
                )
            self._certified = CertifiedSlacks(calibration, plans=self.fitted)
        self._alone = CostPolicy() if quality is None else CostPolicy(quality)
        self._checks: dict[tuple[int, ...], Any] = {}

    @property
    def quality(self) -> float:
        """Least predicted quality where plans were not fitted."""
        return self._alone.quality

    @property
    def certificate_watch(self) -> CertificateWatch | None:
        """Tells whether the certificates still fit what is heard; None without a calibration."""
        return None if self._certified is None else self._certified.watch

    def check_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Refuse plans that name a model which is not there."""
        self._arms.check_candidates(candidates)
        if self.fitted is None:
            return
        known = [candidate.name for candidate in candidates]
        missing = sorted({name for arm in self.fitted.arms for name in arm.models if name not in known})
        if missing:
            raise ConfigurationError(
                f"The plans call {', '.join(map(repr, missing))}, which no candidate is named; they are "
                f"named {', '.join(map(repr, known))}. Name them as the plans do: "
                f"Candidate(model=..., name={missing[0]!r})."
            )

    def select(self, context: Context, candidates: Sequence[Candidate]) -> RoutingDecision:
        """Choose a plan; on failure the other candidates follow, the best first."""
        if self.fitted is not None:
            return self._by_fit(self.fitted, context, candidates)
        if self._arms.cascades is None and _judged(context) < LEAST_JUDGED:
            return self._alone.select(context, candidates)
        return self._by_quality(context, candidates)

    def step_for(self, *, candidate: Candidate) -> Step:
        """Return how a candidate is called that is left alone now, when all others fail: unchecked."""
        return Step(candidate=candidate)

    # --- by what the quality model learned ------------------------------------------------------

    def _by_quality(self, context: Context, candidates: Sequence[Candidate]) -> RoutingDecision:
        arms = self._arms.among(candidates)
        if self._arms.cascades is None and has_comparable_answer(context):
            arms = [*arms, *_agreeing(context, candidates)]
        expected = expectations(context, arms)
        costs = [math.inf if one.cost_usd is None else one.cost_usd for one in expected]
        good = [place for place, one in enumerate(expected) if one.success >= self.quality]
        if good:
            chosen = min(good, key=lambda place: (costs[place], -expected[place].success))
            reason = f"the cheapest plan with predicted quality of at least {self.quality:g}"
        else:
            chosen = max(range(len(arms)), key=lambda place: (expected[place].success, -costs[place]))
            reason = f"the best plan there is, as none is predicted to reach quality {self.quality:g}"
        alone = {
            arm.name: one.success for arm, one in zip(arms, expected, strict=True) if len(arm.steps) == 1
        }
        remarks = {
            name: f"alone predicted at {success:.2f}"
            for name, success in alone.items()
            if success < self.quality
        }
        return self._decision(
            context,
            arms[chosen],
            sorted(candidates, key=lambda one: -alone.get(one.name, 0.0)),
            reason=reason,
            confidence=expected[chosen].success,
            params={"quality": self.quality, "plans": self._arms.as_params()},
            remarks=remarks,
        )

    # --- by what was fitted on recorded answers -------------------------------------------------

    def _by_fit(
        self, plans: FittedPlans, context: Context, candidates: Sequence[Candidate]
    ) -> RoutingDecision:
        able = {candidate.name: candidate for candidate in candidates}
        usable = [place for place, arm in enumerate(plans.arms) if able.keys() >= set(arm.models)]
        if not usable:
            decision = self._alone.select(context, candidates)
            return replace(
                decision,
                reason=f"{decision.reason}; no fitted plan has all its models at hand",
                policy=self.name,
            )
        quality, cost = plans.predict([context.request])
        params: dict[str, Any] = {"plans": plans.fingerprint, "rule": plans.rule, "dial": plans.dial}
        slack: float | None = None
        if self._certified is not None:
            found = self._certified.of(context.intent.label, all_able=len(usable) == len(plans.arms))
            slack = found.value
            params["dial"] = None if found.certificate is None else slack
            params["certificate"] = found.certificate
        chosen = int(plans.choose(quality, cost, able=usable, slack=slack)[0])
        singles = {plans.arms[p].draft: float(quality[0, p]) for p in usable if plans.arms[p].last is None}
        told = replace(context, curves={name: _constant(expected) for name, expected in singles.items()})
        confidence = min(max(float(quality[0, chosen]), 0.0), 1.0)
        reason = (
            f"the plan that {plans.in_words(slack=slack)}: predicted at {confidence:.2f} for "
            f"{cost[0, chosen]:.0%} of what {plans.arms[plans.reference].draft} costs"
        )
        return self._decision(
            told,
            Arm(name=str(plans.arms[chosen]), steps=self._steps(chosen, plans.arms[chosen], able)),
            sorted(candidates, key=lambda one: -(told.predicted_quality(one) or 0.0)),
            reason=reason,
            confidence=confidence,
            params=params,
            remarks={},
        )

    def _steps(self, place: int, arm: FittedArm, able: Mapping[str, Candidate]) -> tuple[Step, ...]:
        if arm.last is None or arm.scorer is None:
            return (Step(candidate=able[arm.draft]),)
        # By the models themselves: routers that share a policy may call other models by the same names.
        key = (place, *(id(able[name]) for name in arm.seconds))
        if key not in self._checks:
            from langchain_router.checks.learned import LearnedCheck

            self._checks[key] = LearnedCheck(
                arm.scorer,
                threshold=min(max(1.0 - arm.most_gain, 0.0), 1.0),
                seconds=[able[name] for name in arm.seconds],
            )
        return (
            Step(candidate=able[arm.draft], check=self._checks[key]),
            Step(candidate=able[arm.last]),
        )

    def _decision(
        self,
        context: Context,
        arm: Arm,
        others: Sequence[Candidate],
        *,
        reason: str,
        confidence: float,
        params: Mapping[str, Any],
        remarks: Mapping[str, str],
    ) -> RoutingDecision:
        called = {step.candidate.name for step in arm.steps}
        first, *later = arm.steps
        told = {**remarks, **{step.candidate.name: "the next step of the plan" for step in later}}
        told.pop(first.candidate.name, None)
        decision = context.decision(
            [*arm.steps, *(Step(candidate=one) for one in others if one.name not in called)],
            reason=reason,
            policy=self.name,
            policy_params=params,
            remarks=told,
        )
        return replace(decision, confidence=confidence)

    def __repr__(self) -> str:
        if self.fitted is not None:
            told = [f"{len(self.fitted.arms)} fitted plans", repr(self.fitted.fingerprint)]
            told += [] if self._certified is None else [repr(self._certified)]
            return f"AdaptivePolicy({', '.join(told)})"
        plans = "" if self._arms.cascades is None else f"{self._arms!r}, "
        return f"AdaptivePolicy({plans}quality={self.quality!r})"


def _fitted(given: object) -> FittedPlans:
    from langchain_router.policies.fitted_plans import FittedPlans

    if isinstance(given, FittedPlans):
        return given
    if isinstance(given, (str, os.PathLike)):
        return FittedPlans.load(given)
    raise ConfigurationError(
        "plans must be fitted plans, the path of a file of them, or a list such as "
        f'["mini", [("mini", HeuristicCheck()), ("large", None)]]; got {kind_of(given)}.'
    )


def _constant(expected: float) -> QualityCurve:
    bounded = min(max(expected, 0.0), 1.0)
    return lambda _: bounded


def _judged(context: Context) -> float:
    """Return on how many judged answers the quality model rests; 0 where it does not say."""
    judged: float = getattr(context.quality, "judged", 0.0)
    return judged


def _agreeing(context: Context, candidates: Sequence[Candidate]) -> list[Arm]:
    """Return cascades of two cheap models that must agree, of those that would cost least."""
    from langchain_router.checks.agreement import AgreementCheck

    def quality(one: Candidate) -> float:
        return context.predicted_quality(one) or 0.0

    costs = {one.name: context.estimated_cost_usd(one) for one in candidates}
    priced = [(one, usd) for one in candidates if (usd := costs[one.name]) is not None]
    if len(priced) < 3:
        return []
    best, best_usd = max(priced, key=lambda pair: (quality(pair[0]), -pair[1]))
    pairs = [
        (usd + other_usd + (1 - quality(draft)) * best_usd, draft, second)
        for draft, usd in priced
        for second, other_usd in priced
        if len({draft.name, second.name, best.name}) == 3
        and usd + other_usd < best_usd
        and family(draft.name) != family(second.name)
    ]
    found = []
    for _, draft, second in sorted(pairs, key=lambda one: (one[0], one[1].name, one[2].name))[:_MOST_PAIRS]:
        steps = (Step(candidate=draft, check=AgreementCheck(second)), Step(candidate=best))
        name = arm_of((s.candidate.name, None if s.check is None else repr(s.check)) for s in steps)
        found.append(Arm(name=name, steps=steps))
    return found
