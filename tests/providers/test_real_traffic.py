"""Recorded traffic of real providers, served again from loopback: what comes out is what was recorded.

What an answer says is read from the recorded bytes by parsers of our own, never by LiteLLM.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from langchain_core.exceptions import (
    ModelAuthenticationError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelRateLimitError,
)

from tests.providers.traffic.answers import as_recorded, differences
from tests.providers.traffic.calls import CALLS
from tests.providers.traffic.known import KNOWN
from tests.providers.traffic.recordings import NOT_HERE, Pair, recorded
from tests.providers.traffic.replay import Play, Replay, answer_of
from tests.providers.traffic.routes import Route, route

PAIRS = recorded()
SERVED = [(pair, way) for pair in PAIRS if isinstance(way := route(pair), Route)]

answered = pytest.mark.parametrize(
    ("pair", "way"), [pytest.param(pair, way, id=pair.name) for pair, way in SERVED if pair.failed is None]
)
refused = pytest.mark.parametrize(
    ("pair", "way"), [pytest.param(pair, way, id=pair.name) for pair, way in SERVED if pair.failed]
)

pytestmark = [
    pytest.mark.skipif(not PAIRS, reason=NOT_HERE),
    # LiteLLM's, on the first answer of Cohere.
    pytest.mark.filterwarnings("ignore:Items? '.*' on TypedDict class:UserWarning"),
]

ERROR_CLASSES: Mapping[int, type[ModelError]] = {
    400: ModelInvalidRequestError,
    401: ModelAuthenticationError,
    404: ModelNotFoundError,
    429: ModelRateLimitError,
}


@pytest.fixture(scope="module")
def replay() -> Iterator[Replay]:
    playing = Replay()
    yield playing
    playing.server.close()


def error_class(pair: Pair) -> type[ModelError]:
    if '"model_not_found"' in pair.body:  # the Responses endpoint says it with status 400
        return ModelNotFoundError
    return ERROR_CLASSES[pair.failed or 0]


def check(play: Play, results: list[Any] | ModelError) -> None:
    """The answer is the recorded one, or differs as it is known to."""
    play.check_request()
    known = KNOWN.get(play.pair.name)
    if isinstance(results, ModelError):
        if known is None or known.raises is not type(results):
            raise results
        return
    said = as_recorded(play.pair, play.way.wire, play.call)
    differing = differences(said, answer_of(results, structured=said.structured is not None))
    if known is None or (known.not_always and not differing):
        assert differing == {}
    else:
        assert known.fields, f"no error: {known.why}"
        assert set(differing) == known.fields, known.why


@answered
def test_answers_come_out_as_recorded(replay: Replay, pair: Pair, way: Route) -> None:
    play = Play(replay, pair, way)
    results: list[Any] | ModelError
    try:
        results = play.run()
    except ModelError as error:
        results = error
    check(play, results)


@answered
@pytest.mark.asyncio(loop_scope="module")
async def test_answers_come_out_as_recorded_async(replay: Replay, pair: Pair, way: Route) -> None:
    play = Play(replay, pair, way)
    results: list[Any] | ModelError
    try:
        results = await play.arun()
    except ModelError as error:
        results = error
    check(play, results)


@refused
def test_errors_come_out_as_recorded(replay: Replay, pair: Pair, way: Route) -> None:
    play = Play(replay, pair, way)
    with pytest.raises(error_class(pair)):
        play.run()
    play.check_request()


@refused
@pytest.mark.asyncio(loop_scope="module")
async def test_errors_come_out_as_recorded_async(replay: Replay, pair: Pair, way: Route) -> None:
    play = Play(replay, pair, way)
    with pytest.raises(error_class(pair)):
        await play.arun()
    play.check_request()


def test_every_pair_is_served_or_left_out_for_a_stated_reason() -> None:
    left_out = Counter(way for pair in PAIRS if isinstance(way := route(pair), str))
    assert left_out == {
        "OpenAI's compaction: no chat call": 7,
        "OpenAI's conversations and assistants: no chat call": 15,
        "accepted by OpenAI to be answered in the background: no answer in the response": 5,
        "counts tokens: no chat call": 14,
        "fetches a Google access token: no chat call": 1,
        "fetches a response kept at OpenAI: no chat call": 9,
        "neither address nor request body was recorded": 6,
        "LiteLLM asks OpenRouter's Responses endpoint for whole answers only; this one is streamed": 1,
        "Vertex AI asked for enums as numbers, which LiteLLM never does": 10,
    }
    served = Counter(f"{way.model.partition('/')[0]}: {way.wire}" for _, way in SERVED)
    assert served == {
        "anthropic: anthropic messages": 115,
        "azure: chat completions": 2,
        "azure: responses": 3,
        "cerebras: chat completions": 4,
        "cohere_chat: cohere chat": 4,
        "deepseek: chat completions": 5,
        "gemini: gemini": 103,
        "groq: chat completions": 13,
        "mistral: chat completions": 5,
        "openai: chat completions": 141,
        "openai: responses": 282,
        "openrouter: chat completions": 27,
        "text-completion-openai: text completions": 6,
    }
    assert (left_out.total(), served.total()) == (68, 710)
    assert len({pair.name for pair in PAIRS}) == len(PAIRS) == 778
    assert {pair.name for pair, _ in SERVED} >= set(KNOWN)


def test_what_the_recordings_say_is_compared() -> None:
    said: Counter[str] = Counter()
    for pair, way in SERVED:
        if pair.failed is not None:
            said["errors"] += 1
            continue
        said["streams"] += pair.stream
        answer = as_recorded(pair, way.wire, CALLS[way.wire](pair.request))
        said.update(name for name, value in answer.__dict__.items() if value not in ("", (), [], None))
    assert said == {
        "errors": 22,
        "streams": 218,
        "text": 517,
        "tool_calls": 190,
        "structured": 54,
        "finish": 686,
        "input_tokens": 657,
        "output_tokens": 656,
    }
