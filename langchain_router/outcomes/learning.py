"""Feeds what learns from what is stored: own lessons at once, those of other processes every few seconds."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from langchain_router.exceptions import StoreError
from langchain_router.execution.workers import Worker
from langchain_router.forks import give_lock
from langchain_router.outcomes.lessons import Labelled, Learner, Lesson

if TYPE_CHECKING:
    from langchain_router.outcomes.store import OutcomeStore

_logger = logging.getLogger("langchain_router")

_LESSONS_AT_ONCE: Final = 1_000
_FORK_WAIT_S: Final = 2.0
_SAVE_EVERY: Final = 2_000
"""Lessons after which the beliefs are saved, so that a start need not replay the whole log."""


class Learning:
    """Keeps learners in step with a store.

    The store numbers its lessons, and each is learned once, in the order of the numbers. Nothing here is on
    the path of a request: what other processes have stored is fetched in a thread, at most one at a time.

    Args:
        store: Where the lessons are.
        learners: What learns: a policy, a quality model.
        every_s: How often to look for the lessons of others while there are requests, in seconds.
        clock: Monotonic seconds.

    Attributes:
        lessons: How many lessons the beliefs rest on.
        labels: How many answers are judged in them.
        refused: How many lessons a learner has raised on.
    """

    def __init__(
        self,
        store: OutcomeStore,
        learners: Sequence[Learner],
        *,
        every_s: float = 3.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lessons = 0
        self.labels = 0
        self.refused = 0
        self._store = store
        self._learners = tuple(learners)
        self._every_s = every_s
        self._clock = clock
        self._lock: threading.Lock
        give_lock(self, "_lock")
        self._after = 0
        self._unsaved = 0
        self._looked_at = clock()
        self._is_looking: threading.Lock
        give_lock(self, "_is_looking")
        self._fingerprint = _fingerprint_of(self._learners)
        _alive.add(self)

    def start(self) -> None:
        """Take over what was learned before: the saved beliefs, and the lessons since then."""
        if not self._learners:
            return
        saved = self._store.load_state(self._fingerprint)
        if saved is not None:
            self._load(*saved)
        self.catch_up()

    def catch_up(self) -> int:
        """Learn what has been stored since last time; return how many lessons that were."""
        if not self._learners:
            return 0
        learned = 0
        with self._lock:
            while found := self._store.lessons(self._after, _LESSONS_AT_ONCE):
                for number, lesson in found:
                    for learner in self._learners:
                        self._teach(learner, lesson)
                    self._after = number
                    if isinstance(lesson, Labelled):
                        self.labels += (lesson.old is None) - (lesson.new is None)
                learned += len(found)
            self.lessons += learned
            self._unsaved += learned
            if self._unsaved >= _SAVE_EVERY:
                self._save()
        return learned

    def look(self) -> None:
        """Fetch the lessons of others if it is time to, without waiting for them."""
        now = self._clock()
        if not self._learners or now - self._looked_at < self._every_s:
            return
        if self._is_looking.acquire(blocking=False):
            self._looked_at = now
            Worker(self._look)

    def relearn(self) -> int:
        """Forget all and learn the whole log anew; return how many lessons that were.

        Raises:
            StoreError: The log cannot be read now, or no longer reaches back to its beginning: nothing is
                forgotten then.
        """
        with self._lock:
            first = self._store.lessons(0, 1)
            if self.lessons and not first:
                raise StoreError(
                    self._store.url, "cannot be read now; nothing was forgotten. Try again later."
                )
            if first and first[0][0] > 1:
                raise StoreError(
                    self._store.url,
                    "no longer reaches back to the first lesson, so nothing was forgotten. A store in memory "
                    "keeps the last requests only; one in a file keeps all.",
                )
            for learner in self._learners:
                learner.forget()
            self._after = self.lessons = self.labels = 0
        return self.catch_up()

    def health(self) -> dict[str, int | bool]:
        """Return on how much the beliefs rest, as plain data."""
        return {
            "learns": bool(self._learners),
            "lessons": self.lessons,
            "feedback": self.labels,
            "refused": self.refused,
        }

    def save(self) -> None:
        """Save the beliefs, so that the next start need not replay the log."""
        with self._lock:
            if self._learners and self._unsaved:
                self._save()

    def _teach(self, learner: Learner, lesson: Lesson) -> None:
        try:
            learner.learn(lesson)
        except Exception as error:  # noqa: BLE001 - one learner must not keep the others from learning
            self.refused += 1
            _logger.warning("%s did not learn a lesson (%s)", type(learner).__name__, type(error).__name__)

    def _look(self) -> None:
        try:
            self.catch_up()
        except Exception as error:  # noqa: BLE001 - the store is away; it is looked at again later
            _logger.warning("learning from the store failed (%s); trying again later", type(error).__name__)
        finally:
            self._is_looking.release()

    def _save(self) -> None:
        state = _packed([learner.state() for learner in self._learners], self.lessons, self.labels)
        self._store.save_state(self._fingerprint, after=self._after, state=state)
        self._unsaved = 0

    def _load(self, after: int, state: bytes) -> None:
        try:
            states, lessons, labels = _unpacked(state, len(self._learners))
            for learner, one in zip(self._learners, states, strict=True):
                learner.load(one)
        except ValueError as error:
            _logger.warning("saved beliefs cannot be read (%s); learning the log anew", error)
            for learner in self._learners:
                learner.forget()
            return
        self._after, self.lessons, self.labels = after, lessons, labels


def _before_fork() -> None:
    """Let no lesson be half learned where the process forks; wait for that no longer than a moment."""
    _held[:] = [one for one in _alive if one._lock.acquire(timeout=_FORK_WAIT_S)]  # noqa: SLF001


def _after_fork_in_parent() -> None:
    for learning in _held:
        learning._lock.release()  # noqa: SLF001
    _held.clear()


def _after_fork_in_child() -> None:
    """Forget what was held: the child has new locks."""
    _held.clear()


_alive: weakref.WeakSet[Learning] = weakref.WeakSet()
_held: list[Learning] = []

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child
    )


def learners_among(*parts: Any) -> list[Learner]:
    """Return those that learn."""
    return [part for part in parts if callable(getattr(part, "learn", None)) and hasattr(part, "fingerprint")]


def _fingerprint_of(learners: Sequence[Learner]) -> str:
    told = "\n".join(learner.fingerprint for learner in learners)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _packed(states: Sequence[bytes], lessons: int, labels: int) -> bytes:
    numbers = [lessons, labels, *(len(state) for state in states)]
    return b"".join(number.to_bytes(8, "big") for number in numbers) + b"".join(states)


def _unpacked(packed: bytes, count: int) -> tuple[list[bytes], int, int]:
    head = 8 * (2 + count)
    numbers = [int.from_bytes(packed[at : at + 8], "big") for at in range(0, head, 8)]
    lengths = numbers[2:]
    if len(packed) != head + sum(lengths):
        raise ValueError("their length does not fit")
    states, at = [], head
    for length in lengths:
        states.append(packed[at : at + length])
        at += length
    return states, numbers[0], numbers[1]
