"""Where decisions, outcomes and feedback live: what every store does, and how one is opened."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final, Literal, Protocol, runtime_checkable

from langchain_router.exceptions import ConfigurationError
from langchain_router.outcomes.asked import Asked
from langchain_router.outcomes.feedback import Feedback
from langchain_router.outcomes.judgements import Receipt
from langchain_router.outcomes.lessons import Lesson, Situation
from langchain_router.outcomes.records import Outcome
from langchain_router.outcomes.storing.memory_store import MemoryStore

TRUSTED_SOURCES: Final = (
    "app",
    *(f"hook:{key}" for key in ("structured_output", "tool_arguments", "parser", "tool", "chain")),
)
"""Sources whose feedback counts without a limit, unless others are given."""


@runtime_checkable
class OutcomeStore(Protocol):
    """Keeps what was decided, what came of it and what was said of it, and tells what is to be learned.

    `decided`, `ended` and `linked` neither wait nor raise. All methods may be called from any thread.

    Attributes:
        url: Where it is, without a password.
        key: For the hashes of prompts; its own.
    """

    @property
    def url(self) -> str:
        """Where it is, without a password."""
        ...

    @property
    def key(self) -> bytes:
        """For the hashes of prompts: each store has its own."""
        ...

    def decided(self, situation: Situation, asked: Asked) -> None:
        """Write down a decision, before it is acted on."""
        ...

    def ended(self, outcome: Outcome, *, message_id: str | None = None) -> None:
        """Write down what came of it, and by which message's id feedback on it may come."""
        ...

    def linked(self, decision_id: str, run_id: str) -> None:
        """Write down a run by whose id feedback on a decision may come."""
        ...

    def add_feedback(self, *feedback: Feedback) -> list[Receipt]:
        """Store feedback, all of it or none; return when it is safe.

        Rows that wait to be written are written first, by the same thread, so feedback on a request that has
        just ended finds it. `decision_id` may also be a message's or a run's id.

        Raises:
            StoreError: It could not be stored within a few seconds.
        """
        ...

    async def aadd_feedback(self, *feedback: Feedback) -> list[Receipt]:
        """Do the same in a thread, without holding the event loop."""
        ...

    def find_decision(self, any_id: str) -> str | None:
        """Return the decision by its own id, or that of its message or run; None where it is not known."""
        ...

    def forget_source(self, source: str) -> int:
        """Take back everything that a source has said, as if it never had; return how much that was."""
        ...

    def lessons(self, after: int = 0, limit: int = 1000) -> list[tuple[int, Lesson]]:
        """Return the lessons after a number, with theirs; none where the store is out of reach for now."""
        ...

    def save_state(self, fingerprint: str, *, after: int, state: bytes) -> None:
        """Keep what a learner believes after the lesson of a number, unless something newer is there."""
        ...

    def load_state(self, fingerprint: str) -> tuple[int, bytes] | None:
        """Return what was saved last for a learner, or None."""
        ...

    def counts(self) -> dict[str, int]:
        """Return how much there is, and how much was lost; without what is out of reach for now."""
        ...

    def health(self) -> dict[str, Any]:
        """Return its `status` (ok, degraded or closed), its counts and the kind of its last error."""
        ...

    def flush(self, timeout_s: float = 2.0) -> int:
        """Write what is queued; return how many rows still are."""
        ...

    def close(self, timeout_s: float = 2.0) -> int:
        """Write what is queued and take no more; return how many rows are lost."""
        ...


def open_store(
    given: str | Path | OutcomeStore | None = None,
    *,
    repair: Literal["rename"] | None = None,
    trusted_sources: Collection[str] = TRUSTED_SOURCES,
    most_queued: int = 2_048,
    clock: Callable[[], float] = time.monotonic,
    wall_clock: Callable[[], float] = time.time,
) -> OutcomeStore:
    """Open a store.

    Args:
        given: A URL (`"sqlite:///router.db"`, `"postgresql+psycopg://user:pass@host/name"`), the path of
            a SQLite file, a store, which is returned as it is, or None for one that is in memory only.
        repair: `"rename"` puts a file aside that is damaged or no store, and starts anew. Nothing is deleted.
        trusted_sources: Whose feedback counts without a limit. Every other source may have a weight of 10 in
            a day, or of 5 % of all feedback of the day if that is more.
        most_queued: Most rows that wait to be written; more are dropped, and counted.
        clock: Monotonic seconds.
        wall_clock: Seconds since 1970.

    Raises:
        ConfigurationError: That is no such thing, or what it needs is not installed.
        StoreCorruptError: The file is damaged, or something else.
        StoreSchemaError: A newer version of this package has written it.

    Example:
        >>> open_store().health()["status"]
        'ok'
    """
    if given is None or (isinstance(given, str) and given in {"sqlite://", "sqlite:///:memory:"}):
        return MemoryStore(trusted_sources=trusted_sources, wall_clock=wall_clock)
    if isinstance(given, (str, Path)):
        from langchain_router.outcomes.storing.sql_store import (
            SqlStore,  # SQLAlchemy: only where there is a store
        )

        return SqlStore(
            given,
            repair=repair,
            trusted_sources=trusted_sources,
            most_queued=most_queued,
            clock=clock,
            wall_clock=wall_clock,
        )
    if isinstance(given, OutcomeStore):
        return given
    raise ConfigurationError(
        f"A store must be a URL, a path, an OutcomeStore or None, got {type(given).__name__}. "
        'Write store="sqlite:///router.db".'
    )


def default_url() -> str:
    """Return the URL of a file in the user's data directory: `langchain_router/router.db`."""
    import platformdirs

    return f"sqlite:///{platformdirs.user_data_path('langchain_router', appauthor=False) / 'router.db'}"
