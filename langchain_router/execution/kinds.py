"""The kinds of failure, and what each means for the request and for the candidate."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, Literal


class ErrorKind(StrEnum):
    """Kinds of failure, as far as the router's next move depends on them.

    In order of hope: the first are those after which whoever failed may soonest serve after all.
    """

    SERVER = "server"
    CONNECT = "connect"
    MALFORMED = "malformed"
    TRUNCATED = "truncated"
    OVERLOADED = "overloaded"
    RATE_LIMITED = "rate_limited"
    TIMEOUT = "timeout"
    UNSUPPORTED = "unsupported"
    CONTEXT_OVERFLOW = "context_overflow"
    NOT_FOUND = "not_found"
    AUTH = "auth"
    REFUSED = "refused"
    BAD_REQUEST = "bad_request"
    UNKNOWN = "unknown"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    CONTROL_FLOW = "control_flow"


_FINAL: Final = frozenset(
    {
        ErrorKind.BAD_REQUEST,
        ErrorKind.REFUSED,
        ErrorKind.INTERRUPTED,
        ErrorKind.CANCELLED,
        ErrorKind.CONTROL_FLOW,
        ErrorKind.UNKNOWN,
    }
)
_PASSING: Final = frozenset(
    {
        ErrorKind.RATE_LIMITED,
        ErrorKind.OVERLOADED,
        ErrorKind.SERVER,
        ErrorKind.CONNECT,
        ErrorKind.MALFORMED,
        ErrorKind.TRUNCATED,
    }
)
_LASTING: Final = frozenset({ErrorKind.AUTH, ErrorKind.NOT_FOUND})
_ILL: Final = _PASSING | {ErrorKind.TIMEOUT, ErrorKind.INTERRUPTED}
_HOPE: Final = {kind: place for place, kind in enumerate(ErrorKind)}


def another_may_serve(kind: ErrorKind) -> bool:
    """Return whether a failure of this kind leaves hope in another candidate.

    A caller's own bad request fails the same way everywhere, what one model refused is not shopped around,
    and an error that is not a provider's (a fault in a callback, a bug) must surface rather than be hidden
    by a failover.
    """
    return kind not in _FINAL


def same_may_serve(kind: ErrorKind) -> bool:
    """Return whether the same candidate may well answer when it is asked once more, soon.

    Not after a timeout: the time is gone, and the next call would likely take as long.
    Prefer `another_may_serve` to choose whom to ask next; this one is for when nobody else is left, or a
    retry costs less than the next candidate does.
    """
    return kind in _PASSING


def counts_for_breaker(kind: ErrorKind) -> Literal["no", "yes", "at once"]:
    """Return what a failure of this kind says of the candidate's health.

    Returns:
        `"yes"` for one mark against it, `"at once"` when the next call would fail just the same (a wrong key,
        a model that is not there), `"no"` when the request, the caller or nobody is to blame.
    """
    if kind in _LASTING:
        return "at once"
    return "yes" if kind in _ILL else "no"


def most_hopeful(kinds: Iterable[ErrorKind]) -> ErrorKind:
    """Return the kind of failures of which each could have been an answer: one candidate after another.

    Example:
        >>> most_hopeful([ErrorKind.AUTH, ErrorKind.RATE_LIMITED])
        <ErrorKind.RATE_LIMITED: 'rate_limited'>
    """
    return min(kinds, key=_HOPE.__getitem__)


def least_hopeful(kinds: Iterable[ErrorKind]) -> ErrorKind:
    """Return the kind of failures of which none may happen: parts of one call."""
    return max(kinds, key=_HOPE.__getitem__)
