"""LiteLLM as the router needs it: `ChatLiteLLM` with its measured gaps closed.

The only module that imports LiteLLM. Import it late: it costs seconds.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, cast

os.environ.setdefault(
    "LITELLM_LOCAL_MODEL_COST_MAP", "True"
)  # else the import fetches the map over the network

import httpx
import litellm
import litellm.exceptions as litellm_errors
import openai
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
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
from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableParallel, RunnableSequence
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_litellm import ChatLiteLLM
from pydantic import BaseModel, model_validator

from langchain_router.exceptions import MalformedResponseError
from langchain_router.providers.litellm_map import model_info
from langchain_router.request import estimate_tokens


class RouterChatLiteLLM(ChatLiteLLM):
    """`ChatLiteLLM` as a well-behaved candidate.

    Beyond its parent it: makes exactly one HTTP request per call, because the router owns retries; honours
    `timeout` (its parent only knows `request_timeout`); raises errors that are also LangChain's
    `ModelError` classes; reports the model asked for, the model that served and the request id; keeps
    `token_usage` serialisable; knows its profile; and announces structured output to tracers.

    Prefer a provider's own LangChain package (e.g. `ChatOpenAI`) where latency of the client matters: it
    takes less than half of LiteLLM's CPU time per call. Both are candidates.

    Args:
        model: LiteLLM model string.
        timeout: Seconds until a call without an answer is given up.

    Raises:
        ModelError: As the matching subclass, for every failure that LiteLLM reports.

    Example:
        >>> RouterChatLiteLLM(model="openai/gpt-4o-mini", timeout=20).request_timeout
        20.0
    """

    @model_validator(mode="before")
    @classmethod
    def _close_gaps(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        values = dict(values)
        timeout = values.pop("timeout", None)
        if timeout is not None:
            values.setdefault("request_timeout", timeout)
        values["max_retries"] = 0
        known = {*cls.model_fields, "base_url"}
        extra = {name: values.pop(name) for name in tuple(values) if name not in known}
        values["model_kwargs"] = {**extra, **(values.get("model_kwargs") or {}), "max_retries": 0}
        return values

    def __repr__(self) -> str:
        return (
            f"RouterChatLiteLLM(model={self.model!r})"  # options can hold credentials, and tracers print this
        )

    __str__ = __repr__

    def _resolve_model_profile(self) -> ModelProfile | None:
        info = model_info(self.model)
        if info is None:
            return None
        profile = ModelProfile(name=self.model, text_inputs=True, text_outputs=True)
        if info.context_tokens is not None:
            profile["max_input_tokens"] = info.context_tokens
        if info.max_output_tokens is not None:
            profile["max_output_tokens"] = info.max_output_tokens
        profile["tool_calling"] = "tool_calling" in info.capabilities
        profile["structured_output"] = "structured_output" in info.capabilities
        profile["image_inputs"] = "image_inputs" in info.capabilities
        profile["pdf_inputs"] = "pdf_inputs" in info.capabilities
        profile["audio_inputs"] = "audio_inputs" in info.capabilities
        profile["video_inputs"] = "video_inputs" in info.capabilities
        return profile

    def completion_with_retry(
        self,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - for the parent's retry hooks
        **kwargs: Any,
    ) -> Any:
        """Make one request; the router retries, so this does not."""
        with _mapped_errors():
            response = litellm.completion(**{**kwargs, **_ONE_REQUEST})
        return _tagged(response) if kwargs.get("stream") else response

    async def acompletion_with_retry(
        self,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002 - as above
        **kwargs: Any,
    ) -> Any:
        """Make one request; the router retries, so this does not."""
        with _mapped_errors():
            response = await litellm.acompletion(**{**kwargs, **_ONE_REQUEST})
        return _atagged(response) if kwargs.get("stream") else response

    def _create_chat_result(self, response: Mapping[str, Any], **params: Any) -> ChatResult:
        result = super()._create_chat_result(response, **params)
        if not result.generations:
            raise MalformedResponseError(
                f"{self.model!r} answered without any choice; try again or another model."
            )
        asked_for = params.get("model") or self.model
        for generation in result.generations:
            generation.message.response_metadata.update(model_name=asked_for, **_served(response))
        output = {**(result.llm_output or {}), "model": asked_for}
        if isinstance(output.get("token_usage"), BaseModel):
            output["token_usage"] = output["token_usage"].model_dump(exclude_none=True)
        result.llm_output = output
        return result

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        asked_for = kwargs.get("model") or self.model
        for chunk in super()._stream(*args, **kwargs):
            yield _with_served(chunk, asked_for)

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        asked_for = kwargs.get("model") or self.model
        chunks = cast("AsyncGenerator[ChatGenerationChunk, None]", super()._astream(*args, **kwargs))
        async with contextlib.aclosing(chunks):
            async for chunk in chunks:
                yield _with_served(chunk, asked_for)

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type[BaseModel] | Callable[..., Any] | BaseTool],
        tool_choice: dict[str, Any] | str | bool | None = None,
        *,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools. `strict` goes into each of them; an empty list, which providers refuse, is not sent."""
        if not tools:
            return self.bind(**kwargs)
        formatted: list[Any] = [convert_to_openai_tool(tool, strict=strict) for tool in tools]
        return super().bind_tools(formatted, tool_choice, **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type | BaseModel,
        *,
        method: Literal["json_schema", "function_calling", "json_mode"] | None = "json_schema",
        include_raw: bool = False,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[Any, Any] | BaseModel]:
        """Return structured answers, and tell tracers the schema as LangChain's own packages do."""
        method = method or "json_schema"
        chain = super().with_structured_output(
            schema, method=method, include_raw=include_raw, strict=strict, **kwargs
        )
        return _bound_first(
            chain, ls_structured_output_format={"kwargs": {"method": method}, "schema": schema}
        )

    def get_num_tokens(self, text: str) -> int:
        """Estimate the tokens of a text; the parent's way needs the transformers package."""
        return estimate_tokens(text)

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        """Estimate the tokens of messages; the parent's way needs the transformers package."""
        return count_tokens_approximately(messages, tools=list(tools) if tools else None)


_ONE_REQUEST = {"max_retries": 0, "num_retries": 0}

_SERVED_KEY = "langchain_router_served"


def _served(response: Any) -> dict[str, str]:
    """Return which model really answered and under which request id, where the provider says so."""
    found = {
        "served_model": response.get("model"),
        "id": response.get("id"),
        "system_fingerprint": response.get("system_fingerprint"),
    }
    return {key: value for key, value in found.items() if isinstance(value, str) and value}


def _tagged(chunks: Iterator[Any]) -> Iterator[Any]:
    """Let a stream's first raw chunk carry who served it to where the message is made."""
    with _mapped_errors():
        for index, chunk in enumerate(chunks):
            yield _tag(chunk) if index == 0 else chunk


async def _atagged(chunks: AsyncIterator[Any]) -> AsyncIterator[Any]:
    first = True
    with _mapped_errors():
        async for chunk in chunks:
            yield _tag(chunk) if first else chunk
            first = False


def _tag(chunk: Any) -> dict[str, Any]:
    plain: dict[str, Any] = chunk if isinstance(chunk, dict) else chunk.model_dump()
    fields = {**(plain.get("provider_specific_fields") or {}), _SERVED_KEY: _served(plain)}
    return {**plain, "provider_specific_fields": fields}


def _with_served(chunk: ChatGenerationChunk, asked_for: str) -> ChatGenerationChunk:
    """Move who served the stream to its place in the message's metadata."""
    metadata = chunk.message.response_metadata
    if "model_name" in metadata:
        metadata["model_name"] = asked_for
    fields = metadata.get("provider_specific_fields")
    if isinstance(fields, dict) and _SERVED_KEY in fields:
        rest = {key: value for key, value in fields.items() if key != _SERVED_KEY}
        metadata.pop("provider_specific_fields")
        metadata.update(fields[_SERVED_KEY])
        if rest:
            metadata["provider_specific_fields"] = rest
    return chunk


def _bound_first(chain: Runnable[Any, Any], **kwargs: Any) -> Runnable[Any, Any]:
    """Bind arguments to the model at the head of a structured-output chain."""
    if not isinstance(chain, RunnableSequence):
        return chain
    head = chain.first
    if isinstance(head, RunnableParallel):
        steps = {name: step.bind(**kwargs) for name, step in head.steps__.items()}
        return RunnableSequence(RunnableParallel(steps), *chain.middle, chain.last)
    return RunnableSequence(head.bind(**kwargs), *chain.middle, chain.last)


# The most telling class first: LiteLLM's classes inherit from one another.
_ERRORS: tuple[tuple[type[Exception], type[ModelError]], ...] = (
    (litellm_errors.ContextWindowExceededError, ContextOverflowError),
    (litellm_errors.AuthenticationError, ModelAuthenticationError),
    (litellm_errors.PermissionDeniedError, ModelPermissionDeniedError),
    (litellm_errors.NotFoundError, ModelNotFoundError),
    (litellm_errors.RateLimitError, ModelRateLimitError),
    (litellm_errors.Timeout, ModelTimeoutError),
    (litellm_errors.APIConnectionError, ModelConnectionError),
    (litellm_errors.BadRequestError, ModelInvalidRequestError),
    (litellm_errors.UnprocessableEntityError, ModelInvalidRequestError),
    (openai.APIError, ModelAPIError),
)


@contextlib.contextmanager
def _mapped_errors() -> Iterator[None]:
    """Raise LiteLLM's errors as classes that are also LangChain's."""
    try:
        yield
    except Exception as error:
        mapped = as_model_error(error)
        if mapped is None:
            raise
        raise mapped from error


def as_model_error(error: Exception) -> ModelError | None:
    """Return the same error as one that is also LangChain's, or None when there is no such class.

    The result keeps every attribute of LiteLLM's error (`status_code`, `response`, `llm_provider`, ...)
    and is caught by handlers of either library.
    """
    if isinstance(error, ModelError):
        return error
    kind = next((model_error for cls, model_error in _ERRORS if isinstance(error, cls)), None)
    if kind is None:
        return None
    if kind is ModelInvalidRequestError and "LLM Provider NOT provided" in str(error):
        kind = ModelNotFoundError  # a model string that LiteLLM cannot place, not a fault of the request
    elif getattr(error, "status_code", None) == 403:  # LiteLLM has it as a plain APIError
        kind = ModelPermissionDeniedError
    elif kind is ModelAPIError and _never_connected(error):  # LiteLLM has it as a 500
        kind = ModelConnectionError
    dual = _dual_class(type(error), kind)
    mapped = dual.__new__(dual)
    mapped.args = error.args
    mapped.__dict__.update(error.__dict__)
    for one in (error, mapped):  # it quotes the prompt, and error trackers store attributes
        one.__dict__["litellm_debug_info"] = None
    return mapped


def _dual_class(litellm_class: type[Exception], model_error: type[ModelError]) -> type[ModelError]:
    made = _dual_classes.get((litellm_class, model_error))
    if made is None:
        name = f"LiteLLM{litellm_class.__name__}"
        body = {"__module__": __name__, "__reduce__": _reduced}
        made = type(name, (litellm_class, model_error), body)
        _dual_classes[litellm_class, model_error] = made
    return made


def _reduced(error: Any) -> tuple[Any, ...]:
    """Pickle a mapped error by its parents and its plain attributes; the class itself is made at run time."""
    litellm_class, model_error = type(error).__bases__
    plain = {k: v for k, v in error.__dict__.items() if isinstance(v, (str, int, float, bool, type(None)))}
    return _remade, (litellm_class, model_error, error.args, plain)


def _remade(
    litellm_class: type[Exception],
    model_error: type[ModelError],
    args: tuple[Any, ...],
    plain: dict[str, Any],
) -> ModelError:
    dual = _dual_class(litellm_class, model_error)
    made = dual.__new__(dual)
    made.args = args
    made.__dict__.update(plain)
    return made


_dual_classes: dict[tuple[type[Exception], type[ModelError]], type[ModelError]] = {}


def _never_connected(error: BaseException | None) -> bool:
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, (ConnectionError, httpx.ConnectError, openai.APIConnectionError)):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False
