"""What only the store in memory does: forget."""

from __future__ import annotations

from langchain_router.outcomes.storing.memory_store import MemoryStore
from tests.outcomes.makers import request, said


def test_the_oldest_decisions_are_forgotten() -> None:
    store = MemoryStore(most_decisions=3)
    for number in range(5):
        request(store, f"d{number}")
    assert store.find_decision("d1") is None
    assert store.find_decision("message-of-d1") is None
    assert store.add_feedback(said(1.0, "d1"))[0].status == "late_unknown"
    assert (store.counts()["decisions"], store.counts()["kept"]) == (5, 3)


def test_lessons_keep_their_numbers_when_the_first_are_forgotten() -> None:
    store = MemoryStore(most_decisions=3)
    for number in range(10):
        request(store, f"d{number}")
    assert [number for number, _ in store.lessons()] == [5, 6, 7, 8, 9, 10]
    assert [number for number, _ in store.lessons(after=8)] == [9, 10]
    assert [number for number, _ in store.lessons(after=5, limit=2)] == [6, 7]
    assert store.lessons(after=10) == []


def test_feedback_that_waits_is_bounded() -> None:
    store = MemoryStore()
    statuses = [store.add_feedback(said(1.0, f"d{number}"))[0].status for number in range(1_001)]
    assert statuses == ["late_unknown"] * 1_000 + ["unknown_decision"]
    assert store.counts()["rejected"] == 1
