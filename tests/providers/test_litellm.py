"""The LiteLLM candidate: one HTTP request per call, LangChain's errors, honest metadata."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import litellm
import openai
import pytest
from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
)
from langchain_core.load import dumps
from langchain_core.messages import AIMessage, AIMessageChunk
from pydantic import BaseModel

from langchain_router.providers.litellm import RouterChatLiteLLM
from langchain_router.testing import SimulatedProvider

if TYPE_CHECKING:
    from tests.providers.conftest import Ask

Make = Callable[..., RouterChatLiteLLM]


@pytest.fixture
def make(provider: SimulatedProvider) -> Make:
    def build(model: str = "openai/small", **options: Any) -> RouterChatLiteLLM:
        return RouterChatLiteLLM(
            model=model,
            **{"api_base": provider.base_url, "api_key": "key-in-a-test", "timeout": 10, **options},
        )

    return build


def requests_during(provider: SimulatedProvider, call: Callable[[], Any]) -> int:
    before = len(provider.requests)
    with pytest.raises(ModelError):
        call()
    return len(provider.requests) - before


def test_a_call_that_succeeds_makes_one_http_request(make: Make, provider: SimulatedProvider) -> None:
    before = len(provider.requests)
    make().invoke("Hello")
    assert len(provider.requests) - before == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_call_that_fails_makes_one_http_request(
    make: Make, provider: SimulatedProvider, status: int
) -> None:
    provider.fail("small", status, times=None)
    assert requests_during(provider, lambda: make().invoke("Hello")) == 1
    assert requests_during(provider, lambda: list(make().stream("Hello"))) == 1


@pytest.mark.parametrize("status", [429, 500])
async def test_an_async_call_that_fails_makes_one_http_request(
    make: Make, provider: SimulatedProvider, status: int
) -> None:
    provider.fail("small", status, times=None)
    before = len(provider.requests)
    with pytest.raises(ModelError):
        await make().ainvoke("Hello")
    assert len(provider.requests) - before == 1


def test_a_call_that_times_out_makes_one_http_request(make: Make, provider: SimulatedProvider) -> None:
    provider.hang("small", times=None)
    assert requests_during(provider, lambda: make(timeout=0.2).invoke("Hello")) == 1


def test_retries_asked_for_below_the_router_are_not_made(make: Make, provider: SimulatedProvider) -> None:
    provider.fail("small", 500, times=None)
    model = make(max_retries=3, model_kwargs={"max_retries": 3})
    assert requests_during(provider, lambda: model.invoke("Hello")) == 1


def test_timeout_is_honoured(make: Make, provider: SimulatedProvider) -> None:
    provider.hang("small", times=1, limit_s=30)
    with pytest.raises(ModelTimeoutError):
        make(timeout=0.2).invoke("Hello")


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
@pytest.mark.parametrize("name", ["timeout", "request_timeout"])
def test_each_call_may_set_its_own_timeout(
    make: Make, provider: SimulatedProvider, ask: Ask, way: str, name: str
) -> None:
    provider.hang("small", times=1, limit_s=30)
    started = time.monotonic()
    with pytest.raises(ModelTimeoutError):
        ask(make(timeout=20), way, **{name: 0.1})
    assert time.monotonic() - started < 2
    assert ask(make(timeout=0.001), way, **{name: 20}).text


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
def test_a_call_that_sets_none_keeps_the_models_own_timeout(
    make: Make, provider: SimulatedProvider, ask: Ask, way: str
) -> None:
    provider.hang("small", times=1, limit_s=30)
    with pytest.raises(ModelTimeoutError):
        ask(make(timeout=0.1), way, timeout=None)


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
@pytest.mark.parametrize("left_s", [0, -3.5])
def test_when_no_time_is_left_nobody_is_called(
    make: Make, provider: SimulatedProvider, ask: Ask, way: str, left_s: float
) -> None:
    before = len(provider.requests)
    with pytest.raises(ModelTimeoutError, match="No time is left to call 'openai/small'"):
        ask(make(), way, timeout=left_s)
    assert len(provider.requests) == before


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, None, ModelInvalidRequestError),
        (400, "context_length_exceeded", ContextOverflowError),
        (401, None, ModelAuthenticationError),
        (403, None, ModelPermissionDeniedError),
        (404, None, ModelNotFoundError),
        (408, None, ModelTimeoutError),
        (422, None, ModelInvalidRequestError),
        (429, None, ModelRateLimitError),
        (500, None, ModelAPIError),
        (502, None, ModelAPIError),
        (503, None, ModelAPIError),
    ],
)
def test_errors_are_langchains_and_litellms_at_once(
    make: Make, provider: SimulatedProvider, status: int, code: str | None, expected: type[ModelError]
) -> None:
    provider.fail("small", status, code=code)
    with pytest.raises(expected) as caught:
        make().invoke("Hello")
    assert isinstance(caught.value, openai.OpenAIError)
    assert type(caught.value).__name__.startswith("LiteLLM")
    provider.fail("small", status, code=code)
    with pytest.raises(expected):
        list(make().stream("Hello"))


def test_a_server_that_is_not_there_is_a_connection_error(make: Make) -> None:
    with pytest.raises(ModelConnectionError):
        make(api_base="http://127.0.0.1:9/v1").invoke("Hello")


def test_a_mapped_error_keeps_what_the_original_knew(make: Make, provider: SimulatedProvider) -> None:
    provider.fail("small", 429, retry_after_s=7)
    with pytest.raises(ModelRateLimitError) as caught:
        make().invoke("Hello")
    seen: Any = caught.value
    assert seen.status_code == 429
    assert seen.litellm_response_headers["retry-after"] == "7"
    assert isinstance(seen.__cause__, litellm.exceptions.RateLimitError)


def test_the_model_asked_for_and_the_one_that_served_are_both_reported(make: Make) -> None:
    answer = make().invoke("Hello", model="openai/large")
    assert answer.response_metadata["model_name"] == "openai/large"
    assert answer.response_metadata["served_model"] == "large"
    assert answer.response_metadata["id"].startswith("chatcmpl-")
    assert answer.response_metadata["model"] == "openai/large"


async def test_a_stream_reports_them_as_well(make: Make) -> None:
    whole = AIMessageChunk(content="")
    for chunk in make().stream("Hello", model="openai/large"):
        whole += chunk
    awhole = AIMessageChunk(content="")
    async for chunk in make().astream("Hello", model="openai/large"):
        awhole += chunk
    for message in (whole, awhole):
        assert message.response_metadata["model_name"] == "openai/large"
        assert message.response_metadata["served_model"] == "large"
        assert message.response_metadata["id"].startswith("chatcmpl-")
        assert "provider_specific_fields" not in message.response_metadata


def test_token_usage_is_plain_data(make: Make) -> None:
    answer = make().invoke("Hello")
    assert type(answer.response_metadata["token_usage"]) is dict
    assert isinstance(json.loads(dumps(answer)), dict)


def test_structured_output_is_announced_to_tracers(make: Make) -> None:
    class City(BaseModel):
        """A city."""

        name: str

    from langchain_core.callbacks import BaseCallbackHandler

    class Seen(BaseCallbackHandler):
        options: dict[str, Any]

        def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
            self.options = kwargs["options"]

    seen = Seen()
    found = make().with_structured_output(City).invoke("Name a city.", config={"callbacks": [seen]})
    assert isinstance(found, City)
    assert seen.options["ls_structured_output_format"]["schema"]["title"] == "City"
    both = (
        make()
        .with_structured_output(City, include_raw=True, method="function_calling")
        .invoke("Name a city.")
    )
    assert isinstance(both, dict)
    assert isinstance(both["raw"], AIMessage)
    assert isinstance(both["parsed"], City)
    assert seen.options["ls_structured_output_format"]["kwargs"] == {"method": "json_schema"}


def test_the_profile_comes_from_litellms_map() -> None:
    profile = RouterChatLiteLLM(model="openai/gpt-4o-mini").profile
    info = litellm.get_model_info("openai/gpt-4o-mini")
    assert profile is not None
    assert profile["max_input_tokens"] == info["max_input_tokens"]
    assert profile["tool_calling"] is info["supports_function_calling"] is True
    assert profile["image_inputs"] is info["supports_vision"] is True


def test_a_model_that_the_map_does_not_have_has_no_profile() -> None:
    assert RouterChatLiteLLM(model="openai/nobody-knows-this").profile is None


def test_tokens_are_counted_without_transformers(make: Make) -> None:
    from langchain_core.messages import HumanMessage

    assert make().get_num_tokens("twelve words or so") > 0
    assert make().get_num_tokens_from_messages([HumanMessage("Hello there")]) > 0


def test_the_key_is_in_no_repr(make: Make) -> None:
    assert "key-in-a-test" not in repr(make())
