"""Tells when live feedback no longer looks like what a certificate was issued on."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from langchain_router.evaluation.calibration.calibration import Calibration
from langchain_router.evaluation.calibration.certificate import number
from langchain_router.exceptions import ConfigurationError
from langchain_router.experiments.confidence import mean_interval
from langchain_router.forks import give_lock
from langchain_router.outcomes.lessons import Label, Labelled, Lesson
from langchain_router.signals.types import INTENTS, Intent

COUNTS_FULLY: Final = 1.0
"""Weight of the labels that are counted: what was said, not what hooks inferred."""

_SCORE_UNIT: Final = 1024
"""Scores are kept as whole multiples of 1/1024."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How live feedback on one certified intent compares with the certificate.

    Attributes:
        intent: Which.
        n: Judged answers since the certificate was issued.
        mean: Their mean score, or None where there are none.
        interval: Where the true mean lies, at all times at once; 0 to 1 at first.
        band: Where it lay when the certificate was issued, or None where that is not known.
        is_stale: Whether the two no longer meet.
    """

    intent: Intent
    n: int
    mean: float | None
    interval: tuple[float, float]
    band: tuple[float, float] | None
    is_stale: bool

    def advice(self) -> str:
        """Say what to do, in words."""
        if self.band is None:
            return f"{self.intent}: no band is known, so nothing can be told from feedback"
        if not self.is_stale:
            return f"{self.intent}: nothing to do"
        than = "lower" if self.interval[1] < self.band[0] else "higher"
        return (
            f"{self.intent}: recalibrate. Answers are judged {than} than when the certificate was issued "
            f"({self.interval[0]:.3f} to {self.interval[1]:.3f}, from {self.n} judged; then "
            f"{self.band[0]:.3f} to {self.band[1]:.3f})"
        )


class CertificateWatch:
    """Compares live feedback with the scores that certificates were issued on, intent by intent.

    Feed it the lessons of a store, as any learner. A certificate is stale when the confidence sequence of the
    live mean score has left the certificate's band. With nothing changed that happens, ever, with at most
    the certificate's own doubt (one minus its confidence), however often one looks.

    Stale means that the traffic, the answers or those who judge have changed. It does not mean that more
    quality is lost than allowed: live feedback says nothing of what the reference would have answered. A
    band is of use only where scores mean the same in both: one measured by unit tests says little about
    thumbs, and feedback that mostly complainers give lies below any. Give `bands` of your own then.

    Only labels of full weight count. What is believed is the same in whatever order lessons came. After very
    many that were good, it takes about as many that are not until a change is seen: recalibrate now and then
    in any case.

    Args:
        calibration: The certificates.
        policy: Count only decisions of the policy of this name; None counts all.
        bands: By intent, where the mean score is to lie, instead of the certificate's band.

    Raises:
        ConfigurationError: A band is not two numbers from 0 to 1, or of an intent without a certificate.

    Example:
        >>> CertificateWatch(Calibration()).health()
        {'stale': [], 'advice': {}}
    """

    def __init__(
        self,
        calibration: Calibration,
        *,
        policy: str | None = None,
        bands: Mapping[Intent, tuple[float, float]] | None = None,
    ) -> None:
        if not isinstance(calibration, Calibration):
            raise ConfigurationError(
                f"calibration must be a Calibration, got {type(calibration).__name__}. "
                "Calibration.load(path) reads one."
            )
        self._certificates = calibration.certificates
        self._policy = policy
        self._bands = {intent: one.band for intent, one in self._certificates.items()}
        for intent, band in (bands or {}).items():
            if intent not in self._certificates:
                raise ConfigurationError(f"bands holds {intent!r:.80}, for which there is no certificate.")
            low, high = (number(f"bands[{intent!r}]", one) for one in band)
            if not 0 <= low <= high <= 1:
                raise ConfigurationError(f"bands[{intent!r}] must be two numbers from 0 to 1, got {band!r}.")
            self._bands[intent] = (low, high)
        self._sums: dict[str, list[int]] = {}  # judged answers, and their scores
        self._lock: threading.Lock
        give_lock(self, "_lock")

    @property
    def fingerprint(self) -> str:
        """Names the watch and the certificates that it is for."""
        told = json.dumps([one.to_dict() for one in self._certificates.values()], sort_keys=True)
        return f"certificate-watch-1({hashlib.sha256(told.encode()).hexdigest()[:16]}, {self._policy!r})"

    def learn(self, lesson: Lesson) -> None:
        """Count a judgement of an answer that was decided on since its certificate was issued."""
        if not isinstance(lesson, Labelled):
            return
        situation = lesson.ended.situation
        certificate = self._certificates.get(situation.intent)
        if certificate is None or situation.at_s < certificate.at_s:
            return
        if self._policy is not None and situation.policy != self._policy:
            return
        with self._lock:
            sums = self._sums.setdefault(situation.intent, [0, 0])
            for label, sign in ((lesson.old, -1), (lesson.new, 1)):
                if label is not None and label.weight >= COUNTS_FULLY:
                    sums[0] += sign
                    sums[1] += sign * _as_whole(label)

    def standings(self) -> tuple[Standing, ...]:
        """Return how every certificate stands."""
        with self._lock:
            sums = {intent: tuple(one) for intent, one in self._sums.items()}
        return tuple(self._standing(intent, *sums.get(intent, (0, 0))) for intent in self._certificates)

    def stale(self) -> tuple[Intent, ...]:
        """Return the intents whose certificates no longer fit what is heard."""
        return tuple(one.intent for one in self.standings() if one.is_stale)

    def health(self) -> dict[str, Any]:
        """Return which are stale, and advice on each, as plain data."""
        found = self.standings()
        return {
            "stale": [one.intent for one in found if one.is_stale],
            "advice": {one.intent: one.advice() for one in found},
        }

    def state(self) -> bytes:
        """Return what was counted."""
        with self._lock:
            return json.dumps(self._sums, sort_keys=True).encode()

    def load(self, state: bytes) -> None:
        """Take over what another of the same fingerprint has counted.

        Raises:
            ValueError: It is not such a state.
        """
        given = json.loads(state)
        if not isinstance(given, dict) or not all(_are_sums(intent, one) for intent, one in given.items()):
            raise ValueError("not what a certificate watch has counted")
        with self._lock:
            self._sums = {intent: list(one) for intent, one in given.items()}

    def forget(self) -> None:
        """Forget all that was counted."""
        with self._lock:
            self._sums = {}

    def _standing(self, intent: Intent, n: int, total: int) -> Standing:
        band = self._bands[intent]
        if n <= 0:  # a label may be taken back before the lesson that gave it is met
            return Standing(intent=intent, n=0, mean=None, interval=(0.0, 1.0), band=band, is_stale=False)
        mean = min(max(total / _SCORE_UNIT / n, 0.0), 1.0)
        doubt = (1 - self._certificates[intent].confidence) / 2  # the other half is the band's
        low, high = mean_interval(mean * n, n, confidence=1 - doubt)
        is_stale = band is not None and (high < band[0] or low > band[1])
        return Standing(intent=intent, n=n, mean=mean, interval=(low, high), band=band, is_stale=is_stale)


def _as_whole(label: Label) -> int:
    return round(label.score * _SCORE_UNIT)


def _are_sums(intent: object, given: object) -> bool:
    if intent not in INTENTS or not isinstance(given, list) or len(given) != 2:
        return False
    return all(isinstance(one, int) and not isinstance(one, bool) for one in cast("list[object]", given))
