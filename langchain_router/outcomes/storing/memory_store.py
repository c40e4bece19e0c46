"""A store that keeps the last requests in memory, and nothing on disk."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from langchain_router.outcomes.asked import Asked
from langchain_router.outcomes.feedback import Feedback
from langchain_router.outcomes.judgements import Allowance, Kept, Place, Receipt, label_now, take
from langchain_router.outcomes.labels import DAY_S, cap_of_a_source
from langchain_router.outcomes.lessons import Ended, Label, Labelled, Lesson, Situation, ended_of
from langchain_router.outcomes.records import Outcome
from langchain_router.outcomes.storing import processes

_MOST_DECISIONS: Final = 1_000
_LESSONS_EACH: Final = 2
_MOST_WAITING: Final = 1_000
_MOST_LINKS_EACH: Final = 4
_WAITS_S: Final = 3_600.0


@dataclass(slots=True)
class _Case:
    """What is known of one decision."""

    situation: Situation
    ended: Ended | None = None
    label: Label | None = None
    said: dict[Place, Kept] = field(default_factory=dict)


class MemoryStore:
    """Keeps the last decisions, and what was said of them, in this process only.

    What was learned ends with the process; prefer a file (`open_store("sqlite:///router.db")`) where it
    should not. Behaves like `SqlStore` otherwise.

    Args:
        trusted_sources: Whose feedback counts without a limit.
        most_decisions: The oldest beyond these are forgotten, with what was said of them. Twice as many
            lessons are kept for those who ask later.
        wall_clock: Seconds since 1970.

    Example:
        >>> MemoryStore().counts()["decisions"]
        0
    """

    def __init__(
        self,
        *,
        trusted_sources: Collection[str] = ("app",),
        most_decisions: int = _MOST_DECISIONS,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._trusted = frozenset(trusted_sources)
        self._most = most_decisions
        self._wall_clock = wall_clock
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._is_closed = False
        self._cases: OrderedDict[str, _Case] = OrderedDict()
        self._links: OrderedDict[str, str] = OrderedDict()
        self._waiting: OrderedDict[tuple[str, Place], tuple[Feedback, float]] = OrderedDict()
        self._lessons: deque[Lesson] = deque(maxlen=_LESSONS_EACH * most_decisions)
        self._last = 0
        self._spoken: Counter[str] = Counter()  # at least as often as what is kept, and no weight exceeds 1
        self._states: dict[str, tuple[int, bytes]] = {}
        self._counted = dict.fromkeys(("decisions", "outcomes", "orphaned", "rejected", "dropped"), 0)
        processes.register(self)

    def __repr__(self) -> str:
        return "MemoryStore()"

    @property
    def url(self) -> str:
        """`"memory"`."""
        return "memory"

    @property
    def key(self) -> bytes:
        """For the hashes of prompts; its own, and gone with it."""
        return self._key

    def decided(self, situation: Situation, asked: Asked) -> None:  # noqa: ARG002 - nothing is stored of it
        """Keep a decision."""
        with self._lock:
            if self._is_closed or situation.decision_id in self._cases:
                self._counted["dropped"] += self._is_closed
                return
            self._cases[situation.decision_id] = _Case(situation)
            self._counted["decisions"] += 1
            if len(self._cases) > self._most:
                self._cases.popitem(last=False)
            self._came(situation.decision_id)

    def ended(self, outcome: Outcome, *, message_id: str | None = None) -> None:
        """Keep what came of it."""
        with self._lock:
            case = self._cases.get(outcome.decision_id)
            if case is None or self._is_closed:
                self._counted["dropped" if self._is_closed else "orphaned"] += 1
                return
            if case.ended is None:
                self._counted["outcomes"] += 1
                case.ended = ended_of(case.situation, outcome)
                self._learn(case.ended)
                self._relabel(case)
            if message_id:
                self._link(message_id, outcome.decision_id)

    def linked(self, decision_id: str, run_id: str) -> None:
        """Keep a run by whose id feedback may come."""
        with self._lock:
            if decision_id in self._cases and not self._is_closed:
                self._link(run_id, decision_id)
            else:
                self._counted["dropped" if self._is_closed else "orphaned"] += 1

    def add_feedback(self, *feedback: Feedback) -> list[Receipt]:
        """Keep feedback."""
        with self._lock:
            return self._add(feedback)

    async def aadd_feedback(self, *feedback: Feedback) -> list[Receipt]:
        """Keep feedback; nothing here waits."""
        return self.add_feedback(*feedback)

    def find_decision(self, any_id: str) -> str | None:
        """Return the decision by its own id, or that of its message or run; None where it is not known."""
        with self._lock:
            return self._find(any_id)

    def forget_source(self, source: str) -> int:
        """Take back everything that a source has said; return how much that was."""
        with self._lock:
            for waiting in [place for place, (one, _) in self._waiting.items() if one.source == source]:
                del self._waiting[waiting]
            self._spoken.pop(source, None)
            count = 0
            for case in self._cases.values():
                of_it = [place for place in case.said if place[0] == source]
                for place in of_it:
                    del case.said[place]
                count += len(of_it)
                if of_it:
                    self._relabel(case)
            return count

    def lessons(self, after: int = 0, limit: int = 1000) -> list[tuple[int, Lesson]]:
        """Return the lessons after a number, as far back as they are kept."""
        with self._lock:
            first = self._last - len(self._lessons) + 1
            start = max(after + 1, first)
            return list(enumerate(islice(self._lessons, start - first, start - first + limit), start))

    def save_state(self, fingerprint: str, *, after: int, state: bytes) -> None:
        """Keep what a learner believes."""
        with self._lock:
            if after >= self._states.get(fingerprint, (0, b""))[0]:
                self._states[fingerprint] = (after, state)

    def load_state(self, fingerprint: str) -> tuple[int, bytes] | None:
        """Return what was saved last for a learner, or None."""
        with self._lock:
            return self._states.get(fingerprint)

    def counts(self) -> dict[str, int]:
        """Return how much there was, and how much is kept.

        `kept` are the decisions that are still known; no decision is `unknown`, since none outlives its
        process.
        """
        with self._lock:
            said = [kept for case in self._cases.values() for kept in case.said.values()]
            return {
                **self._counted,
                "unknown": 0,
                "kept": len(self._cases),
                "feedback": len(said),
                "capped": sum(one.weight == 0 < one.given_weight for one in said),
                "waiting": len(self._waiting),
                "lessons": self._last,
                "queued": 0,
                "refused": 0,
            }

    def health(self) -> dict[str, Any]:
        """Return its `status` and its counts."""
        status = "closed" if self._is_closed else "ok"
        return {"status": status, "url": self.url, "counts": self.counts(), "error": None}

    def flush(self, timeout_s: float = 2.0) -> int:  # noqa: ARG002 - as every store has it
        """Return 0: nothing is queued."""
        return 0

    def close(self, timeout_s: float = 2.0) -> int:  # noqa: ARG002 - as every store has it
        """Take no more; return 0."""
        self._is_closed = True
        return 0

    def before_fork(self, wait_s: float) -> None:
        """Go on: what a child has is a copy of its own."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Let go of a lock that another thread of the parent may have held."""
        self._lock = threading.Lock()

    def _add(self, feedback: Collection[Feedback]) -> list[Receipt]:
        now_s = self._wall_clock()
        since_s = now_s - DAY_S
        allowance = Allowance(
            self._trusted,
            said_by=lambda source: self._said_by(source, since_s, more=len(feedback)),
            said_by_all=lambda: self._weight(since_s) - allowance.granted,
        )
        found: list[tuple[Feedback, _Case | None, Receipt]] = []
        for one in feedback:
            decision_id = self._find(one.decision_id)
            if decision_id is None:
                found.append((one, None, self._keep_aside(one, now_s)))
                continue
            case = self._cases[decision_id]
            self._spoken[one.source] += 1
            status = take(case.said, one, at_s=now_s, allowance=allowance, since_s=since_s)
            found.append((one, case, Receipt(decision_id=decision_id, status=status, label=None)))
        for _, known, _ in found:
            if known is not None:
                self._relabel(known)
        return [
            receipt
            if known is None
            else Receipt(decision_id=receipt.decision_id, status=receipt.status, label=label_now(known.said))
            for _, known, receipt in found
        ]

    def _find(self, any_id: str) -> str | None:
        if any_id in self._cases:
            return any_id
        decision_id = self._links.get(any_id)
        return decision_id if decision_id in self._cases else None

    def _link(self, any_id: str, decision_id: str) -> None:
        if any_id in self._links:
            return
        self._links[any_id] = decision_id
        if len(self._links) > _MOST_LINKS_EACH * self._most:
            self._links.popitem(last=False)
        self._came(any_id)

    def _relabel(self, case: _Case) -> None:
        label = label_now(case.said)
        if case.ended is not None and case.ended.served_by is not None and label != case.label:
            self._learn(Labelled(ended=case.ended, old=case.label, new=label))
            case.label = label

    def _learn(self, lesson: Lesson) -> None:
        self._lessons.append(lesson)
        self._last += 1

    def _keep_aside(self, one: Feedback, now_s: float) -> Receipt:
        while self._waiting and next(iter(self._waiting.values()))[1] < now_s - _WAITS_S:
            self._waiting.popitem(last=False)
            self._counted["rejected"] += 1
        place = (one.decision_id, (one.source, one.key))
        if len(self._waiting) >= _MOST_WAITING and place not in self._waiting:
            self._counted["rejected"] += 1
            return Receipt(decision_id=one.decision_id, status="unknown_decision", label=None)
        self._waiting.pop(place, None)
        self._waiting[place] = (one, now_s)
        return Receipt(decision_id=one.decision_id, status="late_unknown", label=None)

    def _came(self, any_id: str) -> None:
        """Add the feedback that was waiting for this id."""
        places = [place for place in self._waiting if place[0] == any_id] if self._waiting else []
        if places:
            self._add([self._waiting.pop(place)[0] for place in places])

    def _said_by(self, source: str, since_s: float, *, more: int) -> float:
        """Return the weight that a source had since then, or more, where even so it is below every cap."""
        spoken = self._spoken[source]
        return self._weight(since_s, source) if spoken + more > cap_of_a_source(0.0) else float(spoken)

    def _weight(self, since_s: float, source: str | None = None) -> float:
        return sum(
            kept.weight
            for case in self._cases.values()
            for (of, _), kept in case.said.items()
            if kept.at_s > since_s and source in {None, of}
        )
