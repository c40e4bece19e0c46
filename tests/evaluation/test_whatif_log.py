"""The recorded requests of a store, with what was said of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from langchain_router.evaluation.whatif_log import read_log
from langchain_router.exceptions import ConfigurationError
from langchain_router.outcomes.lessons import Label
from langchain_router.outcomes.records import Attempt
from langchain_router.outcomes.store import OutcomeStore, open_store
from langchain_router.outcomes.storing.memory_store import MemoryStore
from tests.outcomes.makers import ASKED, START_S, request, said, situation


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OutcomeStore]:
    opened = open_store(None if request.param == "memory" else tmp_path / "router.db")
    yield opened
    opened.close()


def test_what_was_said_last_counts_and_what_was_taken_back_does_not(store: OutcomeStore) -> None:
    for one in ("changed", "taken-back", "never-judged"):
        request(store, one)
    store.add_feedback(said(0.0, "changed"), said(1.0, "taken-back", source="troll"))
    store.add_feedback(said(0.75, "changed"))
    store.forget_source("troll")
    labels = {one.decision_id: one.label for one in read_log(store).requests}
    assert labels == {
        "changed": Label(score=0.75, weight=1.0),
        "taken-back": None,
        "never-judged": None,
    }


def test_the_cost_is_that_of_all_calls_and_unknown_where_one_is(store: OutcomeStore) -> None:
    paid = tuple(Attempt(candidate="small", latency_s=1.0, cost_usd=usd) for usd in (0.25, 0.5))
    request(store, "known", attempts=paid)
    request(store, "unknown", attempts=(*paid, Attempt(candidate="small", latency_s=1.0)))
    costs = {one.decision_id: one.cost_usd for one in read_log(store).requests}
    assert costs == {"known": 0.75, "unknown": None}


def test_a_request_is_lost_where_nobody_answered_though_somebody_waited(store: OutcomeStore) -> None:
    request(store, "answered")
    request(store, "failed", status="error", served_by=None)
    request(store, "given-up", status="cancelled", served_by=None)
    lost = {one.decision_id for one in read_log(store).requests if one.is_lost}
    assert lost == {"failed"}


def test_requests_that_have_not_ended_are_left_out_and_their_order_is_that_of_their_ends(
    store: OutcomeStore,
) -> None:
    store.decided(situation("under-way"), ASKED)
    for one in ("b", "a", "c"):
        request(store, one)
    assert [one.decision_id for one in read_log(store).requests] == ["b", "a", "c"]


def test_older_requests_do_not_count(store: OutcomeStore) -> None:
    request(store, "d1")  # a tenth of a second after the start
    log = read_log(store, since_s=10, wall_clock=lambda: START_S + 10)
    assert len(log.requests) == 1
    with pytest.raises(ConfigurationError, match="it holds 1 older ones"):
        read_log(store, since_s=10, wall_clock=lambda: START_S + 11)


def test_a_store_that_has_forgotten_its_first_requests_is_not_whole() -> None:
    store = MemoryStore(most_decisions=2)
    for number in range(5):
        request(store, f"d{number}")
    log = read_log(store)
    assert not log.is_whole
    assert len(log.requests) == len(log.lessons) == 4
