"""What a breaker says of itself: log lines and snapshots."""

from __future__ import annotations

import json
import logging

import pytest

from langchain_router.execution.errors import ErrorKind
from tests.execution.breakers import Clock, admitted, fail, made, opened

AUTH, LIMITED = ErrorKind.AUTH, ErrorKind.RATE_LIMITED


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_each_change_is_one_log_line_with_name_kind_and_seconds(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="langchain_router")
    breaker = opened(clock)
    clock.now += 30
    admitted(breaker).neutral()
    admitted(breaker).failed(ErrorKind.TIMEOUT)
    clock.now += 60
    for _ in range(3):
        breaker.force().neutral()
    admitted(breaker).succeeded()
    for permit in [admitted(breaker) for _ in range(5)]:
        permit.failed(LIMITED, 3)
    again = "after a failed trial call"
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "breaker of candidate small opened for 30.0 s after 5 failures (server)"),
        (
            "INFO",
            "breaker of candidate small half-open after 30.0 s: one trial call, after 5 failures (server)",
        ),
        ("INFO", "breaker of candidate small opened for 60.0 s after a failed trial call (timeout)"),
        ("INFO", f"breaker of candidate small half-open after 90.0 s: one trial call, {again} (timeout)"),
        ("INFO", "breaker of candidate small closed after 90.0 s: it answers again"),
        ("INFO", "breaker of candidate small cools for 3.0 s (rate_limited)"),
    ]


def test_a_rejected_key_is_warned_of_once_until_it_answers_again(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="langchain_router")
    breaker = made(clock)
    for _ in range(5):
        fail(breaker, AUTH)
        breaker.force().failed(AUTH)
        clock.now += 300
    (only,) = caplog.records
    assert only.getMessage() == (
        "breaker of candidate small opened for 300.0 s after 1 failure (auth): "
        "check its key, its permissions and the model's name"
    )
    admitted(breaker).succeeded()
    fail(breaker, AUTH)
    assert len(caplog.records) == 2


def test_a_log_handler_may_ask_the_breaker_how_it_stands(clock: Clock) -> None:
    breaker, seen = made(clock), []

    class Asks(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(breaker.snapshot()["state"])

    logger, handler = logging.getLogger("langchain_router"), Asks()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        fail(breaker, times=5)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    assert seen == ["open"]


def test_a_snapshot_is_plain_data(clock: Clock) -> None:
    breaker = opened(clock)
    clock.now += 0.5
    assert json.loads(json.dumps(breaker.snapshot())) == {
        "state": "open",
        "reason": "is left alone for another 30 s after 5 failures (server)",
        "wait_s": 29.5,
        "is_trial_under_way": False,
        "failures_in_a_row": 5,
        "recent_calls": 5,
        "recent_failures": 5,
        "openings": 1,
    }
