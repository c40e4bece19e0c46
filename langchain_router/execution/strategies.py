"""Asks the user's tenacity objects, so that one that raises loses no request: the default answers for it."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from typing import Any, Final

from tenacity import RetryAction, RetryCallState

from langchain_router.execution.errors import ErrorKind, error_kind
from langchain_router.execution.ledger import Ledger
from langchain_router.execution.resilience import Resilience
from langchain_router.execution.retrying import AttemptState

_logger = logging.getLogger("langchain_router")

_LEAST_ATTEMPTS: Final = 3
_DEFAULTS: Final = Resilience()


class Strategies:
    """What a request's `Resilience` says of going on, waiting and stopping.

    Args:
        how: The user's objects.
        state: What they are asked about.
        ledger: Of the request.

    Attributes:
        most_calls: Calls after which it is enough, where the user's `stop` does not say.
    """

    def __init__(self, how: Resilience, state: AttemptState, ledger: Ledger) -> None:
        self.most_calls = max(_LEAST_ATTEMPTS, len(ledger.decision.plan))
        self._how = how
        self._state = state
        self._ledger = ledger

    def go_on(self) -> bool:
        """Return whether to go on after the attempt."""
        return bool(_asked("retry", self._how.retry, self._state, _DEFAULTS.retry))

    def are_enough(self, *, sleep_s: float = 0.0) -> bool:
        """Return whether the attempts made are enough, seeing that the next would come after a sleep."""
        if self._ledger.left_s() <= sleep_s:
            return True
        self._state.upcoming_sleep = sleep_s
        stop = self._how.stop or self._is_most
        return bool(_asked("stop", stop, self._state, self._is_most))

    def allow(self, further: int) -> bool:
        """Return whether so many calls more are within the calls allowed by default; a user's `stop` says."""
        return self._how.stop is not None or self._ledger.calls_made + further <= self.most_calls

    def failed_state(self) -> AttemptState:
        """Return the state as it is now, after a failure, for `backoff_s`."""
        return copy.copy(self._state)

    def backoff_s(self, failed: AttemptState) -> float:
        """Return how long to wait before a candidate is called again, in seconds.

        Args:
            failed: The state after its failure: another may have given an answer since then.
        """
        failed.attempt_number = self._state.attempt_number
        return max(float(_asked("wait", self._how.wait, failed, _DEFAULTS.wait)), 0.0)

    def announce(self, candidate: str, sleep_s: float = 0.0) -> None:
        """Say once after each attempt that the walk goes on: to an escalation, a failover or a retry."""
        if self._state.outcome is None or self._state.next_action is not None:
            return
        self._state.next_candidate = candidate
        self._state.next_action = RetryAction(sleep_s)
        self._state.upcoming_sleep = sleep_s
        if self._how.before_sleep is not None:
            _asked("before_sleep", self._how.before_sleep, self._state, lambda _: None)

    def slept(self, seconds: float) -> None:
        """Take note of a sleep."""
        self._state.idle_for += seconds

    def _is_most(self, _: RetryCallState) -> bool:
        return self._ledger.calls_made >= self.most_calls


def _asked(
    name: str,
    strategy: Callable[[RetryCallState], Any],
    state: AttemptState,
    default: Callable[[RetryCallState], Any],
) -> Any:
    try:
        return strategy(state)
    except Exception as error:
        if error_kind(error) is ErrorKind.CONTROL_FLOW:
            raise
        _logger.warning("%s raised %s; the router goes on by its default", name, type(error).__name__)
        return default(state)
