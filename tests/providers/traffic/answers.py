"""What a recorded response says: read from the recorded bytes by small parsers, never by LiteLLM."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.providers.traffic.calls import Call, parts_text
from tests.providers.traffic.recordings import Json, Pair
from tests.providers.traffic.routes import ANTHROPIC, CHAT, COHERE, GEMINI, RESPONSES, TEXT


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an answer says; None where the recording does not say it."""

    text: str = ""
    tool_calls: Sequence[tuple[str, Any]] = ()
    finish: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    structured: Any = None


def chat_answer(pair: Pair) -> Answer:
    finish, usage, texts = None, None, []
    calls: dict[int, list[Any]] = {}
    for body in pair.events if pair.stream else [json.loads(pair.body)]:
        usage = body.get("usage") or (body.get("x_groq") or {}).get("usage") or usage
        for choice in body.get("choices") or ():
            if choice.get("index", 0) != 0:
                continue
            finish = choice.get("finish_reason") or finish
            said = choice.get("delta") or choice.get("message") or {"content": choice.get("text")}
            texts.append(_chat_text(said.get("content")))
            legacy = [{"function": said["function_call"]}] if said.get("function_call") else []
            for position, call in enumerate([*(said.get("tool_calls") or ()), *legacy]):
                kept = calls.setdefault(call.get("index", position), ["", ""])
                kept[0] = kept[0] or call["function"].get("name") or ""  # some servers repeat it
                kept[1] += call["function"].get("arguments") or ""
    return Answer(
        text="".join(texts),
        tool_calls=[(name, json.loads(arguments or "{}")) for name, arguments in calls.values()],
        finish=finish,
        input_tokens=usage["prompt_tokens"] if usage else None,
        output_tokens=usage["completion_tokens"] if usage else None,
    )


def _chat_text(content: Any) -> str:
    if isinstance(content, list):  # Mistral's reasoning models: blocks
        return "".join(block.get("text", "") for block in content if block.get("type") == "text")
    return content or ""


def cohere_answer(pair: Pair) -> Answer:
    body = json.loads(pair.body)
    blocks = body["message"].get("content") or ()
    tokens = body["usage"]["tokens"]
    return Answer(
        text="".join(block["text"] for block in blocks if block["type"] == "text"),
        tool_calls=[
            (call["function"]["name"], json.loads(call["function"]["arguments"]))
            for call in body["message"].get("tool_calls") or ()
        ],
        finish={"COMPLETE": "stop", "MAX_TOKENS": "length", "TOOL_CALL": "tool_calls"}[body["finish_reason"]],
        input_tokens=tokens["input_tokens"],
        output_tokens=tokens["output_tokens"],
    )


def responses_answer(pair: Pair) -> Answer:
    body = json.loads(pair.body) if not pair.stream else _last_response(pair.events)
    items = body["output"]
    calls = [call for item in items if (call := _responses_tool_call(item))]
    finish = "tool_calls" if calls else "stop"
    if body.get("status") == "incomplete":
        reason = body["incomplete_details"]["reason"]
        finish = {"max_output_tokens": "length", "content_filter": "content_filter"}[reason]
    usage = body.get("usage")
    return Answer(
        text="".join(
            part.get("text", "") for item in items if item["type"] == "message" for part in item["content"]
        ),
        tool_calls=calls,
        finish=finish,
        input_tokens=usage["input_tokens"] if usage else None,
        output_tokens=usage["output_tokens"] if usage else None,
    )


def _responses_tool_call(item: Json) -> tuple[str, Any] | None:
    """Return the call of a tool that the application runs."""
    if item["type"] == "function_call":
        return item["name"], json.loads(item["arguments"] or "{}")
    if item["type"] == "custom_tool_call":
        return item["name"], item["input"]
    if item["type"] == "apply_patch_call":
        return "apply_patch", item["operation"]
    if item["type"] == "tool_search_call" and item.get("execution") == "client":
        return "tool_search", item["arguments"]
    return None


def _last_response(events: list[Json]) -> Json:
    """Put together what was streamed: some servers leave the output out of the last event."""
    last = next(event["response"] for event in reversed(events) if "response" in event)
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    return {**last, "output": last.get("output") or done}


def anthropic_answer(pair: Pair) -> Answer:
    body = json.loads(pair.body) if not pair.stream else _anthropic_message(pair.events)
    finishes = {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "tool_use": "tool_calls",
        "max_tokens": "length",
        "refusal": "content_filter",
    }
    usage = body["usage"]
    read, written = usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens")
    return Answer(
        text="".join(block["text"] for block in body["content"] if block["type"] == "text"),
        tool_calls=[
            (block["name"], block["input"]) for block in body["content"] if block["type"] == "tool_use"
        ],
        finish=finishes.get(body["stop_reason"], body["stop_reason"]),
        input_tokens=usage["input_tokens"] + (read or 0) + (written or 0),
        output_tokens=usage["output_tokens"],
    )


def _anthropic_message(events: list[Json]) -> Json:
    message: Json = {}
    for event in events:
        if event["type"] == "message_start":
            message = {**event["message"], "content": []}
        elif event["type"] == "content_block_start":
            message["content"].append({**event["content_block"], "json": ""})
        elif event["type"] == "content_block_delta":
            block, delta = message["content"][event["index"]], event["delta"]
            block["text"] = block.get("text", "") + delta.get("text", "")
            block["json"] += delta.get("partial_json", "")
        elif event["type"] == "message_delta":
            message["stop_reason"] = event["delta"].get("stop_reason") or message.get("stop_reason")
            told = {key: value for key, value in event["usage"].items() if value is not None}
            message["usage"] = {**message["usage"], **told}
    for block in message["content"]:
        if block["json"]:
            block["input"] = json.loads(block["json"])
    return message


def gemini_answer(pair: Pair) -> Answer:
    text, finish, usage = "", None, None
    calls: list[tuple[str, Any]] = []
    for body in pair.events if pair.stream else [json.loads(pair.body)]:
        usage = body.get("usageMetadata") or usage
        finish = "BLOCKED" if body.get("promptFeedback", {}).get("blockReason") else finish
        for candidate in (body.get("candidates") or ())[:1]:
            finish = candidate.get("finishReason") or finish
            content = {"parts": [], **(candidate.get("content") or {})}
            text += parts_text(content)
            found = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
            calls.extend((call["name"], call.get("args") or {}) for call in found)
    finishes = {"STOP": "tool_calls" if calls else "stop", "MAX_TOKENS": "length", None: None}
    usage = usage or {}
    out = [usage.get("candidatesTokenCount"), usage.get("thoughtsTokenCount")]
    return Answer(
        text=text,
        tool_calls=calls,
        finish=finishes.get(finish, "content_filter"),
        input_tokens=usage["promptTokenCount"] + usage.get("toolUsePromptTokenCount", 0)
        if "promptTokenCount" in usage
        else None,
        output_tokens=sum(count or 0 for count in out) if out != [None, None] else None,
    )


_ANSWERS: Mapping[str, Callable[[Pair], Answer]] = {
    CHAT: chat_answer,
    COHERE: cohere_answer,
    TEXT: chat_answer,
    RESPONSES: responses_answer,
    ANTHROPIC: anthropic_answer,
    GEMINI: gemini_answer,
}


def as_recorded(pair: Pair, wire: str, call: Call) -> Answer:
    answer = _ANSWERS[wire](pair)
    if call.schema is None and not call.json_mode:
        return answer
    try:
        structured = json.loads(answer.text)
    except ValueError:  # it called a tool, or was cut off
        return answer
    return Answer(**{**answer.__dict__, "structured": structured})


def differences(recorded: Answer, got: Answer) -> dict[str, tuple[Any, Any]]:
    """Name the fields that came out otherwise than recorded, with both values."""
    return {
        name: (want, getattr(got, name))
        for name, want in recorded.__dict__.items()
        if (list(want) != list(got.tool_calls) if name == "tool_calls" else want != getattr(got, name))
        and not (want is None and name != "finish")
    }
