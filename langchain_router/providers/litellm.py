"""LiteLLM as the router needs it: `ChatLiteLLM` with its measured gaps closed.

This module and its neighbours are the only ones that import LiteLLM. Import it late: it costs seconds.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, Literal, cast

os.environ.setdefault(
    "LITELLM_LOCAL_MODEL_COST_MAP", "True"
)  # else the import fetches the map over the network

import litellm
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.exceptions import ModelTimeoutError
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
from langchain_router.providers.litellm_causes import UNREADABLE
from langchain_router.providers.litellm_errors import Asked, as_model_error, unreadable
from langchain_router.providers.litellm_map import model_info
from langchain_router.providers.litellm_server_tools import leave_out_server_calls
from langchain_router.providers.litellm_streams import (
    SERVED_KEY,
    StreamReader,
    achunks,
    chunks,
    served,
)
from langchain_router.providers.litellm_usage import is_plausible, is_told, warn_of_usage
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
        timeout: Seconds until a call without an answer is given up; each call may set its own, as in
            `invoke(..., timeout=3)`. They count anew whenever something arrives. LiteLLM keeps an HTTP
            client for each timeout there was, so use few different ones.

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
        call, asked = self._prepared(kwargs)
        failure = None
        try:
            response = litellm.completion(**call)
        except Exception as error:
            failure = self._failure(error, call, asked)
            if failure is None:
                raise
        if failure is not None:
            raise failure
        return chunks(response, self._reader(response, call, asked)) if call.get("stream") else response

    async def acompletion_with_retry(
        self,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002 - as above
        **kwargs: Any,
    ) -> Any:
        """Make one request; the router retries, so this does not."""
        call, asked = self._prepared(kwargs)
        failure = None
        try:
            response = await litellm.acompletion(**call)
        except Exception as error:
            failure = self._failure(error, call, asked)
            if failure is None:
                raise
        if failure is not None:
            raise failure
        return achunks(response, self._reader(response, call, asked)) if call.get("stream") else response

    def _prepared(self, kwargs: dict[str, Any]) -> tuple[dict[str, Any], Asked]:
        """Return the arguments of one call to LiteLLM, and what will note how far it comes."""
        asked = Asked(kwargs.get("logger_fn"))
        call = {**kwargs, **_ONE_REQUEST, "logger_fn": asked}
        limit = call.pop("request_timeout", None)
        if limit is None:
            limit = call.get("timeout")
        if limit is None:
            limit = self.request_timeout
        if isinstance(limit, (int, float)) and limit <= 0:  # LiteLLM would take 0 for its own 10 minutes
            raise ModelTimeoutError(f"No time is left to call {call['model']!r}: its timeout is {limit:g} s.")
        call["timeout"] = limit
        return call, asked

    def _reader(self, stream: Any, call: dict[str, Any], asked: Asked) -> StreamReader:
        is_mock = any(call.get(option) is not None for option in ("mock_response", "mock_tool_calls"))
        answers = call.get("n") or 1
        return StreamReader(stream, model=call["model"], asked=asked, answers=answers, is_mock=is_mock)

    def _failure(self, error: Exception, call: dict[str, Any], asked: Asked) -> Exception | None:
        return as_model_error(error, model=call["model"], stage=asked.stage, outer=asked.outer)

    def _create_chat_result(self, response: Mapping[str, Any], **params: Any) -> ChatResult:
        asked_for = params.get("model") or self.model
        usage = response.get("usage")
        is_counted = is_plausible(usage)
        result, why = None, None
        try:
            result = super()._create_chat_result(response, **params)
        except UNREADABLE as error:
            why = type(error)
        if result is None or why is not None:
            raise unreadable(asked_for, why or ValueError)
        if not result.generations:
            raise MalformedResponseError(
                f"{asked_for!r} answered without any choice; try again or another model."
            )
        for generation in result.generations:
            message = generation.message
            message.response_metadata.update(model_name=asked_for, **served(response))
            if isinstance(message, AIMessage):
                leave_out_server_calls(message)
                if not (is_counted and is_told(usage)):
                    message.usage_metadata = None
                    message.response_metadata.pop("response_cost", None)
        output = {**(result.llm_output or {}), "model": asked_for}
        if not is_counted:
            warn_of_usage(asked_for)
            output.pop("token_usage", None)
        elif isinstance(output.get("token_usage"), BaseModel):
            output["token_usage"] = output["token_usage"].model_dump(exclude_none=True)
        result.llm_output = output
        return result

    def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        asked_for = kwargs.get("model") or self.model
        with contextlib.closing(
            cast("Generator[ChatGenerationChunk]", super()._stream(*args, **kwargs))
        ) as parts:
            for chunk in parts:
                yield _with_served(chunk, asked_for)

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        asked_for = kwargs.get("model") or self.model
        parts = cast("AsyncGenerator[ChatGenerationChunk, None]", super()._astream(*args, **kwargs))
        async with contextlib.aclosing(parts):
            async for chunk in parts:
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


def _with_served(chunk: ChatGenerationChunk, asked_for: str) -> ChatGenerationChunk:
    """Move who served the stream to its place in the message's metadata."""
    metadata = chunk.message.response_metadata
    if "model_name" in metadata:
        metadata["model_name"] = asked_for
    fields = metadata.get("provider_specific_fields")
    if isinstance(fields, dict) and SERVED_KEY in fields:
        rest = {key: value for key, value in fields.items() if key != SERVED_KEY}
        metadata.pop("provider_specific_fields")
        metadata.update(fields[SERVED_KEY])
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
