"""The LangChain call that a recorded request amounts to."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    convert_to_messages,
)

from tests.providers.traffic.recordings import Json
from tests.providers.traffic.routes import ANTHROPIC, CHAT, COHERE, GEMINI, RESPONSES, TEXT


@dataclass(frozen=True, kw_only=True)
class Call:
    """The LangChain call that a recorded request amounts to."""

    messages: list[BaseMessage]
    tools: list[Json] = field(default_factory=list)
    tool_choice: Any = None
    schema: Json | None = None
    json_mode: bool = False
    options: Json = field(default_factory=dict)


def chat_call(request: Json) -> Call:
    form = request.get("response_format") or {}
    options = {
        name: request[name]
        for name in ("n", "max_tokens", "stop", "seed", "temperature", "stream_options", "functions")
        if request.get(name) is not None
    }
    named = form.get("json_schema") or {}
    return Call(
        messages=convert_to_messages([{"content": "", **turn} for turn in request["messages"]]),
        tools=list(request.get("tools") or ()),
        tool_choice=request.get("tool_choice"),
        schema=_titled(named.get("schema"), named.get("name")),
        json_mode=form.get("type") == "json_object",
        options=options,
    )


def text_call(request: Json) -> Call:
    prompt = request["prompt"]
    return Call(messages=[HumanMessage(prompt if isinstance(prompt, str) else prompt[0])])


def responses_call(request: Json) -> Call:
    messages: list[BaseMessage] = []
    if request.get("instructions"):
        messages.append(SystemMessage(request["instructions"]))
    given = request["input"]
    for item in [{"role": "user", "content": given}] if isinstance(given, str) else given:
        _add_responses_item(messages, item)
    form = (request.get("text") or {}).get("format") or {}
    choice = request.get("tool_choice")
    return Call(
        messages=messages,
        tools=[_responses_tool(tool) for tool in request.get("tools") or ()],
        tool_choice=choice.get("name") if isinstance(choice, dict) else choice,
        schema=_titled(form.get("schema"), form.get("name")),
        json_mode=form.get("type") == "json_object",
    )


def _responses_tool(tool: Json) -> Json:
    if tool["type"] != "function":
        return tool
    return {"type": "function", "function": {key: value for key, value in tool.items() if key != "type"}}


def _add_responses_item(messages: list[BaseMessage], item: Json) -> None:
    kind = item.get("type", "message")
    if kind == "message":
        content = item["content"]
        if not isinstance(content, str):
            content = "".join(part.get("text", "") for part in content)
        messages.extend(convert_to_messages([{"role": item["role"], "content": content}]))
    elif kind == "function_call":
        call = {"name": item["name"], "args": json.loads(item["arguments"] or "{}"), "id": item["call_id"]}
        _add_tool_calls(messages, "", [call])
    elif kind == "function_call_output":
        output = item["output"]
        text = output if isinstance(output, str) else json.dumps(output)
        messages.append(ToolMessage(text, tool_call_id=item["call_id"]))


def _add_tool_calls(messages: list[BaseMessage], text: str, calls: list[Json]) -> None:
    before = messages[-1] if messages else None
    if isinstance(before, AIMessage):
        text = before.text + text
        calls = [*(dict(call) for call in before.tool_calls), *calls]
        messages.pop()
    messages.append(AIMessage(text, tool_calls=calls))


def anthropic_call(request: Json) -> Call:
    messages: list[BaseMessage] = []
    system = request.get("system")
    if system:
        text = system if isinstance(system, str) else "".join(block["text"] for block in system)
        messages.append(SystemMessage(text))
    for turn in request["messages"]:
        content = turn["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        text = "".join(block["text"] for block in blocks if block["type"] == "text")
        if turn["role"] == "assistant":
            calls = [
                {"name": block["name"], "args": block["input"], "id": block["id"]}
                for block in blocks
                if block["type"] == "tool_use"
            ]
            messages.append(AIMessage(text, tool_calls=calls))
        elif turn["role"] == "user":
            messages.extend(
                ToolMessage(_plain(block.get("content", "")), tool_call_id=block["tool_use_id"])
                for block in blocks
                if block["type"] == "tool_result"
            )
            if text:
                messages.append(HumanMessage(text))
    form = (request.get("output_config") or {}).get("format") or request.get("output_format") or {}
    choice = request.get("tool_choice") or {}
    names = {"auto": "auto", "any": "required", "none": "none", "tool": choice.get("name")}
    options = {
        name: request[name]
        for name in ("max_tokens", "temperature", "thinking")
        if request.get(name) is not None
    }
    return Call(
        messages=messages,
        tools=[_anthropic_tool(tool) for tool in request.get("tools") or ()],
        tool_choice=names.get(choice.get("type", "")),
        schema=_titled(form.get("schema"), "Answer"),
        options=options,
    )


def _plain(content: Any) -> str:
    return content if isinstance(content, str) else json.dumps(content)


def _anthropic_tool(tool: Json) -> Json:
    if "input_schema" not in tool:
        return tool
    function = {"name": tool["name"], "description": tool.get("description", "")}
    return {"type": "function", "function": {**function, "parameters": tool["input_schema"]}}


def gemini_call(request: Json) -> Call:
    messages: list[BaseMessage] = []
    if request.get("systemInstruction"):
        messages.append(SystemMessage(parts_text(request["systemInstruction"])))
    ids = itertools.count()
    asked: list[str] = []
    for turn in request["contents"]:
        text = parts_text(turn)
        calls = [part["functionCall"] for part in turn["parts"] if "functionCall" in part]
        answers = [part["functionResponse"] for part in turn["parts"] if "functionResponse" in part]
        if turn.get("role") == "model":
            made = [
                {"name": call["name"], "args": call.get("args") or {}, "id": f"call_{next(ids)}"}
                for call in calls
            ]
            asked.extend(call["id"] for call in made)
            messages.append(AIMessage(text, tool_calls=made))
            continue
        messages.extend(
            ToolMessage(json.dumps(answer.get("response")), tool_call_id=asked.pop(0)) for answer in answers
        )
        if text or not answers:
            messages.append(HumanMessage(text or "See the attachment."))
    config = request.get("generationConfig") or {}
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    tools = request.get("tools") or []
    groups = [tools] if isinstance(tools, dict) else tools
    mode = ((request.get("toolConfig") or {}).get("functionCallingConfig") or {}).get("mode")
    return Call(
        messages=messages,
        tools=[tool for group in groups for tool in _gemini_tools(group)],
        tool_choice={"AUTO": "auto", "ANY": "required", "NONE": "none"}.get(str(mode)),
        schema=_titled(schema, "Answer"),
        json_mode=schema is None and config.get("responseMimeType") == "application/json",
    )


def parts_text(turn: Json) -> str:
    return "".join(part["text"] for part in turn["parts"] if "text" in part and not part.get("thought"))


def _gemini_tools(given: Json) -> list[Json]:
    functions = given.get("functionDeclarations") or given.get("function_declarations")
    if functions is None:
        return [given]
    return [
        {
            "type": "function",
            "function": {
                "name": function["name"],
                "description": function.get("description", ""),
                "parameters": function.get("parametersJsonSchema")
                or function.get("parameters_json_schema")
                or function.get("parameters")
                or {"type": "object", "properties": {}},
            },
        }
        for function in functions
    ]


def _titled(schema: Json | None, name: str | None) -> Json | None:
    """Make a recorded schema one that LangChain takes: it wants a title and a description."""
    if schema is None:
        return None
    return {"description": "An answer.", **schema, "title": name or schema.get("title") or "Answer"}


CALLS: Mapping[str, Callable[[Json], Call]] = {
    CHAT: chat_call,
    COHERE: chat_call,
    TEXT: text_call,
    RESPONSES: responses_call,
    ANTHROPIC: anthropic_call,
    GEMINI: gemini_call,
}
