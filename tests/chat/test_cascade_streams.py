"""A stream is one answer: never a splice, never silently cut, and settled however it ends."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, UsageMetadataCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from tenacity import wait_none

from langchain_router import Candidate, ChatRouter, Resilience, StreamInterruptedError
from langchain_router.exceptions import TruncatedResponseError
from langchain_router.outcomes.records import Outcome
from tests.chat.speaking import (
    DRAFT,
    FINAL,
    STREAMED,
    WAYS,
    WHOLE,
    Speaker,
    Tracer,
    Way,
    by_aevents,
    by_astream,
    cascade,
    draft,
    final,
    merged,
    plain,
    tier,
)

BREAKS = 2
SHOWN = "finally finesse "


def told_to(outcomes: list[Outcome]) -> Any:
    return lambda _, outcome: outcomes.append(outcome)


# --- what goes out -------------------------------------------------------------------------------


@pytest.mark.parametrize("passes", [True, False])
async def test_the_chunks_of_a_stream_merge_into_one_answer_of_one_model(*, passes: bool) -> None:
    router = cascade(passes)
    for chunks in ([*router.stream("Hello")], [chunk async for chunk in router.astream("Hello")]):
        whole = merged(chunks)
        assert all(isinstance(chunk, AIMessageChunk) for chunk in chunks)
        assert whole.text == (DRAFT if passes else FINAL)
        assert len({chunk.id for chunk in chunks}) == 1
        assert whole.response_metadata["model_name"] == ("draft" if passes else "final")
        assert whole.response_metadata["finish_reason"] == "stop"
        assert whole.usage_metadata == {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14}
        assert [chunk.chunk_position for chunk in chunks][-1] == "last"
        assert sum("router" in chunk.response_metadata for chunk in chunks) == 1
        assert sum("router_outcome" in chunk.response_metadata for chunk in chunks) == 1


@pytest.mark.parametrize("way", STREAMED)
async def test_the_last_tiers_tokens_go_out_before_its_answer_is_complete(way: Way) -> None:
    slow = final(pauses_s={3: 0.05})
    answer = await way(cascade(False, draft(), slow), {})
    outcome = answer.response_metadata["router_outcome"]
    assert 0 < outcome["first_token_s"] < outcome["latency_s"] - 0.04


class Still(Speaker):
    """Cannot stream."""

    _stream = BaseChatModel._stream
    _astream = BaseChatModel._astream


@pytest.mark.parametrize("way", WAYS)
async def test_a_model_that_cannot_stream_answers_in_one_piece_with_its_outcome(way: Way) -> None:
    def still(label: str, text: str) -> Candidate:
        return Candidate(model=Still(label=label, says=[text]), name=label)

    for router in (
        plain(still("only", FINAL)),
        cascade(False, still("draft", DRAFT), still("final", FINAL)),
        cascade(True, still("draft", FINAL), still("final", "")),
    ):
        answer = await way(router, {})
        assert answer.text == FINAL
        assert answer.response_metadata["router_outcome"]["status"] == "ok"


# --- what breaks off -----------------------------------------------------------------------------


@pytest.mark.parametrize("way", STREAMED)
@pytest.mark.parametrize("is_cascade", [True, False])
async def test_after_the_first_token_nothing_is_tried_again(way: Way, *, is_cascade: bool) -> None:
    outcomes: list[Outcome] = []
    broken, tracer = final(breaks_after=BREAKS), Tracer()
    options: dict[str, Any] = {"on_outcome": told_to(outcomes)}
    router = (
        cascade(False, draft(), broken, **options)
        if is_cascade
        else plain(broken, tier("other", price=20), **options)
    )
    with pytest.raises(StreamInterruptedError) as raised:
        await way(router, {"callbacks": [tracer]})
    assert raised.value.partial == SHOWN
    assert raised.value.candidate == "final"
    assert isinstance(raised.value.__cause__, ConnectionResetError)
    assert SHOWN.strip() not in str(raised.value)
    assert [(one.status, one.served_by) for one in outcomes] == [("truncated", "final")]
    assert [one.error_kind for one in outcomes[0].attempts][-1] == "connect"
    assert all(run.end_time for root in tracer.roots for run in (root, *root.child_runs))
    assert all(root.error for root in tracer.roots)


@pytest.mark.parametrize("way", STREAMED)
async def test_what_went_out_before_it_broke_off_stays_the_readers(way: Way) -> None:
    del way
    router = cascade(False, draft(), final(breaks_after=BREAKS))
    seen: list[str] = []
    with pytest.raises(StreamInterruptedError):
        seen += [chunk.text for chunk in _noting(router.stream("Hello"), seen)]
    assert "".join(seen) == SHOWN


def _noting(chunks: Any, seen: list[str]) -> Any:
    for chunk in chunks:
        seen.append(chunk.text)
        yield chunk


@pytest.mark.parametrize("way", STREAMED)
async def test_a_last_tier_that_fails_before_its_first_token_leaves_the_best_draft(way: Way) -> None:
    router = cascade(False, draft(), final(breaks_after=0), resilience=Resilience(wait=wait_none()))
    answer = await way(router, {})
    assert answer.text == DRAFT
    assert answer.response_metadata["router_outcome"]["served_by"] == "draft"


@pytest.mark.parametrize("way", STREAMED)
async def test_a_draft_that_breaks_off_is_not_an_interruption(way: Way) -> None:
    answer = await way(cascade(True, draft(breaks_after=BREAKS), final()), {})
    assert answer.text == FINAL
    kinds = [one["error_kind"] for one in answer.response_metadata["router_outcome"]["attempts"]]
    assert kinds == ["connect", None]


@pytest.mark.parametrize("way", [by_astream, by_aevents])
async def test_an_async_handler_has_been_told_of_a_failure_when_the_answer_is_there(way: Way) -> None:
    class Slow(AsyncCallbackHandler):
        told = 0

        async def on_llm_error(self, *_: Any, **__: Any) -> None:
            await asyncio.sleep(0.01)
            self.told += 1

    handler = Slow()
    await way(plain(draft(breaks_after=0), final()), {"callbacks": [handler]})
    assert handler.told == 1


# --- streams that do not say that they are finished ----------------------------------------------


@pytest.mark.parametrize("way", STREAMED)
@pytest.mark.parametrize("is_cascade", [True, False])
async def test_a_stream_without_a_finish_reason_is_not_ok(way: Way, *, is_cascade: bool) -> None:
    silent = final(finish=None)
    answer = await way(cascade(False, draft(), silent) if is_cascade else plain(silent), {})
    assert answer.text == FINAL
    assert answer.response_metadata["router_outcome"]["status"] == "unknown"


@pytest.mark.parametrize("way", STREAMED)
@pytest.mark.parametrize("is_cascade", [True, False])
async def test_where_the_provider_always_gives_one_the_stream_was_cut(way: Way, *, is_cascade: bool) -> None:
    outcomes: list[Outcome] = []
    cut = final(finish=None, provider="openai")
    options: dict[str, Any] = {"on_outcome": told_to(outcomes)}
    router = cascade(False, draft(), cut, **options) if is_cascade else plain(cut, **options)
    tracer, counted = Tracer(), UsageMetadataCallbackHandler()
    with pytest.raises(StreamInterruptedError) as raised:
        await way(router, {"callbacks": [tracer, counted]})
    assert isinstance(raised.value.__cause__, TruncatedResponseError)
    assert raised.value.partial == FINAL
    assert [one.status for one in outcomes] == ["truncated"]
    assert [run.error for root in tracer.roots for run in root.child_runs] == [None, None] * is_cascade
    assert counted.usage_metadata["final"]["output_tokens"] == 4  # the provider bills it


@pytest.mark.parametrize("way", WAYS)
async def test_a_draft_that_was_cut_is_followed_by_the_next_tier(way: Way) -> None:
    answer = await way(cascade(True, draft(finish=None, provider="openai"), final()), {})
    assert answer.text == FINAL
    attempts = answer.response_metadata["router_outcome"]["attempts"]
    assert [one["error_kind"] for one in attempts] == ["truncated", None]


@pytest.mark.parametrize("way", WHOLE)
async def test_a_whole_answer_of_a_model_that_never_says_how_it_ends_is_ok(way: Way) -> None:
    answer = await way(plain(final(finish=None)), {})
    assert answer.response_metadata["router_outcome"]["status"] == "ok"


@pytest.mark.parametrize("way", WAYS)
async def test_an_answer_that_hit_its_limit_is_truncated(way: Way) -> None:
    answer = await way(cascade(False, draft(), final(finish="length")), {})
    assert answer.response_metadata["router_outcome"]["status"] == "truncated"


# --- readers that leave --------------------------------------------------------------------------


def left(outcomes: list[Outcome], **how: Any) -> tuple[ChatRouter, Tracer]:
    tracer = Tracer()
    last = replace(final(**how), max_concurrency=3)
    router = cascade(False, draft(), last, on_outcome=told_to(outcomes), callbacks=[tracer])
    return router, tracer


def is_settled(outcomes: list[Outcome], router: ChatRouter, tracer: Tracer) -> None:
    assert [one.status for one in outcomes] == ["cancelled"]
    assert [one.error_kind for one in outcomes[0].attempts] == [None, "cancelled"]
    assert [root.end_time is not None for root in tracer.roots] == [True]
    assert router.health()["candidates"]["final"]["in_flight"] == 0


def test_a_reader_that_leaves_settles_the_request() -> None:
    outcomes: list[Outcome] = []
    router, tracer = left(outcomes)
    chunks: Any = router.stream("Hello")
    next(chunks)
    chunks.close()
    is_settled(outcomes, router, tracer)


async def test_an_async_reader_that_leaves_settles_the_request() -> None:
    outcomes: list[Outcome] = []
    router, tracer = left(outcomes)
    chunks = router.astream("Hello")
    await anext(chunks)
    await chunks.aclose()
    is_settled(outcomes, router, tracer)


def test_a_reader_of_v3_events_that_leaves_settles_the_request() -> None:
    outcomes: list[Outcome] = []
    router, tracer = left(outcomes)
    stream = router.stream_events("Hello", version="v3")
    next(iter(stream.text))
    del stream
    gc.collect()
    _wait_until(lambda: bool(outcomes))
    _wait_until(lambda: bool(tracer.roots))
    is_settled(outcomes, router, tracer)
    _wait_until(lambda: not calls_under_way())


@pytest.mark.parametrize("has_begun", [True, False])
async def test_an_async_reader_of_v3_events_that_leaves_settles_the_request(*, has_begun: bool) -> None:
    outcomes: list[Outcome] = []
    router, tracer = left(outcomes, pauses_s={2: 0.5})
    stream = await router.astream_events("Hello", version="v3")
    if has_begun:
        async for _ in stream.text:
            break
    await stream.aclose()
    is_settled(outcomes, router, tracer)


def calls_under_way() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "langchain-router-call"]


def _wait_until(is_so: Any, limit_s: float = 1.0) -> None:
    ends_s = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < ends_s
        time.sleep(0.005)
