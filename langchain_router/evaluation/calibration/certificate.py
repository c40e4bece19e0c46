"""What was proved of a threshold, in data that can be stored, cited and read back."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, get_args

from langchain_router.exceptions import ConfigurationError
from langchain_router.signals.types import INTENTS, Intent
from langchain_router.wording import shown

Method = Literal["hoeffding-bentkus", "betting"]
"""Which p-value a certificate rests on."""

Basis = Literal["recorded", "logged"]
"""What was measured: outcomes of every model for each request, or a log in which one answer was judged."""

_LONGEST: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """How far routing may go for one intent, and what that was tested on.

    It says: were requests like those measured routed with this threshold, quality would be at most
    `risk_bound` below that of `reference` on average. A calibration brings a certificate that is wrong in
    at most one minus `confidence` of cases. It holds for requests like those measured, for the policy as it
    was then, and for the mean, not for each request.

    Args:
        intent: For requests taken for this kind, by the classifier that was in use.
        threshold: How far to go: for a slack, the predicted quality that may be given up, 0..1.
        n: Requests that it was tested on.
        risk_bound: Most quality that is lost on average, in score points from 0 to 1.
        confidence: Above 0 and below 1.
        together: Of how many certificates of one calibration the confidence holds at once; 1 for each alone.
        method: Which p-value.
        basis: What was measured.
        observed_loss: Mean loss that was measured; of a log, the cautious estimate of it.
        band: Where the mean score returned lies, by what was measured, or None where that is unknown:
            `CertificateWatch` holds live feedback against it.
        reference: What quality is compared with, in words.
        policy: Which policy, by name and parameters.
        date: When it was issued: ISO 8601, with a time zone.
        data_fingerprint: Of what was measured.

    Raises:
        ConfigurationError: A value is not of its kind or out of range.

    Example:
        >>> certificate = Certificate(
        ...     intent="reasoning", threshold=0.1, n=2400, risk_bound=0.02, confidence=0.95,
        ...     method="betting", observed_loss=0.006, reference="the best predicted", policy="adaptive",
        ...     date="2026-11-25T12:00:00+00:00", data_fingerprint="3f2a9c0d11e4b7a6")
        >>> Certificate.from_dict(certificate.to_dict()) == certificate
        True
        >>> print(certificate.sentence())
        for reasoning, slack 0.1 loses at most 0.02 of quality on average against the best predicted, with 95 % confidence (n = 2400, betting on recorded outcomes, 2026-11-25, data 3f2a9c0d11e4b7a6)
    """  # noqa: E501 - the sentence is one line

    intent: Intent
    threshold: float
    n: int
    risk_bound: float
    confidence: float
    together: int = 1
    method: Method
    basis: Basis = "recorded"
    observed_loss: float
    band: tuple[float, float] | None = None
    reference: str
    policy: str
    date: str
    data_fingerprint: str

    def __post_init__(self) -> None:
        one_of("intent", self.intent, INTENTS)
        one_of("method", self.method, get_args(Method))
        one_of("basis", self.basis, get_args(Basis))
        for name in ("n", "together"):
            whole(name, getattr(self, name), least=1)
        for name in ("risk_bound", "confidence"):
            value = number(name, getattr(self, name))
            if not 0 < value < 1:
                raise ConfigurationError(f"{name} must be above 0 and below 1, got {value!r}.")
            object.__setattr__(self, name, value)
        for name in ("threshold", "observed_loss"):
            object.__setattr__(self, name, number(name, getattr(self, name)))
        if self.band is not None:
            if not isinstance(self.band, (list, tuple)) or len(self.band) != 2:
                raise ConfigurationError(f"band must be two numbers or None, got {shown(self.band)}.")
            low, high = (number("band", one) for one in self.band)
            if not 0 <= low <= high <= 1:
                raise ConfigurationError(f"band must be two numbers from 0 to 1, got {(low, high)!r}.")
            object.__setattr__(self, "band", (low, high))
        for name in ("reference", "policy", "date", "data_fingerprint"):
            text(name, getattr(self, name))
        as_time(self.date)

    @property
    def at_s(self) -> float:
        """When it was issued, in seconds since 1970."""
        return as_time(self.date).timestamp()

    def sentence(self) -> str:
        """Say in plain words what is certified, without a full stop."""
        sure = f"{self.confidence * 100:.4g} % confidence"
        if self.together > 1:
            sure += f" for all {self.together} intents at once"
        on = "recorded outcomes" if self.basis == "recorded" else "a log's judged and explored decisions"
        return (
            f"for {self.intent}, slack {self.threshold:g} loses at most {self.risk_bound:g} of quality on "
            f"average against {self.reference}, with {sure} (n = {self.n}, {self.method} on {on}, "
            f"{self.date[:10]}, data {self.data_fingerprint})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable data, as a policy puts it into `policy_params["certificate"]`."""
        told = {one.name: getattr(self, one.name) for one in fields(self)}
        return {**told, "band": None if self.band is None else list(self.band)}

    @classmethod
    def from_dict(cls, given: object) -> Certificate:
        """Return a certificate from `to_dict`.

        Raises:
            ConfigurationError: It is not such data; says which field.
        """
        return cls(**checked_fields(cls, given, "a certificate"))


def checked_fields(of: Any, given: object, what: str) -> dict[str, Any]:
    """Return the fields of a dataclass that were given as data.

    Raises:
        ConfigurationError: One is missing, or one is not known.
    """
    if not isinstance(given, Mapping):
        raise ConfigurationError(f"{what} must be a JSON object, got {type(given).__name__}.")
    known = {one.name for one in fields(of)}
    stray = sorted(str(name)[:80] for name in given if name not in known)
    if stray:
        raise ConfigurationError(f"{what} has no field {stray[0]!r}: was it written by a newer version?")
    from dataclasses import MISSING

    missing = sorted(
        one.name
        for one in fields(of)
        if one.name not in given and one.default is MISSING and one.default_factory is MISSING
    )
    if missing:
        raise ConfigurationError(f"{what} lacks {', '.join(missing)}.")
    return dict(given)


def as_time(date: str) -> dt.datetime:
    """Return a date of ISO 8601.

    Raises:
        ConfigurationError: It is none, or has no time zone.
    """
    try:
        found = dt.datetime.fromisoformat(date)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ConfigurationError(
            f"date must be of ISO 8601 with a time zone, such as '2026-11-25T12:00:00+00:00', got {date!r}."
        )
    return found


def one_of(name: str, value: object, known: tuple[str, ...]) -> None:
    """Refuse what is not one of the names known.

    Raises:
        ConfigurationError: It is not.
    """
    if not isinstance(value, str) or value not in known:
        raise ConfigurationError(f"{name} must be one of {', '.join(known)}, got {shown(value):.80}.")


def number(name: str, value: object) -> float:
    """Return a finite number.

    Raises:
        ConfigurationError: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ConfigurationError(f"{name} must be a finite number, got {shown(value):.80}.")
    return float(value)


def whole(name: str, value: object, *, least: int) -> None:
    """Refuse what is not a whole number.

    Raises:
        ConfigurationError: It is not, or too small.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ConfigurationError(f"{name} must be a whole number of {least} or more, got {shown(value):.80}.")


def text(name: str, value: object) -> None:
    """Refuse what is not a short text.

    Raises:
        ConfigurationError: It is not.
    """
    if not isinstance(value, str) or not value or len(value) > _LONGEST:
        raise ConfigurationError(f"{name} must be a text of 1 to {_LONGEST} characters.")
