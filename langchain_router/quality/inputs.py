"""What the regressions see of a request: one vector of whole numbers, 1/128 each."""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Final

import numpy as np

from langchain_router.exceptions import ConfigurationError
from langchain_router.quality.features import UNIT
from langchain_router.quality.linear import INPUT_UNIT
from langchain_router.quality.sums import Whole
from langchain_router.signals.types import INTENTS

TYPICAL_COMPLEXITY: Final = 0.35

_INTENTS: Final = slice(1, 1 + len(INTENTS))
_COMPLEXITY: Final = _INTENTS.stop
_PASSED: Final = _COMPLEXITY + 1
_AFTER: Final = _PASSED + 1
_PLANS: Final = 8
_FIRST_PLAN: Final = _AFTER + 1
_TEXT: Final = _FIRST_PLAN + _PLANS


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrinkage:
    """How many observations each part of what is learned must outweigh before it is half believed.

    Args:
        level: A candidate's own level, beside the one that it states.
        unstated_level: The level of a candidate that states none; it starts at 0.5.
        intent: What is different at each intent.
        complexity: How the level changes with complexity, beyond what the prior says.
        passed: What it tells that the answer passed its check.
        escalated: What it tells that an earlier draft was not good enough.
        plan: What is different in each plan.
        text: What the text tells.

    Raises:
        ConfigurationError: A number that is not above 0.
    """

    level: float = 10.0
    unstated_level: float = 2.0
    intent: float = 15.0
    complexity: float = 20.0
    passed: float = 20.0
    escalated: float = 20.0
    plan: float = 60.0
    text: float = 40.0

    def __post_init__(self) -> None:
        for value in astuple(self):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
                raise ConfigurationError(f"shrinkage is counted in observations, above 0; got {value!r}.")

    def precision(self, text_size: int, *, level: float) -> list[float]:
        """Return it for each input."""
        return [
            level,
            *[self.intent] * len(INTENTS),
            self.complexity,
            self.passed,
            self.escalated,
            *[self.plan] * _PLANS,
            *[self.text] * text_size,
        ]


def as_inputs(
    intent_probabilities: Mapping[str, float], complexity: float, features: Sequence[int], *, text_size: int
) -> Whole:
    """Return the inputs of a request for a candidate that answers alone.

    What a log may hold and this cannot use, such as features of another map, counts as not known.
    """
    inputs = np.zeros(_TEXT + text_size, np.int64)
    inputs[0] = INPUT_UNIT
    inputs[_INTENTS] = [
        round(INPUT_UNIT * _within(intent_probabilities.get(label, 0.0), 0.0, 1.0)) for label in INTENTS
    ]
    above = _within(complexity, 0.0, 1.0, TYPICAL_COMPLEXITY) - TYPICAL_COMPLEXITY
    inputs[_COMPLEXITY] = round(2 * INPUT_UNIT * above)  # doubled: it spans no more than 0.65
    if len(features) == text_size:
        inputs[_TEXT:] = features
        np.clip(inputs[_TEXT:], -UNIT, UNIT, out=inputs[_TEXT:])
    return inputs


def in_plan(inputs: Whole, arm: str | None, *, passed: bool | None, escalated: bool) -> Whole:
    """Return the inputs of a request for a candidate that answers within a plan.

    Args:
        inputs: From `as_inputs`.
        arm: The plan's name, or None for one of a single step.
        passed: What the check says of the answer; None where none looks at it.
        escalated: Whether an earlier draft was not good enough.
    """
    inputs = inputs.copy()
    inputs[_PASSED] = 0 if passed is None else INPUT_UNIT if passed else -INPUT_UNIT
    inputs[_AFTER] = INPUT_UNIT if escalated else 0
    if arm is not None:
        inputs[_FIRST_PLAN + zlib.crc32(arm.encode()) % _PLANS] = INPUT_UNIT
    return inputs


def _within(value: float, low: float, high: float, otherwise: float = 0.0) -> float:
    return min(max(value, low), high) if math.isfinite(value) else otherwise
