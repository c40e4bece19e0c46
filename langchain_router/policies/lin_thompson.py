"""Thompson sampling from what the quality model believes of this very request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from langchain_router.policies.arms import Arm, PlanGiven
from langchain_router.policies.chances import CHANCE_ERROR, normal_chance
from langchain_router.policies.context import Context
from langchain_router.policies.exploring import COST_WEIGHT, Choice, ExploringPolicy, Real, best, number
from langchain_router.quality.expectation import Expectation

_MOST_SPREAD: Final = 100.0


class LinThompsonPolicy(ExploringPolicy):
    """Draw each arm's success from the quality model's belief about this request, and take the best draw.

    The belief is that of a Bayesian linear regression on intent, complexity and features of the text, so
    that one request teaches about those like it, and a candidate about every plan that holds it
    (`LearnedQuality`, which a router with a store has by default). The draws are from its posterior, arm by
    arm as if independent. With a quality model that does not say how unsure it is, nothing is explored.

    Prefer `ThompsonPolicy` where the intent says all, or beliefs should be as simple as counts.

    Sources: Agrawal and Goyal 2013, "Thompson Sampling for Contextual Bandits with Linear Payoffs"; Chapelle
    and Li 2011, "An Empirical Evaluation of Thompson Sampling", where narrower draws (`spread` under 1) are
    seen to do better than the theory asks for.

    Args:
        spread: By what the standard deviations are multiplied: under 1 explores less, 0 not at all.
        cost_weight: Success that the cost of the dearest arm is worth, 0 or more; 0 for quality at any price.
        plans: The arms, where they are not simply the candidates: names, or `(candidate, check)` pairs.
        rng: Draws the lots.
        seed: Of a fresh generator, instead.

    Raises:
        ConfigurationError: A parameter is out of range; when the router is built, a plan that names a
            candidate which is not there.

    Example:
        >>> LinThompsonPolicy(spread=0.5)
        LinThompsonPolicy(spread=0.5, cost_weight=0.1)
    """

    name = "lin_thompson"

    def __init__(
        self,
        *,
        spread: float = 1.0,
        cost_weight: float = COST_WEIGHT,
        plans: Sequence[PlanGiven] | None = None,
        rng: np.random.Generator | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(cost_weight=cost_weight, plans=plans, rng=rng, seed=seed)
        self.spread = number("spread", spread, high=_MOST_SPREAD)

    def _choose(
        self,
        context: Context,  # noqa: ARG002 - all that it tells is in what is expected
        arms: Sequence[Arm],
        expected: Sequence[Expectation],
        penalty: Real,
    ) -> Choice:
        means = np.array([one.success for one in expected])
        deviations = self.spread * np.array([one.success_sd for one in expected])
        explores = len(arms) > 1 and bool(deviations.any())
        with self._lots as rng:
            draws = rng.normal(means, deviations)
        index = best(draws - penalty, penalty)
        propensity = normal_chance(index, means - penalty, deviations) if explores else 1.0
        weighed = " weighed against cost" if self.cost_weight else ""
        drawn, mean = float(draws[index]), float(means[index])
        return Choice(
            index=index,
            propensity=propensity,
            propensity_error=CHANCE_ERROR if explores else 0.0,
            expected=means.tolist(),
            reason=(
                f"the best draw{weighed}, a quality of {drawn:.2f} where {mean:.2f} is expected"
                if explores
                else f"the best known{weighed}, with an expected quality of {mean:.2f}"
            ),
            remarks=[
                (f"drew a quality of {drawn:.2f}, with " if explores else "")
                + f"{mean:.2f} expected, give or take {deviation:.2f}, and {cost:.2f} off for its cost"
                for drawn, mean, deviation, cost in zip(
                    draws.tolist(), means.tolist(), deviations.tolist(), penalty.tolist(), strict=True
                )
            ],
        )

    def _params(self) -> dict[str, Any]:
        return {"spread": self.spread}
