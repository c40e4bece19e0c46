"""URLs of stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from langchain_router import ConfigurationError
from langchain_router.outcomes.storing.urls import address_of


@pytest.mark.parametrize("given", ["sqlite:///{}/a.db", "sqlite+pysqlite:///{}/a.db", "{}/a.db"])
def test_a_path_is_a_sqlite_file(given: str, tmp_path: Path) -> None:
    address = address_of(given.format(tmp_path))
    assert (address.path, address.shown) == (f"{tmp_path}/a.db", f"sqlite:///{tmp_path}/a.db")
    assert address_of(tmp_path / "a.db") == address


def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert address_of("sqlite:///a.db").path == str(tmp_path / "a.db")


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_way_to_write_postgresql_will_do(scheme: str) -> None:
    address = address_of(f"{scheme}://ann:s%40crt@example.org:5433/name?sslmode=require&password=hidden")
    assert address.url.drivername == "postgresql+psycopg"
    assert address.url.password == "s@crt"  # noqa: S105 - a made-up one
    assert address.shown == "postgresql+psycopg://ann:***@example.org:5433/name?sslmode=require"
    assert "s@crt" not in repr(address)


@pytest.mark.parametrize("given", ["sqlite:///", "redis://x", "://", "sqlite://host/a.db"])
def test_others_are_refused_with_what_to_write(given: str) -> None:
    with pytest.raises(ConfigurationError, match=r"sqlite:///router\.db"):
        address_of(given)


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is a folder"):
        address_of(tmp_path)
