"""Says that a store is not well: in the log now and then, and in its health until it is well again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from langchain_router.exceptions import StoreBusyError, StoreCorruptError, StoreError, StoreFullError

_logger = logging.getLogger("langchain_router")

_EVERY_S: Final = 20.0
_KINDS: Final = ((StoreBusyError, "busy"), (StoreFullError, "full"), (StoreCorruptError, "corrupt"))


class Trouble:
    """The last error of a store.

    Args:
        shown: The store's URL without a password.
        clock: Monotonic seconds, between two warnings.

    Attributes:
        kind: `"busy"`, `"full"`, `"corrupt"` or `"unusable"`; None while all is well.
    """

    def __init__(self, shown: str, *, clock: Callable[[], float]) -> None:
        self.kind: str | None = None
        self._shown = shown
        self._clock = clock
        self._told_at: float | None = None

    def is_over(self) -> None:
        """Note that something was written: all is well."""
        self.kind = None

    def met(self, error: Exception, *, queued: int, dropped: int) -> None:
        """Note an error, and tell of it if nothing was told for 20 seconds."""
        self.kind = next((kind for one, kind in _KINDS if isinstance(error, one)), "unusable")
        told = str(error).rstrip(".") if isinstance(error, StoreError) else self._failed(error)
        self._tell(told, queued, dropped)

    def fell_behind(self, *, queued: int, dropped: int) -> None:
        """Note that a row found the queue full, and tell of it if nothing was told for 20 seconds."""
        self._tell(f"The store {self._shown} is behind", queued, dropped)

    def _failed(self, error: Exception) -> str:
        return f"The store {self._shown} failed ({type(error).__name__})"

    def _tell(self, what: str, queued: int, dropped: int) -> None:
        now = self._clock()
        if self._told_at is not None and now - self._told_at < _EVERY_S:
            return
        self._told_at = now
        _logger.warning("%s; requests go on; %d rows wait, %d were dropped", what, queued, dropped)
