"""OpenAI's chat wire format: how a request is read, and how an answer, a stream and an error are written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from langchain_router.request import estimate_tokens
from langchain_router.testing.chat_request import ChatRequest

CREATED = 1_735_689_600
"""The moment every answer claims to come from; fixed, so that recordings do not change."""

_PIECE = re.compile(r"\s*\S{1,12}|\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One tool that the model asks for, with its arguments as JSON text."""

    name: str
    arguments: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a simulated model says, and how long it takes to say it.

    Attributes:
        text: The answer; empty when the model only calls tools.
        tool_calls: Tools it asks for.
        input_tokens: What the prompt is billed as; None is estimated from the request.
        output_tokens: What the answer is billed as; None is estimated from the answer.
        finish_reason: Why it ended; `"tool_calls"` is set by itself.
        latency_s: Seconds to the first token.
        output_tokens_per_s: Pace after the first token; None says everything at once.
    """

    text: str = field(repr=False)
    tool_calls: tuple[ToolCall, ...] = ()
    input_tokens: int | None = None
    output_tokens: int | None = None
    finish_reason: Literal["stop", "length", "tool_calls"] = "stop"
    latency_s: float = 0.0
    output_tokens_per_s: float | None = None

    @property
    def generation_s(self) -> float:
        """Seconds from the first token to the last."""
        return (self.output_tokens or 0) / self.output_tokens_per_s if self.output_tokens_per_s else 0.0


def finish(answer: Answer, request: ChatRequest) -> Answer:
    """Bill the answer and cut it where the request's `stop` and `max_tokens` say so.

    A cut answer keeps the same share of its text as of its tokens, so recorded token counts stay true.
    """
    said = answer.text + "".join(call.name + call.arguments for call in answer.tool_calls)
    answer = replace(
        answer,
        input_tokens=request.prompt_tokens if answer.input_tokens is None else answer.input_tokens,
        output_tokens=estimate_tokens(said) if answer.output_tokens is None else answer.output_tokens,
        finish_reason="tool_calls" if answer.tool_calls else answer.finish_reason,
    )
    total = answer.output_tokens or 0
    ends = [answer.text.find(stop) for stop in request.stop if stop in answer.text]
    if ends:
        share = min(ends) / len(answer.text)
        answer = replace(answer, text=answer.text[: min(ends)], output_tokens=round(total * share))
    if request.max_tokens is not None and (answer.output_tokens or 0) > request.max_tokens:
        share = request.max_tokens / (answer.output_tokens or 1)
        answer = replace(
            answer,
            text=answer.text[: int(len(answer.text) * share)],
            tool_calls=tuple(
                replace(call, arguments=call.arguments[: int(len(call.arguments) * share)])
                for call in answer.tool_calls
            ),
            output_tokens=request.max_tokens,
            finish_reason="length",
        )
    return answer


def completion(answer: Answer, request: ChatRequest, *, id: str) -> bytes:
    """Return the JSON body of a finished answer."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None, "refusal": None}
    if answer.tool_calls:
        message["tool_calls"] = [_tool_call(call, index, id) for index, call in enumerate(answer.tool_calls)]
    elif not answer.text:
        message["content"] = ""
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish_reason}
    head = _head(id, "chat.completion", request.model)
    return dump({**head, "choices": [choice], "usage": usage(answer)})


def events(answer: Answer, request: ChatRequest, *, id: str) -> Iterator[bytes]:
    """Yield the same answer as server-sent events, the role first and `[DONE]` last."""
    head = _head(id, "chat.completion.chunk", request.model)
    if request.include_usage:
        head["usage"] = None

    def event(delta: Mapping[str, Any], finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return _event({**head, "choices": [choice]})

    yield event({"role": "assistant", "content": None if answer.tool_calls and not answer.text else ""})
    for piece in pieces(answer.text):
        yield event({"content": piece})
    for index, call in enumerate(answer.tool_calls):
        opening = _tool_call(replace(call, arguments=""), index, id)
        yield event({"tool_calls": [{"index": index, **opening}]})
        for piece in pieces(call.arguments):
            yield event({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    yield event({}, answer.finish_reason)
    if request.include_usage:
        yield _event({**head, "choices": [], "usage": usage(answer)})
    yield b"data: [DONE]\n\n"


def pieces(text: str) -> list[str]:
    """Split a text into what a stream sends one by one: a word each, never more than a dozen letters."""
    return _PIECE.findall(text)


def usage(answer: Answer) -> dict[str, Any]:
    """Return the `usage` object, alike in JSON and in a stream."""
    prompt, said = answer.input_tokens or 0, answer.output_tokens or 0
    return {
        "prompt_tokens": prompt,
        "completion_tokens": said,
        "total_tokens": prompt + said,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
    }


def model_list(names: Sequence[str]) -> bytes:
    """Return the body of `GET /v1/models`."""
    return dump({"object": "list", "data": [model_card(name) for name in names]})


def model_card(name: str) -> dict[str, Any]:
    """Return what `GET /v1/models/NAME` says of one model."""
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "simulated"}


def dump(body: Mapping[str, Any]) -> bytes:
    """Encode a body; lone surrogates stay escaped, everything else is plain UTF-8."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":")).encode()


def _head(id: str, kind: str, model: str) -> dict[str, Any]:
    return {
        "id": id,
        "object": kind,
        "created": CREATED,
        "model": model,
        "service_tier": "default",
        "system_fingerprint": "fp_simulated",
    }


def _tool_call(call: ToolCall, index: int, id: str) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": f"call_{id.removeprefix('chatcmpl-')}_{index}", "type": "function", "function": function}


def _event(body: Mapping[str, Any]) -> bytes:
    return b"data: " + dump(body) + b"\n\n"
