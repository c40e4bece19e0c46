"""What to expect of a whole plan, from what is believed of its steps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PlanNames = Sequence[tuple[str, str | None]]
"""Name of each step's candidate, with how its check shows itself, or None: what `Situation.plan` holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What is expected of a plan for one request.

    Attributes:
        success: Expected quality of the answer returned, 0..1.
        success_sd: How unsure that is: the standard deviation of the expectation, not of single answers.
        cost_usd: Expected cost with all that its checks ask, in US dollars; None where a price is unknown.
        cost_sd: How unsure that is, in US dollars; None likewise.
    """

    success: float
    success_sd: float
    cost_usd: float | None
    cost_sd: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBelief:
    """What is believed of one step of a plan, should the plan come to it: means with standard deviations.

    Attributes:
        success: Quality of its answer, given that it is returned.
        success_sd: Of that.
        pass_rate: Probability that its check passes; 1 where nobody checks.
        pass_sd: Of that.
        cost_usd: Of its call and of what its check asks, or None when unknown.
        cost_sd: Of that.
    """

    success: float
    success_sd: float
    pass_rate: float = 1.0
    pass_sd: float = 0.0
    cost_usd: float | None = None
    cost_sd: float = 0.0


def steps_of_arm(plan: PlanNames) -> tuple[tuple[str, str | None], ...]:
    """Return the steps up to the first whose answer is taken as it is: those that are the arm.

    Example:
        >>> steps_of_arm([("flash", "SchemaCheck()"), ("sonnet", None), ("opus", None)])
        (('flash', 'SchemaCheck()'), ('sonnet', None))
    """
    for index, (_, check) in enumerate(plan):
        if check is None:
            return tuple(plan[: index + 1])
    return tuple(plan)


def of_plan(steps: Iterable[StepBelief]) -> Expectation:
    """Put the steps together, from the last to the first; their errors are taken to be independent.

    Example:
        >>> draft = StepBelief(success=0.9, success_sd=0, pass_rate=0.5, cost_usd=1.0)
        >>> last = StepBelief(success=0.8, success_sd=0, cost_usd=10.0)
        >>> expected = of_plan([draft, last])
        >>> round(expected.success, 2), expected.cost_usd
        (0.85, 6.0)
    """
    *drafts, last = steps
    success, variance = last.success, last.success_sd**2
    cost, cost_variance = last.cost_usd, last.cost_sd**2
    for step in reversed(drafts):
        passes, of_pass = step.pass_rate, step.pass_sd**2
        goes_on = 1 - passes
        of_step = step.success_sd**2
        variance = (
            (passes**2 + of_pass) * of_step
            + (goes_on**2 + of_pass) * variance
            + of_pass * (step.success - success) ** 2
        )
        success = passes * step.success + goes_on * success
        if cost is None or step.cost_usd is None:
            cost = None
            continue
        cost_variance = step.cost_sd**2 + (goes_on**2 + of_pass) * cost_variance + of_pass * cost**2
        cost = step.cost_usd + goes_on * cost
    return Expectation(
        success=success,
        success_sd=math.sqrt(variance),
        cost_usd=cost,
        cost_sd=None if cost is None else math.sqrt(cost_variance),
    )
