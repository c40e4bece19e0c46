"""Which decision's model produced a step of a trace: by messages, tool calls, and the runs around it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from langchain_core.messages import AIMessage

from langchain_router.forks import give_lock

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

MANY: Final = "?"
"""Stands for a decision where several would fit: whose it is cannot be told, so it is nobody's."""

_MOST_UP: Final = 100


class Recent(Generic[Key, Value]):
    """A mapping that forgets what was set longest ago. Safe from threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Key, Value] = OrderedDict()
        self._lock: threading.Lock
        give_lock(self, "_lock")

    def __len__(self) -> int:
        return len(self._kept)

    def __setitem__(self, key: Key, value: Value) -> None:
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def get(self, key: Key) -> Value | None:
        """Return what was set, or None."""
        return self._kept.get(key)

    def pop(self, key: Key) -> Value | None:
        """Return what was set, or None, and forget it."""
        with self._lock:
            return self._kept.pop(key, None)


@dataclass(slots=True)
class Run:
    """A run that is under way.

    Attributes:
        parent: The run that it is part of, or None.
        root: The outermost one.
        decision: Whose model was called within it; `MANY` where there were several, None where none was.
        last: Whose was the last.
        is_parser: Whether it parses what a model said.
        reads: The decisions whose answers it works on.
        is_inside: Whether it is part of the router's own work, so that its result may never be served.
        expected: What quality was expected of the answer, 0..1, or None when unknown.
    """

    parent: UUID | None
    root: UUID
    decision: str | None = None
    last: str | None = None
    is_parser: bool = False
    reads: tuple[str, ...] = ()
    is_inside: bool = False
    expected: float | None = field(default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Producer:
    """Who made a tool call: the decision, and what quality was expected of its answer."""

    decision: str
    expected: float | None = None


class Traces:
    """The runs under way, and which decision produced what. Of fixed size; holds no text.

    Args:
        most: How many runs, messages and tool calls to remember, each.
    """

    def __init__(self, most: int) -> None:
        self._runs: Recent[UUID, Run] = Recent(most)
        self._messages: Recent[str, str] = Recent(most)
        self._calls: Recent[tuple[UUID | None, str], Producer] = Recent(most)

    def __len__(self) -> int:
        return len(self._runs)

    def began(self, run_id: UUID, parent_run_id: UUID | None) -> Run:
        """Remember a run."""
        above = None if parent_run_id is None else self._runs.get(parent_run_id)
        run = Run(parent=parent_run_id, root=above.root if above else parent_run_id or run_id)
        self._runs[run_id] = run
        return run

    def run(self, run_id: UUID) -> Run | None:
        """Return a run that is under way, or None."""
        return self._runs.get(run_id)

    def ended(self, run_id: UUID) -> Run | None:
        """Forget a run and return it; None where it is not known."""
        return self._runs.pop(run_id)

    def produced(self, run_id: UUID, decision: str, *, is_draft: bool) -> list[UUID]:
        """Note that a decision's model is called in this run; return what is a run of its own at once.

        That is the model's, and one above that was not seen to begin. Of the others in between only their
        end shows which decision was the last in them.

        Args:
            run_id: The model's run.
            decision: Whose plan it is a step of.
            is_draft: Whether a check will look at the answer; then what happens right beside it is the
                check's doing.
        """
        linked, distance = [run_id], 0
        found: UUID | None = run_id
        while found is not None and distance < _MOST_UP:
            run = self._runs.get(found)
            if run is None:
                linked.append(found)  # a run above us whose beginning we did not see
                break
            run.last = decision
            if run.decision != decision and not (is_draft and distance == 1):
                run.decision = decision if run.decision is None else MANY
            found, distance = run.parent, distance + 1
        return linked

    def said(self, run: Run, decision: str, message: AIMessage) -> None:
        """Note what a decision's model said: its message and its tool calls, by id and by name."""
        if message.id:
            self._messages[message.id] = decision
        producer = Producer(decision=decision, expected=run.expected)
        for call in message.tool_calls:
            if call["id"]:
                self._calls[run.root, call["id"]] = producer
                self._note((None, call["id"]), producer)
            self._note((run.root, f"name {call['name']}"), producer)

    def caller(self, run: Run, call_id: str | None, name: str | None) -> Producer | None:
        """Return who called a tool: by the call's id, or by the tool's name where only one decision did."""
        if call_id:
            found = self._calls.get((run.root, call_id)) or self._calls.get((None, call_id))
        else:
            found = self._calls.get((run.root, f"name {name}"))
        return None if found is None or found.decision == MANY else found

    def behind(self, run: Run, given: Any) -> tuple[str, ...]:
        """Return the decisions behind what a run works on: by the message, or by the runs around it."""
        if isinstance(given, AIMessage):
            stamped = tuple(decisions_on(given))
            known = self._messages.get(given.id) if given.id else None
            return stamped or (() if known is None else (known,))
        if not isinstance(given, str):
            return ()
        around = None if run.parent is None else self._runs.get(run.parent)
        return () if around is None or around.decision in (None, MANY) else (str(around.decision),)

    def _note(self, key: tuple[UUID | None, str], producer: Producer) -> None:
        known = self._calls.get(key)
        is_other = known is not None and known.decision != producer.decision
        self._calls[key] = Producer(decision=MANY) if is_other else producer


def decisions_on(message: Any) -> Iterator[str]:
    """Yield the decisions that an answer bears: the router's, then that of its candidate, if a router."""
    metadata = getattr(message, "response_metadata", None)
    found = metadata.get("router") if isinstance(metadata, Mapping) else None
    while isinstance(found, Mapping):
        if isinstance(found.get("decision_id"), str):
            yield found["decision_id"]
        found = found.get("nested")


def expected_of(message: Any) -> float | None:
    """Return what quality was expected of the candidate that gave this answer, 0..1; None when unknown."""
    metadata = getattr(message, "response_metadata", None)
    found = metadata.get("router") if isinstance(metadata, Mapping) else None
    if not isinstance(found, Mapping):
        return None
    for one in found.get("eligible", ()):
        if one.get("name") == found.get("served_by"):
            return one.get("predicted_quality")  # type: ignore[no-any-return]
    return None
