"""A store in a SQLite file or a PostgreSQL database."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from sqlalchemy import Connection, delete, insert, select

from langchain_router.exceptions import StoreCorruptError, StoreError
from langchain_router.outcomes.asked import Asked
from langchain_router.outcomes.feedback import Feedback
from langchain_router.outcomes.judgements import Receipt
from langchain_router.outcomes.lessons import Lesson, Situation
from langchain_router.outcomes.records import Outcome
from langchain_router.outcomes.storing import processes, schema
from langchain_router.outcomes.storing.counting import stored_counts
from langchain_router.outcomes.storing.database import Database
from langchain_router.outcomes.storing.delivery import Delivery
from langchain_router.outcomes.storing.feedback_log import FeedbackLog, decisions_of
from langchain_router.outcomes.storing.migrations import take_turn
from langchain_router.outcomes.storing.rows import clean, read_lessons
from langchain_router.outcomes.storing.sqlite_file import put_aside
from langchain_router.outcomes.storing.trouble import Trouble
from langchain_router.outcomes.storing.urls import address_of
from langchain_router.outcomes.storing.writer import Decided, Done, Linked

_logger = logging.getLogger("langchain_router")

Result = TypeVar("Result")

_OPEN_S: Final = 1.0
_READ_S: Final = 1.0
_FEEDBACK_S: Final = 5.0


class SqlStore:
    """Keeps everything in SQLite or PostgreSQL; several processes may use one at once.

    Prefer a SQLite file on one machine, and PostgreSQL for several. `open_store` makes one; `MemoryStore`
    keeps nothing on disk. Where the store is locked, full or away, requests go on: rows wait in the queue,
    the newest are dropped and counted once it is full, and one warning is logged every 20 seconds.

    Args:
        given: Its URL, or the path of a SQLite file.
        repair: `"rename"` puts a file aside that is damaged or no store, and starts anew.
        trusted_sources: Whose feedback counts without a limit.
        most_queued: Most rows that wait to be written.
        clock: Monotonic seconds, between warnings.
        wall_clock: Seconds since 1970, for what is stored.

    Raises:
        ConfigurationError: The URL is none, or its driver is not installed.
        StoreCorruptError: The file is damaged, or something else.
        StoreSchemaError: A newer version of this package has written it.
    """

    def __init__(
        self,
        given: str | Path,
        *,
        repair: Literal["rename"] | None = None,
        trusted_sources: Collection[str] = ("app",),
        most_queued: int = 2_048,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        address = address_of(given)
        self._shown = address.shown
        self._trusted = frozenset(trusted_sources)
        self._wall_clock = wall_clock
        self._opened_at_s = wall_clock()
        self._trouble = Trouble(address.shown, clock=clock)
        self._database = Database(address.url, shown=address.shown, wall_clock=wall_clock)
        self._delivery = Delivery(
            self._database, self._trouble, trusted=self._trusted, most=most_queued, wall_clock=wall_clock
        )
        self._key: bytes | None = None
        self._spare_key = secrets.token_bytes(32)
        try:
            self._read_key()
        except StoreCorruptError:
            if repair != "rename" or address.path is None:
                raise
            self._database.close()
            aside = put_aside(address.path)
            _logger.warning("the store %s could not be used and was renamed to %s", self._shown, aside)
            self._read_key()
        except StoreError as error:
            self._delivery.met(error)
        processes.register(self)

    def __repr__(self) -> str:
        return f"SqlStore({self._shown!r})"

    @property
    def url(self) -> str:
        """Where it is, without a password."""
        return self._shown

    @property
    def key(self) -> bytes:
        """For the hashes of prompts; one that nobody keeps as long as the store is out of reach."""
        return self._key or self._spare_key

    def decided(self, situation: Situation, asked: Asked) -> None:
        """Queue a decision, before it is acted on."""
        self._delivery.put(Decided(situation, asked))

    def ended(self, outcome: Outcome, *, message_id: str | None = None) -> None:
        """Queue what came of it."""
        self._delivery.put(Done(outcome, self._wall_clock(), message_id))

    def linked(self, decision_id: str, run_id: str) -> None:
        """Queue a run by whose id feedback may come."""
        self._delivery.put(Linked(decision_id, run_id))

    def add_feedback(self, *feedback: Feedback) -> list[Receipt]:
        """Store feedback; return when it is on the disk.

        What is queued is written first, by the thread that calls. Waits at most about five seconds for other
        processes. What is about a decision that is not known waits for it for an hour, of all sources
        together at most 10,000.

        Raises:
            StoreError: It was not stored.
        """
        self._must_be_open()
        self._delivery.empty(_FEEDBACK_S)

        def work(connection: Connection) -> tuple[list[Receipt], int]:
            take_turn(connection)
            log = FeedbackLog(connection, now_s=self._wall_clock(), trusted=self._trusted)
            return log.add(feedback), log.given_up

        receipts, given_up = self._database.run(work, writes=True, wait_s=_FEEDBACK_S, durable=True)
        self._delivery.lost["rejected"] += given_up
        return receipts

    async def aadd_feedback(self, *feedback: Feedback) -> list[Receipt]:
        """Do the same in a thread, without holding the event loop."""
        return await asyncio.to_thread(self.add_feedback, *feedback)

    def find_decision(self, any_id: str) -> str | None:
        """Return the decision by its own id, or that of its message or run; None where it is not known."""
        for row in reversed(self._delivery.pending()):
            if isinstance(row, Decided) and any_id == row.situation.decision_id:
                return any_id
            if isinstance(row, Linked) and any_id == row.run_id:
                return row.decision_id
            if isinstance(row, Done) and any_id == row.message_id:
                return row.outcome.decision_id
        asked = clean(any_id)
        found = self._read(lambda connection: decisions_of(connection, [asked]))
        return None if found is None else found.get(asked)

    def forget_source(self, source: str) -> int:
        """Take back everything that a source has said; return how much that was.

        Raises:
            StoreError: Nothing was taken back.
        """
        self._must_be_open()
        self._delivery.empty(_FEEDBACK_S)

        def work(connection: Connection) -> int:
            take_turn(connection)
            return FeedbackLog(connection, now_s=self._wall_clock(), trusted=self._trusted).forget(
                clean(source)
            )

        return self._database.run(work, writes=True, wait_s=_FEEDBACK_S, durable=True)

    def lessons(self, after: int = 0, limit: int = 1000) -> list[tuple[int, Lesson]]:
        """Return the lessons after a number; none where the store is out of reach for now."""
        return self._read(lambda connection: read_lessons(connection, after, limit)) or []

    def save_state(self, fingerprint: str, *, after: int, state: bytes) -> None:
        """Keep what a learner believes, unless something newer is there, or the store is out of reach."""
        beliefs = schema.beliefs

        def work(connection: Connection) -> None:
            take_turn(connection)
            where = beliefs.c.fingerprint == fingerprint
            newest = connection.execute(select(beliefs.c.after).where(where)).scalar()
            if newest is None or newest <= after:
                connection.execute(delete(beliefs).where(where))
                row = {"fingerprint": fingerprint, "after": after, "state": state, "at_s": self._wall_clock()}
                connection.execute(insert(beliefs).values(row))

        try:
            self._database.run(work, writes=True, wait_s=_READ_S)
        except StoreError as error:
            self._delivery.met(error)

    def load_state(self, fingerprint: str) -> tuple[int, bytes] | None:
        """Return what was saved last for a learner; None without, or of lessons that are gone."""
        beliefs, log = schema.beliefs, schema.lessons

        def work(connection: Connection) -> tuple[int, bytes] | None:
            query = select(beliefs.c.after, beliefs.c.state).where(beliefs.c.fingerprint == fingerprint)
            row = connection.execute(query).first()
            if row is None:
                return None
            there = connection.execute(select(log.c.number).where(log.c.number == row.after)).first()
            return (row.after, bytes(row.state)) if there is not None or row.after == 0 else None

        return self._read(work)

    def counts(self) -> dict[str, int]:
        """Return how much there is, and how much was lost.

        `unknown` are decisions without an outcome that were made before this store was opened, or more than
        an hour ago: their process was killed, or they are under way in another. `dropped` rows found the
        queue full, `orphaned` ones came without their decision, `refused` ones the database did not take;
        `rejected` feedback was about a decision that never came. These four are of this process alone.
        """
        stored = self._read(
            lambda connection: stored_counts(
                connection, now_s=self._wall_clock(), opened_at_s=self._opened_at_s
            )
        )
        mine = {
            "queued": self._delivery.queued,
            "dropped": self._delivery.dropped,
            **self._delivery.lost,
        }
        return {**(stored or {}), **mine}

    def health(self) -> dict[str, Any]:
        """Return its `status`, its counts and the kind of its last error."""
        counts = self.counts()
        status = "closed" if self._delivery.is_closed else "ok" if self._trouble.kind is None else "degraded"
        return {"status": status, "url": self._shown, "counts": counts, "error": self._trouble.kind}

    def flush(self, timeout_s: float = 2.0) -> int:
        """Write what is queued, in the thread that calls; return how many rows still are."""
        try:
            self._delivery.empty(timeout_s)
        except StoreError as error:
            self._delivery.met(error)
        return self._delivery.queued

    def close(self, timeout_s: float = 2.0) -> int:
        """Write what is queued and take no more; return how many rows are lost."""
        self._delivery.close()
        end_s = time.monotonic() + timeout_s
        self.flush(timeout_s)
        self._database.close(max(0.1, end_s - time.monotonic()))
        return self._delivery.give_up()

    def before_fork(self, wait_s: float) -> None:
        """Come to rest."""
        self._database.before_fork(wait_s)

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._database.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Start anew, without the parent's rows."""
        self._database.after_fork_in_child()
        self._delivery.start_anew()

    def _must_be_open(self) -> None:
        if self._delivery.is_closed:
            raise StoreError(self._shown, "is closed. Open another.")

    def _read(self, work: Callable[[Connection], Result]) -> Result | None:
        """Read something; None where the store is out of reach for now, or closed."""
        if self._delivery.is_closed:
            return None
        if self._key is None:
            work = self._and_key(work)
        try:
            return self._database.run(work, writes=False, wait_s=_READ_S)
        except StoreError as error:
            self._delivery.met(error)
            return None

    def _read_key(self) -> None:
        self._database.run(self._and_key(lambda _: None), writes=False, wait_s=_OPEN_S)

    def _and_key(self, work: Callable[[Connection], Result]) -> Callable[[Connection], Result]:
        def both(connection: Connection) -> Result:
            where = schema.settings.c.name == "salt"
            salt = connection.execute(select(schema.settings.c.value).where(where)).scalar()
            self._key = None if salt is None else bytes.fromhex(salt)
            return work(connection)

        return both
