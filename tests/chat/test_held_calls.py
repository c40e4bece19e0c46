"""An answer that is not the one is closed, whenever it comes."""

from __future__ import annotations

import sys
import threading
from types import FrameType
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_router.chat import held_calls
from langchain_router.chat.held_calls import HeldCalls
from langchain_router.chat.holding import HeldCallbacks


class Stream:
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


class AsyncStream:
    def __init__(self) -> None:
        self.closed = 0

    async def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("line", range(1, 8))
def test_an_answer_that_comes_while_another_is_chosen_is_closed_once(line: int) -> None:
    held, late = HeldCalls(), Stream()
    is_there, is_settled = threading.Event(), threading.Event()
    lines = 0

    def stop_at_line(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        if event == "line" and frame.f_code.co_filename == held_calls.__file__:
            lines += 1
            if lines == line:
                is_there.set()
                is_settled.wait(0.01)  # in vain, where the settling waits for this
        return stop_at_line

    def come() -> None:
        sys.settrace(stop_at_line)
        held.keep(late, HeldCallbacks())
        is_there.set()

    thread = threading.Thread(target=come)
    thread.start()
    is_there.wait()
    held.settle()
    is_settled.set()
    thread.join()
    assert late.closed == 1


async def test_an_async_answer_that_comes_too_late_is_closed_too() -> None:
    held, early, late = HeldCalls(), AsyncStream(), AsyncStream()
    await held.akeep(early, None)
    await held.asettle()
    await held.akeep(late, None)
    assert (early.closed, late.closed) == (1, 1)


def test_the_answer_itself_stays_open_and_whole_answers_need_no_closing() -> None:
    held, chosen, other = HeldCalls(), Stream(), Stream()
    for answer in (chosen, other, AIMessage("Hello")):
        held.keep(answer, HeldCallbacks())
    held.settle(chosen)
    assert (chosen.closed, other.closed) == (0, 1)


def test_what_closes_is_closed_though_the_closing_of_another_raises() -> None:
    class Breaks(Stream):
        def close(self) -> None:
            super().close()
            raise OSError("no network")

    held, others = HeldCalls(), [Stream(), Breaks(), Stream()]
    for other in others:
        held.keep(other, None)
    with pytest.raises(OSError, match="no network"):
        held.settle()
    assert [other.closed for other in others] == [1, 1, 1]
