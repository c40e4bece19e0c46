"""A plan that came to an answer, and what is still to be told of a live one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from langchain_core.messages import AIMessage

from langchain_router.candidates.candidate import Candidate
from langchain_router.exceptions import RouterExhaustedError
from langchain_router.execution.errors import ErrorKind, error_kind, retry_after_s
from langchain_router.execution.gates import Ticket
from langchain_router.execution.ledger import Ledger
from langchain_router.execution.moves import Reply
from langchain_router.finish import finish_of
from langchain_router.outcomes.records import Attempt, Outcome, Status

_STATUS_OF_KIND: Final[dict[ErrorKind, Status]] = {
    ErrorKind.TIMEOUT: "timeout",
    ErrorKind.REFUSED: "refused",
    ErrorKind.TRUNCATED: "truncated",
    ErrorKind.INTERRUPTED: "truncated",
    ErrorKind.CANCELLED: "cancelled",
}
_STATUS_OF_FINISH: Final[dict[str, Status]] = {"length": "truncated", "refused": "refused"}


class Served:
    """A plan that came to an answer.

    A complete answer bears its outcome. A live stream has only begun: whoever passes it on calls `finish`
    once, when it has ended, however it ended.

    Attributes:
        answer: What the serving call returned.
        attempts: Every call made, in order.
        served_by: Name of the candidate that answers.
        outcome: What the request came to; None until a live stream is finished.
    """

    def __init__(
        self,
        *,
        reply: Reply,
        candidate: Candidate,
        ledger: Ledger,
        index: int,
        ticket: Ticket | None,
        report: Callable[[Outcome], None],
    ) -> None:
        self.answer: Any = reply.answer
        self.served_by = candidate.name
        self.outcome: Outcome | None = None
        self._candidate = candidate
        self._ledger = ledger
        self._index = index
        self._ticket = ticket
        self._report = report
        if reply.is_complete:
            status = status_of_answer(reply.message, is_streamed=reply.is_streamed)
            first_token_s = self.elapsed_s() if reply.is_streamed else None
            self._end(status, reply.message, first_token_s=first_token_s)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Every call made so far, in order."""
        return tuple(self._ledger.attempts)

    def left_s(self) -> float:
        """Return how many seconds are left of the request's deadline."""
        return self._ledger.left_s()

    def elapsed_s(self) -> float:
        """Return how many seconds have passed since the request began."""
        return self._ledger.clock() - self._ledger.started_s

    def finish(
        self,
        message: AIMessage | None = None,
        error: BaseException | None = None,
        *,
        first_token_s: float | None = None,
    ) -> Outcome:
        """Say what a live stream came to. The first call counts.

        Args:
            message: All of it that arrived, merged; it bears usage and finish reason.
            error: What broke it off; a `GeneratorExit` where its reader left.
            first_token_s: Until its first token was shown, in seconds since the request began.
        """
        if self.outcome is not None:
            return self.outcome
        kind = None if error is None else error_kind(error)
        if error is not None and not isinstance(error, Exception):
            kind = ErrorKind.CANCELLED
        self._ledger.complete(self._index, self._candidate, Reply(answer=None, message=message), kind)
        if self._ticket is not None:
            if kind is None:
                self._ticket.succeeded()
            elif isinstance(error, Exception):
                cause = error.__cause__ if kind is ErrorKind.INTERRUPTED and error.__cause__ else error
                self._ticket.failed(error_kind(cause), retry_after_s(error))
            else:
                self._ticket.neutral()
        if error is None:
            status = status_of_answer(message, is_streamed=True)
        else:
            status = status_of_error(error)
            if status == "error" and kind is not ErrorKind.CONTROL_FLOW:
                status = "truncated"  # a part of the answer has been shown
        return self._end(status, message, first_token_s=first_token_s)

    def _end(self, status: Status, message: AIMessage | None, *, first_token_s: float | None) -> Outcome:
        self.outcome = self._ledger.outcome(
            status,
            served_by=self.served_by,
            first_token_s=first_token_s,
            message_id=None if message is None else message.id,
        )
        self._report(self.outcome)
        return self.outcome


def status_of_answer(message: AIMessage | None, *, is_streamed: bool = False) -> Status:
    """Return the status of a request that was answered.

    Args:
        message: The answer, where it is known.
        is_streamed: Whether it was streamed: then silence about how it ended means that nobody can say.
    """
    if message is not None and message.invalid_tool_calls:
        return "truncated"  # a call that a program cannot make
    finish = None if message is None else finish_of(message)
    if finish is None:
        return "unknown" if is_streamed else "ok"
    return _STATUS_OF_FINISH.get(finish, "ok")


def status_of_error(error: BaseException) -> Status:
    """Return the status of a request that ended with an error."""
    if not isinstance(error, Exception):
        return "cancelled"
    if isinstance(error, RouterExhaustedError):
        kinds = {status_of_error(one) for one in error.exceptions}
        return kinds.pop() if len(kinds) == 1 else "error"
    return _STATUS_OF_KIND.get(error_kind(error), "error")
