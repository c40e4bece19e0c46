"""What a fork and the exit of a process mean for the stores that are open in it.

A forked child gets a queue, a writer and a connection of its own, and leaves its parent's rows to the parent.
At exit what is queued is written, for two seconds at most for all stores together.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
import weakref
from typing import Any, Final, Protocol

_logger = logging.getLogger("langchain_router")

_AT_EXIT_S: Final = 2.0
_BEFORE_FORK_S: Final = 2.0


class Lives(Protocol):
    """A store, as far as forks and exits concern it."""

    def before_fork(self, wait_s: float) -> None:
        """Come to rest."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Start anew."""

    def close(self, timeout_s: float = 2.0) -> int:
        """Write what is queued; return how many rows could not be."""


_stores: weakref.WeakSet[Any] = weakref.WeakSet()
_lock = threading.Lock()
_watched_by: list[int] = []


def register(store: Lives) -> None:
    """Let a store know of forks, and close it at exit."""
    with _lock:
        _stores.add(store)
    watch_exit()


def watch_exit() -> None:
    """Have stores closed when this process ends; call again in a child, which has no such list yet."""
    if _watched_by[-1:] == [os.getpid()]:
        return
    _watched_by.append(os.getpid())
    atexit.register(_at_exit)
    multiprocessing: Any = sys.modules.get("multiprocessing.util")
    if multiprocessing is not None:  # its children end without what is registered with atexit
        multiprocessing.Finalize(None, _at_exit, exitpriority=0)


def _at_exit() -> None:
    end_s = time.monotonic() + _AT_EXIT_S
    for store in list(_stores):
        left = store.close(max(0.0, end_s - time.monotonic()))
        if left:
            _logger.warning("%d rows were not written to the store before the process ended", left)


def _before_fork() -> None:
    end_s = time.monotonic() + _BEFORE_FORK_S
    for store in list(_stores):
        store.before_fork(max(0.0, end_s - time.monotonic()))


def _after_fork_in_parent() -> None:
    for store in list(_stores):
        store.after_fork_in_parent()


def _after_fork_in_child() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it
    _lock = threading.Lock()
    for store in list(_stores):
        store.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
