"""Locks that a forked process does not inherit locked: nobody in it would ever release them."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

_owners: weakref.WeakKeyDictionary[Any, dict[str, Callable[[], Any]]] = weakref.WeakKeyDictionary()


def give_lock(owner: object, name: str, make: Callable[[], Any] = threading.Lock) -> None:
    """Give an owner a lock under this name, and a new one in every child that the process forks.

    What the lock guards may be half changed in the child where another thread held it; whoever cannot bear
    that takes the lock before the fork.

    Args:
        owner: Whose attribute it is; compared by identity.
        name: Of the attribute.
        make: Makes the lock.

    Example:
        >>> class Counter: ...
        >>> counter = Counter()
        >>> give_lock(counter, "lock")
        >>> counter.lock.locked()
        False
    """
    setattr(owner, name, make())
    _owners.setdefault(owner, {})[name] = make


def _renew() -> None:
    for owner, locks in list(_owners.items()):
        for name, make in locks.items():
            setattr(owner, name, make())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
