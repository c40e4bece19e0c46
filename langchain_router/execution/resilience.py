"""How hard the router tries: retries, deadlines, breakers and hedging, as plain data."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from tenacity import RetryCallState
from tenacity.retry import retry_base
from tenacity.stop import stop_base
from tenacity.wait import wait_base, wait_random_exponential

from langchain_router.exceptions import ConfigurationError
from langchain_router.execution.breaker import BreakerConfig
from langchain_router.execution.retrying import retry_if_another_may_serve, retry_if_insufficient
from langchain_router.wording import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long a request and its parts may take, in seconds; None for no limit.

    The router keeps them itself: a client's own timeout is per read, so a slow drip never reaches it.

    Args:
        total_s: The whole request, with every retry, check and escalation: the user's own checks, a rate
            limiter's wait and the making of a model count too. A stream that is shown while it arrives has
            its own two limits once it has begun.
        attempt_s: One call that is not shown while it arrives, so that a candidate which hangs leaves time
            for another.
        first_token_s: Until the first token of a stream that is shown while it arrives.
        between_chunks_s: The longest silence within a stream.

    Raises:
        ConfigurationError: A value is not a number above 0.
    """

    total_s: float | None = 600.0
    attempt_s: float | None = 180.0
    first_token_s: float | None = 60.0
    between_chunks_s: float | None = 60.0

    def __post_init__(self) -> None:
        for name in ("total_s", "attempt_s", "first_token_s", "between_chunks_s"):
            value = getattr(self, name)
            if value is not None:
                _check_seconds(name, value, hint=" None means no limit.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedging:
    """Ask the next candidate too when the first token is slow, and take whoever answers first.

    Buys tail latency with money: the loser's call is paid in part. Needs a plan with a next step that is
    accepted without a check.

    Args:
        after_s: How long to wait for the first token (or the answer, where nothing is streamed), in seconds.
        share: Most hedges as a share of requests, 0..1.

    Raises:
        ConfigurationError: A value is out of range.
    """

    after_s: float
    share: float = 0.05

    def __post_init__(self) -> None:
        _check_seconds("after_s", self.after_s)
        _check_share("share", self.share)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resilience:
    """How hard the router tries to get an answer.

    After a failure the next candidate of the plan is asked at once. A candidate is asked a second time only
    when nobody else is left, after a wait and within the retry budget. The objects are tenacity's or compose
    like them; give your own to change one thing. They are called from any thread, so they keep no state.

    Args:
        retry: Whether to go on after an attempt; by default after failures that another call may survive, and
            after answers that their check does not pass. Of a stream that is shown live it sees the
            beginning only.
        stop: Whether it is enough; the best answer so far is returned, or the errors are raised. By default
            at most 3 attempts, or one for each candidate of the plan if those are more.
        wait: Seconds before a candidate is asked again: by default full jitter up to 0.5 s, 1 s, 2 s, ...
            8 s. A provider's own Retry-After goes first.
        before_sleep: Called with an `AttemptState` before going on: an escalation, a failover or a retry.
        retry_budget: Most second calls to a candidate, as a share of the active requests, 0..1.
        deadlines: Limits in time.
        breaker: When a candidate is left alone, and for how long. None switches breakers off.
        hedging: Off by default.

    Raises:
        ConfigurationError: A value cannot work.

    Example:
        >>> from tenacity import stop_after_attempt
        >>> from langchain_router.execution.retrying import stop_after_cost
        >>> Resilience(stop=stop_after_attempt(3) | stop_after_cost(0.05)).retry_budget
        0.2
    """

    retry: retry_base | Callable[[RetryCallState], bool] = field(
        default_factory=lambda: retry_if_another_may_serve() | retry_if_insufficient()
    )
    stop: stop_base | Callable[[RetryCallState], bool] | None = None
    wait: wait_base | Callable[[RetryCallState], float] = field(
        default_factory=lambda: wait_random_exponential(multiplier=0.5, max=8)
    )
    before_sleep: Callable[[RetryCallState], Any] | None = None
    retry_budget: float = 0.2
    deadlines: Deadlines = field(default_factory=Deadlines)
    breaker: BreakerConfig | None = field(default_factory=BreakerConfig)
    hedging: Hedging | None = None

    def __post_init__(self) -> None:
        for name in ("retry", "stop", "wait", "before_sleep"):
            _check_strategy(name, getattr(self, name), optional=name in ("stop", "before_sleep"))
        _check_share("retry_budget", self.retry_budget)
        for name, kind in (("deadlines", Deadlines), ("breaker", BreakerConfig), ("hedging", Hedging)):
            _check_part(name, getattr(self, name), kind)


_INSTEAD_OF_A_NUMBER = {
    "retry": "How often is for stop to say: stop=stop_after_attempt({0!r}).",
    "stop": "Write tenacity's stop_after_attempt({0!r}).",
    "wait": "Write tenacity's wait_fixed({0!r}).",
    "deadlines": "Write Deadlines(total_s={0!r}).",
    "breaker": "Write BreakerConfig(failures={0!r}).",
    "hedging": "Write Hedging(after_s={0!r}).",
}


def _check_strategy(name: str, given: object, *, optional: bool) -> None:
    if given is None and optional:
        return
    if isinstance(given, type) or not callable(given):
        raise ConfigurationError(
            f"{name} must be a tenacity strategy or a function of the state, got {shown(given)}."
            + _instead(name, given)
        )
    if inspect.iscoroutinefunction(given) or inspect.iscoroutinefunction(type(given).__call__):
        raise ConfigurationError(
            f"{name} must not be a coroutine function: the same plan serves sync and async callers. "
            "Do the waiting in a check (a check may be async) and decide here."
        )


def _check_part(name: str, given: object, kind: type) -> None:
    if isinstance(given, kind) or (given is None and name != "deadlines"):
        return
    raise ConfigurationError(
        f"{name} must be a {kind.__name__}, got {shown(given)}." + _instead(name, given, kind)
    )


def _instead(name: str, given: object, kind: type | None = None) -> str:
    """Return the sentence that says what to write instead, or nothing where that is not clear."""
    if _is_number(given) and name in _INSTEAD_OF_A_NUMBER:
        return " " + _INSTEAD_OF_A_NUMBER[name].format(given)
    if isinstance(given, dict) and kind is not None:
        return f" Write {kind.__name__}(**{{...}})."
    if name == "deadlines" and not given:
        return " For no limits set each to None: Deadlines(total_s=None, attempt_s=None, ...)."
    return f" Write {name}=None to switch it off." if given is False and kind is not None else ""


def _check_seconds(name: str, value: object, *, hint: str = "") -> None:
    if not (_is_number(value) and 0 < value < math.inf):
        raise ConfigurationError(f"{name} must be seconds above 0, got {shown(value)}.{hint}")


def _check_share(name: str, value: object) -> None:
    if not (_is_number(value) and 0 <= value <= 1):
        raise ConfigurationError(f"{name} must be a share from 0 to 1, got {shown(value)}.")


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
