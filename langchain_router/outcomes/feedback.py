"""A judgement of an answer after the fact."""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass

from langchain_router.exceptions import ConfigurationError

_LONGEST_NAME = 200
_LONGEST_COMMENT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What somebody, or something, says of an answer.

    A second one of the same source and key about the same decision takes the place of the first.

    Args:
        decision_id: The decision that it is about.
        score: How good the answer was, 0..1.
        key: What was judged: `"user"` for the answer as a whole, or a name of your own.
        source: Who says so. Give your users' ids here, so that none of them outweighs the others.
        weight: How much it counts, 0..1; what was only inferred counts less than what was said.
        comment: In words. Stored as it is: give no more than you may keep.

    Raises:
        ConfigurationError: A value is not of its kind or out of range.

    Example:
        >>> Feedback(decision_id="0197", score=0.0, comment="wrong unit").key
        'user'
    """

    decision_id: str
    score: float
    key: str = "user"
    source: str = "app"
    weight: float = 1.0
    comment: str | None = None

    def __post_init__(self) -> None:
        for name in ("score", "weight"):
            value = getattr(self, name)
            number = isinstance(value, numbers.Real) and not isinstance(value, bool)
            if not number or not math.isfinite(value) or not 0 <= value <= 1:
                raise ConfigurationError(f"{name} of a feedback must be a number from 0 to 1, got {value!r}.")
            object.__setattr__(self, name, float(value))
        for name in ("decision_id", "key", "source"):
            value = getattr(self, name)
            if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME:
                raise ConfigurationError(
                    f"{name} of a feedback must be a text of 1 to {_LONGEST_NAME} characters, "
                    f"got {value!r:.80}."
                )
        if self.comment is not None and not isinstance(self.comment, str):
            raise ConfigurationError(
                f"comment of a feedback must be a text or None, got {type(self.comment).__name__}."
            )
        if self.comment is not None and len(self.comment) > _LONGEST_COMMENT:
            object.__setattr__(self, "comment", self.comment[:_LONGEST_COMMENT])
