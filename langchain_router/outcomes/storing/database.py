"""One connection to a store's database: who may use it now, what its errors mean, and how it survives a fork.

A process has one connection for each store, used by one thread at a time. That costs little, since SQLite
lets one write at a time anyway, and it lets a fork wait for the moment when nothing is under way.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from langchain_router.exceptions import (
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
)
from langchain_router.outcomes.storing.migrations import MIGRATIONS, migrate, next_migration
from langchain_router.outcomes.storing.sqlite_file import BUSY, WHAT_TO_DO, check_file, damaged, make_file

Result = TypeVar("Result")

_BUSY_S: Final = 0.2
_PAUSE_S: Final = 0.005
_WRITES: Final = "langchain_router_writes"
_inherited: list[Any] = []
"""Connections of the parent, kept in a child so that nothing closes them: they are not its own."""


class RowError(StoreError):
    """The database refuses what a row holds; trying again is of no use."""


class Database:
    """A store's database, which is opened, and brought to the newest schema, when first needed.

    Args:
        url: Where it is.
        shown: The same without a password, for errors.
        wall_clock: Seconds since 1970.
    """

    def __init__(self, url: URL, *, shown: str, wall_clock: Callable[[], float]) -> None:
        self.shown = shown
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self._url = url
        self._wall_clock = wall_clock
        self._gate = threading.RLock()
        self._engine: Engine | None = None
        self._holds_for_fork = False
        self._is_checked = False

    def run(
        self,
        work: Callable[[Connection], Result],
        *,
        writes: bool,
        wait_s: float,
        durable: bool = False,
    ) -> Result:
        """Do some work in a transaction, and return what it returns after the commit.

        Args:
            work: Done again from the start where somebody else was in the way.
            writes: Whether it writes; only one process at a time does.
            wait_s: How long to wait for others, in seconds.
            durable: Whether it must survive a power cut, too; costs a sync of the disk in SQLite.

        Raises:
            StoreBusyError: Others were in the way for all that time.
            StoreError: It failed, or the store cannot be opened.
        """
        deadline_s = time.monotonic() + wait_s  # real seconds: what is waited for is real
        while True:
            try:
                with self.turn(max(0.0, deadline_s - time.monotonic())):
                    return self._once(work, writes=writes, durable=durable)
            except StoreBusyError:
                if time.monotonic() >= deadline_s:
                    raise
            time.sleep(_PAUSE_S)  # so that another thread gets its turn

    @contextlib.contextmanager
    def turn(self, wait_s: float) -> Iterator[None]:
        """Keep every other thread from the database meanwhile.

        Raises:
            StoreBusyError: Another thread had it for all of `wait_s`.
        """
        gate = self._gate
        if not gate.acquire(timeout=wait_s):
            raise StoreBusyError(self.shown, "is in use by another thread of this process. Try again.")
        try:
            yield
        finally:
            gate.release()

    def close(self, wait_s: float = 0.0) -> None:
        """Close the connection, unless it is in use for longer than `wait_s`; it opens again if needed."""
        with contextlib.suppress(StoreBusyError), self.turn(wait_s):
            self._dispose()

    def before_fork(self, wait_s: float) -> None:
        """Wait until nothing is under way and close the connection: SQLite's must not cross a fork."""
        self._holds_for_fork = self._gate.acquire(timeout=wait_s)
        if self._holds_for_fork:
            self._dispose()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        if self._holds_for_fork:
            self._holds_for_fork = False
            self._gate.release()

    def after_fork_in_child(self) -> None:
        """Start anew, with a connection of its own."""
        self._gate = threading.RLock()
        self._holds_for_fork = False
        if self._engine is not None:  # the parent was in the middle of something
            _inherited.append((self._engine, self._engine.pool))
            self._engine = None

    def _dispose(self) -> None:
        engine, self._engine = self._engine, None
        if engine is not None:
            with contextlib.suppress(SQLAlchemyError, sqlite3.Error):
                engine.dispose()

    def _once(self, work: Callable[[Connection], Result], *, writes: bool, durable: bool) -> Result:
        try:
            engine = self._opened()
            return _in_transaction(engine, work, writes=writes, durable=durable and self.is_sqlite)
        except DBAPIError as error:
            raise error_of(error, self.shown) from None  # its text may hold what the row holds
        except UnicodeDecodeError:  # what was read, or SQLite's own error, which may quote what is damaged
            raise damaged(self.shown) from None
        except SQLAlchemyError as error:
            raise RowError(self.shown, f"refused a row ({type(error).__name__}).") from None

    def _opened(self) -> Engine:
        if self._engine is not None:
            return self._engine
        if self.is_sqlite and not self._is_checked:
            check_file(str(self._url.database), self.shown)
            make_file(str(self._url.database), self.shown)
            self._is_checked = True
        engine = _engine(self._url, is_sqlite=self.is_sqlite)
        try:
            while not _in_transaction(engine, self._is_migrated, writes=False):
                _in_transaction(engine, self._migrate, writes=True)
        except BaseException:
            engine.dispose()
            raise
        self._engine = engine
        return engine

    def _is_migrated(self, connection: Connection) -> bool:
        return next_migration(connection, self.shown) > len(MIGRATIONS)

    def _migrate(self, connection: Connection) -> None:
        migrate(connection, self.shown, at_s=self._wall_clock())


def error_of(error: DBAPIError, shown: str) -> StoreError:
    """Return what an error of a database means, without its text, which may hold what was to be stored."""
    original: Any = error.orig
    if isinstance(original, sqlite3.Error):
        return _sqlite_error(original, shown)
    state = getattr(original, "sqlstate", None) or ""
    if state == "53100":
        return StoreFullError(shown, "is full: its server has no room left. Make some.")
    if error.connection_invalidated or not state or state[:2] in {"08", "40", "53", "55", "57"}:
        return StoreBusyError(shown, f"cannot be reached or is busy ({type(original).__name__}). {BUSY}")
    if state in {"42P01", "42703"}:
        return StoreCorruptError(shown, "lacks a table or column of its own. Restore it from a backup.")
    if state[:2] in {"22", "23"}:
        return RowError(shown, f"refused a row ({type(original).__name__}).")
    return StoreError(shown, f"does not let itself be used ({type(original).__name__}).")


def _sqlite_error(error: sqlite3.Error, shown: str) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StoreBusyError(shown, f"is locked by another process. {BUSY}")
    if primary == sqlite3.SQLITE_FULL:
        return StoreFullError(shown, "is full: the disk has no room left. Make some.")
    if primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return damaged(shown)
    if primary == sqlite3.SQLITE_ERROR:
        return StoreCorruptError(shown, f"lacks a table or column of its own. {WHAT_TO_DO}")
    if primary in {
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_AUTH,
        sqlite3.SQLITE_PROTOCOL,
    }:
        name = getattr(error, "sqlite_errorname", "")
        return StoreError(shown, f"cannot be read or written ({name}). See to its folder's permissions.")
    return RowError(shown, f"refused a row ({type(error).__name__}).")


def _in_transaction(
    engine: Engine, work: Callable[[Connection], Result], *, writes: bool, durable: bool = False
) -> Result:
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        if durable:
            driver.execute("PRAGMA synchronous=FULL")
        try:
            with connection.execution_options(**{_WRITES: writes}).begin():
                return work(connection)
        finally:
            if durable:
                driver.execute("PRAGMA synchronous=NORMAL")


def _engine(url: URL, *, is_sqlite: bool) -> Engine:
    options: dict[str, Any] = {
        "poolclass": QueuePool,
        "pool_size": 1,
        "max_overflow": 1,
        "hide_parameters": True,
    }
    if not is_sqlite:
        given = {
            "connect_timeout": 5,
            "application_name": "langchain_router",
            "options": "-c lock_timeout=1000",
        }
        mine = {name: value for name, value in given.items() if name not in url.query}
        return create_engine(url, connect_args=mine, isolation_level="READ COMMITTED", **options)
    engine = create_engine(url, connect_args={"timeout": _BUSY_S, "check_same_thread": False}, **options)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions begin below, and the driver begins none of its own
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
