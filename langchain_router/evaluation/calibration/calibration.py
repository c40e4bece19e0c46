"""All that one calibration found: a certificate for each intent, or why there is none."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from langchain_router.evaluation.calibration.certificate import (
    Certificate,
    checked_fields,
    number,
    one_of,
    text,
    whole,
)
from langchain_router.exceptions import ConfigurationError
from langchain_router.frozen import FrozenDict
from langchain_router.signals.types import INTENTS, Intent

_FORMAT: Final = "langchain-router-calibration-1"
_LARGEST_FILE: Final = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why no threshold could be certified for an intent.

    Attributes:
        intent: Which.
        n: Requests that there were.
        still_needed: About how many more are needed, or None where more of the same would not help.
        observed_loss: Mean loss at the safest threshold, or None where there was no request.
        reason: In words.
    """

    intent: Intent
    n: int
    still_needed: int | None
    observed_loss: float | None
    reason: str

    def __post_init__(self) -> None:
        one_of("intent", self.intent, INTENTS)
        whole("n", self.n, least=0)
        if self.still_needed is not None:
            whole("still_needed", self.still_needed, least=1)
        if self.observed_loss is not None:
            number("observed_loss", self.observed_loss)
        text("reason", self.reason)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable data."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_dict(cls, given: object) -> Refusal:
        """Return a refusal from `to_dict`.

        Raises:
            ConfigurationError: It is not such data.
        """
        return cls(**checked_fields(cls, given, "a refusal"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The certificates of one calibration, by intent, and the refusals.

    An intent has one or the other, or neither where it was not asked for. Where there is no certificate, go
    no further than the safest: `threshold_for` then returns None.

    Attributes:
        certificates: By intent.
        refusals: By intent.

    Raises:
        ConfigurationError: One stands under another intent than its own, or an intent has both.

    Example:
        >>> Calibration().threshold_for("reasoning") is None
        True
    """

    certificates: Mapping[Intent, Certificate] = field(default_factory=dict, hash=False)
    refusals: Mapping[Intent, Refusal] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name, kind in (("certificates", Certificate), ("refusals", Refusal)):
            given = getattr(self, name)
            if not isinstance(given, Mapping):
                raise ConfigurationError(f"{name} must be a mapping, got {type(given).__name__}.")
            for intent, one in given.items():
                if not isinstance(one, kind) or one.intent != intent:
                    raise ConfigurationError(f"{name}[{intent!r:.80}] is not a {kind.__name__} for it.")
            object.__setattr__(self, name, FrozenDict(given))
        both = sorted(set(self.certificates) & set(self.refusals))
        if both:
            raise ConfigurationError(f"{both[0]!r} has a certificate and a refusal; leave one out.")

    def threshold_for(self, intent: Intent) -> float | None:
        """Return how far routing may go for an intent; None where that is not certified."""
        found = self.certificates.get(intent)
        return None if found is None else found.threshold

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable data."""
        return {
            "format": _FORMAT,
            "certificates": [one.to_dict() for one in self.certificates.values()],
            "refusals": [one.to_dict() for one in self.refusals.values()],
        }

    @classmethod
    def from_dict(cls, given: object) -> Calibration:
        """Return a calibration from `to_dict`; every value is checked.

        Raises:
            ConfigurationError: It is not such data; says what is wrong.
        """
        if not isinstance(given, Mapping) or given.get("format") != _FORMAT:
            raise ConfigurationError(f'A calibration must be a JSON object with "format": "{_FORMAT}".')
        parts: list[dict[Intent, Any]] = []
        for name, read in (("certificates", Certificate.from_dict), ("refusals", Refusal.from_dict)):
            parts.append(_by_intent(name, given.get(name, []), read))
        return cls(certificates=parts[0], refusals=parts[1])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a JSON file.

        Raises:
            ConfigurationError: It cannot be written.
        """
        try:
            Path(path).write_text(json.dumps(self.to_dict(), indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise ConfigurationError(
                f"The calibration cannot be written to {str(path)!r}: {error}"
            ) from error

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Calibration:
        """Read a file that `save` or `langchain-router calibrate --json` wrote.

        Raises:
            ConfigurationError: It cannot be read, or holds no calibration.
        """
        try:
            with Path(path).open("rb") as file:
                data = file.read(_LARGEST_FILE + 1)
        except OSError as error:
            raise ConfigurationError(f"The calibration {str(path)!r} cannot be read: {error}") from error
        if len(data) > _LARGEST_FILE:
            raise ConfigurationError(f"{str(path)!r} is too large for a calibration.")
        try:
            given = json.loads(data)
        except (ValueError, RecursionError):
            raise ConfigurationError(f"{str(path)!r} is not JSON in UTF-8.") from None
        try:
            return cls.from_dict(given)
        except ConfigurationError as error:
            raise ConfigurationError(f"{str(path)!r} holds no calibration: {error}") from None


def _by_intent(name: str, given: object, read: Callable[[object], Any]) -> dict[Intent, Any]:
    if not isinstance(given, Iterable) or isinstance(given, (str, Mapping)):
        raise ConfigurationError(f"{name} must be a list, got {type(given).__name__}.")
    found: dict[Intent, Any] = {}
    for one in map(read, given):
        if one.intent in found:
            raise ConfigurationError(f"{name} holds {one.intent!r} twice.")
        found[one.intent] = one
    return found
