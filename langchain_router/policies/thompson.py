"""Thompson sampling: try each model as often as it may, by what was seen, be the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from langchain_router.outcomes.lessons import Lesson
from langchain_router.policies.arms import UNKNOWN_QUALITY, Arm, PlanGiven
from langchain_router.policies.chances import CHANCE_ERROR, beta_chance
from langchain_router.policies.context import Context
from langchain_router.policies.exploring import COST_WEIGHT, Choice, ExploringPolicy, Real, best, number
from langchain_router.policies.success_rates import SuccessRates
from langchain_router.quality.expectation import Expectation
from langchain_router.quality.inputs import TYPICAL_COMPLEXITY
from langchain_router.quality.prior import PriorQuality
from langchain_router.quality.sums import HALF_LIFE_S

_MOST_OBSERVATIONS: Final = 1e9


class ThompsonPolicy(ExploringPolicy):
    """Draw a success rate for each arm from what is believed of it at this intent, and take the best draw.

    The policy of the seed article: a Beta distribution for each intent and model, and an answer is a success
    at a quality of 0.85. An arm that was seldom tried has a wide distribution and is tried now and then; one
    that was seen to fail is left alone. Feedback is what it learns from: `router.record_feedback`.

    Three things are added. A candidate whose quality is known starts from it, as if it had been seen
    `prior_strength` times. What was seen at other intents counts too, but no more than `shrinkage`
    observations. And success is weighed against cost.

    Prefer `LinThompsonPolicy` where more than the intent tells which model will do, such as the text, and
    `CostPolicy` where nothing may be explored.

    Sources: Thompson 1933, "On the Likelihood that One Unknown Probability Exceeds Another"; Chapelle and Li
    2011, "An Empirical Evaluation of Thompson Sampling"; Agrawal and Goyal 2013, "Further Optimal Regret
    Bounds for Thompson Sampling".

    Args:
        exploration: Share of requests for which it draws, 0..1; the others go to the best known.
        cost_weight: Success that the cost of the dearest arm is worth, 0 or more; 0 for quality at any price.
        success_at: Least score that is a success, 0..1; None counts a score of 0.7 as seven tenths of one.
            A threshold that hardly any answer reaches teaches nothing: where scores are grades rather than
            right or wrong, lower it or give None.
        prior_strength: How many observations a candidate's own quality figure is worth.
        shrinkage: How many observations those at other intents are worth at most.
        half_life_s: After how long an observation counts half, in seconds; None for never.
        plans: The arms, where they are not simply the candidates: names, or `(candidate, check)` pairs.
        rng: Draws the lots.
        seed: Of a fresh generator, instead.

    Raises:
        ConfigurationError: A parameter is out of range; when the router is built, a plan that names a
            candidate which is not there.

    Example:
        >>> ThompsonPolicy(exploration=0.5, cost_weight=0.2)
        ThompsonPolicy(exploration=0.5, success_at=0.85, prior_strength=10.0, shrinkage=10.0, \
half_life_s=2592000.0, cost_weight=0.2)
    """

    name = "thompson"

    def __init__(
        self,
        *,
        exploration: float = 1.0,
        cost_weight: float = COST_WEIGHT,
        success_at: float | None = 0.85,
        prior_strength: float = 10.0,
        shrinkage: float = 10.0,
        half_life_s: float | None = HALF_LIFE_S,
        plans: Sequence[PlanGiven] | None = None,
        rng: np.random.Generator | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(cost_weight=cost_weight, plans=plans, rng=rng, seed=seed)
        self.exploration = number("exploration", exploration, high=1.0)
        self.success_at = None if success_at is None else number("success_at", success_at, high=1.0)
        self.prior_strength = number("prior_strength", prior_strength, high=_MOST_OBSERVATIONS)
        self.shrinkage = number("shrinkage", shrinkage, high=_MOST_OBSERVATIONS)
        self.half_life_s = half_life_s
        self._rates = SuccessRates(success_at=self.success_at, half_life_s=half_life_s)
        self._prior = PriorQuality()

    @property
    def fingerprint(self) -> str:
        """Names what it learns; parameters that only say how to use it may change."""
        return f"thompson-1, {self._rates.fingerprint}"

    def learn(self, lesson: Lesson) -> None:
        """Take a lesson in."""
        self._rates.learn(lesson)

    def state(self) -> bytes:
        """Return what it has learned."""
        return self._rates.state()

    def load(self, state: bytes) -> None:
        """Take over what another has learned, instead of its own.

        Raises:
            ValueError: It is not such a state.
        """
        self._rates.load(state)

    def forget(self) -> None:
        """Forget all that was learned."""
        self._rates.forget()

    def belief(self, context: Context, arm: Arm) -> tuple[float, float]:
        """Return the Beta distribution of an arm's success rate at the request's intent: its two parameters.

        One of each, as in the seed article; what the candidates say of themselves; what was seen at this
        intent; and what was seen at the others, scaled down to `shrinkage` observations where it is more.
        """
        successes, failures, elsewhere, not_elsewhere = self._rates.counts(arm.name, context.intent.label)
        seen_elsewhere = elsewhere + not_elsewhere
        scale = min(1.0, self.shrinkage / seen_elsewhere) if seen_elsewhere else 0.0
        stated = self._stated(context, arm)
        strength = 0.0 if stated is None else self.prior_strength
        stated = UNKNOWN_QUALITY if stated is None else stated
        return (
            1 + strength * stated + scale * elsewhere + successes,
            1 + strength * (1 - stated) + scale * not_elsewhere + failures,
        )

    def _choose(
        self,
        context: Context,
        arms: Sequence[Arm],
        expected: Sequence[Expectation],  # noqa: ARG002 - it believes what it counted itself
        penalty: Real,
    ) -> Choice:
        alpha, beta = np.array([self.belief(context, arm) for arm in arms]).T
        means = alpha / (alpha + beta)
        known_best = best(means - penalty, penalty)
        with self._lots as rng:
            is_drawn = rng.random() < self.exploration
            draws = rng.beta(alpha, beta)
        index = best(draws - penalty, penalty) if is_drawn else known_best
        propensity = (1 - self.exploration) * (index == known_best)
        if self.exploration:
            propensity += self.exploration * beta_chance(index, alpha, beta, penalty)
        return Choice(
            index=index,
            propensity=propensity,
            propensity_error=self.exploration * CHANCE_ERROR if len(arms) > 1 else 0.0,
            expected=means.tolist(),
            reason=self._reason(context, is_drawn, float(draws[index]), float(means[index])),
            remarks=[
                (f"drew a success rate of {drawn:.2f}, with " if is_drawn else "")
                + f"{mean:.2f} expected and {cost:.2f} off for its cost"
                for drawn, mean, cost in zip(draws.tolist(), means.tolist(), penalty.tolist(), strict=True)
            ],
        )

    def _reason(self, context: Context, is_drawn: bool, drawn: float, mean: float) -> str:
        what = f"success rate at {context.intent.label}"
        weighed = " weighed against cost" if self.cost_weight else ""
        if is_drawn:
            return f"the best draw{weighed}, a {what} of {drawn:.2f} where {mean:.2f} is expected"
        return f"the best known{weighed}, with an expected {what} of {mean:.2f}"

    def _stated(self, context: Context, arm: Arm) -> float | None:
        """Return the success that the arm's candidates state of themselves; None when one states none.

        A draft is expected to pass its check as often as its answers are good, and then to be good.
        """
        success = 0.0
        goes_on = 1.0
        for step in arm.steps:
            curve = self._prior.curve(step.candidate, context.intent)
            if curve is None:
                return None
            quality = curve(TYPICAL_COMPLEXITY)
            success += goes_on * quality
            goes_on *= 1 - quality
        return success

    def _params(self) -> dict[str, Any]:
        return {
            "exploration": self.exploration,
            "success_at": self.success_at,
            "prior_strength": self.prior_strength,
            "shrinkage": self.shrinkage,
            "half_life_s": self.half_life_s,
        }
