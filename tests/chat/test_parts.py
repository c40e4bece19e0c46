"""What counts as shown, what as an answer, and what a stream's end is known by."""

from __future__ import annotations

import pytest
from langchain_core.messages import AIMessageChunk

from langchain_router import StreamInterruptedError
from langchain_router.exceptions import MalformedResponseError
from langchain_router.outcomes.records import Outcome
from tests.chat.chunks import chunked, end, text, thought, thought_in_block
from tests.chat.speaking import FINAL, STREAMED, Way, by_astream, by_stream, cascade, final, plain

THOUGHTS = [thought("hm"), thought_in_block("hm")]


@pytest.mark.parametrize("way", STREAMED)
@pytest.mark.parametrize("reasoning", THOUGHTS)
async def test_after_reasoning_was_shown_nothing_is_tried_again(way: Way, reasoning: AIMessageChunk) -> None:
    outcomes: list[Outcome] = []
    thinker = chunked("thinker", reasoning, reasoning, text("x"), breaks_after=1)
    router = plain(thinker, final(), on_outcome=lambda _, outcome: outcomes.append(outcome))
    with pytest.raises(StreamInterruptedError):
        await way(router, {})
    assert [one.status for one in outcomes] == ["truncated"]


@pytest.mark.parametrize("way", STREAMED)
@pytest.mark.parametrize("reasoning", THOUGHTS)
async def test_reasoning_that_was_shown_and_led_to_nothing_is_an_interruption(
    way: Way, reasoning: AIMessageChunk
) -> None:
    with pytest.raises(StreamInterruptedError) as raised:
        await way(plain(chunked("thinker", reasoning), final()), {})
    assert isinstance(raised.value.__cause__, MalformedResponseError)


@pytest.mark.parametrize("way", STREAMED)
@pytest.mark.parametrize("reasoning", THOUGHTS)
async def test_a_draft_of_reasoning_alone_is_no_answer(way: Way, reasoning: AIMessageChunk) -> None:
    answer = await way(cascade(True, chunked("draft", reasoning), final()), {})
    assert answer.text == FINAL
    attempts = answer.response_metadata["router_outcome"]["attempts"]
    assert [one["error_kind"] for one in attempts] == ["malformed", None]


@pytest.mark.parametrize("way", STREAMED)
@pytest.mark.parametrize(
    "nothing",
    [
        AIMessageChunk(content=""),
        AIMessageChunk(content=[{"type": "text", "text": "", "index": 0}]),
        AIMessageChunk(content="", additional_kwargs={"refusal": None}),
        AIMessageChunk(content="", response_metadata={"model_name": "mute"}),
    ],
)
async def test_what_shows_nothing_does_not_end_the_failover(way: Way, nothing: AIMessageChunk) -> None:
    for mute in (chunked("mute", nothing), chunked("mute", nothing, text("x"), breaks_after=1)):
        answer = await way(plain(mute, final()), {})
        assert answer.text == FINAL


@pytest.mark.parametrize("way", STREAMED)
@pytest.mark.parametrize(
    ("reason", "status"), [("stop", "ok"), ("length", "truncated"), ("content_filter", "refused")]
)
async def test_a_last_chunk_of_nothing_but_a_finish_reason_counts(way: Way, reason: str, status: str) -> None:
    first = AIMessageChunk(content="four", response_metadata={"model_name": "m", "model_provider": "openai"})
    answer = await way(plain(chunked("only", first, end(reason))), {})
    assert answer.text == "four"
    assert answer.response_metadata["router_outcome"]["status"] == status


@pytest.mark.parametrize("way", [by_stream, by_astream])
async def test_a_finish_reason_given_twice_is_one(way: Way) -> None:
    """Joined, it would be a word that nobody knows."""
    answer = await way(plain(chunked("only", text("four"), end("length"), end("length"))), {})
    assert answer.response_metadata["router_outcome"]["status"] == "truncated"


@pytest.mark.parametrize("way", [by_stream, by_astream])
async def test_a_finish_reason_is_not_forgotten_for_an_empty_one_that_follows(way: Way) -> None:
    nothing = AIMessageChunk(content="", response_metadata={"finish_reason": None, "model_name": "m"})
    answer = await way(plain(chunked("only", text("four"), end(), nothing)), {})
    assert answer.response_metadata["router_outcome"]["status"] == "ok"
