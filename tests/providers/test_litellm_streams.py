"""A stream of LiteLLM's is whole only when the provider said so, and holds one answer only."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.exceptions import ModelAPIError, ModelConnectionError, ModelError
from langchain_core.messages import AIMessageChunk

from langchain_router.exceptions import MalformedResponseError, TruncatedResponseError
from langchain_router.execution.errors import error_kind
from langchain_router.providers import litellm_usage
from langchain_router.providers.litellm import RouterChatLiteLLM
from langchain_router.providers.litellm_errors import Asked
from langchain_router.providers.litellm_streams import StreamReader, chunks
from langchain_router.testing.loopback import Reply

if TYPE_CHECKING:
    from tests.providers.conftest import Ask, Upstream

# OpenAI's own events are read by the OpenAI package, all others of its format by LiteLLM itself.
READERS = pytest.mark.parametrize("provider_name", ["openai", "mistral", "groq", "deepseek", "openrouter"])
WAYS = pytest.mark.parametrize("way", ["stream", "astream"])


def event(content: str | None = None, finish: str | None = None, *, index: int = 0, **delta: Any) -> Any:
    said = {**({} if content is None else {"content": content}), **delta}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "served",
        "choices": [{"index": index, "delta": said, "finish_reason": finish}],
    }


def usage(**counts: Any) -> Any:
    told = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9, **counts}
    return {**event(), "choices": [], "usage": told}


HELLO = (event("", role="assistant"), event("Hel"), event("lo"))
STOP = event(finish="stop")


@pytest.fixture
def model(upstream: Upstream) -> Callable[..., RouterChatLiteLLM]:
    def build(provider_name: str = "openai", **options: Any) -> RouterChatLiteLLM:
        return RouterChatLiteLLM(
            model=f"{provider_name}/asked", api_base=upstream.url, api_key="key-in-a-test", **options
        )

    return build


Make = Callable[..., RouterChatLiteLLM]


@READERS
@WAYS
def test_a_whole_stream_comes_out_as_sent(
    upstream: Upstream, model: Make, ask: Ask, provider_name: str, way: str
) -> None:
    upstream.streams(*HELLO, STOP, usage())
    answer = ask(model(provider_name), way)
    assert answer.text == "Hello"
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["input_tokens"] == 7


@READERS
@WAYS
@pytest.mark.parametrize("done", [True, False])
def test_a_stream_without_a_finish_reason_is_truncated(
    upstream: Upstream, model: Make, ask: Ask, provider_name: str, way: str, done: bool
) -> None:
    upstream.streams(*HELLO, done=done)
    with pytest.raises(TruncatedResponseError, match=f"'{provider_name}/asked' ended its stream"):
        ask(model(provider_name), way)


def read_into(seen: list[Any], chunks: Iterator[Any]) -> None:
    for chunk in chunks:
        seen.append(chunk)  # noqa: PERF402 - what was seen before an error must stay


def test_what_had_arrived_is_shown_but_no_made_up_finish_reason(upstream: Upstream, model: Make) -> None:
    upstream.streams(*HELLO)
    seen: list[AIMessageChunk] = []
    with pytest.raises(TruncatedResponseError):
        read_into(seen, model().stream("Hello"))
    assert "".join(chunk.text for chunk in seen) == "Hello"
    assert not any("finish_reason" in chunk.response_metadata for chunk in seen)


@READERS
@WAYS
@pytest.mark.parametrize("done", [True, False])
def test_a_stream_without_an_answer_is_malformed_not_truncated(
    upstream: Upstream, model: Make, ask: Ask, provider_name: str, way: str, done: bool
) -> None:
    upstream.streams(done=done)
    with pytest.raises(MalformedResponseError, match="without an answer") as caught:
        ask(model(provider_name), way)
    assert error_kind(caught.value) == "malformed"


@pytest.mark.parametrize("sent", [[], [HELLO[1]]])
def test_a_stream_that_just_ends_is_cut_short_whatever_kind_of_stream_it_is(sent: list[Any]) -> None:
    stream = iter(sent)
    reader = StreamReader(stream, model="m", asked=Asked())
    with pytest.raises(TruncatedResponseError if sent else MalformedResponseError):
        list(chunks(stream, reader))


@READERS
@WAYS
def test_an_event_that_is_no_json_is_malformed_and_not_skipped(
    upstream: Upstream, model: Make, ask: Ask, provider_name: str, way: str
) -> None:
    upstream.streams(*HELLO[:2], '{"choices": [{"delta": {"content": "secret', STOP)
    with pytest.raises(MalformedResponseError) as caught:
        ask(model(provider_name), way)
    assert error_kind(caught.value) == "malformed"
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None  # they would quote it


@READERS
def test_a_comment_is_no_broken_event(upstream: Upstream, model: Make, ask: Ask, provider_name: str) -> None:
    upstream.streams(*HELLO, STOP)
    events = [b": PROCESSING\n\n", *(upstream.reply.events or ())]
    upstream.reply = Reply(events=events)
    assert ask(model(provider_name), "stream").text == "Hello"


@WAYS
@pytest.mark.parametrize("order", ["stop first", "stop last"])
def test_of_several_answers_at_once_only_the_first_comes_out(
    upstream: Upstream, model: Make, ask: Ask, way: str, order: str
) -> None:
    other = [event(text, index=1) for text in ("Good", "bye")]
    mixed = [HELLO[0], other[0], HELLO[1], other[1], HELLO[2]]
    ends = [STOP, event(finish="stop", index=1)]
    upstream.streams(*mixed, *(ends if order == "stop first" else reversed(ends)), usage())
    answer = ask(model(), way, n=2)
    assert answer.text == "Hello"
    assert answer.response_metadata["finish_reason"] == "stop"
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["output_tokens"] == 2


@WAYS
def test_a_later_choice_counts_when_only_one_answer_was_asked_for(
    upstream: Upstream, model: Make, ask: Ask, way: str
) -> None:
    upstream.streams(event("Hello", index=1), event(finish="stop", index=1))
    assert ask(model(), way).text == "Hello"


@READERS
@WAYS
def test_a_connection_lost_after_the_finish_reason_does_not_spoil_the_answer(
    upstream: Upstream, model: Make, ask: Ask, provider_name: str, way: str
) -> None:
    upstream.streams(*HELLO, STOP, done=False, dropped=True)
    assert ask(model(provider_name), way).text == "Hello"


@WAYS
def test_a_connection_lost_before_the_finish_reason_does(
    upstream: Upstream, model: Make, ask: Ask, way: str
) -> None:
    upstream.streams(*HELLO, done=False, dropped=True)
    with pytest.raises(ModelError) as caught:
        ask(model(), way)
    assert error_kind(caught.value) == "connect"
    assert isinstance(caught.value, ModelConnectionError)


@WAYS
def test_an_error_that_the_provider_reports_after_the_finish_reason_is_raised(
    upstream: Upstream, model: Make, ask: Ask, way: str
) -> None:
    upstream.streams(*HELLO, STOP, {"error": {"message": "no", "type": "server_error", "code": None}})
    with pytest.raises(ModelAPIError) as caught:
        ask(model(), way)
    assert error_kind(caught.value) == "server"


@WAYS
def test_a_code_in_an_error_event_is_told(upstream: Upstream, model: Make, ask: Ask, way: str) -> None:
    told = {"message": "x", "type": "invalid_request_error", "code": "context_length_exceeded"}
    upstream.streams({"error": told})
    with pytest.raises(ModelError) as caught:
        ask(model(), way)
    assert error_kind(caught.value) == "context_overflow"


def test_an_answer_that_broke_off_is_not_kept_in_the_error(upstream: Upstream, model: Make) -> None:
    upstream.streams(*HELLO, done=False, dropped=True)
    with pytest.raises(ModelConnectionError) as caught:
        list(model().stream("Hello"))
    for error in (caught.value, caught.value.__cause__):
        assert vars(error)["generated_content"] == ""


# --- usage --------------------------------------------------------------------------------------------


@WAYS
@pytest.mark.parametrize(
    "counts", [{"prompt_tokens": -5}, {"completion_tokens": 10**12}, {"prompt_tokens": "many"}]
)
def test_absurd_usage_is_left_out_and_warned_of_once(
    upstream: Upstream,
    model: Make,
    ask: Ask,
    way: str,
    counts: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(litellm_usage, "_is_warned", False)
    upstream.streams(*HELLO, STOP, usage(**counts))
    with caplog.at_level(logging.WARNING, "langchain_router"):
        answers = [ask(model(), way) for _ in range(2)]
    assert {answer.text for answer in answers} == {"Hello"}
    assert [answer.usage_metadata for answer in answers] == [None, None]
    assert all("response_cost" not in answer.response_metadata for answer in answers)
    warned = [record.getMessage() for record in caplog.records if record.name == "langchain_router"]
    assert warned == ["openai/asked reported token counts that cannot be; its usage is left out"]


# --- tools --------------------------------------------------------------------------------------------


def piece(index: int, id_: str | None = None, name: str | None = None, arguments: str = "") -> Any:
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": id_, "type": "function", "function": function}


@WAYS
def test_calls_that_the_provider_has_run_itself_are_left_out(
    upstream: Upstream, model: Make, ask: Ask, way: str
) -> None:
    upstream.streams(
        event("", role="assistant", tool_calls=[piece(0, "srvtoolu_1", "web_search")]),
        event(tool_calls=[piece(0, arguments='{"query": "x"}')]),
        event(tool_calls=[piece(1, "toolu_2", "population")]),
        event(tool_calls=[piece(1, arguments='{"city": "Rome"}')]),
        event(finish="tool_calls"),
    )
    answer = ask(model(), way)
    assert [(call["name"], call["args"]) for call in answer.tool_calls] == [("population", {"city": "Rome"})]
    assert not answer.invalid_tool_calls


# --- what LiteLLM itself makes up, as told ----------------------------------------------------------------


@WAYS
def test_an_answer_that_litellm_is_told_to_make_up_is_whole(model: Make, ask: Ask, way: str) -> None:
    made_up = model(model_kwargs={"mock_response": "It is made up."})
    assert ask(made_up, way).text == "It is made up."
