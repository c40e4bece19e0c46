"""The queue and its thread."""

from __future__ import annotations

import threading

from langchain_router.outcomes.storing.writer import Linked, Writer


class Sink:
    """Takes rows from a writer, or fails until it is told not to."""

    def __init__(self, most: int = 100) -> None:
        self.rows: list[str] = []
        self.is_away = False
        self.troubles: list[Exception] = []
        self.threads: set[str] = set()
        self.has_written = threading.Event()
        self.has_failed = threading.Event()
        self.starts = 0
        self.writer = Writer(self.write, on_trouble=self.failed, on_start=self.started, most=most)

    def write(self) -> int:
        if self.is_away:
            raise OSError("away")
        rows = self.writer.first(10)
        self.rows += [row.run_id for row in rows if isinstance(row, Linked)]
        self.threads.add(threading.current_thread().name)
        self.writer.done(len(rows))
        self.has_written.set()
        return len(rows)

    def failed(self, error: Exception) -> None:
        self.troubles.append(error)
        self.has_failed.set()

    def started(self) -> None:
        self.starts += 1

    def put(self, *numbers: int) -> list[bool]:
        return [self.writer.put(Linked("d", str(number))) for number in numbers]

    def wait(self) -> None:
        while len(self.writer):
            self.has_written.wait(1)
            self.has_written.clear()


def test_rows_are_written_in_their_order_by_one_thread_that_is_not_the_callers() -> None:
    sink = Sink()
    assert all(sink.put(*range(50)))
    sink.wait()
    assert sink.rows == [str(number) for number in range(50)]
    assert sink.threads == {"langchain-router-store"}
    assert sink.starts == 1
    sink.writer.close()


def test_what_finds_the_queue_full_is_dropped_and_counted() -> None:
    sink = Sink(most=3)
    sink.is_away = True
    assert sink.put(*range(5)) == [True] * 3 + [False] * 2
    assert (len(sink.writer), sink.writer.dropped) == (3, 2)
    sink.writer.close()


def test_rows_wait_while_writing_fails() -> None:
    sink = Sink()
    sink.is_away = True
    sink.put(1)
    assert sink.has_failed.wait(2)
    assert len(sink.writer) == 1
    sink.is_away = False
    sink.wait()
    assert sink.rows == ["1"]
    sink.writer.close()


def test_a_thread_that_was_idle_ends_and_the_next_row_starts_another() -> None:
    sink = Sink()
    sink.put(1)
    sink.wait()
    thread = next(one for one in threading.enumerate() if one is sink.writer._thread)
    assert sink.writer._is_over(is_idle=True)
    sink.put(2)
    sink.wait()
    assert (sink.rows, sink.starts) == (["1", "2"], 2)
    sink.writer.close()
    thread.join(2)


def test_a_closed_queue_takes_nothing_and_gives_up_what_is_left() -> None:
    sink = Sink()
    sink.is_away = True
    sink.put(1, 2)
    sink.writer.close()
    assert sink.put(3) == [False]
    assert (sink.writer.give_up(), sink.writer.give_up(), sink.writer.dropped) == (2, 0, 3)


def test_a_queue_that_starts_anew_has_nothing_of_before() -> None:
    sink = Sink(most=2)
    sink.is_away = True
    sink.put(1, 2, 3)
    thread = sink.writer._thread
    sink.writer.close()
    assert thread is not None
    thread.join(2)
    sink.writer.reset()
    assert (len(sink.writer), sink.writer.dropped, sink.writer.is_closed) == (0, 0, False)


def test_rows_that_were_written_after_all_are_not_counted_as_dropped() -> None:
    sink = Sink()
    sink.is_away = True
    sink.put(1, 2)
    sink.writer.close()
    assert (sink.writer.give_up(), sink.writer.dropped) == (2, 2)
    sink.writer.done(2)
    assert sink.writer.dropped == 0
