"""The recorded requests of a store, in the order in which they ended, with what was said of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from langchain_router.exceptions import ConfigurationError, StoreError
from langchain_router.outcomes.lessons import Ended, Label, Labelled, Lesson

if TYPE_CHECKING:
    from langchain_router.outcomes.store import OutcomeStore

_AT_ONCE: Final = 1_000
_UNANSWERED: Final = frozenset({"error", "timeout", "truncated", "refused"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """One recorded request.

    Attributes:
        ended: What was decided on what, and what it came to.
        label: How good the answer was by all that was said of it, or None.
    """

    ended: Ended
    label: Label | None = None

    @property
    def decision_id(self) -> str:
        """Whose it is."""
        return self.ended.situation.decision_id

    @property
    def cost_usd(self) -> float | None:
        """What all calls together cost, in US dollars; None when that of any is unknown."""
        costs = [call.cost_usd for call in self.ended.calls]
        return None if None in costs else sum(cost for cost in costs if cost is not None)

    @property
    def is_lost(self) -> bool:
        """Whether nobody answered, though nobody gave up waiting either: as bad as an answer can be."""
        return self.ended.served_by is None and self.ended.status in _UNANSWERED


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What is recorded.

    Attributes:
        lessons: All of them, in the order of their numbers.
        requests: Those that were asked for, in the order in which they ended.
        is_whole: Whether it reaches back to the first lesson there ever was.
    """

    lessons: tuple[Lesson, ...] = field(repr=False)
    requests: tuple[Logged, ...] = field(repr=False)
    is_whole: bool = True


def read_log(
    store: OutcomeStore, *, since_s: float | None = None, wall_clock: Callable[[], float] = time.time
) -> Log:
    """Read the log of a store.

    Requests that have not ended, or whose process was killed, are not in it.

    Args:
        store: Where it is. Rows that wait to be written there are written first.
        since_s: How far back requests count, in seconds; None for all. Older ones are still learned from.
        wall_clock: Seconds since 1970.

    Raises:
        ConfigurationError: It holds no such requests.
        StoreError: It could not be read to its end.
    """
    store.flush()
    lessons: list[Lesson] = []
    ended: dict[str, Ended] = {}
    labels: dict[str, Label | None] = {}
    first = last = 0
    while found := store.lessons(last, _AT_ONCE):
        first = first or found[0][0]
        last = found[-1][0]
        for _, lesson in found:
            lessons.append(_shared(lesson, ended))
            if isinstance(lesson, Labelled):
                labels[lesson.ended.situation.decision_id] = lesson.new
    if last < store.counts().get("lessons", last + 1):
        raise StoreError(store.url, "could not be read to the end of its log. Try again later.")
    start_s = None if since_s is None else wall_clock() - since_s
    requests = tuple(
        Logged(ended=one, label=labels.get(decision_id))
        for decision_id, one in ended.items()
        if start_s is None or one.situation.at_s >= start_s
    )
    if not requests:
        when = "" if start_s is None or not ended else f" since then; it holds {len(ended)} older ones"
        raise ConfigurationError(
            f"The store {store.url} holds no request that has ended{when}. "
            "Name the store that your router writes to, or look further back."
        )
    return Log(lessons=tuple(lessons), requests=requests, is_whole=first <= 1)


def _shared(lesson: Lesson, ended: dict[str, Ended]) -> Lesson:
    """Return the lesson with what it has in common with others of its request held once only."""
    if isinstance(lesson, Ended):
        return ended.setdefault(lesson.situation.decision_id, lesson)
    return replace(lesson, ended=ended.setdefault(lesson.ended.situation.decision_id, lesson.ended))
