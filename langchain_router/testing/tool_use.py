"""Which tools a sensible model would call for a request, and with which arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_router.testing.chat_request import ChatRequest
from langchain_router.testing.openai_api import ToolCall
from langchain_router.testing.schema_instance import schema_instance

_WORD = re.compile(r"[^\W\d_]{3,}")
_IDLE_WORDS = frozenset(
    _WORD.findall(
        "the and for are was what which who how why when where this that with from use using used tool tools "
        "get give make call please you your can could would some any one into about return returns value"
    )
)
_DESCRIPTION_WORDS_NEEDED = 2


def tool_calls(request: ChatRequest) -> tuple[ToolCall, ...]:
    """Return the tools to call now; none when the request neither forces nor suggests one.

    A tool is suggested when the last user message names it, or shares a word with its name or two with
    its description. After a tool's result nothing more is called unless the request forces it.
    """
    if request.tool_choice == "none" or not request.tools:
        return ()
    text = request.last_user_text
    if request.forced_tool is not None:
        chosen = [(tool, text) for tool in request.tools if tool["name"] == request.forced_tool]
    elif request.tool_choice == "required":
        fresh = _not_called_since_the_user_spoke(request) or request.tools
        chosen = _mentioned(fresh, text) or [(_most_related(fresh, text)[0], text)]
    elif request.messages[-1]["role"] != "user":
        chosen = []
    else:
        tool, related = _most_related(request.tools, text)
        chosen = _mentioned(request.tools, text) or ([(tool, text)] if related else [])
    if not request.parallel_tool_calls:
        chosen = chosen[:1]
    return tuple(ToolCall(name=tool["name"], arguments=_arguments(tool, text)) for tool, text in chosen)


def _not_called_since_the_user_spoke(request: ChatRequest) -> list[Mapping[str, Any]]:
    """Return the tools left to call, so that an agent which is forced to call one comes to an end."""
    called: set[str] = set()
    for message in request.messages:
        if message["role"] == "user":
            called.clear()
        called.update(call["function"]["name"] for call in message.get("tool_calls") or ())
    return [tool for tool in request.tools if tool["name"] not in called]


def _mentioned(tools: Sequence[Mapping[str, Any]], text: str) -> list[tuple[Mapping[str, Any], str]]:
    """Return the tools that the text names, each with the words about it.

    A tool is called once, and once more for each further mention written as a call: `add(1, 2)`.
    """
    by_name = {tool["name"]: tool for tool in tools}
    names = "|".join(re.escape(name) for name in sorted(by_name, key=len, reverse=True))
    mentions: dict[str, list[re.Match[str]]] = {}
    for mention in re.finditer(rf"(?<!\w)({names})(?!\w)(\()?", text):
        earlier = mentions.setdefault(mention[1], [])
        if not earlier or mention[2]:
            earlier.append(mention)
    in_order = sorted((mention for some in mentions.values() for mention in some), key=re.Match.start)
    if len(in_order) < 2:
        return [(by_name[mention[1]], text) for mention in in_order]
    ends = [*(mention.start() for mention in in_order[1:]), len(text)]
    return [
        (by_name[mention[1]], text[mention.end() : end]) for mention, end in zip(in_order, ends, strict=True)
    ]


def _most_related(tools: Sequence[Mapping[str, Any]], text: str) -> tuple[Mapping[str, Any], bool]:
    """Return the tool that shares most words with the text, and whether that is enough to call it."""
    words = _words(text)

    def shared(tool: Mapping[str, Any]) -> tuple[int, int]:
        named, described = _words(tool["name"]), _words(str(tool.get("description", "")))
        return len(words & named), len(words & described)

    best = max(tools, key=shared)
    in_name, in_description = shared(best)
    return best, in_name > 0 or in_description >= _DESCRIPTION_WORDS_NEEDED


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text.replace("_", " "))} - _IDLE_WORDS


def _arguments(tool: Mapping[str, Any], text: str) -> str:
    schema = tool.get("parameters") or {"type": "object", "properties": {}}
    return json.dumps(schema_instance(schema, text=text), ensure_ascii=False)
