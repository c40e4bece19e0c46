"""The file of a SQLite store: made for its owner alone, looked at before use, never deleted."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

from langchain_router.exceptions import StoreBusyError, StoreCorruptError, StoreError

_LOOK_S: Final = 0.25
"""How long a file is looked through for damage when it is opened; of a large one that is a part."""

_OPCODES_BETWEEN_LOOKS: Final = 10_000
_OURS: Final = "router_migrations"
_BESIDE: Final = ("", "-wal", "-shm")

WHAT_TO_DO: Final = (
    "Restore it from a backup, or put it aside and start anew: store=open_store(url, repair='rename')."
)
BUSY: Final = "Rows of requests are tried again; feedback was not stored: record it again later."
"""What to do where a store is busy."""


def damaged(shown: str) -> StoreCorruptError:
    """Return the error for a damaged file."""
    return StoreCorruptError(
        shown, f"is damaged, or no store of langchain_router. It was left as it is. {WHAT_TO_DO}"
    )


def check_file(path: str, shown: str) -> None:
    """Look whether a file is a store, without changing it; one that is not there, or empty, is fine.

    Raises:
        StoreCorruptError: It is damaged, or something else.
        StoreBusyError: Another process has locked it.
        StoreError: It cannot be read.
    """
    with contextlib.suppress(FileNotFoundError):
        try:
            if Path(path).stat().st_size == 0:
                return
            _look_through(path, shown)
        except (FileNotFoundError, StoreError):
            raise
        except OSError as error:
            raise _unusable(shown, error) from None


def make_file(path: str, shown: str) -> None:
    """Make a file, and its folder, that only its owner may read; leave one that is there as it is.

    Raises:
        StoreError: That is not possible there.
    """
    try:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise _unusable(shown, error) from None


def put_aside(path: str) -> Path | None:
    """Rename a file and what SQLite keeps beside it; return the new name, or None where there was none."""
    if not Path(path).exists():
        return None
    number = 1
    while any(Path(f"{path}.broken-{number}{end}").exists() for end in _BESIDE):
        number += 1
    for end in _BESIDE:
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{end}").rename(f"{path}.broken-{number}{end}")
    return Path(f"{path}.broken-{number}")


def _look_through(path: str, shown: str) -> None:
    uri = f"file:{quote(str(Path(path).absolute()))}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=_LOOK_S)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            names = {str(name) for (name,) in tables}
            if names and _OURS not in names:
                raise StoreCorruptError(
                    shown,
                    "is the database of something else. It was left as it is. Give the store a file of its "
                    "own, or open it with repair='rename', which puts the file aside and starts anew.",
                )
            found = _first_damage(connection)
    except sqlite3.Error as error:
        raise _meaning(error, shown) from None
    except UnicodeDecodeError:  # the text of SQLite's own error, when that quotes what is damaged
        raise damaged(shown) from None
    if found is not None:
        raise damaged(shown)


def _first_damage(connection: sqlite3.Connection) -> str | None:
    end_s = time.monotonic() + _LOOK_S
    connection.set_progress_handler(lambda: time.monotonic() > end_s, _OPCODES_BETWEEN_LOOKS)
    try:
        said = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT:
            return None
        raise
    return None if said is None or said[0] == "ok" else str(said[0])


def _meaning(error: sqlite3.Error, shown: str) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StoreBusyError(shown, f"is locked by another process. {BUSY}")
    if primary in {
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
    }:
        name = getattr(error, "sqlite_errorname", "")
        return StoreError(shown, f"cannot be read ({name}). See to its permissions.")
    return damaged(shown)


def _unusable(shown: str, error: OSError) -> StoreError:
    return StoreError(
        shown, f"cannot be made or read ({type(error).__name__}). See to its folder's permissions."
    )
