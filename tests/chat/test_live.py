"""A live answer has an owner from the moment it is chosen: whatever happens then, the request is settled."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.outputs import ChatGenerationChunk
from pydantic import Field

from langchain_router import Candidate, ChatRouter, StreamInterruptedError
from langchain_router.outcomes.records import Outcome
from tests.chat.speaking import (
    STREAMED,
    Speaker,
    Tracer,
    Way,
    by_aevents,
    by_ainvoke,
    by_astream,
    by_events,
    by_invoke,
    by_stream,
    cascade,
    draft,
    final,
    plain,
)

STAYS_S = 5.0


class Open(Speaker):
    """Notes which of its streams are open."""

    streams: list[str] = Field(default_factory=list)

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        self.streams.append("open")
        try:
            yield from super()._stream(*args, **kwargs)
        finally:
            self.streams.append("closed")

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        self.streams.append("open")
        try:
            async for chunk in super()._astream(*args, **kwargs):
                yield chunk
        finally:
            self.streams.append("closed")


class Raises(BaseCallbackHandler):
    """Raises what tokens it hears."""

    raise_error = True
    run_inline = True

    def on_llm_new_token(self, *_: Any, **__: Any) -> None:
        raise ValueError("the reader is gone")

    on_stream_event = on_llm_new_token


class Stays(AsyncCallbackHandler):
    """Takes very long over a token."""

    def __init__(self) -> None:
        self.hears = asyncio.Event()

    async def on_llm_new_token(self, *_: Any, **__: Any) -> None:
        self.hears.set()
        await asyncio.sleep(STAYS_S)

    on_stream_event = on_llm_new_token


def owned(outcomes: list[Outcome], tracer: Tracer) -> tuple[ChatRouter, Speaker]:
    """Return a cascade whose last tier is live, and notes who has heard of it."""
    model = Open(label="final", says=["finally finesse"])
    last = Candidate(model=model, name="final", quality=0.9, max_concurrency=1)
    router = cascade(
        False, draft(), last, on_outcome=lambda _, outcome: outcomes.append(outcome), callbacks=[tracer]
    )
    return router, model


async def is_settled(
    outcomes: list[Outcome], router: ChatRouter, model: Speaker, tracer: Tracer, status: str
) -> None:
    assert [one.status for one in outcomes] == [status]
    assert router.health()["candidates"]["final"]["in_flight"] == 0
    await asyncio.sleep(0.005)  # an async generator that nobody holds is closed in the loop's next rounds
    assert model.streams == ["open", "closed"]  # type: ignore[attr-defined]
    assert [root.end_time is not None for root in tracer.roots] == [True]
    assert all(run.end_time for run in tracer.roots[0].child_runs)


@pytest.mark.parametrize("way", [by_stream, by_astream, by_events, by_aevents])
async def test_a_handler_that_raises_over_the_held_tokens_settles_the_request(way: Way) -> None:
    outcomes: list[Outcome] = []
    tracer = Tracer()
    router, model = owned(outcomes, tracer)
    with pytest.raises(ValueError, match="the reader is gone"):
        await way(router, {"callbacks": [Raises()]})
    await is_settled(outcomes, router, model, tracer, "truncated")


@pytest.mark.parametrize("way", [by_astream, by_aevents])
async def test_a_cancellation_while_handlers_hear_the_held_tokens_settles_the_request(way: Way) -> None:
    outcomes: list[Outcome] = []
    tracer, stays = Tracer(), Stays()
    router, model = owned(outcomes, tracer)
    task: asyncio.Task[Any] = asyncio.ensure_future(way(router, {"callbacks": [stays]}))
    await asyncio.wait_for(stays.hears.wait(), STAYS_S)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, STAYS_S / 2)
    await is_settled(outcomes, router, model, tracer, "cancelled")


class RaisesAtEnd(BaseCallbackHandler):
    """Raises when a chain ends, however it ends."""

    raise_error = True
    run_inline = True

    def on_chain_end(self, *_: Any, **__: Any) -> None:
        raise ValueError("the trace is gone")

    on_chain_error = on_chain_end


@pytest.mark.parametrize("way", [by_events, by_aevents])
@pytest.mark.parametrize("breaks_after", [None, 2])
async def test_a_handler_that_raises_at_the_end_of_v3_events_leaves_nobody_waiting(
    way: Way, breaks_after: int | None
) -> None:
    router = cascade(False, draft(), final(breaks_after=breaks_after))
    with contextlib.suppress(ValueError, StreamInterruptedError):
        await asyncio.wait_for(way(router, {"callbacks": [RaisesAtEnd()]}), STAYS_S)


@pytest.mark.parametrize("way", [by_invoke, by_ainvoke])
async def test_the_outcome_of_a_whole_answer_is_out_before_its_held_events_are(way: Way) -> None:
    class RaisesOfDraft(BaseCallbackHandler):
        raise_error = True
        run_inline = True

        def on_llm_new_token(self, *_: Any, **__: Any) -> None:
            """Be one that shows tokens, so that all is held."""

        def on_llm_end(self, *_: Any, **__: Any) -> None:
            raise ValueError("the reader is gone")

    outcomes: list[Outcome] = []
    router = cascade(
        True, replace(draft(), max_concurrency=1), final(), on_outcome=lambda _, one: outcomes.append(one)
    )
    with pytest.raises(ValueError, match="the reader is gone"):
        await way(router, {"callbacks": [RaisesOfDraft()]})
    assert [one.status for one in outcomes] == ["ok"]
    assert router.health()["candidates"]["draft"]["in_flight"] == 0


@pytest.mark.parametrize("way", STREAMED)
async def test_what_is_known_of_a_stream_that_breaks_off_is_billed(way: Way) -> None:
    outcomes: list[Outcome] = []
    cut = final(finish=None, provider="openai")  # it ends with its usage, but without a finish reason
    with pytest.raises(StreamInterruptedError):
        await way(plain(cut, on_outcome=lambda _, outcome: outcomes.append(outcome)), {})
    (attempt,) = outcomes[0].attempts
    assert (attempt.input_tokens, attempt.output_tokens) == (10, 4)
    assert attempt.cost_usd == pytest.approx(14 * 10 / 1e6)
    assert not attempt.estimated
