"""Deadlines: each fires, sync and async, and leaves no call behind."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk
from tenacity import wait_none

from langchain_router import Candidate, ChatRouter, Resilience, StreamInterruptedError
from langchain_router.exceptions import DeadlineExceededError
from langchain_router.execution.resilience import Deadlines
from langchain_router.outcomes.records import Outcome
from tests.chat.chunks import Chunked, arguments, chunked, end, text, thought, thought_in_block
from tests.chat.speaking import (
    DRAFT,
    FINAL,
    STREAMED,
    WAYS,
    WHOLE,
    Speaker,
    Way,
    by_astream,
    by_stream,
    cascade,
    draft,
    final,
    plain,
    tier,
)

SOON_S = 0.05
LONG_S = 0.25


@pytest.fixture(autouse=True)
def _no_call_is_left_behind() -> Iterator[None]:
    yield
    ends_s = time.monotonic() + 2 * LONG_S
    while any(thread.name == "langchain-router-call" for thread in threading.enumerate()):
        assert time.monotonic() < ends_s
        time.sleep(0.005)


def within(**limits: float) -> Resilience:
    return Resilience(deadlines=Deadlines(**limits), wait=wait_none())


async def timed(way: Way, router: ChatRouter) -> tuple[Any, float]:
    started_s = time.monotonic()
    try:
        came = await way(router, {})
    except Exception as error:  # noqa: BLE001 - looked at by the test
        came = error
    return came, time.monotonic() - started_s


Sets = Callable[[float], dict[str, float]]


@pytest.mark.parametrize("way", STREAMED)
async def test_the_first_token_of_a_live_stream(way: Way) -> None:
    router = plain(tier("slow", FINAL, pauses_s={0: LONG_S}), resilience=within(first_token_s=SOON_S))
    came, took_s = await timed(way, router)
    assert isinstance(came, DeadlineExceededError)
    assert came.candidate == "slow"
    assert came.limit_s == pytest.approx(SOON_S, abs=0.01)
    assert took_s < LONG_S - 0.05


@pytest.mark.parametrize("way", STREAMED)
async def test_a_slow_first_token_goes_to_the_next_candidate(way: Way) -> None:
    slow = tier("slow", DRAFT, pauses_s={0: LONG_S})
    came, took_s = await timed(way, plain(slow, final(), resilience=within(first_token_s=SOON_S)))
    assert came.text == FINAL
    assert took_s < LONG_S - 0.05
    attempts = came.response_metadata["router_outcome"]["attempts"]
    assert [one["error_kind"] for one in attempts] == ["timeout", None]


@pytest.mark.parametrize("way", STREAMED)
async def test_a_draft_has_the_time_of_an_attempt_for_its_first_token(way: Way) -> None:
    slow = draft(pauses_s={0: 2 * SOON_S})
    came, _ = await timed(way, cascade(True, slow, final(), resilience=within(first_token_s=SOON_S)))
    assert came.text == DRAFT


@pytest.mark.parametrize("way", STREAMED)
async def test_the_silence_within_a_live_stream(way: Way) -> None:
    outcomes: list[Outcome] = []
    router = plain(
        final(pauses_s={2: LONG_S}),
        tier("other", price=20),
        resilience=within(between_chunks_s=SOON_S),
        on_outcome=lambda _, outcome: outcomes.append(outcome),
    )
    came, took_s = await timed(way, router)
    assert isinstance(came, StreamInterruptedError)
    assert isinstance(came.__cause__, DeadlineExceededError)
    assert came.partial == "finally finesse "
    assert took_s < LONG_S - 0.05
    assert [one.status for one in outcomes] == ["timeout"]


@pytest.mark.parametrize("way", STREAMED)
async def test_the_silence_within_a_draft_goes_to_the_next_tier(way: Way) -> None:
    slow = draft(pauses_s={2: LONG_S})
    came, took_s = await timed(way, cascade(True, slow, final(), resilience=within(between_chunks_s=SOON_S)))
    assert came.text == FINAL
    assert took_s < LONG_S - 0.05


@pytest.mark.parametrize("way", STREAMED)
async def test_many_short_silences_are_no_long_one(way: Way) -> None:
    drips = final(pauses_s=dict.fromkeys(range(1, 5), 0.02))
    came, _ = await timed(way, plain(drips, resilience=within(between_chunks_s=SOON_S)))
    assert came.text == FINAL


@pytest.mark.parametrize("way", STREAMED)
async def test_the_whole_request_ends_a_live_stream(way: Way) -> None:
    drips = final(pauses_s=dict.fromkeys(range(1, 5), 0.06))
    came, took_s = await timed(way, plain(drips, resilience=within(total_s=0.15)))
    assert isinstance(came, StreamInterruptedError)
    assert isinstance(came.__cause__, DeadlineExceededError)
    assert took_s < 0.24


@pytest.mark.parametrize("way", WAYS)
async def test_the_whole_request_ends_the_walk(way: Way) -> None:
    slow = [tier(f"slow{price}", FINAL, price=price, pauses_s={0: LONG_S}) for price in (1, 2, 3)]
    came, took_s = await timed(way, plain(*slow, resilience=within(total_s=SOON_S)))
    assert isinstance(came, DeadlineExceededError)
    assert took_s < LONG_S
    assert [len(one.model.asked) for one in slow if isinstance(one.model, Speaker)][1:] == [0, 0]


@pytest.mark.parametrize("way", WAYS)
async def test_a_draft_in_hand_is_the_answer_when_time_is_over(way: Way) -> None:
    slow = final(pauses_s={0: LONG_S})
    came, took_s = await timed(way, cascade(False, draft(), slow, resilience=within(total_s=2 * SOON_S)))
    assert came.text == DRAFT
    assert took_s < LONG_S


@pytest.mark.parametrize("way", WHOLE)
async def test_one_attempt_at_a_whole_answer(way: Way) -> None:
    slow = tier("slow", DRAFT, pauses_s={0: LONG_S})
    came, took_s = await timed(way, plain(slow, final(), resilience=within(attempt_s=SOON_S)))
    assert came.text == FINAL
    assert took_s < LONG_S - 0.05


@pytest.mark.parametrize("way", WAYS)
async def test_one_attempt_at_a_draft(way: Way) -> None:
    slow = draft(pauses_s={0: LONG_S})
    came, took_s = await timed(way, cascade(True, slow, final(), resilience=within(attempt_s=SOON_S)))
    assert came.text == FINAL
    assert took_s < LONG_S - 0.05
    attempts = came.response_metadata["router_outcome"]["attempts"]
    assert [(one["role"], one["error_kind"]) for one in attempts] == [("draft", "timeout"), ("answer", None)]


@pytest.mark.parametrize("way", STREAMED)
async def test_an_attempt_at_a_draft_counts_to_its_end(way: Way) -> None:
    drips = draft(pauses_s=dict.fromkeys(range(5), 0.03))
    came, _ = await timed(way, cascade(True, drips, final(), resilience=within(attempt_s=SOON_S)))
    assert came.text == FINAL


@pytest.mark.parametrize("way", STREAMED)
@pytest.mark.parametrize("reasoning", [thought("hm"), thought_in_block("hm")])
async def test_reasoning_is_no_silence(way: Way, reasoning: AIMessageChunk) -> None:
    """It is a first token, so that a model that thinks for long is not given up."""
    pauses_s = dict.fromkeys(range(1, 5), SOON_S / 2)
    thinker = chunked("thinker", *[reasoning] * 4, text(FINAL), end(), pauses_s=pauses_s)
    answer = await way(plain(thinker, tier("other", price=20), resilience=within(first_token_s=SOON_S)), {})
    assert answer.text == FINAL
    outcome = answer.response_metadata["router_outcome"]
    assert outcome["first_token_s"] < SOON_S
    assert outcome["latency_s"] > SOON_S


@pytest.mark.parametrize("way", [by_stream, by_astream])
async def test_reasoning_is_shown_as_it_arrives(way: Way) -> None:
    router = plain(chunked("thinker", thought("hm"), text(FINAL), end()))
    (model,) = [one.model for one in router.candidates if isinstance(one.model, Chunked)]
    chunk = next(router.stream("Hello")) if way is by_stream else await anext(router.astream("Hello"))
    assert chunk.additional_kwargs == {"reasoning_content": "hm"}
    assert model.given == [thought("hm")]


def calling(label: str, **how: Any) -> Candidate:
    """Return a candidate that streams the seven pieces of a tool call."""
    pieces = [arguments('{"city": "', name="population"), *[arguments("o")] * 5, arguments('"}')]
    return chunked(label, *pieces, end("tool_calls"), price=10, **how)


@pytest.mark.parametrize("way", STREAMED)
async def test_the_limit_of_a_first_token_ends_with_it_though_a_tool_call_is_read_whole(way: Way) -> None:
    slow = calling("final", pauses_s=dict.fromkeys(range(1, 7), SOON_S / 2))
    limits = within(first_token_s=SOON_S, between_chunks_s=SOON_S)
    came, took_s = await timed(way, cascade(False, draft(), slow, resilience=limits))
    assert came.tool_calls[0]["args"] == {"city": "ooooo"}
    assert took_s > 2 * SOON_S


@pytest.mark.parametrize("way", STREAMED)
@pytest.mark.parametrize(
    "limits",
    [
        {"between_chunks_s": SOON_S},
        {"attempt_s": SOON_S},
        {"total_s": SOON_S},
        {"total_s": SOON_S, "attempt_s": 60.0, "first_token_s": 30.0},
    ],
)
async def test_such_a_tool_call_is_still_cut_by_the_other_limits(way: Way, limits: dict[str, float]) -> None:
    slow = calling("final", pauses_s={2: LONG_S})
    came, took_s = await timed(way, cascade(False, draft(), slow, resilience=within(**limits)))
    assert came.text == DRAFT
    assert took_s < LONG_S


async def test_cancelling_a_task_is_no_deadline() -> None:
    router = plain(final(pauses_s={1: LONG_S}), resilience=within(between_chunks_s=1.0))

    async def read() -> list[Any]:
        return [chunk async for chunk in router.astream("Hello")]

    task = asyncio.create_task(read())
    await asyncio.sleep(SOON_S / 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_timeout_around_the_call_is_the_callers_own() -> None:
    router = plain(final(pauses_s={1: LONG_S}), resilience=within(between_chunks_s=1.0))

    async def read() -> None:
        async with asyncio.timeout(SOON_S):
            async for _ in router.astream("Hello"):
                pass

    with pytest.raises(TimeoutError) as raised:
        await read()
    assert not isinstance(raised.value, DeadlineExceededError)


@pytest.mark.parametrize("way", [w for w in WAYS if w.__name__ in {"by_stream", "by_events", "by_invoke"}])
async def test_without_limits_no_thread_is_made(way: Way) -> None:
    seen: list[str] = []

    class Noting(Speaker):
        def _next(self, *args: Any) -> Any:
            seen.append(threading.current_thread().name)
            return super()._next(*args)

    free = Resilience(
        deadlines=Deadlines(total_s=None, attempt_s=None, first_token_s=None, between_chunks_s=None)
    )
    model = Noting(label="final", says=[FINAL])
    await way(ChatRouter(candidates=[model], resilience=free), {})
    assert seen == [threading.current_thread().name]
