"""Brings queued rows into the database: by the writer's thread, or by one that cannot wait for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from typing import Final

from sqlalchemy import Connection

from langchain_router.exceptions import StoreBusyError
from langchain_router.outcomes.storing import processes
from langchain_router.outcomes.storing.batch import Tally, write_batch
from langchain_router.outcomes.storing.database import Database, RowError
from langchain_router.outcomes.storing.trouble import Trouble
from langchain_router.outcomes.storing.writer import Row, Writer

_logger = logging.getLogger("langchain_router")

_AT_ONCE: Final = 256
_WRITE_S: Final = 0.3
_TURN_S: Final = 10.0
_BAD_VALUES: Final = (RowError, TypeError, ValueError, OverflowError, AttributeError)
"""What a row raises that holds something which cannot be stored."""


class Delivery:
    """The queue of a store and those who empty it, one at a time and oldest rows first.

    Args:
        database: Where the rows go.
        trouble: Told of what keeps them waiting.
        trusted: Sources whose feedback counts without a limit.
        most: Most rows that wait.
        wall_clock: Seconds since 1970.

    Attributes:
        lost: How many rows came without their decision (`orphaned`) or were refused by the database
            (`refused`), and how much feedback was about decisions that never came (`rejected`).
    """

    def __init__(
        self,
        database: Database,
        trouble: Trouble,
        *,
        trusted: Collection[str],
        most: int,
        wall_clock: Callable[[], float],
    ) -> None:
        self._database = database
        self._trouble = trouble
        self._trusted = trusted
        self._wall_clock = wall_clock
        self._writer = Writer(
            self._write_first, on_trouble=self.met, on_start=processes.watch_exit, most=most
        )
        self.lost = {"orphaned": 0, "rejected": 0, "refused": 0}

    @property
    def is_closed(self) -> bool:
        """Whether no more rows are taken."""
        return self._writer.is_closed

    @property
    def queued(self) -> int:
        """How many rows wait."""
        return len(self._writer)

    @property
    def dropped(self) -> int:
        """How many rows were not taken, because the queue was full or closed."""
        return self._writer.dropped

    def put(self, row: Row) -> None:
        """Queue a row, or count it as dropped; neither waits nor raises."""
        if not self._writer.put(row) and not self._writer.is_closed:
            self._trouble.fell_behind(queued=self.queued, dropped=self.dropped)

    def pending(self) -> list[Row]:
        """Return the rows that wait."""
        return self._writer.pending()

    def met(self, error: Exception) -> None:
        """Tell of an error, now and then."""
        self._trouble.met(error, queued=self.queued, dropped=self.dropped)

    def empty(self, wait_s: float) -> None:
        """Write all that is queued now, by the thread that calls.

        Raises:
            StoreError: Not all could be written in that time; the rest waits.
        """
        end_s = time.monotonic() + wait_s  # real seconds: what is waited for is real
        left = self.queued
        while left > 0:
            remaining_s = max(0.0, end_s - time.monotonic())
            try:
                written = self._write_first(min(_WRITE_S, remaining_s), turn_s=remaining_s)
            except StoreBusyError:
                if time.monotonic() >= end_s:
                    raise
                continue
            left = left - written if written else 0

    def close(self) -> None:
        """Take no more rows; those that wait can still be written with `empty`."""
        self._writer.close()

    def give_up(self) -> int:
        """Drop the rows that wait, and return how many those were."""
        return self._writer.give_up()

    def start_anew(self) -> None:
        """Forget rows and counts: in a forked child, whose parent has them."""
        self._writer.reset()
        self.lost = dict.fromkeys(self.lost, 0)

    def _write_first(self, wait_s: float = _WRITE_S, *, turn_s: float = _TURN_S) -> int:
        """Write the oldest rows; return how many are done with.

        Args:
            wait_s: How long to wait for other processes; no other thread gets its turn meanwhile.
            turn_s: How long to wait for other threads.
        """
        with self._database.turn(turn_s):
            rows = self._writer.first(_AT_ONCE)
            if not rows:
                return 0
            try:
                self._write(rows, wait_s)
                self._writer.done(len(rows))
            except _BAD_VALUES:
                self._write_each(rows, wait_s)
        self._trouble.is_over()
        return len(rows)

    def _write_each(self, rows: list[Row], wait_s: float) -> None:
        """Write rows one by one, so that the one which cannot be stored is the only one lost."""
        for row in rows:
            try:
                self._write([row], wait_s)
            except _BAD_VALUES as error:
                self.lost["refused"] += 1
                _logger.debug("the store refused a row (%s)", type(error).__name__)
            self._writer.done(1)

    def _write(self, rows: list[Row], wait_s: float) -> None:
        def work(connection: Connection) -> Tally:
            return write_batch(connection, rows, now_s=self._wall_clock(), trusted=self._trusted)

        tally = self._database.run(work, writes=True, wait_s=wait_s)
        self.lost["orphaned"] += tally.orphaned
        self.lost["rejected"] += tally.given_up
