"""Simulated traffic whose truth is known: who chose what with which probability, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from langchain_router.evaluation.offpolicy.intervals import Floats
from langchain_router.evaluation.offpolicy.observed import seen_factor
from langchain_router.evaluation.offpolicy.reward_model import FOLDS, cross_fitted

ARMS = 3


@dataclass(frozen=True)
class Seen:
    """A log of simulated traffic, and the truth about the other policy that nobody could see."""

    features: Floats
    arm: NDArray[np.int64]
    propensity: Floats
    target: Floats  # the other policy's probabilities, one column an arm
    outcome: Floats
    known: Floats
    hint: Floats

    @property
    def factor(self) -> Floats:
        return seen_factor(self.known, self.arm)

    @property
    def weight(self) -> Floats:
        chance = self.target[np.arange(len(self.arm)), self.arm]
        return chance / self.propensity * self.factor

    def expectations(self) -> tuple[Floats, Floats]:
        """What a cross-fitted model expects: of what was chosen, and of the other policy."""
        fold = np.arange(len(self.arm)) % FOLDS
        each = cross_fitted(
            self.features, self.arm, self.outcome, self.known, fold=fold, arms=ARMS, hint=self.hint
        )
        return each[np.arange(len(self.arm)), self.arm], (each * self.target).sum(axis=1)


@dataclass(frozen=True)
class World:
    """Where hard requests fail more often, and the recorded policy sends them to the dear arm more often.

    Attributes:
        judged: Share of outcomes that become known, for each arm.
        floor: Least probability with which the recorded policy tries an arm.
        is_random: Whether the other policy draws lots too.
        grades: Whether outcomes lie anywhere in 0..1, not only at the ends.
        slope: How much of the difference between easy and hard requests there is.
    """

    judged: tuple[float, float, float] = (1.0, 1.0, 1.0)
    floor: float = 0.1
    is_random: bool = False
    grades: bool = False
    slope: float = 1.0

    def quality(self, hardness: Floats) -> Floats:
        slopes = self.slope * np.array([0.8, 0.4, 0.1])
        quality: Floats = np.array([0.9, 0.9, 0.95]) - slopes * hardness[:, None]
        return quality

    def policy(self, hardness: Floats) -> Floats:
        score = np.column_stack([1 - hardness, np.full(len(hardness), 0.5), hardness]) * 3
        chances = np.exp(score) / np.exp(score).sum(axis=1, keepdims=True)
        mixed: Floats = self.floor + (1 - ARMS * self.floor) * chances
        return mixed

    def other(self, hardness: Floats) -> Floats:
        chosen: Floats = np.eye(ARMS)[(hardness > 0.6).astype(int)]
        return 0.8 * chosen + 0.2 / ARMS if self.is_random else chosen

    def truth(self, draws: int = 400_000) -> float:
        hardness = (np.arange(draws) + 0.5) / draws
        return float((self.other(hardness) * self.quality(hardness)).sum(axis=1).mean())

    def traffic(self, count: int, rng: np.random.Generator) -> Seen:
        hardness = rng.random(count)
        chances = self.policy(hardness)
        arm = (rng.random(count)[:, None] > chances.cumsum(axis=1)).sum(axis=1).clip(0, ARMS - 1)
        mean = self.quality(hardness)[np.arange(count), arm]
        outcome = rng.beta(4 * mean, 4 * (1 - mean)) if self.grades else (rng.random(count) < mean) * 1.0
        known = (rng.random(count) < np.array(self.judged)[arm]) * 1.0
        noise = rng.normal(size=(count, 4))
        return Seen(
            features=np.column_stack([hardness, noise]),
            arm=arm,
            propensity=chances[np.arange(count), arm],
            target=self.other(hardness),
            outcome=outcome * known,
            known=known,
            hint=np.tile([1.0, 2.0, 9.0], (count, 1)),
        )
