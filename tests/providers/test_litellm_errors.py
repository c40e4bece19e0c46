"""What LiteLLM's errors really mean: the chain of causes decides, not LiteLLM's guess, nor any words."""

from __future__ import annotations

import json
import pickle
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx
import litellm.exceptions as theirs
import openai
import pytest
from langchain_core.exceptions import ModelError, ModelInvalidRequestError
from langchain_core.messages import HumanMessage, ToolMessage

from langchain_router.exceptions import MalformedResponseError
from langchain_router.execution.errors import error_kind, retry_after_s
from langchain_router.providers.litellm import RouterChatLiteLLM
from langchain_router.providers.litellm_causes import Stage
from langchain_router.providers.litellm_errors import Asked, as_model_error

if TYPE_CHECKING:
    from tests.providers.conftest import Ask, Upstream

REQUEST: Any = httpx.Request("POST", "http://127.0.0.1/v1")  # OpenAI's client may want one of httpx2
WAYS = pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])


def made(cls: type[Exception], **more: Any) -> Exception:
    return cls(**{"message": "x", "model": "m", "llm_provider": "openai", **more})


def connection(**more: Any) -> Exception:
    return made(theirs.APIConnectionError, **more)


def in_stream(original: Exception | None = None) -> Exception:
    return made(theirs.MidStreamFallbackError, original_exception=original, generated_content="so far")


def answered(status: int, **headers: str) -> httpx.HTTPStatusError:
    response = httpx.Response(status, request=REQUEST, headers=headers)
    return httpx.HTTPStatusError("x", request=REQUEST, response=response)


def by_openai(status: int) -> openai.APIStatusError:
    response: Any = httpx.Response(status, request=REQUEST)
    return openai.APIStatusError("x", response=response, body=None)


def reported(code: str | None = None) -> openai.APIError:
    return openai.APIError("x", REQUEST, body={"code": code})


def after(error: Exception, *causes: BaseException) -> Exception:
    """Chain an error to what it was raised while handling."""
    one: BaseException = error
    for cause in causes:
        one.__context__ = cause
        one = cause
    return error


class TimeoutException(Exception):  # noqa: N818 - as in httpx2
    __module__ = "httpx2"


SERVER = theirs.InternalServerError
JSON_ERROR = json.JSONDecodeError("x", "an answer", 0)

TABLE: list[tuple[Exception, Stage, str]] = [
    # LiteLLM's class, where nothing tells more
    (made(theirs.RateLimitError), "asked", "rate_limited"),
    (made(theirs.AuthenticationError), "asked", "auth"),
    (made(theirs.NotFoundError), "asked", "not_found"),
    (made(theirs.BadRequestError), "asked", "bad_request"),
    (made(theirs.BadRequestError), "building", "bad_request"),
    (made(theirs.ContextWindowExceededError), "asked", "context_overflow"),
    (made(theirs.ContentPolicyViolationError), "asked", "refused"),
    (made(theirs.UnsupportedParamsError), "building", "unsupported"),
    (made(theirs.Timeout), "asked", "timeout"),
    (connection(), "building", "connect"),
    (made(SERVER), "building", "server"),
    (made(SERVER), "streaming", "server"),
    # the status that the provider sent
    (after(made(SERVER), by_openai(500)), "asked", "server"),
    (after(made(SERVER), answered(503)), "asked", "overloaded"),
    (after(made(SERVER), answered(529)), "asked", "overloaded"),
    (after(made(theirs.ServiceUnavailableError), answered(500)), "asked", "server"),
    (after(made(theirs.BadRequestError), answered(403)), "asked", "auth"),
    (after(made(theirs.BadRequestError), answered(402)), "asked", "auth"),
    (after(made(theirs.BadRequestError), answered(413)), "asked", "context_overflow"),
    (after(made(theirs.BadRequestError), answered(400), JSON_ERROR), "asked", "bad_request"),
    (after(made(theirs.ContextWindowExceededError), answered(400)), "asked", "context_overflow"),
    (after(connection(), answered(429)), "asked", "rate_limited"),
    (after(in_stream(connection()), answered(429)), "streaming", "rate_limited"),
    # connection and time
    (after(made(SERVER), httpx.ConnectError("x")), "asked", "connect"),
    (after(made(SERVER), openai.APIConnectionError(request=REQUEST)), "asked", "connect"),
    (after(made(SERVER), ConnectionResetError()), "asked", "connect"),
    (after(connection(), openai.APITimeoutError(REQUEST)), "asked", "timeout"),
    (after(in_stream(connection()), httpx.ReadTimeout("x")), "streaming", "timeout"),
    (after(in_stream(connection()), httpx.ReadError("x")), "streaming", "connect"),
    (after(connection(), type("ReadTimeout", (TimeoutException,), {})()), "asked", "timeout"),
    # answers that cannot be read
    (after(connection(), JSON_ERROR), "asked", "malformed"),
    (after(connection(), KeyError("choices")), "asked", "malformed"),
    (after(connection(), TypeError()), "asked", "malformed"),
    (after(connection(), AttributeError()), "asked", "malformed"),
    (after(connection(), RuntimeError(), JSON_ERROR), "asked", "malformed"),
    (after(made(theirs.BadRequestError), JSON_ERROR), "asked", "malformed"),  # Gemini, Bedrock, Ollama
    (after(in_stream(connection()), JSON_ERROR), "streaming", "malformed"),
    (after(made(SERVER), Exception(), JSON_ERROR), "asked", "malformed"),
    (in_stream(connection()), "streaming", "malformed"),  # no connection failed
    (made(SERVER), "asked", "malformed"),  # LiteLLM itself found the answer wanting: a web page, say
    (made(theirs.APIError, status_code=200), "building", "malformed"),
    # ... unless the provider said what was wrong
    (after(made(theirs.APIError, status_code=500), Exception()), "asked", "server"),
    (after(in_stream(connection()), reported()), "streaming", "server"),
    (after(in_stream(connection()), reported("context_length_exceeded")), "streaming", "context_overflow"),
    (in_stream(made(theirs.RateLimitError)), "streaming", "rate_limited"),
    (in_stream(made(SERVER)), "streaming", "server"),
    (in_stream(), "streaming", "server"),
    # requests that LiteLLM could not put into the provider's form
    (after(connection(), KeyError("image")), "building", "unsupported"),
    (after(connection(), JSON_ERROR), "building", "unsupported"),
    (after(connection(), Exception("no tool call for this result")), "building", "unsupported"),
    (after(made(theirs.BadRequestError), KeyError("x")), "building", "bad_request"),
    # another library's
    (JSON_ERROR, "asked", "malformed"),
    (KeyError("x"), "streaming", "malformed"),
]


@pytest.mark.parametrize(("error", "stage", "kind"), TABLE)
def test_the_nearest_telling_cause_decides(error: Exception, stage: Stage, kind: str) -> None:
    mapped = as_model_error(error, model="m", stage=stage)
    assert mapped is not None
    assert error_kind(mapped) == kind


@pytest.mark.parametrize("stage", ["building", "asked", "streaming"])
def test_what_is_neither_litellms_nor_an_unreadable_answer_is_left_alone(stage: Stage) -> None:
    assert as_model_error(ZeroDivisionError(), stage=stage) is None
    assert as_model_error(KeyError("x")) is None


def test_a_model_error_stays_what_it_is() -> None:
    error = ModelInvalidRequestError("x")
    assert as_model_error(error) is error


def test_what_the_caller_is_handling_is_no_cause() -> None:
    """Asking again where an answer could not be parsed is the usual thing to do."""
    outer = json.JSONDecodeError("x", "y", 0)
    error = after(made(theirs.BadRequestError), outer)
    unaware, aware = as_model_error(error, stage="asked"), as_model_error(error, stage="asked", outer=outer)
    assert (error_kind(unaware or error), error_kind(aware or error)) == ("malformed", "bad_request")
    try:
        raise outer
    except ValueError:
        assert Asked().outer is outer


def test_a_parser_that_fails_where_litellm_reads_answers_needs_no_other_sign() -> None:
    """LiteLLM's way to OpenAI's Responses endpoint does not tell when it sends the request."""

    def transform_response() -> None:
        raise KeyError("output")

    try:
        transform_response()
    except KeyError as cause:
        error = after(connection(), cause)
    assert error_kind(as_model_error(error, stage="building") or error) == "malformed"


def test_causes_that_bite_their_tail_end() -> None:
    error, cause = made(SERVER), made(SERVER)
    error.__cause__, cause.__cause__ = cause, error
    assert error_kind(as_model_error(error, stage="streaming") or error) == "server"


def test_the_providers_own_status_and_headers_are_kept() -> None:
    mapped: Any = as_model_error(after(made(SERVER), answered(503, **{"retry-after": "7"})), stage="asked")
    assert mapped.status_code == 503
    assert retry_after_s(mapped) == 7


def test_a_provider_that_answered_is_shown_once_and_a_lost_connection_with_its_cause() -> None:
    def shown(cause: Exception) -> str:
        mapped = as_model_error(after(made(SERVER, message="the provider's words"), cause), stage="asked")
        assert mapped is not None
        return "".join(traceback.format_exception(mapped))

    by_status = shown(answered(503))
    assert "httpx.HTTPStatusError" not in by_status
    assert "the provider's words" in by_status
    assert "httpx.ConnectError: refused" in shown(httpx.ConnectError("refused"))


def test_an_answer_that_cannot_be_read_is_not_quoted_anywhere() -> None:
    page = "<html>the answer</html>"
    error = after(connection(message=page), json.JSONDecodeError("x", page, 0))
    mapped = as_model_error(error, model="openai/m", stage="asked")
    assert type(mapped) is MalformedResponseError
    assert str(mapped) == (
        "'openai/m' answered with success, but its answer could not be read (JSONDecodeError). "
        "Try again, or ask another model."
    )
    assert mapped.__cause__ is mapped.__context__ is None
    assert not vars(mapped)


def test_what_quotes_prompt_or_answer_is_taken_from_both_errors() -> None:
    error = after(in_stream(connection(litellm_debug_info="the prompt")), httpx.ReadError("x"))
    mapped = as_model_error(error, stage="streaming")
    for one in (error, mapped):
        assert (vars(one)["generated_content"], vars(one)["litellm_debug_info"]) == ("", None)


def test_a_mapped_error_survives_pickling() -> None:
    mapped: Any = as_model_error(after(made(SERVER), answered(503)), stage="asked")
    back = pickle.loads(pickle.dumps(mapped))  # noqa: S301 - our own
    assert type(back) is type(mapped)
    assert (back.status_code, error_kind(back)) == (503, "overloaded")
    assert isinstance(back, openai.InternalServerError)


# --- over HTTP ----------------------------------------------------------------------------------------

Make = Callable[..., RouterChatLiteLLM]


@pytest.fixture
def model(upstream: Upstream) -> Make:
    def build(provider_name: str = "openai", **options: Any) -> RouterChatLiteLLM:
        return RouterChatLiteLLM(
            model=f"{provider_name}/asked", api_base=upstream.url, api_key="key-in-a-test", **options
        )

    return build


@WAYS
@pytest.mark.parametrize("body", [b"<html>secret</html>", b'{"choices": [{"message": {"content": "secret'])
def test_a_body_that_cannot_be_read_leaves_no_trace_in_the_error(
    upstream: Upstream, model: Make, ask: Ask, way: str, body: bytes
) -> None:
    upstream.says(body)
    with pytest.raises(MalformedResponseError) as caught:
        ask(model(), way)
    assert "secret" not in repr(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


@WAYS
def test_a_request_that_cannot_be_built_is_the_candidates_lack_not_its_failure(
    upstream: Upstream, model: Make, ask: Ask, way: str
) -> None:
    """So another candidate is asked, and no breaker opens."""
    for odd in (
        HumanMessage([{"type": "image_url", "image_url": {"url": 7}}]),
        ToolMessage("x", tool_call_id="1"),
    ):
        with pytest.raises(ModelError) as caught:
            ask(model("gemini"), way, [HumanMessage("Hello"), odd])
        assert error_kind(caught.value) == "unsupported"
    assert not upstream.asked


@WAYS
def test_a_logger_of_the_users_own_is_still_called(
    upstream: Upstream, model: Make, ask: Ask, way: str
) -> None:
    upstream.says({"error": {"message": "x"}}, 500)
    seen: list[str] = []
    with pytest.raises(ModelError):
        ask(model(logger_fn=lambda details: seen.append(details["log_event_type"])), way)
    assert "pre_api_call" in seen
