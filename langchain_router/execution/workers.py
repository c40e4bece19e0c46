"""Deadlines for blocking calls: the call runs in a thread of its own, which can be left behind.

Python cannot stop a thread that waits for the network. What it can do is leave it behind, shut the socket
that it waits on, and raise an exception in it as soon as it runs again: so a call that nobody waits for
any longer ends at once instead of when its server pleases.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import ctypes
import os
import queue
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, ClassVar, Final, Generic, TypeVar

Result = TypeVar("Result")

_MOST_FRAMES: Final = 80
_MOST_LOOKS: Final = 50
_LOOK_AGAIN_S: Final = 0.001
_IDLE_S: Final = 5.0
_BUSY: Final = "langchain-router-call"
_IDLE: Final = "langchain-router-idle"
_parent: contextvars.ContextVar[Worker[Any] | None] = contextvars.ContextVar("_parent", default=None)


class AbandonedError(BaseException):
    """Raised in a thread whose call nobody waits for; no `Exception`, so that no client retries on it."""


class Worker(Generic[Result]):
    """Makes one blocking call in a daemon thread, within the context of whoever starts it.

    Args:
        call: What to do.
        on_done: Called when the call has ended or was left behind.
    """

    def __init__(self, call: Callable[[], Result], *, on_done: Callable[[], None] | None = None) -> None:
        self._call = call
        self._on_done = on_done
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._result: Result | None = None
        self._error: BaseException | None = None
        self._is_over = False
        self._children: list[Worker[Any]] = []
        self._thread: threading.Thread | None = None  # while it makes the call
        parent = _parent.get()
        if parent is not None:
            parent.adopt(self)
        context = contextvars.copy_context()
        _Thread.for_job(lambda: context.run(self._run))  # holds no lock: whoever abandons it must not wait

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the call has ended; return whether it has."""
        return self._done.wait(timeout_s)

    def result(self) -> Result:
        """Return what the call returned, waiting for it; raise what it raised."""
        self._done.wait()
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]

    def outcome(self) -> Result | Exception:
        """Return what the call returned or, as a value, the exception that it raised."""
        self._done.wait()
        if isinstance(self._error, Exception):
            return self._error
        return self.result()

    def abandon(self) -> None:
        """Leave the call behind: it is interrupted, and what it would have returned is lost."""
        with self._lock:
            children, self._children = self._children, []
            was_over, self._is_over = self._is_over, True
            if not was_over:
                self._error = AbandonedError()
                self._done.set()
                if self._thread is not None:
                    _interrupt(self._thread)
        for child in children:
            child.abandon()
        if not was_over and self._on_done is not None:
            self._on_done()  # whoever waits for it may be abandoned too, and must wake up for that

    def adopt(self, child: Worker[Any]) -> None:
        """Take over a call that was begun within this one: it is abandoned together with it."""
        with self._lock:
            is_too_late = isinstance(self._error, AbandonedError)
            if not self._is_over:
                self._children.append(child)
        if is_too_late:
            child.abandon()

    def _run(self) -> bool:
        """Make the call; return whether somebody still waited for it, so that the thread is sound."""
        if not self._begin():
            return False
        _parent.set(self)
        result, error = None, None
        try:
            result = self._call()
        except BaseException as caught:  # noqa: BLE001 - raised where the result is asked for
            error = caught
        return self._end(result, error)

    def _begin(self) -> bool:
        with self._lock:
            if self._is_over:  # left behind when it had hardly been made
                return False
            self._thread = threading.current_thread()
            return True

    def _end(self, result: Result | None, error: BaseException | None) -> bool:
        with self._lock:
            self._thread = None
            if self._is_over:
                return False
            self._is_over = True
            self._result, self._error = result, error
            self._done.set()
        if self._on_done is not None:
            self._on_done()
        return True


class _Thread(threading.Thread):
    """A daemon thread that makes one call after another, and ends when it has had nothing to do for a while.

    Starting a thread costs several times what handing a call to one does. A thread whose call was left
    behind ends, since an interruption may still be on its way to it.
    """

    _idle: ClassVar[list[_Thread]] = []

    def __init__(self, job: Callable[[], bool]) -> None:
        super().__init__(name=_BUSY, daemon=True)
        self._jobs: queue.SimpleQueue[Callable[[], bool]] = queue.SimpleQueue()
        self._jobs.put(job)

    @classmethod
    def for_job(cls, job: Callable[[], bool]) -> _Thread:
        """Hand a job to an idle thread, or start one."""
        try:
            thread = cls._idle.pop()  # popping and appending are atomic
        except IndexError:
            thread = cls(job)
            thread.start()
        else:
            thread.name = _BUSY
            thread._jobs.put(job)
        return thread

    @classmethod
    def forget_idle(cls) -> None:
        """Forget the idle threads: a forked process has none of its parent's."""
        cls._idle = []

    def run(self) -> None:
        """Do jobs."""
        with contextlib.suppress(AbandonedError):
            while self._next_job()():
                self.name = _IDLE
                self._idle.append(self)

    def _next_job(self) -> Callable[[], bool]:
        try:
            return self._jobs.get(timeout=_IDLE_S)
        except queue.Empty:
            try:
                self._idle.remove(self)
            except ValueError:  # somebody has just taken this thread: a job is on its way
                return self._jobs.get()
            return lambda: False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_Thread.forget_idle)


def within(
    call: Callable[[], Result], timeout_s: float | None, *, too_late: Callable[[], Exception]
) -> Result:
    """Make a blocking call, and give it up when it takes too long.

    Args:
        call: What to do. Runs in this thread where there is no limit.
        timeout_s: The limit in seconds, or None.
        too_late: Makes the error to raise.

    Raises:
        Exception: What `call` raises, or what `too_late` returns.
    """
    if timeout_s is None:
        return call()
    worker = Worker(call)
    try:
        if worker.wait(timeout_s):
            return worker.result()
    except BaseException:  # an interrupt from the keyboard, perhaps
        worker.abandon()
        raise
    worker.abandon()
    raise too_late()


async def in_worker(call: Callable[[], Result]) -> Result:
    """Make a blocking call beside an event loop, and leave it behind when whoever awaits it is cancelled."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(ended.set)

    worker = Worker(call, on_done=wake)
    try:
        await ended.wait()
    except BaseException:
        worker.abandon()
        raise
    return worker.result()


def _interrupt(thread: threading.Thread) -> None:
    """Raise an exception in a thread, and wake it if it waits on a socket."""
    if thread.ident is None:
        return
    if not _is_traced() and not _keeps_starting_another(thread.ident):
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(AbandonedError)
        )
    waits_on = _socket_of(sys._current_frames().get(thread.ident))  # noqa: SLF001 - the documented way
    if waits_on is not None:
        with contextlib.suppress(OSError):
            socket.socket.shutdown(waits_on, socket.SHUT_RDWR)  # the plain one: TLS has state of its own


def _is_traced() -> bool:
    """Return whether a debugger or a coverage tool looks on in a way that an interruption must not meet.

    In Python 3.11 a thread that is traced stands still at its next function call while an interruption of
    any other thread is on its way; that other thread may wait for this one.
    """
    is_old = sys.version_info < (3, 12)
    return is_old and (sys.gettrace() is not None or sys.getprofile() is not None)


def _keeps_starting_another(ident: int) -> bool:
    """Return whether a thread is starting another, after waiting a moment for that to be over.

    In Python 3.11 a thread that is being started bears its starter's number at first. It would get the
    interruption, end before it began, and be waited for by its starter for ever.
    """
    if sys.version_info >= (3, 12):
        return False
    for _ in range(_MOST_LOOKS):
        if not _is_starting_another(sys._current_frames().get(ident)):  # noqa: SLF001 - as above
            return False
        time.sleep(_LOOK_AGAIN_S)
    return True


def _is_starting_another(frame: FrameType | None) -> bool:
    for _ in range(_MOST_FRAMES):
        if frame is None:
            return False
        if frame.f_code is threading.Thread.start.__code__:
            return True
        frame = frame.f_back
    return False


def _socket_of(frame: FrameType | None) -> socket.socket | None:
    """Return the socket that a blocked thread reads from: the innermost one that its frames hold."""
    for depth in range(_MOST_FRAMES):
        if frame is None:
            return None
        held = frame.f_locals.get("self")
        others = frame.f_locals.values() if depth == 0 else (frame.f_locals.get("sock"),)
        for found in (held, getattr(held, "_sock", None), *others):
            if isinstance(found, socket.socket):
                return found
        frame = frame.f_back
    return None
