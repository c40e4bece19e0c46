"""What every store does: in memory, in a SQLite file, in PostgreSQL."""

from __future__ import annotations

import asyncio
import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from blockbuster import blockbuster_ctx

from langchain_router import ConfigurationError
from langchain_router.exceptions import StoreError
from langchain_router.outcomes.lessons import Label, Labelled, ended_of
from langchain_router.outcomes.store import OutcomeStore, default_url, open_store
from langchain_router.outcomes.storing.memory_store import MemoryStore
from tests.outcomes.conftest import OpenStore
from tests.outcomes.makers import ASKED, WallClock, label_changes, outcome, request, said, situation

GOOD, BAD = Label(score=1.0, weight=1.0), Label(score=0.0, weight=1.0)


def test_what_happened_comes_back_as_it_was(store: OutcomeStore) -> None:
    request(store)
    store.flush()
    assert store.lessons() == [(1, ended_of(situation(), outcome()))]


def test_feedback_is_a_lesson_of_its_own(store: OutcomeStore) -> None:
    request(store)
    (receipt,) = store.add_feedback(said(0.85))
    assert (receipt.decision_id, receipt.status, receipt.label) == (
        "d1",
        "new",
        Label(score=0.85, weight=1.0),
    )
    _, lesson = store.lessons(after=1)[0]
    assert lesson == Labelled(ended=ended_of(situation(), outcome()), old=None, new=receipt.label)


def test_lessons_are_numbered_without_gaps_and_given_in_parts(store: OutcomeStore) -> None:
    for number in range(30):
        request(store, f"d{number}")
    store.add_feedback(*(said(1.0, f"d{number}") for number in range(10)))
    found, after = [], 0
    while some := store.lessons(after, limit=7):
        found += [number for number, _ in some]
        after = found[-1]
    assert found == list(range(1, 41))


@pytest.mark.parametrize("id_", ["d1", "message-of-d1", "run-of-d1"])
def test_feedback_finds_its_decision_by_any_of_its_ids(store: OutcomeStore, id_: str) -> None:
    request(store)
    store.linked("d1", "run-of-d1")
    assert store.find_decision(id_) == "d1"  # whether it is written yet or not
    (receipt,) = store.add_feedback(said(1.0, id_))
    assert (receipt.decision_id, receipt.status) == ("d1", "new")
    assert store.find_decision(id_) == "d1"
    assert store.find_decision("another") is None


def test_a_second_feedback_of_the_same_source_and_key_replaces_the_first(store: OutcomeStore) -> None:
    request(store)
    statuses = [store.add_feedback(said(score))[0].status for score in (1.0, 1.0, 0.0)]
    assert statuses == ["new", "same", "replaced"]
    assert label_changes(store) == [("d1", None, GOOD), ("d1", GOOD, BAD)]
    assert store.counts()["feedback"] == 1


def test_one_call_may_hold_the_same_feedback_twice(store: OutcomeStore) -> None:
    request(store)
    receipts = store.add_feedback(said(1.0), said(0.0), said(0.0, key="tone"))
    assert [receipt.status for receipt in receipts] == ["new", "replaced", "new"]
    assert {receipt.label for receipt in receipts} == {BAD}
    assert label_changes(store) == [("d1", None, BAD)]


def test_feedback_that_changes_nothing_is_no_lesson(store: OutcomeStore) -> None:
    request(store)
    store.add_feedback(said(1.0))
    assert store.add_feedback(said(1.0, source="bob"))[0].status == "new"
    store.add_feedback(said(1.0, comment="indeed"))
    assert label_changes(store) == [("d1", None, GOOD)]


def test_feedback_that_comes_before_the_answer_has_ended_counts_when_it_has(store: OutcomeStore) -> None:
    store.decided(situation(), ASKED)
    (receipt,) = store.add_feedback(said(1.0))
    assert (receipt.status, receipt.label, label_changes(store)) == ("new", GOOD, [])
    store.ended(outcome())
    assert label_changes(store) == [("d1", None, GOOD)]


@pytest.mark.parametrize("id_", ["d1", "message-of-d1"])
def test_feedback_that_comes_before_its_decision_waits_for_it(store: OutcomeStore, id_: str) -> None:
    (receipt,) = store.add_feedback(said(1.0, id_))
    assert (receipt.status, receipt.label, store.counts()["waiting"]) == ("late_unknown", None, 1)
    request(store)
    assert label_changes(store) == [("d1", None, GOOD)]
    assert (store.counts()["waiting"], store.counts()["feedback"]) == (0, 1)


def test_feedback_waits_for_an_hour_and_is_then_given_up(store: OutcomeStore, wall_clock: WallClock) -> None:
    store.add_feedback(said(1.0))
    wall_clock.now += 3_601
    store.add_feedback(said(1.0, "another"))
    request(store)
    assert label_changes(store) == []
    assert (store.counts()["waiting"], store.counts()["rejected"]) == (1, 1)


def test_a_request_that_was_not_answered_gets_no_label(store: OutcomeStore) -> None:
    request(store, status="error", served_by=None)
    store.add_feedback(said(0.0))
    assert label_changes(store) == []


def test_a_source_can_be_taken_back(store: OutcomeStore) -> None:
    for decision_id in ("d1", "d2"):
        request(store, decision_id)
    store.add_feedback(said(1.0), said(0.0, source="eve"), said(0.0, "d2", source="eve"))
    assert store.forget_source("eve") == 2
    half = Label(score=0.5, weight=1.0)
    assert set(label_changes(store)[-2:]) == {("d1", half, GOOD), ("d2", BAD, None)}
    assert store.forget_source("eve") == 0
    assert store.add_feedback(said(0.0, source="eve"))[0].status == "new"


def test_a_source_that_is_not_trusted_says_at_most_10_a_day(
    store: OutcomeStore, wall_clock: WallClock
) -> None:
    for number in range(70):
        request(store, f"d{number}")
    store.add_feedback(*(said(0.0, f"d{number}", source="eve") for number in range(8)))
    receipts = [store.add_feedback(said(0.0, f"d{number}", source="eve"))[0] for number in range(8, 14)]
    assert [receipt.label for receipt in receipts] == [BAD] * 2 + [None] * 4
    assert [receipt.status for receipt in receipts] == ["new"] * 2 + ["capped"] * 4
    assert (store.counts()["feedback"], store.counts()["capped"]) == (14, 4)
    wall_clock.now += 86_401
    assert store.add_feedback(said(0.0, "d65", source="eve"))[0].label == BAD


def test_a_trusted_source_says_as_much_as_it_likes_and_others_5_percent_of_it(store: OutcomeStore) -> None:
    for number in range(800):
        request(store, f"d{number}")
        if number % 500 == 0:
            store.flush()
    store.flush()
    store.add_feedback(*(said(1.0, f"d{number}") for number in range(800)))
    assert store.counts()["capped"] == 0
    store.add_feedback(*(said(0.0, f"d{number}", source="eve") for number in range(100)))
    assert store.counts()["capped"] == 100 - 42  # 5 % of 800 and of her own


def test_replacing_feedback_does_not_use_up_what_a_source_may_say(store: OutcomeStore) -> None:
    for number in range(10):
        request(store, f"d{number}")
    for score in (0.0, 0.1, 0.2):
        store.add_feedback(*(said(score, f"d{number}", source="eve") for number in range(10)))
        assert store.counts()["capped"] == 0


def test_replacing_feedback_of_an_earlier_day_counts_for_today(
    store: OutcomeStore, wall_clock: WallClock
) -> None:
    for number in range(11):
        request(store, f"d{number}")
    store.add_feedback(*(said(0.0, f"d{number}", source="eve") for number in range(10)))
    wall_clock.now += 86_401
    store.add_feedback(*(said(0.1, f"d{number}", source="eve") for number in range(11)))
    assert store.counts()["capped"] == 1


def test_the_log_adds_up_to_the_labels_in_whatever_order_it_is_met(store: OutcomeStore) -> None:
    rng = random.Random(7)
    last: dict[str, Label | None] = {}
    for _ in range(150):
        decision_id = f"d{rng.randrange(5)}"
        if rng.random() < 0.2:
            request(store, decision_id)
        elif rng.random() < 0.1:
            store.forget_source(rng.choice("abc"))
        else:
            store.add_feedback(
                said(rng.random(), decision_id, source=rng.choice("abcd"), weight=rng.random())
            )
    changes = label_changes(store)
    rng.shuffle(changes)
    weights: dict[str, float] = {}
    for decision_id, old, new in changes:
        weights[decision_id] = weights.get(decision_id, 0.0) + (new.weight * new.score if new else 0.0)
        weights[decision_id] -= old.weight * old.score if old else 0.0
    for number in range(5):
        request(store, f"d{number}")
        store.flush()
        (receipt,) = store.add_feedback(said(1.0, f"d{number}", source="z", weight=0.0))
        last[receipt.decision_id] = receipt.label
    expected = {one: label.weight * label.score for one, label in last.items() if label is not None}
    assert {one: pytest.approx(value, abs=1e-9) for one, value in expected.items()} == {
        one: weights.get(one, 0.0) for one in expected
    }


def test_beliefs_are_kept_by_their_fingerprint_and_never_go_back(store: OutcomeStore) -> None:
    request(store)
    store.add_feedback(said(1.0))
    assert store.load_state("a") is None
    store.save_state("a", after=2, state=b"\0new")
    store.save_state("a", after=1, state=b"old")
    store.save_state("b", after=1, state=b"other")
    assert (store.load_state("a"), store.load_state("b")) == ((2, b"\0new"), (1, b"other"))


def test_the_same_decision_or_outcome_twice_is_stored_once(store: OutcomeStore) -> None:
    for _ in range(2):
        request(store)
        store.flush()
    assert (store.counts()["decisions"], store.counts()["outcomes"], len(store.lessons())) == (1, 1, 1)


def test_an_outcome_without_its_decision_is_counted_and_left_out(store: OutcomeStore) -> None:
    store.ended(outcome())
    store.linked("d1", "run")
    store.flush()
    assert (store.counts()["orphaned"], store.counts()["outcomes"]) == (2, 0)


async def test_the_event_loop_is_not_held(store: OutcomeStore) -> None:
    with blockbuster_ctx("langchain_router"):
        request(store)
        receipts = await asyncio.gather(*(store.aadd_feedback(said(1.0, key=str(one))) for one in range(5)))
    assert [receipt.status for (receipt,) in receipts] == ["new"] * 5


def test_many_threads_lose_nothing(store: OutcomeStore) -> None:
    def both(number: int) -> None:
        request(store, f"d{number}")
        store.add_feedback(said(1.0, f"d{number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(both, range(80)))
    store.flush()
    counts = store.counts()
    assert (counts["decisions"], counts["outcomes"], counts["feedback"], counts["lessons"]) == (
        80,
        80,
        80,
        160,
    )
    assert (counts["dropped"], counts["waiting"], store.health()["status"]) == (0, 0, "ok")


def test_a_closed_store_says_so(store: OutcomeStore) -> None:
    assert store.close() == 0
    store.decided(situation(), ASKED)
    assert (store.health()["status"], store.counts()["dropped"]) == ("closed", 1)


def test_nothing_is_no_store(open_at: OpenStore) -> None:
    store = open_at(None)
    assert isinstance(store, MemoryStore)
    assert open_store(store) is store
    with pytest.raises(ConfigurationError, match="got int"):
        open_at(5)


def test_a_closed_file_takes_no_feedback(url: str, open_at: OpenStore) -> None:
    store = open_at(url)
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        store.add_feedback(said(1.0))


def test_the_default_is_a_file_in_the_users_data_directory() -> None:
    assert default_url().startswith("sqlite:///")
    assert default_url().endswith("router.db")
