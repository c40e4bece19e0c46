"""What only a store on disk does: survive, be shared, and stand being out of reach."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import threading
from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage
from sqlalchemy import NullPool, create_engine, inspect

from langchain_router import ConfigurationError
from langchain_router.exceptions import StoreBusyError, StoreCorruptError, StoreSchemaError
from langchain_router.outcomes.asked import Asked
from langchain_router.outcomes.lessons import Ended, Label
from langchain_router.outcomes.redaction import redact
from langchain_router.outcomes.storing import schema
from langchain_router.outcomes.storing.urls import address_of
from langchain_router.request import RoutingRequest
from tests.outcomes.conftest import OpenStore
from tests.outcomes.makers import ASKED, WallClock, label_changes, outcome, request, said, situation


class Ticks:
    """Monotonic seconds that stand still."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_another_process_sees_all_of_it_and_adds_to_it(url: str, open_at: OpenStore) -> None:
    one, other = open_at(url), open_at(url)
    assert one.key == other.key
    request(one, "d1")
    one.flush()
    request(other, "d2")
    assert other.add_feedback(said(1.0, "d1"))[0].status == "new"
    assert one.add_feedback(said(0.0, "d2"))[0].status == "new"
    assert one.lessons() == other.lessons()
    assert [number for number, _ in one.lessons()] == [1, 2, 3, 4]


def test_processes_that_write_at_once_number_their_lessons_in_order(url: str, open_at: OpenStore) -> None:
    stores = [open_at(url) for _ in range(3)]
    seen: list[int] = []
    over = threading.Event()

    def watch() -> None:
        reader, after = open_at(url), 0
        while not over.is_set() or reader.lessons(after):
            for number, _ in reader.lessons(after):
                seen.append(number)
                after = number

    def write(name: str, store: object) -> None:
        for number in range(40):
            request(store, f"{name}{number}")  # type: ignore[arg-type]
            store.add_feedback(said(1.0, f"{name}{number}"))  # type: ignore[attr-defined]

    watcher = threading.Thread(target=watch)
    watcher.start()
    writers = [threading.Thread(target=write, args=pair) for pair in zip("abc", stores, strict=True)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    over.set()
    watcher.join()
    assert seen == list(range(1, 241))


def test_a_decision_whose_process_died_is_unknown_and_no_lesson(
    url: str, open_at: OpenStore, wall_clock: WallClock
) -> None:
    first = open_at(url)
    first.decided(situation(), ASKED)
    first.close()
    wall_clock.now += 10
    second = open_at(url)
    second.decided(situation("d2", at_s=wall_clock.now), ASKED)
    second.flush()
    assert second.counts()["unknown"] == second.counts()["decisions"] - 1
    assert second.lessons() == []
    wall_clock.now += 3_601
    assert second.counts()["unknown"] == second.counts()["decisions"]


def test_what_learners_saved_of_a_log_that_is_gone_is_not_given(url: str, open_at: OpenStore) -> None:
    store = open_at(url)
    store.save_state("a", after=7, state=b"of another log")
    assert store.load_state("a") is None


def test_a_row_that_the_database_refuses_is_the_only_one_lost(url: str, open_at: OpenStore) -> None:
    store = open_at(url)
    store.decided(situation("before"), ASKED)
    store.decided(situation("bad", propensity=None), ASKED)
    store.decided(situation("odd", expected_cost_usd={"small": object()}), ASKED)
    store.decided(situation("after"), ASKED)
    assert store.flush() == 0
    assert (store.counts()["decisions"], store.counts()["refused"]) == (2, 2)


def test_odd_names_are_stored_too(url: str, open_at: OpenStore) -> None:
    store = open_at(url)
    odd = "a\0b\ud800" + "x" * 2_000
    store.decided(
        situation("d1", policy=odd, arm=odd), Asked.of(RoutingRequest(messages=(), tenant=odd), key=b"")
    )
    store.ended(outcome(served_by=odd), message_id=odd)
    assert store.add_feedback(said(1.0, odd[:150], source=odd[:150]))[0].status == "late_unknown"
    assert store.find_decision(odd) == "d1"
    ended = store.lessons()[0][1]
    assert isinstance(ended, Ended)
    assert ended.situation.arm == odd


def test_the_tables_are_as_the_schema_says(url: str, open_at: OpenStore) -> None:
    open_at(url).close()
    engine = create_engine(address_of(url).url, poolclass=NullPool)
    made = inspect(engine)
    assert set(made.get_table_names()) == set(schema.tables.tables)
    for name, table in schema.tables.tables.items():
        found = {column["name"]: column for column in made.get_columns(name)}
        assert list(found) == [column.name for column in table.columns]
        assert {one: column["nullable"] for one, column in found.items()} == {
            column.name: column.nullable for column in table.columns
        }
        assert {one: column["type"]._type_affinity for one, column in found.items()} == {
            column.name: column.type._type_affinity for column in table.columns
        }
        keys = made.get_pk_constraint(name)["constrained_columns"]
        assert keys == [column.name for column in table.primary_key]
        assert {index["name"] for index in made.get_indexes(name)} == {index.name for index in table.indexes}


def test_a_store_of_a_newer_version_is_refused_by_name(url: str, open_at: OpenStore) -> None:
    open_at(url).close()
    with create_engine(address_of(url).url, poolclass=NullPool).begin() as connection:
        connection.exec_driver_sql("INSERT INTO router_migrations VALUES (99, 'to come', 0)")
    with pytest.raises(StoreSchemaError, match=r"has schema 99, and this version .* knows 3") as caught:
        open_at(url)
    assert address_of(url).shown in str(caught.value)


def test_a_server_that_is_away_holds_nothing_up_and_its_password_is_nowhere(
    open_at: OpenStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("psycopg")
    for name in ("_OPEN_S", "_READ_S", "_FEEDBACK_S"):
        monkeypatch.setattr(f"langchain_router.outcomes.storing.sql_store.{name}", 0.02)
    store = open_at("postgresql://ann:canary@127.0.0.1:1/name?password=canary", most_queued=1)
    request(store)
    assert store.lessons() == []
    with pytest.raises(StoreBusyError, match=r"cannot be reached|in use by another thread") as caught:
        store.forget_source("x")
    told = f"{store!r} {store.url} {store.health()} {caught.value} {caplog.text}"
    assert (store.health()["status"], store.health()["error"]) == ("degraded", "busy")
    assert store.counts()["dropped"] == 1
    assert "canary" not in told
    assert len(caplog.records) == 1
    assert store.close(0.02) == 1


@pytest.mark.parametrize(
    "given",
    ["mysql://u:canary@example.org/d", "sqlite:///x?uri=true", "postgresql://u:canary@example.org:x/d"],
)
def test_a_url_that_is_none_is_refused_without_being_shown(given: str, open_at: OpenStore) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_at(given)
    assert "canary" not in str(caught.value)


def test_a_locked_file_holds_nothing_up_and_all_is_written_afterwards(
    tmp_path: Path, open_at: OpenStore, caplog: pytest.LogCaptureFixture
) -> None:
    ticks = Ticks()
    store = open_at(tmp_path / "router.db", most_queued=10, clock=ticks)
    other = sqlite3.connect(tmp_path / "router.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    for number in range(13):
        store.decided(situation(f"d{number}"), ASKED)
    assert store.flush(0.3) == 10
    assert (store.health()["status"], store.health()["error"], store.counts()["dropped"]) == (
        "degraded",
        "busy",
        3,
    )
    assert len(caplog.records) == 1
    ticks.now += 21
    assert store.flush(0.0) == 10
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    other.execute("ROLLBACK")
    other.close()
    assert store.flush() == 0
    counts = store.counts()
    assert (counts["decisions"], counts["dropped"], store.health()["status"]) == (10, 3, "ok")


def test_feedback_on_a_locked_file_is_refused_after_a_while(
    tmp_path: Path, open_at: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("langchain_router.outcomes.storing.sql_store._FEEDBACK_S", 0.05)
    store = open_at(tmp_path / "router.db")
    request(store)
    store.flush()
    other = sqlite3.connect(tmp_path / "router.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBusyError, match="is locked by another process"):
        store.add_feedback(said(1.0))
    other.close()
    assert store.add_feedback(said(1.0))[0].status == "new"


def test_closing_gives_up_in_time_with_the_count(tmp_path: Path, open_at: OpenStore) -> None:
    store = open_at(tmp_path / "router.db")
    other = sqlite3.connect(tmp_path / "router.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    request(store)
    assert store.close(0.05) == 2
    assert (store.close(), store.counts()["dropped"], store.counts()["queued"]) == (0, 2, 0)
    other.close()


@pytest.mark.parametrize(
    "content",
    [b"Dear diary", b"SQLite format 3\0" + b"\xff" * 5_000, b"\0" * 4_096],
    ids=["text", "broken", "zeros"],
)
def test_a_file_that_is_no_store_is_refused_and_left_alone(
    tmp_path: Path, open_at: OpenStore, content: bytes
) -> None:
    path = tmp_path / "router.db"
    path.write_bytes(content)
    with pytest.raises(StoreCorruptError, match=r"left as it is.*repair='rename'") as caught:
        open_at(path)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == content


def test_the_database_of_something_else_is_refused_and_renamed_only_if_asked(
    tmp_path: Path, open_at: OpenStore, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "router.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE diary (day TEXT)")
    other.close()
    before = path.read_bytes()
    with pytest.raises(StoreCorruptError, match="the database of something else"):
        open_at(path)
    assert path.read_bytes() == before
    store = open_at(path, repair="rename")
    request(store)
    assert store.add_feedback(said(1.0))[0].label == Label(score=1.0, weight=1.0)
    assert (tmp_path / "router.db.broken-1").read_bytes() == before
    assert "renamed" in caplog.text


def test_a_folder_that_cannot_be_made_holds_nothing_up(tmp_path: Path, open_at: OpenStore) -> None:
    (tmp_path / "file").write_text("in the way")
    store = open_at(tmp_path / "file" / "router.db")
    request(store)
    assert (store.flush(0.05), store.health()["status"], store.lessons()) == (2, "degraded", [])
    (tmp_path / "file").unlink()
    assert (store.flush(), store.health()["status"], len(store.lessons())) == (0, "ok", 1)


@pytest.mark.skipif(os.name != "posix", reason="other systems have other permissions")
def test_the_file_is_its_owners_alone(tmp_path: Path, open_at: OpenStore) -> None:
    open_at(tmp_path / "new" / "router.db")
    assert (tmp_path / "new" / "router.db").stat().st_mode & 0o077 == 0
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("captures", [False, True])
def test_no_word_of_a_prompt_is_stored_unless_it_was_asked_for(
    tmp_path: Path, open_at: OpenStore, captures: bool
) -> None:
    store = open_at(tmp_path / "router.db")
    asked = RoutingRequest(messages=(HumanMessage("canary, ann@example.org"),), thread_id="canary")
    store.decided(situation(), Asked.of(asked, key=store.key, capture=redact if captures else None))
    store.flush()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert (b"canary, [email]" in stored) is captures
    assert (b"canary" in stored) is captures
    assert b"ann@example.org" not in stored


def test_a_store_outlives_the_event_loop_that_used_it(url: str, open_at: OpenStore) -> None:
    store = open_at(url)

    async def use() -> None:
        request(store)
        await store.aadd_feedback(said(1.0))

    asyncio.run(use())
    asyncio.run(use())
    assert len(label_changes(store)) == 1


def test_a_damaged_store_is_told_by_name_while_it_is_in_use(tmp_path: Path, open_at: OpenStore) -> None:
    store = open_at(tmp_path / "router.db")
    request(store)
    store.flush()
    with sqlite3.connect(tmp_path / "router.db") as other:
        other.execute("DROP TABLE router_feedback")
    other.close()
    with pytest.raises(StoreCorruptError, match="lacks a table"):
        store.add_feedback(said(1.0))
