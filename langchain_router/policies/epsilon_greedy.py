"""Epsilon-greedy: the best known, and a small share of requests at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from langchain_router.policies.arms import Arm, PlanGiven
from langchain_router.policies.context import Context
from langchain_router.policies.exploring import COST_WEIGHT, Choice, ExploringPolicy, Real, best, number
from langchain_router.quality.expectation import Expectation


class EpsilonGreedyPolicy(ExploringPolicy):
    """Choose the arm that the quality model expects most of, but a share of requests at random.

    The simplest way to keep learning: every arm is tried at a known rate for ever, whatever was seen of it.
    That makes it easy to reason about, and its propensities are exact and never small. Prefer
    `ThompsonPolicy` or `LinThompsonPolicy`, which stop trying what is known to be bad.

    Source: Sutton and Barto 2018, "Reinforcement Learning: An Introduction", section 2.2.

    Args:
        epsilon: Share of requests that go to an arm drawn at random, the best known among them, 0..1.
        cost_weight: Success that the cost of the dearest arm is worth, 0 or more; 0 for quality at any price.
        plans: The arms, where they are not simply the candidates: names, or `(candidate, check)` pairs.
        rng: Draws the lots.
        seed: Of a fresh generator, instead.

    Raises:
        ConfigurationError: A parameter is out of range; when the router is built, a plan that names a
            candidate which is not there.

    Example:
        >>> EpsilonGreedyPolicy(epsilon=0.1)
        EpsilonGreedyPolicy(epsilon=0.1, cost_weight=0.1)
    """

    name = "epsilon_greedy"

    def __init__(
        self,
        *,
        epsilon: float = 0.05,
        cost_weight: float = COST_WEIGHT,
        plans: Sequence[PlanGiven] | None = None,
        rng: np.random.Generator | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(cost_weight=cost_weight, plans=plans, rng=rng, seed=seed)
        self.epsilon = number("epsilon", epsilon, high=1.0)

    def _choose(
        self,
        context: Context,  # noqa: ARG002 - all that it tells is in what is expected
        arms: Sequence[Arm],
        expected: Sequence[Expectation],
        penalty: Real,
    ) -> Choice:
        means = np.array([one.success for one in expected])
        known_best = best(means - penalty, penalty)
        with self._lots as rng:
            is_drawn = rng.random() < self.epsilon
            index = int(rng.integers(len(arms))) if is_drawn else known_best
        weighed = " weighed against cost" if self.cost_weight else ""
        return Choice(
            index=index,
            propensity=self.epsilon / len(arms) + (1 - self.epsilon) * (index == known_best),
            propensity_error=0.0,
            expected=means.tolist(),
            reason=(
                f"drawn at random, as {self.epsilon:.0%} of requests are"
                if is_drawn
                else f"the best known{weighed}, with an expected quality of {means[index]:.2f}"
            ),
            remarks=[
                f"{mean:.2f} expected and {cost:.2f} off for its cost"
                for mean, cost in zip(means.tolist(), penalty.tolist(), strict=True)
            ],
        )

    def _params(self) -> dict[str, Any]:
        return {"epsilon": self.epsilon}
