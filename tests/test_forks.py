"""A forked process has locks of its own, whatever its parent's threads held."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from langchain_router import Candidate, ChatRouter
from langchain_router.execution.limit import ConcurrencyLimit
from langchain_router.forks import give_lock
from langchain_router.testing import FaultyChatModel

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def in_child(do: Callable[[], bool]) -> bool:
    """Return what a forked child makes of it; a child that hangs is killed, and has failed."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = 0 if do() else 2
        finally:
            os._exit(status)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.005)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    return False


class Owner:
    lock: threading.Lock


@needs_fork
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_lock_that_is_held_is_free_in_the_child_and_still_held_here() -> None:
    owner = Owner()
    give_lock(owner, "lock")
    with owner.lock:
        assert in_child(lambda: owner.lock.acquire(timeout=1))
        assert owner.lock.locked()


@needs_fork
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_an_owner_with_slots_has_such_a_lock_too() -> None:
    limit = ConcurrencyLimit(1)
    with limit._lock:
        assert in_child(limit.try_acquire)


@needs_fork
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.parametrize("policy", ["cost", "thompson", "lin_thompson"])
def test_a_router_answers_and_learns_in_a_child_though_its_locks_were_held(policy: str) -> None:
    model = FaultyChatModel(answers=["yes"])
    router = ChatRouter(
        candidates=[Candidate(model=model, name=name, quality=0.8) for name in ("a", "b")],
        policy=policy,
        store=None,
    )
    core: Any = router.core
    held = [core.quality._lock, core._gates._lock, core._gates._retries._lock, core.learning._is_looking]
    held += [core.policy._rates._lock] if policy == "thompson" else []
    held += [core.policy._lots._lock] if policy != "cost" else []

    def judged() -> bool:
        return router.record_feedback(router.invoke("Hello"), score=1.0).status == "new"

    for lock in held:
        lock.acquire()
    try:
        assert in_child(judged)
    finally:
        for lock in held:
            lock.release()
    assert judged()
