"""Blocking calls with a deadline: left behind, they end; what they return or raise comes through whole."""

from __future__ import annotations

import contextlib
import contextvars
import socket
import ssl
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from langchain_router.execution.workers import AbandonedError, Worker, within
from tests.execution.walks import needs_interruption

asker: contextvars.ContextVar[str] = contextvars.ContextVar("asker", default="nobody")


class TooLateError(Exception):
    """Of the test."""


def calls_under_way() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "langchain-router-call"]


@pytest.fixture(autouse=True)
def no_call_is_left_under_way() -> Iterator[None]:
    yield
    assert soon(lambda: not calls_under_way()), calls_under_way()


def soon(is_so: Callable[[], bool], within_s: float = 5.0) -> bool:
    until = time.monotonic() + within_s
    while not is_so():
        if time.monotonic() > until:
            return False
        threading.Event().wait(0.002)
    return True


@pytest.fixture
def silent() -> Iterator[tuple[str, int]]:
    """The address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


# --- what comes through ---------------------------------------------------------------------------


def test_what_a_call_returns_is_returned() -> None:
    assert within(lambda: 42, 5, too_late=TooLateError) == 42
    assert within(lambda: None, 5, too_late=TooLateError) is None
    assert Worker(lambda: 42).outcome() == 42


def test_without_a_limit_the_call_stays_in_its_thread() -> None:
    assert within(threading.current_thread, None, too_late=TooLateError) is threading.current_thread()
    assert within(threading.current_thread, 5, too_late=TooLateError) is not threading.current_thread()


def fails() -> None:
    raise KeyError("the provider's own")


def test_what_a_call_raises_is_raised_with_the_place_where_it_happened() -> None:
    with pytest.raises(KeyError, match="the provider's own") as caught:
        within(fails, 5, too_late=TooLateError)
    assert "fails" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]


def test_an_error_is_an_outcome_and_an_interrupt_is_raised() -> None:
    assert isinstance(Worker(fails).outcome(), KeyError)

    def interrupts() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        Worker(interrupts).outcome()


def test_context_variables_are_seen_inside_and_what_is_set_inside_stays_there() -> None:
    token = asker.set("me")
    try:

        def call() -> str:
            seen = asker.get()
            asker.set("it")
            return seen

        assert within(call, 5, too_late=TooLateError) == "me"
        assert asker.get() == "me"
        asker.set("me again")
        assert within(call, 5, too_late=TooLateError) == "me again", "of now, though the thread is an old one"
    finally:
        asker.reset(token)


def test_many_calls_one_after_another_do_not_need_as_many_threads() -> None:
    threads = {within(threading.get_ident, 5, too_late=TooLateError) for _ in range(100)}
    assert len(threads) < 20


# --- too late -------------------------------------------------------------------------------------


def test_a_call_that_takes_too_long_raises_what_it_is_told_to() -> None:
    with pytest.raises(TooLateError):
        within(lambda: threading.Event().wait(0.05), 0.005, too_late=TooLateError)


def reads_from(address: tuple[str, int], ended: threading.Event) -> None:
    try:
        with socket.create_connection(address) as connection:
            connection.recv(1)
    finally:
        ended.set()


def test_a_call_that_waits_on_a_silent_socket_ends_when_it_is_left_behind(silent: tuple[str, int]) -> None:
    ended = threading.Event()
    with pytest.raises(TooLateError):
        within(lambda: reads_from(silent, ended), 0.01, too_late=TooLateError)
    assert ended.wait(1)


@needs_interruption
def test_so_does_one_within_an_http_client(silent: tuple[str, int]) -> None:
    import httpx

    ended, seen = threading.Event(), list[BaseException]()

    def call() -> None:
        try:
            with httpx.Client(timeout=60) as client:
                client.get(f"http://{silent[0]}:{silent[1]}/")
        except BaseException as error:
            seen.append(error)
            raise
        finally:
            ended.set()

    with pytest.raises(TooLateError):
        within(call, 0.05, too_late=TooLateError)
    assert ended.wait(1)
    assert isinstance(seen[0], AbandonedError), "no error of the client's, on which it might retry"


def test_so_does_one_in_a_tls_handshake(silent: tuple[str, int]) -> None:
    ended = threading.Event()

    def call() -> None:
        try:
            context = ssl.create_default_context()
            with socket.create_connection(silent) as plain, contextlib.suppress(OSError):
                context.wrap_socket(plain, server_hostname="localhost")
        finally:
            ended.set()

    with pytest.raises(TooLateError):
        within(call, 0.05, too_late=TooLateError)
    assert ended.wait(1)


@needs_interruption
def test_a_call_that_computes_is_interrupted_and_its_cleanup_runs() -> None:
    cleaned_up = threading.Event()

    def call() -> None:
        try:
            while True:
                pass
        except Exception:  # noqa: BLE001 - as a client that retries would
            return
        finally:
            cleaned_up.set()

    with pytest.raises(TooLateError):
        within(call, 0.005, too_late=TooLateError)
    assert cleaned_up.wait(1)


@needs_interruption
def test_an_interrupt_of_the_waiting_thread_leaves_the_call_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def call() -> None:
        try:
            while True:
                time.sleep(0.001)
        finally:
            ended.set()

    def interrupted(_: Worker[Any], __: float | None = None) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(Worker, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        within(call, 5, too_late=TooLateError)
    assert ended.wait(1)


def test_what_is_left_behind_has_no_result() -> None:
    worker = Worker(lambda: threading.Event().wait(0.02))
    worker.abandon()
    with pytest.raises(AbandonedError):
        worker.result()
    with pytest.raises(AbandonedError):
        worker.outcome()
    worker.abandon()  # once more does nothing


def test_leaving_behind_what_has_ended_changes_nothing() -> None:
    worker = Worker(lambda: 42)
    assert worker.wait(5)
    worker.abandon()
    assert worker.result() == 42


# --- calls within calls ---------------------------------------------------------------------------


@needs_interruption
def test_calls_within_a_call_are_left_behind_together_with_it(silent: tuple[str, int]) -> None:
    ended = [threading.Event() for _ in range(3)]

    def inner() -> None:
        try:
            within(lambda: reads_from(silent, ended[0]), 60, too_late=TooLateError)
        finally:
            ended[1].set()

    def outer() -> None:
        try:
            within(inner, 60, too_late=TooLateError)
        finally:
            ended[2].set()

    with pytest.raises(TooLateError):
        within(outer, 0.05, too_late=TooLateError)
    assert all(one.wait(1) for one in ended)


def test_a_call_that_waits_for_two_others_ends_with_them() -> None:
    ended = threading.Event()

    def races() -> None:
        either = threading.Event()
        try:
            workers = [Worker(lambda: threading.Event().wait(0.3), on_done=either.set) for _ in range(2)]
            either.wait(60)
            for worker in workers:
                worker.abandon()
        finally:
            ended.set()

    with pytest.raises(TooLateError):
        within(races, 0.02, too_late=TooLateError)
    assert ended.wait(0.2), "it is told that those it waits for were left behind"


@needs_interruption
def test_a_call_begun_within_one_that_was_left_behind_does_not_begin() -> None:
    begun, left_behind, tried = threading.Event(), threading.Event(), threading.Event()

    def outer() -> None:
        try:
            while not left_behind.is_set():
                time.sleep(0.001)
        except AbandonedError:
            Worker(begun.set)  # a clean-up that calls somebody
            tried.set()
            raise

    worker = Worker(outer)
    time.sleep(0.005)
    worker.abandon()
    left_behind.set()
    assert tried.wait(1)
    assert not begun.wait(0.01)


def test_a_call_that_goes_on_after_the_one_it_was_begun_in_has_ended_is_not_left_behind_with_it() -> None:
    inner: list[Worker[int]] = []
    context: list[contextvars.Context] = []
    outer = Worker(lambda: context.append(contextvars.copy_context()))
    assert outer.wait(5)
    context[0].run(lambda: inner.append(Worker(lambda: 42)))
    outer.abandon()
    assert inner[0].result() == 42


# --- races ----------------------------------------------------------------------------------------


def test_a_call_that_ends_just_as_it_is_left_behind_troubles_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    troubles: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", troubles.append)
    for turn in range(1_000):
        worker = Worker(lambda: None)
        if turn % 2:
            worker.wait(0)
        worker.abandon()
        with contextlib.suppress(AbandonedError):
            worker.result()
    assert within(lambda: 42, 5, too_late=TooLateError) == 42
    assert soon(lambda: not calls_under_way())
    assert troubles == []


@pytest.mark.parametrize("looks_on", ["settrace", "setprofile"])
def test_leaving_a_call_behind_does_not_hang_while_a_debugger_looks_on(looks_on: str) -> None:
    script = f"""
import sys, threading
from langchain_router.execution.workers import Worker
lock = threading.Lock()
lock.acquire()
worker = Worker(lock.acquire)
worker.wait(0.05)
sys.{looks_on}(lambda *_: None)
worker.abandon()
sys.{looks_on}(None)
"""
    done = subprocess.run([sys.executable, "-c", script], timeout=30, check=False, capture_output=True)  # noqa: S603
    assert done.returncode == 0, done.stderr
