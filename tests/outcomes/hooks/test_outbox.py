"""Feedback that must not wait is stored soon after, and what is lost is counted."""

from __future__ import annotations

import threading
from typing import Any

from langchain_router.exceptions import StoreBusyError
from langchain_router.outcomes.feedback import Feedback
from langchain_router.outcomes.hooks.outbox import Outbox


class Slow:
    """A store that is as slow as it is told to be."""

    def __init__(self) -> None:
        self.may_go = threading.Event()
        self.came = threading.Event()
        self.batches: list[int] = []

    def add_feedback(self, *feedback: Feedback) -> list[Any]:
        self.came.set()
        assert self.may_go.wait(5)
        self.batches.append(len(feedback))
        return []


def test_it_stores_by_itself_and_drops_by_count_what_is_too_much() -> None:
    store = Slow()
    outbox = Outbox(store, most=10)
    outbox.add(Feedback(decision_id="first", score=1.0))
    assert store.came.wait(5)  # in a thread of its own: nobody has asked for it
    for number in range(25):
        outbox.add(Feedback(decision_id=f"d{number}", score=1.0))
    assert outbox.dropped == 15
    store.may_go.set()
    assert outbox.flush() == 15
    assert (outbox.stored, sum(store.batches)) == (11, 11)


class Busy:
    """A store that is busy until it is told not to be."""

    def __init__(self) -> None:
        self.is_busy = True
        self.kept: list[str] = []

    def add_feedback(self, *feedback: Feedback) -> list[Any]:
        if self.is_busy:
            raise StoreBusyError("a.db", "is locked by another process.")
        self.kept += [one.decision_id for one in feedback]
        return []


def test_a_store_that_is_busy_gets_all_of_it_later_and_in_order() -> None:
    store = Busy()
    outbox = Outbox(store)
    for number in range(3):
        outbox.add(Feedback(decision_id=f"d{number}", score=1.0))
    assert outbox.flush() == 0
    assert store.kept == []
    store.is_busy = False
    assert outbox.flush() == 0
    assert store.kept == ["d0", "d1", "d2"]
    assert (outbox.stored, outbox.dropped) == (3, 0)
