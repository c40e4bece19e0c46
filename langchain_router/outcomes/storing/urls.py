"""What a user writes for a store, as a URL whose password is never shown."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from langchain_router.exceptions import ConfigurationError

_POSTGRES: Final = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
_SHOWN_QUERY: Final = frozenset({"host", "port", "dbname", "sslmode"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a store is.

    Attributes:
        url: With its password, if it has one.
        shown: Without.
        path: The file of a SQLite store; None for a server.
    """

    url: URL = field(repr=False)
    shown: str
    path: str | None


def address_of(given: str | Path) -> Address:
    """Return where a store is.

    Args:
        given: A URL, or the path of a SQLite file.

    Raises:
        ConfigurationError: It is no such URL, or its driver is not installed. The URL is not shown.

    Example:
        >>> address_of("postgresql://ann:pass@db.example.org/router").shown
        'postgresql+psycopg://ann:***@db.example.org/router'
    """
    if isinstance(given, Path) or "://" not in given:
        return _file(str(given))
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            'The URL of the store cannot be read. Write "sqlite:///router.db" or '
            '"postgresql+psycopg://user:pass@host/name", special characters as %XX.'
        ) from None
    if url.drivername in {"sqlite", "sqlite+pysqlite"} and url.database and not url.query and not url.host:
        return _file(url.database)
    if url.drivername not in _POSTGRES:
        raise ConfigurationError(
            f"A store cannot be at a URL of the kind {url.drivername!r}, or one with such options. "
            'Write "sqlite:///router.db" or "postgresql+psycopg://user:pass@host/name".'
        )
    if importlib.util.find_spec("psycopg") is None:
        raise ConfigurationError(
            "A store in PostgreSQL needs psycopg: pip install 'langchain-llm-router[postgres]'."
        )
    url = url.set(drivername="postgresql+psycopg")
    shown = url.set(query={name: value for name, value in url.query.items() if name in _SHOWN_QUERY})
    return Address(url=url, shown=shown.render_as_string(hide_password=True), path=None)


def _file(path: str) -> Address:
    if not path or Path(path).is_dir():
        raise ConfigurationError(f"A store must be a file, and {path!r} is a folder. Add a file's name.")
    full = str(Path(path).expanduser().absolute())  # the working directory may change later
    return Address(url=URL.create("sqlite", database=full), shown=f"sqlite:///{full}", path=full)
