"""A chat request as OpenAI's API reads it, refusing what the real API would refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from langchain_router.request import estimate_tokens
from langchain_router.testing.api_errors import ApiError

_ROLES = ("system", "developer", "user", "assistant", "tool")
_MESSAGE_TOKENS = 4
_MEDIA_TOKENS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """One request to `/v1/chat/completions`, read and checked.

    Attributes:
        model: The model named.
        messages: The conversation as it came.
        tools: The functions offered: each has `name`, and may have `description` and `parameters`.
        tool_choice: Whether a tool may, must or must not be called.
        forced_tool: The one function that must be called, if the request names it.
        parallel_tool_calls: Whether several tools may be called in one answer.
        json_schema: The schema that the answer must follow.
        json_mode: Whether the answer must be a JSON object, of whatever shape.
        stop: Texts at which the answer ends.
        max_tokens: Most tokens the answer may have.
        stream: Whether the answer comes as server-sent events.
        include_usage: Whether the stream ends with an event that holds the usage.
        prompt_tokens: Estimated tokens of the messages, tools and schema.
    """

    model: str
    messages: tuple[Mapping[str, Any], ...] = field(repr=False)
    tools: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    tool_choice: Literal["auto", "required", "none"] = "auto"
    forced_tool: str | None = None
    parallel_tool_calls: bool = True
    json_schema: Mapping[str, Any] | None = field(default=None, repr=False)
    json_mode: bool = False
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None
    stream: bool = False
    include_usage: bool = False
    prompt_tokens: int = 0

    @property
    def last_user_text(self) -> str:
        """Text of the last user message, or "" when there is none."""
        users = (message for message in reversed(self.messages) if message["role"] == "user")
        return message_text(next(users, {}))

    @property
    def tool_results(self) -> tuple[str, ...]:
        """What the tools returned, if the conversation ends with that."""
        results: list[str] = []
        for message in reversed(self.messages):
            if message["role"] != "tool":
                break
            results.insert(0, message_text(message))
        return tuple(results)


def message_text(message: Mapping[str, Any]) -> str:
    """Return all text of a message; blocks are joined by line breaks."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text", "")) for part in parts if part.get("type") == "text")


def parse_chat_request(raw: bytes) -> ChatRequest:
    """Read a request body.

    Raises:
        ApiError: With status 400 and OpenAI's own wording of what is wrong.
    """
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise ApiError(400, "We could not parse the JSON body of your request.") from None
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        raise ApiError(400, "You must provide a model parameter.", param="model")
    if body.get("n", 1) not in (1, None):
        raise ApiError(400, "Unsupported value: 'n' must be 1.", code="unsupported_value", param="n")
    messages, tools = _messages(body.get("messages")), _tools(body)
    shape, choice = _answer_shape(body, messages), _tool_choice(body, tools)
    return ChatRequest(
        model=body["model"],
        messages=messages,
        tools=tools,
        tool_choice=choice.rule,
        forced_tool=choice.name,
        parallel_tool_calls=body.get("parallel_tool_calls") is not False,
        json_schema=shape.schema,
        json_mode=shape.json_mode,
        stop=_stop(body.get("stop")),
        max_tokens=_max_tokens(body),
        stream=body.get("stream") is True,
        include_usage=_include_usage(body),
        prompt_tokens=_prompt_tokens(messages, *tools, shape.schema or ""),
    )


def _messages(given: Any) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(given, list) or not given:
        raise ApiError(
            400, "Invalid 'messages': expected an array with at least 1 message.", param="messages"
        )
    for index, message in enumerate(given):
        _check_message(message if isinstance(message, dict) else {}, f"messages[{index}]")
    _check_tool_turns(given)
    return tuple(given)


def _check_message(message: Mapping[str, Any], name: str) -> None:
    content, calls = message.get("content"), message.get("tool_calls") or []
    if message.get("role") not in _ROLES:
        raise _invalid(f"{name}.role", f"expected one of {', '.join(_ROLES)}")
    if not isinstance(content, (str, list)) and (content is not None or message["role"] != "assistant"):
        raise _invalid(f"{name}.content", "expected a string or an array of parts")
    if isinstance(content, list) and not all(isinstance(part, dict) and "type" in part for part in content):
        raise _invalid(f"{name}.content", "each part needs a 'type'")
    if not isinstance(calls, list) or not all(_has_id(call) for call in calls):
        raise _invalid(f"{name}.tool_calls", "expected an array of calls, each with an 'id'")


def _has_id(call: object) -> bool:
    return isinstance(call, dict) and isinstance(call.get("id"), str)


def _check_tool_turns(messages: Sequence[Mapping[str, Any]]) -> None:
    """Each tool call is answered before anything else is said, and nothing else is."""
    waiting: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            if message.get("tool_call_id") not in waiting:
                raise ApiError(
                    400,
                    "Invalid parameter: messages with role 'tool' must be a response to a preceding message "
                    "with 'tool_calls'.",
                    param="messages",
                )
            waiting.remove(message["tool_call_id"])
        elif waiting:
            break
        else:
            waiting = [call["id"] for call in message.get("tool_calls") or ()]
    if waiting:
        raise ApiError(
            400,
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            "'tool_call_id'.",
            param="messages",
        )


def _tools(body: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    tools = body.get("tools")
    if tools is None:
        return ()
    if not isinstance(tools, list) or not tools:
        raise _invalid("tools", "expected an array with at least 1 tool")
    functions = [tool.get("function") for tool in tools if isinstance(tool, dict)]
    for index, tool in enumerate(tools):
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            raise _invalid(f"tools[{index}]", "expected a function with a name")
    return tuple(function for function in functions if function)


class _ToolChoice(NamedTuple):
    rule: Literal["auto", "required", "none"]
    name: str | None = None


def _tool_choice(body: Mapping[str, Any], tools: Sequence[Mapping[str, Any]]) -> _ToolChoice:
    match body.get("tool_choice"):
        case None | "auto":
            return _ToolChoice("auto")
        case "none":
            return _ToolChoice("none")
        case _ if not tools:
            raise _invalid("tool_choice", "it is only allowed when 'tools' are specified")
        case "required" | "any":
            return _ToolChoice("required")
        case {"type": "function", "function": {"name": str(name)}}:
            if name not in {tool["name"] for tool in tools}:
                raise _invalid("tool_choice", "it names a function that is not among 'tools'")
            return _ToolChoice("required", name)
    raise _invalid("tool_choice", "expected auto, none, required, or a function by name")


class _AnswerShape(NamedTuple):
    json_mode: bool = False
    schema: Mapping[str, Any] | None = None


def _answer_shape(body: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> _AnswerShape:
    match body.get("response_format"):
        case None | {"type": "text"}:
            return _AnswerShape()
        case {"type": "json_schema", "json_schema": {"name": str(), "schema": dict(schema)}}:
            return _AnswerShape(schema=schema)
        case {"type": "json_object"}:
            if not any("json" in message_text(message).lower() for message in messages):
                raise ApiError(
                    400,
                    "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
                    "'json_object'.",
                    param="messages",
                )
            return _AnswerShape(json_mode=True)
    raise _invalid("response_format", "expected text, json_object, or json_schema with a name and a schema")


def _stop(given: Any) -> tuple[str, ...]:
    stops = [given] if isinstance(given, str) else given or []
    if not isinstance(stops, list) or len(stops) > 4 or not all(isinstance(stop, str) for stop in stops):
        raise _invalid("stop", "expected a string or an array of at most 4 strings")
    return tuple(stop for stop in stops if stop)


def _include_usage(body: Mapping[str, Any]) -> bool:
    match body.get("stream_options"):
        case None:
            return False
        case dict(options) if body.get("stream") is True:
            return options.get("include_usage") is True
    raise _invalid("stream_options", "expected an object, and only allowed when 'stream' is true")


def _max_tokens(body: Mapping[str, Any]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        value = body.get(name)
        if value is not None:
            if not isinstance(value, int) or value < 1:
                raise _invalid(name, "expected an integer of at least 1")
            return value
    return None


def _prompt_tokens(messages: Sequence[Mapping[str, Any]], *extras: object) -> int:
    return (
        _MESSAGE_TOKENS * len(messages)
        + sum(estimate_tokens(text) for message in messages for text in _billed_texts(message))
        + sum(_MEDIA_TOKENS for message in messages for _ in _media(message))
        + sum(estimate_tokens(str(extra)) for extra in extras)
    )


def _billed_texts(message: Mapping[str, Any]) -> Iterator[str]:
    yield message_text(message)
    for call in message.get("tool_calls") or ():
        yield str(call.get("function", ""))


def _media(message: Mapping[str, Any]) -> Iterator[object]:
    content = message.get("content")
    if isinstance(content, list):
        yield from (part for part in content if part["type"] != "text")


def _invalid(param: str, expected: str) -> ApiError:
    return ApiError(400, f"Invalid value for '{param}': {expected}.", code="invalid_value", param=param)
