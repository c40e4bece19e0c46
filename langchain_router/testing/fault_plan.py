"""Which fault befalls which call: the faults by name, and scripts and rates that choose among them."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import langchain_core.exceptions as langchain_errors
from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelRateLimitError,
    ModelTimeoutError,
)

from langchain_router.exceptions import ConfigurationError, MalformedResponseError, TruncatedResponseError
from langchain_router.execution.errors import ErrorKind
from langchain_router.testing.phrases import draw
from langchain_router.wording import shown


class UnsupportedParamsError(ModelInvalidRequestError):
    """Named as LiteLLM names it: this model does not take a parameter that another may take."""


class ContentPolicyViolationError(ModelInvalidRequestError):
    """Named as LiteLLM names it: the provider's rules forbid the request or its answer."""


def _overloaded(message: str) -> Exception:
    error: Any = ModelAPIError(message)
    error.status_code = 503
    return error  # type: ignore[no-any-return]


def _refused(message: str) -> Exception:
    """Return LangChain's own error for a refusal, which came with langchain-core 1.7.5."""
    made: Any = getattr(langchain_errors, "ModelRefusalError", ContentPolicyViolationError)
    return made(message)  # type: ignore[no-any-return]


def _control_flow(message: str) -> Exception:
    """Return LangGraph's interrupt, or without LangGraph what looks like it.

    No `CancelledError`: LangChain's `agenerate` loses those that a model raises.
    """
    try:
        from langgraph.errors import GraphBubbleUp
    except ImportError:
        stand_in: Any = type("GraphBubbleUp", (Exception,), {"__module__": "langgraph.errors"})
        return stand_in(message)  # type: ignore[no-any-return]
    return GraphBubbleUp(message)


ERRORS: Mapping[str, Callable[[str], Exception]] = MappingProxyType(
    {
        ErrorKind.RATE_LIMITED.value: ModelRateLimitError,
        ErrorKind.OVERLOADED.value: _overloaded,
        ErrorKind.SERVER.value: ModelAPIError,
        ErrorKind.CONNECT.value: ModelConnectionError,
        ErrorKind.TIMEOUT.value: ModelTimeoutError,
        ErrorKind.AUTH.value: ModelAuthenticationError,
        ErrorKind.NOT_FOUND.value: ModelNotFoundError,
        "unsupported": UnsupportedParamsError,
        ErrorKind.BAD_REQUEST.value: ModelInvalidRequestError,
        ErrorKind.CONTEXT_OVERFLOW.value: ContextOverflowError,
        ErrorKind.REFUSED.value: _refused,
        ErrorKind.MALFORMED.value: MalformedResponseError,
        ErrorKind.TRUNCATED.value: TruncatedResponseError,
        ErrorKind.INTERRUPTED.value: ModelConnectionError,
        ErrorKind.CONTROL_FLOW.value: _control_flow,
        ErrorKind.UNKNOWN.value: RuntimeError,
        "hang": ModelTimeoutError,
    }
)

OK = "ok"
"""In a script: this call is not disturbed."""

FAULTS: tuple[str, ...] = (*ERRORS, "slow", "drip")
"""What can go wrong: the names of `ErrorKind` except `cancelled`, no candidate's doing, and three more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong with one call.

    Attributes:
        error: Raised, or None.
        wait_s: Silence before the error; without an error, before the answer and each chunk.
        is_first_at_once: Whether the first chunk is spared that silence.
        after_chunks: Chunks that go out before the error.
    """

    error: Exception | None = None
    wait_s: float = 0.0
    is_first_at_once: bool = False
    after_chunks: int = 0

    def before_chunk_s(self, sent: int) -> float:
        """Return the silence before a chunk of a stream, in seconds, after so many others."""
        if self.error is not None or (self.is_first_at_once and not sent):
            return 0.0
        return self.wait_s


class Turns:
    """Counts calls and says what befalls each; copies of a model share it. Safe to use from any thread."""

    def __init__(self, script: Sequence[str], rates: Mapping[str, float], seed: int) -> None:
        self._script = tuple(script)
        self._rates = rates
        self._seed = seed
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._calls = 0

    def take(self) -> tuple[int, str]:
        """Return the number of this call, from 1, and its fault."""
        with self._lock:
            self._calls += 1
            kind = self._fault(self._calls)
            self._counts[kind] += 1
            return self._calls, kind

    def counts(self) -> Counter[str]:
        """Return how many calls each fault has befallen."""
        with self._lock:
            return Counter(self._counts)

    def __deepcopy__(self, memo: Any) -> Turns:
        return self

    def _fault(self, number: int) -> str:
        if number <= len(self._script):
            return self._script[number - 1]
        drawn = draw("fault", self._seed, number)
        for kind, rate in self._rates.items():
            drawn -= rate
            if drawn < 0:
                return kind
        return OK


def checked_script(script: Sequence[str]) -> tuple[str, ...]:
    """Return a script that holds only faults there are."""
    if isinstance(script, str) or not isinstance(script, Iterable):
        hint = f" Write script=[{script!r}]." if isinstance(script, str) else ""
        raise ConfigurationError(f"script must be a list of faults, got {shown(script)}.{hint}")
    for kind in script:
        _check_known("script", kind, (*FAULTS, OK))
    return tuple(script)


def checked_rates(rates: Mapping[str, float]) -> dict[str, float]:
    """Return rates that are shares of calls and do not add up to more than all."""
    if not isinstance(rates, Mapping):
        raise ConfigurationError(f'rates must be shares such as {{"server": 0.5}}, got {shown(rates)}.')
    for kind, rate in rates.items():
        _check_known("rates", kind, FAULTS)
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 <= rate <= 1:
            raise ConfigurationError(f"rates[{kind!r}] is {rate!r}; write a share of calls from 0 to 1.")
    if math.fsum(rates.values()) > 1 + 1e-9:
        raise ConfigurationError(f"rates add up to {math.fsum(rates.values()):g}; they cannot exceed 1.")
    return {str(kind): rate for kind, rate in rates.items()}


def _check_known(what: str, kind: Any, known: Sequence[str]) -> None:
    if kind not in known:
        raise ConfigurationError(f"{what} holds {kind!r}; the faults are {', '.join(known)}.")


def check_number(what: str, value: Any, *, whole: bool = False) -> None:
    """Refuse a figure that is below 0, infinite or no number."""
    kinds: Any = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not 0 <= value < math.inf:
        raise ConfigurationError(f"{what} is {value!r}; write 0 or more.")
