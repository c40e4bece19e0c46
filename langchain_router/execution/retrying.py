"""Retry, failover and escalation in tenacity's words.

tenacity asks after every attempt: try again (`retry`), for how long to wait (`wait`), and is it enough
(`stop`). Here "again" is the next step of the plan, whether the last one failed (failover) or gave an answer
that its check does not pass (escalation). All of tenacity's objects work, and compose with `|`, `&`, `+`;
those in this file know the router's own terms.
"""

from __future__ import annotations

from typing import Any

from tenacity import RetryCallState
from tenacity.retry import retry_base
from tenacity.stop import stop_base

from langchain_router.checks.check import Verdict
from langchain_router.decision import RoutingDecision
from langchain_router.exceptions import ConfigurationError
from langchain_router.execution.errors import another_may_serve, error_kind
from langchain_router.execution.unquoted import UnquotedOutcome
from langchain_router.outcomes.records import Attempt


class AttemptState(RetryCallState):
    """What tenacity's objects are asked about: one attempt of a request, and those before it.

    Attributes:
        decision: Whose plan is walked.
        attempt: The one asked about.
        attempts: Every call made so far, those of checks included.
        verdict: What the check said of the answer; None where the call failed or nobody checked.
        spent_usd: What the calls cost so far in US dollars, unknown costs taken as estimated.
        next_candidate: Who would be called next, or None.
    """

    def __init__(self, decision: RoutingDecision, *, started_s: float) -> None:
        super().__init__(retry_object=_Named(), fn=None, args=(), kwargs={})  # type: ignore[arg-type]
        self.start_time = started_s
        self.decision = decision
        self.attempt: Attempt | None = None
        self.attempts: tuple[Attempt, ...] = ()
        self.verdict: Verdict | None = None
        self.spent_usd = 0.0
        self.next_candidate: str | None = None

    def note(
        self,
        *,
        at_s: float,
        answer: Any = None,
        error: BaseException | None = None,
        verdict: Verdict | None = None,
    ) -> None:
        """Set what came of the attempt."""
        outcome = UnquotedOutcome(self.attempt_number)  # loggers print what it returned
        if error is None:
            outcome.set_result(answer)
        else:
            outcome.set_exception(error)
        self.outcome, self.outcome_timestamp, self.verdict = outcome, at_s, verdict
        self.next_candidate, self.next_action, self.upcoming_sleep = None, None, 0.0


class _Named:
    """Stands for tenacity's retry manager in a state; it only has a name."""

    def __str__(self) -> str:
        return "langchain_router"


class retry_if_another_may_serve(retry_base):  # noqa: N801 - tenacity names its strategies so
    """Go on after a failure that another call could survive.

    Not after the caller's own bad request, a refusal, or an error that is no provider's. Prefer tenacity's
    `retry_if_exception_type` to go on after fewer kinds.
    """

    def __call__(self, retry_state: RetryCallState) -> bool:
        """Return whether to go on."""
        outcome = retry_state.outcome
        if outcome is None or not outcome.failed:
            return False
        error = outcome.exception()
        return error is not None and another_may_serve(error_kind(error))


class retry_if_insufficient(retry_base):  # noqa: N801
    """Escalate when the check does not pass the answer.

    Args:
        below: Instead of the check's own threshold, escalate when its score is below this, 0..1. A verdict
            without a score counts as it stands.

    Raises:
        ConfigurationError: `below` is out of range.
    """

    def __init__(self, below: float | None = None) -> None:
        is_number = isinstance(below, (int, float)) and not isinstance(below, bool)
        if below is not None and not (is_number and 0 <= below <= 1):
            raise ConfigurationError(f"below must be from 0 to 1, got {below!r}.")
        self.below = below

    def __call__(self, retry_state: RetryCallState) -> bool:
        """Return whether to escalate."""
        verdict = getattr(retry_state, "verdict", None)
        if verdict is None:
            return False
        if self.below is not None and verdict.score is not None:
            return bool(verdict.score < self.below)
        return not verdict.passed


class stop_after_cost(stop_base):  # noqa: N801
    """Stop when the calls of the request have cost so much; the best answer so far is returned.

    The limit is looked at between calls: the call that passes it is paid. A limit on each request that no
    call may pass, by the estimate, is the constraint `max_cost_usd`.

    Args:
        usd: US dollars, > 0.

    Raises:
        ConfigurationError: `usd` is not a number above 0.

    Example:
        >>> from tenacity import stop_after_attempt
        >>> stop = stop_after_attempt(3) | stop_after_cost(0.05)
    """

    def __init__(self, usd: float) -> None:
        if isinstance(usd, bool) or not isinstance(usd, (int, float)) or not usd > 0:
            raise ConfigurationError(f"stop_after_cost takes US dollars above 0, got {usd!r}.")
        self.usd = usd

    def __call__(self, retry_state: RetryCallState) -> bool:
        """Return whether so much has been spent."""
        return bool(getattr(retry_state, "spent_usd", 0.0) >= self.usd)
