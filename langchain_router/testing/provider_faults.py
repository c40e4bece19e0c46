"""What goes wrong with a simulated model's next requests."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from langchain_router.exceptions import ConfigurationError
from langchain_router.testing.api_errors import ApiError


@dataclass(slots=True, kw_only=True)
class Fault:
    """One fault: an error, silence, or a broken connection.

    Attributes:
        left: Requests that it still befalls; None means every one.
        error: Answered instead of the model.
        hang_s: Seconds of silence before the connection drops.
        cut_after: Events after which a stream breaks off.
    """

    left: int | None
    error: ApiError | None = None
    hang_s: float | None = None
    cut_after: int | None = None


class FaultQueue:
    """Faults waiting for each model, taken in the order added; safe to use from several threads."""

    def __init__(self, models: Iterable[str]) -> None:
        self._waiting: dict[str, deque[Fault]] = {model: deque() for model in models}
        self._lock = threading.Lock()

    def add(self, model: str, fault: Fault) -> None:
        """Let the fault befall that model's requests after the faults already waiting."""
        if fault.left is not None and fault.left < 1:
            raise ConfigurationError(f"times is {fault.left!r}; write 1 or more, or None for every request.")
        if min(fault.hang_s or 0, fault.cut_after or 0) < 0:
            raise ConfigurationError("limit_s and after_events cannot be negative; write 0 or more.")
        with self._lock:
            self._known(model).append(fault)

    def take(self, model: str) -> Fault | None:
        """Return the fault that befalls the model's request at hand, if any."""
        with self._lock:
            waiting = self._known(model)
            if not waiting:
                return None
            fault = waiting[0]
            if fault.left is not None:
                fault.left -= 1
                if not fault.left:
                    waiting.popleft()
            return fault

    def clear(self, model: str) -> None:
        """Forget what still waits for the model."""
        with self._lock:
            self._known(model).clear()

    def _known(self, model: str) -> deque[Fault]:
        if model not in self._waiting:
            raise ConfigurationError(f"No simulated model {model!r}; there are {', '.join(self._waiting)}.")
        return self._waiting[model]
