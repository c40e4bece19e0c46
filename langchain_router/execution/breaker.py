"""A circuit breaker for each candidate: who keeps failing is left alone, then tried with a single call.

    closed ──5 failures in a row, or half of the last calls──▶ open ──30 s──▶ half-open
       ▲                                                        ▲               │  │
       │                                 twice as long each time└─ trial failed ┘  │
       └──────────────────────────────────────── trial answered ───────────────────┘

A rate limit is not a failure: the provider is well and says when to come back. It makes the breaker cool,
that is, admit nobody until then, and leaves the circuit as it is: one trial call of half a minute after each
limit would cost more of the candidate's capacity than the limit does.
"""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from langchain_router.execution.breaker_config import BreakerConfig
from langchain_router.execution.cooldown import Cooldown
from langchain_router.execution.errors import ErrorKind, counts_for_breaker
from langchain_router.execution.permit import Permit, PermitRole
from langchain_router.forks import give_lock

__all__ = ["BreakerConfig", "BreakerState", "CircuitBreaker", "Permit"]

_logger = logging.getLogger("langchain_router")

_SAME_TIME_S = 1e-6  # what rounding may take off the sum of a clock's reading and a wait
_LOOK_AGAIN_S = 1.0  # nobody knows how long a trial call still takes

BreakerState = Literal["closed", "open", "half_open", "cooling"]
_News = tuple[int, str]  # level and text of a log line, written once the lock is free


class CircuitBreaker:
    """Decides whether one candidate may be called now, from what came of its last calls.

    Never waits, so threads and any number of event loops may share it. It lives in one process and uses no
    wall clock. Whether to call somebody although everybody's breaker is open is up to who asks: see `force`.

    Args:
        name: The candidate's name, for logs.
        config: When to open, and for how long.
        clock: Monotonic seconds.
        rng: For the jitter.

    Example:
        >>> breaker = CircuitBreaker("small", BreakerConfig(failures=1, jitter=0), clock=lambda: 100.0)
        >>> permit = breaker.admit()
        >>> permit.failed(ErrorKind.SERVER)
        >>> breaker.admit() is None, breaker.reason
        (True, 'is left alone for another 30 s after 1 failure (server)')
    """

    def __init__(
        self,
        name: str,
        config: BreakerConfig | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        rng: random.Random | None = None,
    ) -> None:
        self.name = name
        self._config = config or BreakerConfig()
        self._clock = clock
        self._rng = rng or random.Random()
        self._lock: threading.Lock
        give_lock(self, "_lock")
        self._cooldown = Cooldown(self._config, self._rng)
        self._is_open = False
        self._is_trying = False  # half-open, with at least one trial call made
        self._trial: Permit | None = None
        self._period = 0  # one more with each opening and closing
        self._openings = 0  # without a closing in between
        self._opened_at = self._open_until = -math.inf
        self._in_a_row = 0
        self._last_failed: deque[bool] = deque(maxlen=self._config.window)
        self._cause = self._cool_cause = ""
        self._is_warned = False

    # --- may a call be made -----------------------------------------------------------------------

    def admit(self) -> Permit | None:
        """Return the right to make a call, or None: not now. Half-open, only one at a time has it."""
        with self._lock:
            if not self._may_go():
                return None
            permit, news = self._grant()
        self._tell(news)
        return permit

    def force(self) -> Permit:
        """Return the right to make a call in any state: it is the last hope of a request.

        Its success closes the breaker. Its failure leaves an open breaker open until the time that was set,
        no longer and no shorter, so that last hopes do not put off the trial call.
        """
        with self._lock:
            permit, news = self._grant()
        self._tell(news)
        return permit

    def retry_after_s(self) -> float:
        """Return after how many seconds `admit` will say yes; 0 for now.

        While a trial call is under way nobody knows; then it is at least 1, after which to look again.
        """
        with self._lock:
            return max(self._wait_s(), 0.0 if self._trial is None else _LOOK_AGAIN_S)

    def cooling_s(self) -> float:
        """Return for how many seconds to wait because the provider asked to be left alone; 0 when it did not.

        Unlike the time of an open breaker, which is our own guess, this is the provider's word. Each who asks
        is told a little more at random, so that those who wait do not all call at the same moment.
        """
        with self._lock:
            left_s = self._left_s(self._cooldown.until)
            return left_s + self._cooldown.later_s() if left_s else 0.0

    @property
    def is_cooling(self) -> bool:
        """Whether the provider asked to be left alone, and the time is not over."""
        with self._lock:
            return self._left_s(self._cooldown.until) > 0

    @property
    def state(self) -> BreakerState:
        """The state now: `open` and `cooling` admit nobody, `half_open` one call, `closed` all."""
        with self._lock:
            return self._state()

    @property
    def reason(self) -> str | None:
        """Why the candidate may not be called now, in words that follow its name; None when it may."""
        with self._lock:
            return self._reason()

    def snapshot(self) -> dict[str, Any]:
        """Return what it knows as JSON-serialisable data, for health reports."""
        with self._lock:
            calls, failed = len(self._last_failed), sum(self._last_failed)
            return {
                "state": self._state(),
                "reason": self._reason(),
                "wait_s": round(self._wait_s(), 3),
                "is_trial_under_way": self._trial is not None,
                "failures_in_a_row": self._in_a_row,
                "recent_calls": calls,
                "recent_failures": failed,
                "openings": self._openings,
            }

    def _grant(self) -> tuple[Permit, _News | None]:
        role: PermitRole = "call"
        if self._is_open:
            role = "trial" if self._may_go() else "forced"
        permit = Permit(self._settle, role=role, period=self._period, cooldown=self._cooldown.number)
        if role != "trial":
            return permit, None
        self._trial = permit
        if self._is_trying:
            return permit, None  # not the first since it opened
        self._is_trying = True
        away_s = self._clock() - self._opened_at
        return permit, (logging.INFO, f"half-open after {away_s:.1f} s: one trial call, {self._cause}")

    # --- what came of it --------------------------------------------------------------------------

    def _settle(
        self,
        permit: Permit,
        what: ErrorKind | Literal["begun", "ok", "neutral"],
        asked_s: float | None = None,
    ) -> None:
        news: _News | None = None
        with self._lock:
            if permit.is_settled:
                return
            news = self._begun(permit) if what == "begun" else self._ended(permit, what, asked_s)
        self._tell(news)

    def _begun(self, permit: Permit) -> _News | None:
        if not self._is_open or permit.period != self._period:
            return None
        news = self._succeeded(permit)
        permit.role, permit.period = "call", self._period  # what comes of the rest counts by itself
        return news

    def _ended(
        self, permit: Permit, what: ErrorKind | Literal["ok", "neutral"], asked_s: float | None
    ) -> _News | None:
        permit.is_settled = True
        if self._trial is permit:
            self._trial = None
        if isinstance(what, ErrorKind):
            return self._failed(permit, what, asked_s)
        return self._succeeded(permit) if what == "ok" else None

    def _succeeded(self, permit: Permit) -> _News | None:
        self._cooldown.answered(began_under=permit.cooldown)
        if permit.period != self._period:
            return None
        self._in_a_row = 0
        if not self._is_open:
            self._last_failed.append(False)
            return None
        self._is_open = self._is_trying = self._is_warned = False
        self._trial = None
        self._period += 1
        self._openings = 0
        self._last_failed.clear()
        return logging.INFO, f"closed after {self._clock() - self._opened_at:.1f} s: it answers again"

    def _failed(self, permit: Permit, kind: ErrorKind, asked_s: float | None) -> _News | None:
        weight, config = counts_for_breaker(kind), self._config
        news = None
        if asked_s is not None and not asked_s > 0:  # NaN too
            asked_s = None
        if kind is ErrorKind.RATE_LIMITED or (weight == "yes" and asked_s is not None):
            news = self._cool(permit, kind, asked_s)
        if kind is ErrorKind.RATE_LIMITED or weight == "no":
            return news
        if permit.period != self._period or permit.role == "forced":
            return news
        self._in_a_row += 1
        self._last_failed.append(True)
        if weight == "at once":
            return self._open(kind, "1 failure", config.auth_open_s, is_for_a_person=True)
        calls, failed = len(self._last_failed), sum(self._last_failed)
        if permit.role == "trial":
            cause = "a failed trial call"
        elif self._in_a_row >= config.failures:
            cause = f"{self._in_a_row} failure{'s' if self._in_a_row > 1 else ''}"
        elif calls >= config.min_calls and failed >= config.failure_share * calls:
            cause = f"{failed} failures in {calls} calls"
        else:
            return news
        longest_s = min(config.open_s * 2.0 ** min(self._openings, 64), config.max_open_s)
        return self._open(kind, cause, longest_s * (1 - config.jitter * self._rng.random()))

    def _open(self, kind: ErrorKind, cause: str, seconds: float, *, is_for_a_person: bool = False) -> _News:
        now = self._clock()
        if not self._is_open:
            self._opened_at = now
        self._is_open, self._is_trying = True, False
        self._trial = None
        self._period += 1
        self._openings += 1
        self._open_until = now + seconds
        self._cause = f"after {cause} ({kind.value})"
        text = f"opened for {seconds:.1f} s {self._cause}"
        if not is_for_a_person or self._is_warned:
            return logging.INFO, text
        self._is_warned = True  # once until it answers again
        return logging.WARNING, f"{text}: check its key, its permissions and the model's name"

    def _cool(self, permit: Permit, kind: ErrorKind, asked_s: float | None) -> _News | None:
        now, was_cooling = self._clock(), self._left_s(self._cooldown.until) > 0
        seconds = self._cooldown.begin(now=now, asked_s=asked_s, began_under=permit.cooldown)
        self._cool_cause = f"({kind.value})"
        return None if was_cooling else (logging.INFO, f"cools for {seconds:.1f} s {self._cool_cause}")

    # --- how things stand; the lock is held -------------------------------------------------------

    def _may_go(self) -> bool:
        return self._trial is None and self._wait_s() <= 0

    def _wait_s(self) -> float:
        return max(
            self._left_s(self._cooldown.until), self._left_s(self._open_until) if self._is_open else 0.0
        )

    def _left_s(self, until: float) -> float:
        if until == -math.inf:
            return 0.0
        left_s = until - self._clock()
        return left_s if left_s > _SAME_TIME_S else 0.0

    def _state(self) -> BreakerState:
        must_wait = self._wait_s() > 0
        if self._is_open:
            return "open" if must_wait else "half_open"
        return "cooling" if must_wait else "closed"

    def _reason(self) -> str | None:
        wait_s = self._wait_s()
        if wait_s > 0:
            is_open = self._is_open and self._open_until >= self._cooldown.until
            cause = self._cause if is_open else self._cool_cause
            return f"is left alone for another {math.ceil(wait_s - _SAME_TIME_S)} s {cause}"
        return None if self._trial is None else f"is being tried by another request {self._cause}"

    def _tell(self, news: _News | None) -> None:
        if news is not None:
            level, text = news
            _logger.log(level, "breaker of candidate %s %s", self.name, text)
