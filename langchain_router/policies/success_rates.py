"""How often each arm succeeded, by intent: counts that are the same in whatever order they were learned."""

from __future__ import annotations

import io
import math
import threading
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from langchain_router.forks import give_lock
from langchain_router.outcomes.lessons import Ended, Label, Labelled, Lesson
from langchain_router.quality.expectation import steps_of_arm
from langchain_router.quality.sums import HALF_LIFE_S, FadingSums
from langchain_router.signals.types import INTENTS, Intent

_WEIGHT_UNIT: Final = 64
_SCORE_UNIT: Final = 1024
_UNIT: Final = _WEIGHT_UNIT * _SCORE_UNIT
_MOST_ARMS: Final = 256
_PLACE: Final = {label: place for place, label in enumerate(INTENTS)}


class SuccessRates:
    """Counts successes and failures of each arm at each intent, from feedback.

    An answer that another candidate gave, because the arm's own failed, counts for that candidate alone.

    Args:
        success_at: Least score that is a success, 0..1; None counts a score of 0.7 as seven tenths of one.
        half_life_s: After how long a judgement counts half, in seconds; None for never.
    """

    def __init__(self, *, success_at: float | None, half_life_s: float | None = HALF_LIFE_S) -> None:
        self.success_at = success_at
        self._sums = FadingSums((len(INTENTS), 2), half_life_s=half_life_s, most_keys=_MOST_ARMS)
        self._read: dict[str, NDArray[np.float64]] = {}
        self._lock: threading.Lock
        give_lock(self, "_lock")

    @property
    def fingerprint(self) -> str:
        """Names what is counted, and how."""
        return f"success-rates-1(success_at={self.success_at!r}, half_life_s={self._sums.half_life_s!r})"

    def learn(self, lesson: Lesson) -> None:
        """Take a lesson in: its old label out of the counts, its new one into them."""
        if isinstance(lesson, Ended):
            return
        arm, situation = _credited(lesson), lesson.ended.situation
        if arm is None or situation.intent not in _PLACE or not math.isfinite(situation.at_s):
            return
        with self._lock:
            newest = self._sums.newest
            for label, sign in ((lesson.old, -1), (lesson.new, 1)):
                if label is not None:
                    counts = np.zeros(self._sums.shape, np.int64)
                    succeeded = round(_SCORE_UNIT * self._success(label))
                    weight = round(_WEIGHT_UNIT * label.weight)
                    counts[_PLACE[situation.intent]] = weight * succeeded, weight * (_SCORE_UNIT - succeeded)
                    self._sums.add(arm, counts, at_s=situation.at_s, sign=sign)
            if self._sums.newest == newest and len(self._read) < 2 * _MOST_ARMS:
                self._read.pop(arm, None)
            else:
                self._read.clear()

    def counts(self, arm: str, intent: Intent) -> tuple[float, float, float, float]:
        """Return an arm's successes and failures at an intent, then those at all the other intents."""
        with self._lock:
            if arm not in self._read:
                self._read[arm] = np.maximum(self._sums.read(arm), 0.0) / _UNIT
            read = self._read[arm]
            successes, failures = read[_PLACE[intent]].tolist()
            all_successes, all_failures = read.sum(axis=0).tolist()
        return successes, failures, max(all_successes - successes, 0.0), max(all_failures - failures, 0.0)

    def state(self) -> bytes:
        """Return the counts, as an `.npz` file without pickles."""
        with self._lock:
            arrays = self._sums.arrays()
        whose: NDArray[Any] = np.frombuffer(self.fingerprint.encode(), np.uint8)
        file = io.BytesIO()
        np.savez_compressed(file, fingerprint=whose, **arrays)  # type: ignore[arg-type]
        return file.getvalue()

    def load(self, state: bytes) -> None:
        """Take over the counts of another of the same fingerprint, instead of its own.

        Raises:
            ValueError: It is not such a state; then nothing has changed.
        """
        try:
            with np.load(io.BytesIO(state), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            whose = arrays.pop("fingerprint").tobytes().decode()
        except Exception as error:  # whatever a broken file makes of the reader
            raise ValueError(f"not a state of success rates ({type(error).__name__})") from error
        if whose != self.fingerprint:
            raise ValueError(f"the state of another learner ({whose[:60]!r}), this is {self.fingerprint!r}")
        with self._lock:
            try:
                self._sums.load(arrays)
            except Exception as error:  # likewise
                raise ValueError(f"a broken state of success rates ({type(error).__name__})") from error
            self._read.clear()

    def forget(self) -> None:
        """Forget all counts."""
        with self._lock:
            self._sums.clear()
            self._read.clear()

    def _success(self, label: Label) -> float:
        """Return a label as a success or not; what was only inferred, of less than full weight, as it is."""
        if self.success_at is None or label.weight < 1:
            return label.score
        return float(label.score >= self.success_at)


def _credited(lesson: Labelled) -> str | None:
    """Return the arm whose answer was judged."""
    situation, served = lesson.ended.situation, lesson.ended.served_by
    if served is None or served in dict(steps_of_arm(situation.plan)):
        return None if served is None else situation.arm
    return served
