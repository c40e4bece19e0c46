"""The arms that a policy chooses among: plans, most often of a single candidate."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from langchain_router.candidates.candidate import Candidate
from langchain_router.decision import Step, arm_of
from langchain_router.exceptions import ConfigurationError
from langchain_router.policies.cascade import CascadePolicy, TierGiven
from langchain_router.policies.context import Context
from langchain_router.quality.expectation import Expectation, StepBelief, of_plan
from langchain_router.wording import kind_of

PlanGiven = Candidate | str | Sequence[TierGiven]
"""What a user writes for a plan: a candidate or its name, or `(candidate, check)` pairs, cheapest first."""

UNKNOWN_QUALITY = 0.5

_logger = logging.getLogger("langchain_router")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """A plan that may be chosen for a request.

    Attributes:
        name: As `RoutingDecision.arm` names it.
        steps: Of the plan, up to the one whose answer is taken as it is.
    """

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arms:
    """All arms of a policy.

    Attributes:
        cascades: The plans that the user gave, or None where every candidate is an arm.
    """

    cascades: tuple[CascadePolicy, ...] | None = field(default=None)

    @staticmethod
    def given(plans: Sequence[PlanGiven] | None) -> Arms:
        """Check the plans that a user gave.

        Raises:
            ConfigurationError: There are none, two are the same, or one is not a plan.
        """
        if plans is None:
            return Arms()
        if isinstance(plans, str) or not isinstance(plans, Sequence) or not plans:
            raise ConfigurationError(
                'plans must be a list such as ["mini", [("mini", HeuristicCheck()), ("large", None)]], '
                f"got {'an empty one' if plans == [] else kind_of(plans)}."
            )
        cascades = tuple(
            CascadePolicy([(one, None)] if isinstance(one, (str, Candidate)) else one) for one in plans
        )
        names = [_name(cascade) for cascade in cascades]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ConfigurationError(f"plans holds {twice!r} twice.")
        return Arms(cascades=cascades)

    def check_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Refuse plans that name a candidate which is not there."""
        for cascade in self.cascades or ():
            cascade.check_candidates(candidates)

    def among(self, candidates: Sequence[Candidate]) -> list[Arm]:
        """Return the arms all of whose candidates may answer; every candidate where no plan is left."""
        able = {candidate.name: candidate for candidate in candidates}
        planned = [
            Arm(
                name=_name(cascade),
                steps=tuple(Step(candidate=able[name], check=check) for name, check in cascade.tiers or ()),
            )
            for cascade in self.cascades or ()
            if all(name in able for name, _ in cascade.tiers or ())
        ]
        return planned or [Arm(name=name, steps=(Step(candidate=one),)) for name, one in able.items()]

    def as_params(self) -> list[list[tuple[str, str | None]]] | None:
        """Return the plans as JSON-serialisable data; None where every candidate is an arm."""
        if self.cascades is None:
            return None
        return [
            [(name, None if check is None else repr(check)) for name, check in cascade.tiers or ()]
            for cascade in self.cascades
        ]

    def __repr__(self) -> str:
        if self.cascades is None:
            return "None"
        shown = [
            repr(list(one.tiers or ())) if len(one.tiers or ()) > 1 else repr(_name(one))
            for one in self.cascades
        ]
        return f"[{', '.join(shown)}]"


def expectations(context: Context, arms: Sequence[Arm]) -> list[Expectation]:
    """Return what to expect of each arm: from a quality model that speaks of plans, else of its candidates.

    A model that does not say how unsure it is counts as sure. A draft is then expected to pass its check as
    often as its answers are good.
    """
    expect = getattr(context.quality, "expect", None)
    if expect is not None:
        try:
            found: list[Expectation] = expect(
                [_names(arm) for arm in arms],
                cost_usd={
                    step.candidate.name: context.estimated_cost_usd(step.candidate)
                    for arm in arms
                    for step in arm.steps
                },
                asked_usd={
                    (step.candidate.name, repr(step.check)): _asked_usd(context, step)
                    for arm in arms
                    for step in arm.steps
                    if step.check is not None
                },
            )
        except Exception as error:  # noqa: BLE001 - a broken quality model must not lose the request
            _logger.warning("quality model failed (%s); going by single candidates", type(error).__name__)
        else:
            return found
    return [of_plan(_believed(context, step) for step in arm.steps) for arm in arms]


def relative_costs(expected: Sequence[Expectation]) -> list[float]:
    """Return the arms' expected costs as shares of the dearest's; an unknown one counts as the dearest."""
    known = [one.cost_usd for one in expected if one.cost_usd is not None]
    dearest = max(known, default=0.0)
    if dearest <= 0:
        return [float(one.cost_usd is None and bool(known)) for one in expected]
    return [1.0 if one.cost_usd is None else one.cost_usd / dearest for one in expected]


def _believed(context: Context, step: Step) -> StepBelief:
    predicted = context.predicted_quality(step.candidate)
    quality = UNKNOWN_QUALITY if predicted is None else predicted
    cost_usd = context.estimated_cost_usd(step.candidate)
    if step.check is None:
        return StepBelief(success=quality, success_sd=0.0, cost_usd=cost_usd)
    return StepBelief(
        success=quality,
        success_sd=0.0,
        pass_rate=quality,
        cost_usd=None if cost_usd is None else cost_usd + _asked_usd(context, step),
    )


def _asked_usd(context: Context, step: Step) -> float:
    asked = () if step.check is None else step.check.models
    return sum(context.estimated_cost_usd(model) or 0.0 for model in asked)


def _names(arm: Arm) -> list[tuple[str, str | None]]:
    return [(step.candidate.name, None if step.check is None else repr(step.check)) for step in arm.steps]


def _name(cascade: CascadePolicy) -> str:
    return arm_of((name, None if check is None else repr(check)) for name, check in cascade.tiers or ())
