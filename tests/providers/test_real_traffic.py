"""Recorded traffic of real providers, served again from loopback: what comes out is what was recorded.

The recordings stay outside the project; without them these tests skip. What an answer says is read from
the recorded bytes by the small parsers below, never by LiteLLM.
"""

from __future__ import annotations

import functools
import gzip
import itertools
import json
import operator
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from langchain_core.exceptions import (
    ModelAuthenticationError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelRateLimitError,
)
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    convert_to_messages,
)
from langchain_core.runnables import Runnable

from langchain_router.providers.litellm import RouterChatLiteLLM
from langchain_router.testing.loopback import LoopbackServer, Reply

Json = dict[str, Any]

_FOLDER = Path(__file__).parents[3] / "shared" / "data" / "provider_traffic"
_FILE = _FOLDER / "provider_traffic.jsonl.gz"
_NOT_HERE = f"The recorded traffic is not here: {_FILE}."


# --- What was recorded -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an answer says; None where the recording does not say it."""

    text: str = ""
    tool_calls: Sequence[tuple[str, Any]] = ()
    finish: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    structured: Any = None


@dataclass(frozen=True, kw_only=True)
class Call:
    """The LangChain call that a recorded request amounts to."""

    messages: list[BaseMessage]
    tools: list[Json] = field(default_factory=list)
    tool_choice: Any = None
    schema: Json | None = None
    json_mode: bool = False
    options: Json = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Route:
    """How LiteLLM is told to go where the recording went."""

    wire: str
    model: str
    path: str
    api_base: str
    options: Json = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """One recorded request and its response."""

    name: str
    provider: str
    method: str
    url: str
    status: int
    stream: bool
    request: Any = field(repr=False)
    body: str = field(repr=False)

    @property
    def pieces(self) -> list[bytes] | None:
        """The events of a streamed body, byte for byte."""
        if not self.stream or self.status >= 300:
            return None
        return [part.encode() for part in re.split(r"(?<=\n\n)|(?<=\r\n\r\n)", self.body) if part]

    @property
    def events(self) -> list[Json]:
        """What the events of a streamed body say."""
        lines = (line.removeprefix("data:").strip() for line in self.body.splitlines() if line[:5] == "data:")
        return [json.loads(line) for line in lines if line and line != "[DONE]"]


def _read() -> list[Pair]:
    if not _FILE.exists():
        return []
    pairs = []
    with gzip.open(_FILE, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            stem = re.sub(r"\.(gz|yaml)", "", row["file"])
            folders = [part for part in stem.split("/") if part not in {"tests", "models", "cassettes"}]
            pairs.append(
                Pair(
                    name=f"{row['provider']}/{'/'.join(folders[-2:])}-{row['n']}",
                    provider=row["provider"],
                    method=row["method"].upper(),
                    url=row["url"],
                    status=row["status"],
                    stream=row["stream"],
                    request=row["request"],
                    body=row["response_body"],
                )
            )
    return pairs


# --- Where it went -----------------------------------------------------------------------------------

_CHAT, _RESPONSES, _ANTHROPIC, _GEMINI = "chat completions", "responses", "anthropic messages", "gemini"
_COHERE, _TEXT = "cohere chat", "text completions"

_OPENAI_COMPATIBLE = {
    "api.openai.com": "openai",
    "generativelanguage.googleapis.com": "openai",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral",
    "api.deepseek.com": "deepseek",
    "api.cerebras.ai": "cerebras",
    "openrouter.ai": "openrouter",
}

_OTHER_ENDPOINTS = (
    (r"/responses/compact$", "OpenAI's compaction: no chat call"),
    (r"/responses/input_tokens$|/count_tokens$|:countTokens$", "counts tokens: no chat call"),
    (r"/responses/[^/]+$", "fetches a response kept at OpenAI: no chat call"),
    (r"/(conversations|assistants|threads)\b", "OpenAI's conversations and assistants: no chat call"),
    (r"/token$", "fetches a Google access token: no chat call"),
)


def route(pair: Pair) -> Route | str:
    """Say how LiteLLM gets there, or why it does not."""
    url = urlsplit(pair.url)
    host, path = url.netloc, url.path
    for pattern, reason in _OTHER_ENDPOINTS:
        if re.search(pattern, path):
            return reason
    if not isinstance(pair.request, dict):
        return "neither address nor request body was recorded"
    if not host:
        wire_path = _unredacted(pair)
        if wire_path is None:
            return "neither address nor request body was recorded"
        host = "api.anthropic.com" if pair.provider == "anthropic" else "api.openai.com"
        path = wire_path
    return _unservable(pair) or _served_route(pair, host, path)


def _unredacted(pair: Pair) -> str | None:
    """Tell the endpoint from the body, for recordings whose address was blanked."""
    if "input" in pair.request:
        return "/v1/responses"
    if "messages" in pair.request:
        return "/v1/messages" if pair.provider == "anthropic" else "/v1/chat/completions"
    return None


def _unservable(pair: Pair) -> str | None:
    if "enum-encoding" in pair.url and pair.status < 300:
        return "Vertex AI asked for enums as numbers, which LiteLLM never does"
    if (
        pair.status < 300
        and not pair.stream
        and json.loads(pair.body).get("status") in {"queued", "in_progress"}
    ):
        return "accepted by OpenAI to be answered in the background: no answer in the response"
    if pair.stream and "openrouter.ai" in pair.url and pair.url.endswith("/responses"):
        return "LiteLLM asks OpenRouter's Responses endpoint for whole answers only; this one is streamed"
    return None


def _served_route(pair: Pair, host: str, path: str) -> Route | str:
    model = pair.request.get("model", "")
    if path.endswith("/v1/messages"):
        base = path.removesuffix("/v1/messages")
        return Route(wire=_ANTHROPIC, model=f"anthropic/{model}", path=path, api_base=base)
    # Vertex AI too: LiteLLM's own way there asks google-auth for a token, which is not installed.
    if found := re.fullmatch(r"(.*)/models/([^/:]+):(generateContent|streamGenerateContent)", path):
        return Route(wire=_GEMINI, model=f"gemini/{found[2]}", path=path, api_base=found[1])
    if path == "/v2/chat":
        return Route(wire=_COHERE, model=f"cohere_chat/{model}", path=path, api_base=path)
    if host.endswith("openai.azure.com"):
        version = parse_qs(urlsplit(pair.url).query).get("api-version", ["preview"])[0]
        options = {"api_version": version}
        if path.endswith("/responses"):
            return Route(wire=_RESPONSES, model=f"azure/{model}", path=path, api_base="", options=options)
        deployment = path.partition("/deployments/")[2].partition("/")[0]
        return Route(wire=_CHAT, model=f"azure/{deployment}", path=path, api_base="", options=options)
    provider = _OPENAI_COMPATIBLE[host]
    for suffix, wire in (("/chat/completions", _CHAT), ("/responses", _RESPONSES)):
        if path.endswith(suffix):
            base = path.removesuffix(suffix)
            return Route(wire=wire, model=f"{provider}/{model}", path=path, api_base=base)
    base = path.removesuffix("/completions")
    return Route(wire=_TEXT, model=f"text-completion-openai/{model}", path=path, api_base=base)


# --- The LangChain call behind a recorded request --------------------------------------------------------


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
        messages.append(SystemMessage(_parts_text(request["systemInstruction"])))
    ids = itertools.count()
    asked: list[str] = []
    for turn in request["contents"]:
        text = _parts_text(turn)
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


def _parts_text(turn: Json) -> str:
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


_CALLS: Mapping[str, Callable[[Json], Call]] = {
    _CHAT: chat_call,
    _COHERE: chat_call,
    _TEXT: text_call,
    _RESPONSES: responses_call,
    _ANTHROPIC: anthropic_call,
    _GEMINI: gemini_call,
}


# --- What a recorded response says -----------------------------------------------------------------------


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
            text += _parts_text(content)
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
    _CHAT: chat_answer,
    _COHERE: cohere_answer,
    _TEXT: chat_answer,
    _RESPONSES: responses_answer,
    _ANTHROPIC: anthropic_answer,
    _GEMINI: gemini_answer,
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


# --- Serving it again --------------------------------------------------------------------------------


class Replay:
    """A loopback server that gives each request the recorded response, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.sent: Json = {}
        self._reply = Reply(status=500)
        self.server = LoopbackServer(self._respond)

    def play(self, pair: Pair) -> None:
        self.asked = []
        self._reply = Reply(status=pair.status, body=pair.body.encode(), events=pair.pieces)

    def _respond(self, method: str, path: str, body: bytes) -> Reply:
        self.asked.append(f"{method} {path}")
        self.sent = json.loads(body)
        return self._reply


@pytest.fixture(scope="module")
def replay() -> Iterator[Replay]:
    playing = Replay()
    yield playing
    playing.server.close()


def _runnable(replay: Replay, way: Route, call: Call) -> Runnable[Any, Any]:
    model = RouterChatLiteLLM(
        model=way.model,
        api_base=f"http://127.0.0.1:{replay.server.port}{way.api_base}",
        api_key="key-in-a-test",
        timeout=20,
        use_responses_api=way.wire == _RESPONSES or None,
        **way.options,
        **call.options,
    )
    form: Json | None = {"type": "json_object"} if call.json_mode else None
    if call.schema is not None:
        form = {
            "type": "json_schema",
            "json_schema": {"name": call.schema["title"], "schema": call.schema, "strict": True},
        }
    flat = call.schema is None or "properties" in call.schema  # else ChatLiteLLM raises a KeyError
    if form and flat and not call.tools:
        method: Any = "json_mode" if call.json_mode else "json_schema"
        return model.with_structured_output(call.schema or {}, method=method, include_raw=True)
    bound: Json = {"response_format": form} if form else {}
    if not call.tools:
        return model.bind(**bound)
    if all("function" in tool for tool in call.tools):
        return model.bind_tools(call.tools, tool_choice=call.tool_choice, **bound)
    return model.bind(tools=call.tools, **bound)


def _answer(results: list[Any], *, structured: bool) -> Answer:
    parsed = None
    chained = isinstance(results[0], dict)
    if chained:
        parsed = next((result["parsed"] for result in reversed(results) if "parsed" in result), None)
        results = [result["raw"] for result in results if "raw" in result]
    message = functools.reduce(operator.add, results)
    assert isinstance(message, AIMessage)
    if structured and not chained:
        parsed = json.loads(message.text)
    legacy = message.additional_kwargs.get("function_call")
    usage = message.usage_metadata
    return Answer(
        text=message.text,
        tool_calls=[
            *((call["name"], call["args"]) for call in message.tool_calls),
            *([(legacy["name"], json.loads(legacy["arguments"]))] if legacy else []),
        ],
        finish=message.response_metadata.get("finish_reason"),
        input_tokens=usage["input_tokens"] if usage else None,
        output_tokens=usage["output_tokens"] if usage else None,
        structured=parsed,
    )


def differences(recorded: Answer, got: Answer) -> dict[str, tuple[Any, Any]]:
    """Name the fields that came out otherwise than recorded, with both values."""
    return {
        name: (want, getattr(got, name))
        for name, want in recorded.__dict__.items()
        if (list(want) != list(got.tool_calls) if name == "tool_calls" else want != getattr(got, name))
        and not (want is None and name != "finish")
    }


# --- Where LiteLLM and the recording differ --------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Known:
    """A difference that stands, and must: when it goes, its entry goes.

    Attributes:
        why: Who is wrong, and how.
        fields: What comes out otherwise than recorded; nothing when the call raises.
        pairs: In which recordings.
    """

    why: str
    fields: frozenset[str] = frozenset()
    pairs: tuple[str, ...]


_ANTHROPIC_TESTS = "anthropic/test_anthropic/test_anthropic_"

_KNOWN = (
    Known(
        why="LiteLLM shows the tools that Anthropic ran itself (ids `srvtoolu_...`) as calls to be answered.",
        fields=frozenset({"tool_calls"}),
        pairs=(
            "anthropic/test_programmatic_tool_use-0",
            "anthropic/test_programmatic_tool_use_streaming-0",
            "anthropic/test_tool_search-0",
            f"{_ANTHROPIC_TESTS}server_tool_receive_history_from_another_provider-1",
        ),
    ),
    Known(
        why="The same, and LiteLLM adds the advisor's tokens, another model's, to those of the answer.",
        fields=frozenset({"tool_calls", "input_tokens", "output_tokens"}),
        pairs=(
            f"{_ANTHROPIC_TESTS}advisor_tool-0",
            f"{_ANTHROPIC_TESTS}advisor_tool_message_replay-0",
            f"{_ANTHROPIC_TESTS}advisor_tool_redacted-0",
            f"{_ANTHROPIC_TESTS}advisor_tool_stream-0",
        ),
    ),
    Known(
        why="A custom tool's input is free text; ChatLiteLLM reads arguments as JSON and calls it invalid.",
        fields=frozenset({"tool_calls"}),
        pairs=("openai/test_codex_custom_tool-0", "openai/test_custom_tool-0", "openai/test_custom_tool-2"),
    ),
    Known(
        why="ChatLiteLLM calls a tool call with empty arguments, one without any, invalid.",
        fields=frozenset({"tool_calls"}),
        pairs=("openrouter/test_openrouter/test_openrouter_tool_optional_parameters-0",),
    ),
    Known(
        why="LiteLLM's bridge drops `apply_patch` calls from streams; from whole answers it does not.",
        fields=frozenset({"tool_calls", "finish"}),
        pairs=("openai/test_apply_patch-1",),
    ),
    Known(
        why="The server repeats a tool's name in each piece, and langchain-core joins the names; and it"
        " gives no finish reason, so LiteLLM makes one up.",
        fields=frozenset({"tool_calls", "finish"}),
        pairs=("openai/test_tools_streaming/test_tools_streaming_variant_a-0",),
    ),
    Known(
        why="The server gives no finish reason, so LiteLLM makes one up.",
        fields=frozenset({"finish"}),
        pairs=("openai/test_tools_streaming/test_tools_streaming_variant_b-0",),
    ),
    Known(
        why="LiteLLM does not know Google's MODEL_ARMOR and lets a blocked answer finish with `stop`.",
        fields=frozenset({"finish"}),
        pairs=("google/test_google/test_google_model_armor_response_template_real_block-0",),
    ),
    Known(
        why="Streaming several choices at once, ChatLiteLLM joins their texts into one.",
        fields=frozenset({"text"}),
        pairs=(
            "openai/opentelemetry-instrumentation-openai-v2/test_async_chat_completion_multiple_choices_streaming-0",
            "openai/opentelemetry-instrumentation-openai-v2/test_chat_completion_multiple_choices_streaming-0",
        ),
    ),
    Known(
        why="LiteLLM's Groq adapter fails on answers without `service_tier`, as Groq gave before it had any.",
        pairs=(
            "groq/test_groq/test_extra_headers-0",
            "groq/test_groq/test_groq_model_instructions-0",
            "groq/test_groq/test_groq_model_thinking_part-0",
            "groq/test_groq/test_groq_model_thinking_part-1",
        ),
    ),
    Known(
        why="LiteLLM knows no annotations but `url_citation` and rejects OpenRouter's `file`.",
        pairs=("openrouter/test_openrouter/test_openrouter_file_annotation-0",),
    ),
    Known(
        why="LiteLLM's bridge rejects an answer that is a client-side tool search only.",
        pairs=("openai/test_client_executed_tool_search-0",),
    ),
)
_KNOWN_OF = {pair: known for known in _KNOWN for pair in known.pairs}

_PAIRS = _read()
_SERVED = [(pair, way) for pair in _PAIRS if isinstance(way := route(pair), Route)]


def _failed(pair: Pair) -> int | None:
    """Return the status of a recorded error, one in the midst of a stream included."""
    if pair.status >= 300:
        return pair.status
    if not pair.stream:
        return None
    return next((event["error"].get("code", 500) for event in pair.events if event.get("error")), None)


_answered = pytest.mark.parametrize(
    ("pair", "way"), [pytest.param(pair, way, id=pair.name) for pair, way in _SERVED if _failed(pair) is None]
)
_refused = pytest.mark.parametrize(
    ("pair", "way"), [pytest.param(pair, way, id=pair.name) for pair, way in _SERVED if _failed(pair)]
)

pytestmark = [
    pytest.mark.skipif(not _PAIRS, reason=_NOT_HERE),
    # LiteLLM's, on the first answer of Cohere.
    pytest.mark.filterwarnings("ignore:Items? '.*' on TypedDict class:UserWarning"),
]

_ERROR_CLASSES: Mapping[int, type[ModelError]] = {
    400: ModelInvalidRequestError,
    401: ModelAuthenticationError,
    404: ModelNotFoundError,
    429: ModelRateLimitError,
}


def _error_class(pair: Pair) -> type[ModelError]:
    if '"model_not_found"' in pair.body:  # the Responses endpoint says it with status 400
        return ModelNotFoundError
    return _ERROR_CLASSES[_failed(pair) or 0]


class Play:
    """One recorded pair, ready to be called."""

    def __init__(self, replay: Replay, pair: Pair, way: Route) -> None:
        self.replay, self.pair, self.way = replay, pair, way
        self.call = _CALLS[way.wire](pair.request)
        self.runnable = _runnable(replay, way, self.call)
        replay.play(pair)

    def run(self) -> list[Any]:
        if self.pair.stream:
            return list(self.runnable.stream(self.call.messages))
        return [self.runnable.invoke(self.call.messages)]

    async def arun(self) -> list[Any]:
        if self.pair.stream:
            return [chunk async for chunk in self.runnable.astream(self.call.messages)]
        return [await self.runnable.ainvoke(self.call.messages)]

    def check_request(self) -> None:
        """Exactly one request, to the recorded address, streamed if the recording is."""
        assert self.replay.asked == [f"POST {self.way.path}"]
        if self.way.wire != _GEMINI:  # there the address says it
            assert bool(self.replay.sent.get("stream")) is self.pair.stream

    def check_answer(self, results: list[Any]) -> None:
        self.check_request()
        recorded = as_recorded(self.pair, self.way.wire, self.call)
        got = _answer(results, structured=recorded.structured is not None)
        differing = differences(recorded, got)
        known = _KNOWN_OF.get(self.pair.name)
        if known is None:
            assert differing == {}
        else:
            assert set(differing) == known.fields, known.why

    @property
    def raises(self) -> bool:
        """Whether LiteLLM is known not to read this answer."""
        known = _KNOWN_OF.get(self.pair.name)
        return known is not None and not known.fields


@_answered
def test_answers_come_out_as_recorded(replay: Replay, pair: Pair, way: Route) -> None:
    play = Play(replay, pair, way)
    if play.raises:
        with pytest.raises(ModelError):
            play.run()
        play.check_request()
    else:
        play.check_answer(play.run())


@_answered
@pytest.mark.asyncio(loop_scope="module")
async def test_answers_come_out_as_recorded_async(replay: Replay, pair: Pair, way: Route) -> None:
    play = Play(replay, pair, way)
    if play.raises:
        with pytest.raises(ModelError):
            await play.arun()
        play.check_request()
    else:
        play.check_answer(await play.arun())


@_refused
def test_errors_come_out_as_recorded(replay: Replay, pair: Pair, way: Route) -> None:
    play = Play(replay, pair, way)
    with pytest.raises(_error_class(pair)):
        play.run()
    play.check_request()


@_refused
@pytest.mark.asyncio(loop_scope="module")
async def test_errors_come_out_as_recorded_async(replay: Replay, pair: Pair, way: Route) -> None:
    play = Play(replay, pair, way)
    with pytest.raises(_error_class(pair)):
        await play.arun()
    play.check_request()


def test_every_pair_is_served_or_left_out_for_a_stated_reason() -> None:
    left_out = Counter(way for pair in _PAIRS if isinstance(way := route(pair), str))
    assert left_out == {
        "OpenAI's compaction: no chat call": 7,
        "OpenAI's conversations and assistants: no chat call": 15,
        "accepted by OpenAI to be answered in the background: no answer in the response": 5,
        "counts tokens: no chat call": 14,
        "fetches a Google access token: no chat call": 1,
        "fetches a response kept at OpenAI: no chat call": 9,
        "neither address nor request body was recorded": 6,
        "LiteLLM asks OpenRouter's Responses endpoint for whole answers only; this one is streamed": 1,
        "Vertex AI asked for enums as numbers, which LiteLLM never does": 10,
    }
    served = Counter(f"{way.model.partition('/')[0]}: {way.wire}" for _, way in _SERVED)
    assert served == {
        "anthropic: anthropic messages": 115,
        "azure: chat completions": 2,
        "azure: responses": 3,
        "cerebras: chat completions": 4,
        "cohere_chat: cohere chat": 4,
        "deepseek: chat completions": 5,
        "gemini: gemini": 103,
        "groq: chat completions": 13,
        "mistral: chat completions": 5,
        "openai: chat completions": 141,
        "openai: responses": 282,
        "openrouter: chat completions": 27,
        "text-completion-openai: text completions": 6,
    }
    assert (left_out.total(), served.total()) == (68, 710)
    assert len({pair.name for pair in _PAIRS}) == len(_PAIRS) == 778
    assert {pair.name for pair, _ in _SERVED} >= set(_KNOWN_OF)


def test_what_the_recordings_say_is_compared() -> None:
    said: Counter[str] = Counter()
    for pair, way in _SERVED:
        if _failed(pair) is not None:
            said["errors"] += 1
            continue
        said["streams"] += pair.stream
        answer = as_recorded(pair, way.wire, _CALLS[way.wire](pair.request))
        said.update(name for name, value in answer.__dict__.items() if value not in ("", (), [], None))
    assert said == {
        "errors": 22,
        "streams": 218,
        "text": 517,
        "tool_calls": 190,
        "structured": 54,
        "finish": 686,
        "input_tokens": 657,
        "output_tokens": 656,
    }
