"""Plans whose outcome the prompt predicts, with the checks fitted for them: what `AdaptivePolicy` loads."""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from langchain_router.checks.scoring.columns import Columns
from langchain_router.checks.scoring.features import VERSION as ANSWER_VERSION
from langchain_router.checks.scoring.gain import GainScorer
from langchain_router.exceptions import ConfigurationError
from langchain_router.quality.prompt_inputs import SIZE, prompt_inputs
from langchain_router.request import RoutingRequest

Real = NDArray[np.float64]
Rule = Literal["cost_weight", "slack", "fixed"]

_VERSION: Final = 1
_DAMAGED: Final = (  # what numpy, zip and JSON say of bytes that are not what they should be
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
    RuntimeError,
    SyntaxError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedArm:
    """A plan by the names of its models.

    Attributes:
        draft: Who answers first, or alone.
        seconds: Whose answers the check compares with.
        last: Who takes over; None where nothing is checked.
        most_gain: Escalated is what the scorer expects to gain more than this from, in score points.
        scorer: Says how much; None where nothing is checked.
    """

    draft: str
    seconds: tuple[str, ...] = ()
    last: str | None = None
    most_gain: float = 0.0
    scorer: GainScorer | None = field(default=None, repr=False)

    @property
    def models(self) -> tuple[str, ...]:
        """All models that it may call."""
        return (self.draft, *self.seconds, *(() if self.last is None else (self.last,)))

    def __str__(self) -> str:
        if self.last is None:
            return self.draft
        beside = f" beside {' and '.join(self.seconds)}" if self.seconds else ""
        return f"{self.draft}, checked{beside}, else {self.last}"


@dataclass(frozen=True, kw_only=True)
class FittedPlans:
    """Plans, what the text of a prompt says of each, and the rule by which one is chosen.

    Made by `fit_plans` of `langchain_router.evaluation.plans`, from recorded answers; kept in a file.

    Attributes:
        arms: The plans.
        reference: Which of them is the best single model: quality and cost are beside its.
        quality_weights: By input of the prompt and arm, how the expected score grows.
        quality_constants: Of each arm.
        cost_weights: Likewise of the expected cost, as a share of the reference's mean cost.
        cost_constants: Of each arm.
        cost_floors: The least cost that is expected of each arm, whatever the prompt.
        rule: `"cost_weight"` takes the arm of the highest expected score less `dial` times its expected cost;
            `"slack"` the cheapest whose expected score is at most `dial` under the reference's; `"fixed"`
            always the arm with the number `dial`.
        dial: Of the rule.
        evidence: On what it was fitted and set: counts and figures.
    """

    arms: tuple[FittedArm, ...]
    reference: int
    quality_weights: NDArray[np.float32] = field(repr=False)
    quality_constants: Real = field(repr=False)
    cost_weights: NDArray[np.float32] = field(repr=False)
    cost_constants: Real = field(repr=False)
    rule: Rule
    dial: float
    cost_floors: Real = field(default_factory=lambda: np.zeros(1), repr=False)
    evidence: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def fingerprint(self) -> str:
        """Names what was fitted: two of the same choose alike."""
        made = hashlib.sha256(json.dumps(_told(self), sort_keys=True).encode())
        for array in (
            self.quality_weights,
            self.quality_constants,
            self.cost_weights,
            self.cost_constants,
            self.cost_floors,
        ):
            made.update(np.ascontiguousarray(array).tobytes())
        for arm in self.arms:
            if arm.scorer is not None:
                told = (arm.scorer.columns.seconds, arm.scorer.constant)
                made.update(repr(told).encode() + arm.scorer.weights.tobytes())
        return made.hexdigest()[:16]

    def predict(self, prompts: Sequence[RoutingRequest | str]) -> tuple[Real, Real]:
        """Return the expected score, and the expected cost beside the reference's, of each prompt and arm."""
        if self.rule == "fixed":
            shape = (len(prompts), len(self.arms))
            return np.broadcast_to(self.quality_constants, shape), np.broadcast_to(self.cost_constants, shape)
        inputs = prompt_inputs(prompts)
        quality = (inputs @ self.quality_weights).astype(np.float64) + self.quality_constants
        cost = (inputs @ self.cost_weights).astype(np.float64) + self.cost_constants
        return quality, np.maximum(cost, self.cost_floors)

    def choose(
        self,
        quality: Real,
        cost: Real,
        *,
        able: Sequence[int] | None = None,
        slack: float | None = None,
    ) -> NDArray[np.int64]:
        """Return the arm chosen for each prompt.

        Args:
            quality: From `predict`.
            cost: From `predict`.
            able: The arms all of whose models may answer, at least one; None for all. Without the reference
                among them, the best of each prompt stands for it.
            slack: Choose by the rule `"slack"` with this dial, whatever the plans were set to; -inf takes
                the reference, or without it the best.
        """
        rule, dial = self._rule(slack)
        columns = np.asarray(range(len(self.arms)) if able is None else able, np.int64)
        if rule == "fixed":
            for one in (int(dial), self.reference):
                if one in columns:
                    return np.full(len(quality), one, np.int64)
            best: NDArray[np.int64] = columns[quality[:, columns].argmax(axis=1)]
            return best
        held = quality[:, columns]
        reference = quality[:, self.reference] if self.reference in columns else held.max(axis=1)
        return columns[chosen_by(rule, dial, held, cost[:, columns], reference)]

    def in_words(self, *, slack: float | None = None) -> str:
        """Return what the rule does, to follow "the plan that"; with a slack, as `choose` takes it."""
        rule, dial = self._rule(slack)
        if slack == -math.inf:
            return "is the best single model, as nothing is certified of such requests"
        if rule == "fixed":
            return "saved most for all requests alike"
        if rule == "slack":
            return f"is the cheapest of those predicted at most {dial:.2f} under the best single model"
        return f"is predicted best, less {dial:.2f} times its cost"

    def _rule(self, slack: float | None) -> tuple[Rule, float]:
        if slack is None:
            return self.rule, self.dial
        return ("fixed", self.reference) if slack == -math.inf else ("slack", slack)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to an `.npz` file, without pickle and without a word of what it was fitted on."""
        scorers = {id(arm.scorer): arm.scorer for arm in self.arms if arm.scorer is not None}
        places = {key: place for place, key in enumerate(scorers)}
        told = {
            **_told(self),
            "fingerprint": self.fingerprint,
            "scorer_of_arm": [None if arm.scorer is None else places[id(arm.scorer)] for arm in self.arms],
            "scorers": [
                {"seconds": one.columns.seconds, "constant": one.constant} for one in scorers.values()
            ],
        }
        arrays: dict[str, Any] = {
            f"scorer_{place}": one.weights for place, one in enumerate(scorers.values())
        }
        written = io.BytesIO()
        np.savez_compressed(
            written,
            about=np.frombuffer(json.dumps(told).encode(), np.uint8),
            quality_weights=self.quality_weights,
            quality_constants=self.quality_constants,
            cost_weights=self.cost_weights,
            cost_constants=self.cost_constants,
            cost_floors=self.cost_floors,
            **arrays,
        )
        Path(path).write_bytes(written.getvalue())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> FittedPlans:
        """Read one from a file.

        Raises:
            ConfigurationError: There is none, it is of another version, or it is damaged.
        """
        try:
            with np.load(io.BytesIO(Path(path).read_bytes()), allow_pickle=False) as file:
                about = json.loads(file["about"].tobytes())
                if (about["version"], about["answer_version"]) != (_VERSION, ANSWER_VERSION):
                    raise ConfigurationError(
                        f"{str(path)!r} was fitted by another version of langchain_router: fit it again."
                    )
                found = _read(about, {name: file[name] for name in file.files})
        except FileNotFoundError:
            raise ConfigurationError(f"There is no file {str(path)!r}.") from None
        except ConfigurationError:  # which is a ValueError, too
            raise
        except _DAMAGED as error:
            raise ConfigurationError(
                f"{str(path)!r} holds no fitted plans ({type(error).__name__}): save them anew."
            ) from None
        if found.fingerprint != about["fingerprint"]:
            raise ConfigurationError(f"{str(path)!r} is damaged: its fingerprint is another. Save it again.")
        return found


def chosen_by(rule: Rule, dial: float, quality: Real, cost: Real, reference: Real) -> NDArray[np.int64]:
    """Return which column each row's choice is.

    Args:
        rule: `"cost_weight"` or `"slack"`.
        dial: Of the rule.
        quality: Expected score of each row and column.
        cost: Expected cost of each, beside the reference's mean cost.
        reference: Expected score of the reference in each row.

    Example:
        >>> quality, cost = np.array([[0.9, 0.7]]), np.array([[1.0, 0.1]])
        >>> chosen_by("cost_weight", 0.1, quality, cost, quality[:, 0]).tolist()
        [0]
        >>> chosen_by("slack", 0.25, quality, cost, quality[:, 0]).tolist()
        [1]
    """
    if rule == "cost_weight":
        best: NDArray[np.int64] = (quality - dial * np.maximum(cost, 0.0)).argmax(axis=1)
        return best
    enough = quality >= (reference - dial)[:, None]
    cheapest: NDArray[np.int64] = np.where(enough, cost, np.inf).argmin(axis=1)
    return np.where(enough.any(axis=1), cheapest, quality.argmax(axis=1))


def _told(plans: FittedPlans) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "answer_version": ANSWER_VERSION,
        "arms": [
            {"draft": arm.draft, "seconds": arm.seconds, "last": arm.last, "most_gain": arm.most_gain}
            for arm in plans.arms
        ],
        "reference": plans.reference,
        "rule": plans.rule,
        "dial": plans.dial,
        "evidence": dict(plans.evidence),
    }


def _read(about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> FittedPlans:
    scorers = [
        GainScorer(
            columns=Columns(seconds=tuple(one["seconds"])),
            weights=arrays[f"scorer_{place}"].astype(np.float32),
            constant=float(one["constant"]),
        )
        for place, one in enumerate(about["scorers"])
    ]
    arms = tuple(
        FittedArm(
            draft=str(arm["draft"]),
            seconds=tuple(arm["seconds"]),
            last=arm["last"],
            most_gain=float(arm["most_gain"]),
            scorer=None if place is None else scorers[place],
        )
        for arm, place in zip(about["arms"], about["scorer_of_arm"], strict=True)
    )
    found = FittedPlans(
        arms=arms,
        reference=int(about["reference"]),
        quality_weights=arrays["quality_weights"].astype(np.float32),
        quality_constants=arrays["quality_constants"].astype(np.float64),
        cost_weights=arrays["cost_weights"].astype(np.float32),
        cost_constants=arrays["cost_constants"].astype(np.float64),
        cost_floors=arrays["cost_floors"].astype(np.float64),
        rule=about["rule"],
        dial=float(about["dial"]),
        evidence={str(name): float(value) for name, value in about["evidence"].items()},
    )
    weights = {found.quality_weights.shape, found.cost_weights.shape}
    constants = {found.quality_constants.shape, found.cost_constants.shape}
    if weights != {(SIZE, len(arms))} or constants != {(len(arms),)}:
        raise ValueError("not of the expected shape")
    if any(one.weights.shape != (one.columns.width,) for one in scorers):
        raise ValueError("a scorer is not of the expected shape")
    chosen = found.dial if found.rule == "fixed" else found.reference
    if found.rule not in get_args(Rule) or not {found.reference, chosen} <= {*range(len(arms))}:
        raise ValueError("there is no such rule or arm")
    return found
