"""Learners and their store: what was learned survives, is shared, and is the same however it is read."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from langchain_router.exceptions import StoreError
from langchain_router.outcomes.learning import Learning, learners_among
from langchain_router.outcomes.lessons import Label, Labelled, Lesson
from langchain_router.outcomes.store import OutcomeStore
from langchain_router.outcomes.storing.memory_store import MemoryStore
from tests.execution.breakers import Clock
from tests.outcomes.conftest import OpenStore
from tests.outcomes.makers import ASKED, outcome, said, situation


class Counts:
    """Learns how often it was told what: as exact as a learner can be."""

    fingerprint = "counts"

    def __init__(self) -> None:
        self.sums: dict[str, int] = {}
        self.learned_in: set[int] = set()

    def learn(self, lesson: Lesson) -> None:
        self.learned_in.add(threading.get_ident())
        if isinstance(lesson, Labelled):
            for label, sign in ((lesson.old, -1), (lesson.new, 1)):
                self._add(label, sign)
        else:
            self.sums["ended"] = self.sums.get("ended", 0) + 1

    def _add(self, label: Label | None, sign: int) -> None:
        if label is not None:
            key = f"{label.score:g}"
            self.sums[key] = self.sums.get(key, 0) + sign

    @property
    def beliefs(self) -> dict[str, int]:
        return {key: value for key, value in self.sums.items() if value}

    def state(self) -> bytes:
        return ";".join(f"{key}={value}" for key, value in sorted(self.beliefs.items())).encode()

    def load(self, state: bytes) -> None:
        if b"=" not in state:
            raise ValueError("no counts")
        self.sums = {key: int(value) for key, value in (one.split("=") for one in state.decode().split(";"))}

    def forget(self) -> None:
        self.sums = {}


def answered(store: OutcomeStore, *ids: str, score: float | None = None) -> None:
    for one in ids:
        store.decided(situation(one), ASKED)
        store.ended(outcome(one))
        if score is not None:
            store.add_feedback(said(score, one))
    store.flush()


def learning(store: OutcomeStore, **options: Any) -> tuple[Learning, Counts]:
    counts = Counts()
    return Learning(store, [counts], **options), counts


def test_what_was_stored_before_is_learned_at_the_start(store: OutcomeStore) -> None:
    answered(store, "d1", "d2", score=1.0)
    learns, counts = learning(store)
    learns.start()
    assert counts.beliefs == {"ended": 2, "1": 2}
    assert learns.health() == {"learns": True, "lessons": 4, "feedback": 2, "refused": 0}


def test_each_lesson_is_learned_once_and_a_changed_mind_replaces_the_first(store: OutcomeStore) -> None:
    learns, counts = learning(store)
    learns.start()
    answered(store, "d1", score=0.0)
    assert learns.catch_up() == 2
    assert learns.catch_up() == 0
    store.add_feedback(said(1.0, "d1"))
    learns.catch_up()
    assert counts.beliefs == {"ended": 1, "1": 1}
    assert learns.health()["feedback"] == 1


def test_saved_beliefs_are_taken_over_and_only_later_lessons_are_read(store: OutcomeStore) -> None:
    first, _ = learning(store)
    first.start()
    answered(store, "d1", score=1.0)
    first.catch_up()
    first.save()
    answered(store, "d2", score=0.5)
    second, counts = learning(store)
    second.start()
    assert counts.beliefs == {"ended": 2, "1": 1, "0.5": 1}
    assert second.health() == {"learns": True, "lessons": 4, "feedback": 2, "refused": 0}


def test_without_the_saved_beliefs_the_log_gives_the_same(store: OutcomeStore) -> None:
    learns, counts = learning(store)
    learns.start()
    answered(store, "d1", "d2", "d3", score=1.0)
    store.add_feedback(said(0.0, "d2"))
    learns.catch_up()
    learns.save()
    before = counts.state()
    assert learns.relearn() == 7
    assert counts.state() == before


def test_saved_beliefs_that_cannot_be_read_are_warned_of_and_learned_anew(
    store: OutcomeStore, caplog: pytest.LogCaptureFixture
) -> None:
    answered(store, "d1", score=1.0)
    learns, _ = learning(store)
    store.save_state(learns._fingerprint, after=1, state=b"junk")
    again, counts = learning(store)
    again.start()
    assert counts.beliefs == {"ended": 1, "1": 1}
    assert "saved beliefs cannot be read" in caplog.text


def test_others_lessons_are_looked_for_every_few_seconds_and_never_by_the_caller(store: OutcomeStore) -> None:
    clock = Clock()
    learns, counts = learning(store, every_s=3.0, clock=clock)
    learns.start()
    answered(store, "d1", score=1.0)
    learns.look()
    assert counts.beliefs == {}, "not yet"
    clock.now += 3.1
    learns.look()
    with learns._is_looking:  # until the look is over
        assert counts.beliefs == {"ended": 1, "1": 1}
    assert counts.learned_in.isdisjoint({threading.get_ident()})


def test_two_processes_on_one_store_come_to_the_same_beliefs(url: str, open_at: OpenStore) -> None:
    one, other = open_at(url), open_at(url)
    (first, mine), (second, others) = learning(one), learning(other)
    first.start()
    second.start()
    answered(one, "a1", "a2", score=1.0)
    first.catch_up()
    answered(other, "b1", score=0.0)
    second.catch_up()
    answered(one, "a3", score=0.5)
    first.catch_up()
    second.catch_up()
    assert mine.beliefs == others.beliefs == {"ended": 4, "1": 2, "0": 1, "0.5": 1}


def test_a_store_that_is_away_is_looked_at_again_later(
    store: OutcomeStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    learns, counts = learning(store, clock=clock)
    learns.start()
    answered(store, "d1", score=1.0)

    def away(*_: Any) -> Any:
        raise OSError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(store, "lessons", away)
        clock.now += 5
        learns.look()
        with learns._is_looking:
            assert counts.beliefs == {}
    assert "trying again later" in caplog.text
    clock.now += 5
    learns.look()
    with learns._is_looking:
        assert counts.beliefs == {"ended": 1, "1": 1}


def test_only_what_learns_is_taught() -> None:
    counts = Counts()
    assert learners_among(object(), counts, None) == [counts]
    learns = Learning(None, [])  # type: ignore[arg-type]
    learns.start()
    learns.look()
    assert (learns.catch_up(), learns.health()["learns"]) == (0, False)


def test_a_learner_that_raises_is_warned_of_and_keeps_no_other_from_learning(
    store: OutcomeStore, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Counts):
        fingerprint = "broken"

        def learn(self, lesson: Lesson) -> None:
            raise RuntimeError("secret")

    counts = Counts()
    learns = Learning(store, [Broken(), counts])
    learns.start()
    answered(store, "d1", score=1.0)
    assert learns.catch_up() == 2
    assert learns.catch_up() == 0
    assert counts.beliefs == {"ended": 1, "1": 1}
    assert learns.health()["refused"] == 2
    assert "Broken did not learn a lesson (RuntimeError)" in caplog.text
    assert "secret" not in caplog.text


def test_what_was_taken_back_is_no_feedback_any_more(store: OutcomeStore) -> None:
    learns, _ = learning(store)
    learns.start()
    answered(store, "d1", "d2", score=1.0)
    store.forget_source("app")
    learns.catch_up()
    assert learns.health()["feedback"] == 0


def test_a_log_that_cannot_be_read_is_no_reason_to_forget(url: str, open_at: OpenStore) -> None:
    store = open_at(url)
    learns, counts = learning(store)
    learns.start()
    answered(store, "d1", score=1.0)
    learns.catch_up()
    before = counts.state()
    store.close()
    with pytest.raises(StoreError, match="nothing was forgotten"):
        learns.relearn()
    assert counts.state() == before


def test_a_log_in_memory_that_has_lost_its_beginning_is_no_reason_to_forget() -> None:
    store = MemoryStore(most_decisions=2)
    learns, counts = learning(store)
    learns.start()
    for number in range(5):
        answered(store, f"d{number}", score=1.0)
        learns.catch_up()
    before = counts.state()
    with pytest.raises(StoreError, match="no longer reaches back"):
        learns.relearn()
    assert counts.state() == before
