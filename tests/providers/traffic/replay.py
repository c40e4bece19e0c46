"""A recorded response served again from loopback, and what LiteLLM makes of it."""

from __future__ import annotations

import functools
import json
import operator
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable

from langchain_router.providers.litellm import RouterChatLiteLLM
from langchain_router.testing.loopback import LoopbackServer, Reply
from tests.providers.traffic.answers import Answer
from tests.providers.traffic.calls import CALLS, Call
from tests.providers.traffic.recordings import Json, Pair
from tests.providers.traffic.routes import GEMINI, RESPONSES, Route


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


def _runnable(replay: Replay, way: Route, call: Call) -> Runnable[Any, Any]:
    model = RouterChatLiteLLM(
        model=way.model,
        api_base=f"http://127.0.0.1:{replay.server.port}{way.api_base}",
        api_key="key-in-a-test",
        timeout=20,
        use_responses_api=way.wire == RESPONSES or None,
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


def answer_of(results: list[Any], *, structured: bool) -> Answer:
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


class Play:
    """One recorded pair, ready to be called."""

    def __init__(self, replay: Replay, pair: Pair, way: Route) -> None:
        self.replay, self.pair, self.way = replay, pair, way
        self.call = CALLS[way.wire](pair.request)
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
        if self.way.wire != GEMINI:  # there the address says it
            assert bool(self.replay.sent.get("stream")) is self.pair.stream
