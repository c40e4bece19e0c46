"""A call that is given up ends for whoever heard it begin."""

from __future__ import annotations

import asyncio
import gc
import time
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from tenacity import stop_after_attempt

from langchain_router import Candidate, Hedging, Resilience
from langchain_router.exceptions import DeadlineExceededError
from langchain_router.execution.resilience import Deadlines
from tests.chat.speaking import WAYS, Speaker, Tracer, Way, by_ainvoke, draft, final, plain

SLOW_S = 0.3
HEDGED = Resilience(hedging=Hedging(after_s=0.02, share=1.0), stop=stop_after_attempt(2))
SOON = Resilience(deadlines=Deadlines(total_s=0.05))


class Quiet(BaseCallbackHandler):
    """A counter of usage that shows no tokens, so that it hears all at once."""

    run_inline = True

    def __init__(self) -> None:
        self.heard: dict[Any, list[str]] = {}

    def on_chat_model_start(self, *_: Any, run_id: Any, **__: Any) -> None:
        self.heard.setdefault(run_id, []).append("start")

    def on_llm_end(self, *_: Any, run_id: Any, **__: Any) -> None:
        self.heard.setdefault(run_id, []).append("end")

    def on_llm_error(self, *_: Any, run_id: Any, **__: Any) -> None:
        self.heard.setdefault(run_id, []).append("error")


class Counts(Quiet):
    """One that shows tokens too, so that what it hears is held."""

    def on_llm_new_token(self, *_: Any, run_id: Any, **__: Any) -> None:
        self.heard.setdefault(run_id, []).append("token")

    def on_stream_event(self, *_: Any, run_id: Any, **__: Any) -> None:
        self.heard.setdefault(run_id, []).append("token")


async def until(is_so: Any, limit_s: float = 2.0) -> None:
    ends_s = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < ends_s
        await asyncio.sleep(0.005)


class Still(Speaker):
    """Cannot stream."""

    _stream = BaseChatModel._stream
    _astream = BaseChatModel._astream


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [Counts, Quiet])
@pytest.mark.parametrize("streams", [True, False])
async def test_the_loser_of_a_race_ends_for_those_who_heard_it_begin(
    way: Way, kind: type[Quiet], *, streams: bool
) -> None:
    loser = draft(pauses_s={0: SLOW_S})
    if not streams:
        slow = Still(label="draft", says=["drafty"], pauses_s={0: SLOW_S})
        loser = Candidate(model=slow, name="draft", quality=0.9, price=loser.price)
    counts = kind()
    await way(plain(loser, final(), resilience=HEDGED), {"callbacks": [counts]})
    await until(lambda: sum(heard[-1] in ("end", "error") for heard in counts.heard.values()) == 2)
    lost, won = sorted(counts.heard.values(), key=lambda heard: heard[-1] == "end")
    assert lost == ["start", "error"]
    assert (won[0], won[-1]) == ("start", "end")


@pytest.mark.parametrize("way", WAYS)
async def test_a_call_that_took_too_long_ends_for_those_who_heard_it_begin(way: Way) -> None:
    counts, tracer = Counts(), Tracer()
    with pytest.raises(DeadlineExceededError):
        await way(plain(final(pauses_s={0: SLOW_S}), resilience=SOON), {"callbacks": [counts, tracer]})
    await until(lambda: list(counts.heard.values()) == [["start", "error"]])
    await until(lambda: [run.end_time is not None for run in tracer.roots] == [True])


async def test_a_sync_stream_of_v3_events_ends_for_those_who_heard_it_begin_when_its_reader_leaves() -> None:
    counts = Counts()
    stream = plain(final()).stream_events("Hello", {"callbacks": [counts]}, version="v3")
    next(iter(stream.text))
    del stream
    gc.collect()
    await until(lambda: [heard[-1] for heard in counts.heard.values()] == ["error"])


async def test_a_cancelled_request_ends_for_those_who_heard_it_begin() -> None:
    counts = Counts()
    router = plain(final(pauses_s={0: SLOW_S}))
    task: asyncio.Task[Any] = asyncio.ensure_future(by_ainvoke(router, {"callbacks": [counts]}))
    await until(lambda: bool(counts.heard))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(counts.heard.values()) == [["start", "error"]]
