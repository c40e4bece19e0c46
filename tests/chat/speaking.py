"""Models that say what they are told, cascades over them, and listeners that note what reaches them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolCallChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tracers.base import BaseTracer
from langchain_core.tracers.schemas import Run
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field

from langchain_router import Candidate, ChatRouter, Price
from langchain_router.checks.base import Check
from langchain_router.checks.check import Ask, Review, Verdict
from langchain_router.policies.cascade import CascadePolicy
from langchain_router.request import RoutingRequest

DRAFT = "drafty draftling draftwood draftend"
FINAL = "finally finesse finite finis"
SECOND = "secondary seconds secondhand secondbest"
JUDGE = "judgment judges judgingly judged"
FINAL_TOKENS = ["finally ", "finesse ", "finite ", "finis"]
DRAFT_TOKENS = ["drafty ", "draftling ", "draftwood ", "draftend"]


class Speaker(BaseChatModel):
    """Says what it was told to, word by word where it streams; the last of it over and over."""

    label: str
    says: list[Any]
    finish: str | None = "stop"
    provider: str | None = None
    pauses_s: dict[int, float] = Field(default_factory=dict)
    """Before which chunk it pauses, for how long; before the first, that is before a whole answer too."""
    begins_empty: bool = False
    """Whether its streams begin with a chunk that shows nothing, as many providers' do."""
    breaks_after: int | None = None
    breaks_with: Any = None
    asked: list[list[BaseMessage]] = Field(default_factory=list)
    options: list[dict[str, Any]] = Field(default_factory=list)
    ways: list[str] = Field(default_factory=list)
    """How it was asked each time: for a whole answer or for a stream."""

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self.bind(tools=[convert_to_openai_tool(one) for one in tools], **kwargs)

    def _next(self, messages: list[BaseMessage], options: Mapping[str, Any]) -> AIMessage:
        assert len(self.asked) < 50, f"{self.label} is asked in a circle"
        said = self.says[min(len(self.asked), len(self.says) - 1)]
        self.asked.append(messages)
        self.options.append(dict(options))
        if isinstance(said, Exception):
            raise type(said)(*said.args)  # anew, or notes and tracebacks would pile up on it
        message = AIMessage(said) if isinstance(said, str) else said
        words = len(message.text.split())
        return message.model_copy(
            update={
                "response_metadata": {
                    "model_name": self.label,
                    **({} if self.finish is None else {"finish_reason": self.finish}),
                    **({} if self.provider is None else {"model_provider": self.provider}),
                },
                "usage_metadata": UsageMetadata(
                    input_tokens=10, output_tokens=words, total_tokens=10 + words
                ),
            }
        )

    def _chunks(self, whole: AIMessage) -> Iterator[ChatGenerationChunk]:
        if self.begins_empty:
            yield ChatGenerationChunk(message=AIMessageChunk(content=""))
        parts = whole.text.split(" ") if whole.text else []
        for index, part in enumerate(parts):
            text = part if index == len(parts) - 1 else part + " "
            yield ChatGenerationChunk(message=AIMessageChunk(content=text))
        for at, call in enumerate(whole.tool_calls):
            arguments = str(call["args"]).replace("'", '"')
            middle = len(arguments) // 2
            for piece in (arguments[:middle], arguments[middle:]):
                is_first = piece is arguments[:middle] or piece == arguments[:middle]
                chunk = ToolCallChunk(
                    name=call["name"] if is_first else None,
                    args=piece,
                    id=call["id"] if is_first else None,
                    index=at,
                    type="tool_call_chunk",
                )
                yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[chunk]))
        for at, bad in enumerate(whole.invalid_tool_calls):
            chunk = ToolCallChunk(
                name=bad["name"], args=bad["args"], id=bad["id"], index=at, type="tool_call_chunk"
            )
            yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[chunk]))
        last = AIMessageChunk(
            content="",
            response_metadata=whole.response_metadata,
            usage_metadata=whole.usage_metadata,
            chunk_position="last",
        )
        yield ChatGenerationChunk(message=last)

    def _broken(self) -> Exception:
        return self.breaks_with or ConnectionResetError("the connection broke")

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        self.ways.append("whole")
        time.sleep(self.pauses_s.get(0, 0.0))
        return ChatResult(generations=[ChatGeneration(message=self._next(messages, kwargs))])

    async def _agenerate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        self.ways.append("whole")
        await asyncio.sleep(self.pauses_s.get(0, 0.0))
        return ChatResult(generations=[ChatGeneration(message=self._next(messages, kwargs))])

    def _stream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        self.ways.append("stream")
        for index, chunk in enumerate(self._chunks(self._next(messages, kwargs))):
            if index == self.breaks_after:
                raise self._broken()
            if index in self.pauses_s:
                time.sleep(self.pauses_s[index])
            yield chunk

    async def _astream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        self.ways.append("stream")
        for index, chunk in enumerate(self._chunks(self._next(messages, kwargs))):
            if index == self.breaks_after:
                raise self._broken()
            if index in self.pauses_s:
                await asyncio.sleep(self.pauses_s[index])
            yield chunk

    @property
    def _llm_type(self) -> str:
        return "speaker"


# --- candidates and cascades ---------------------------------------------------------------------


def tier(label: str, *says: Any, price: float = 1.0, **how: Any) -> Candidate:
    """Return a candidate that says this; `how` is what `Speaker` takes."""
    return Candidate(
        model=Speaker(label=label, says=list(says), **how),
        name=label,
        quality=0.9,
        capabilities=frozenset({"tool_calling"}),
        price=Price.per_million(input_usd=price, output_usd=price),
    )


def draft(*says: Any, **how: Any) -> Candidate:
    return tier("draft", *(says or (DRAFT,)), price=1.0, **how)


def final(*says: Any, **how: Any) -> Candidate:
    return tier("final", *(says or (FINAL,)), price=10.0, **how)


def cascade(check: Any, *tiers: Candidate, **options: Any) -> ChatRouter:
    """Return a cascade of two tiers, `draft` and `final` unless others are given.

    `check` is one, or whether drafts are good enough.
    """
    first, last = tiers or (draft(), final())
    if isinstance(check, bool):
        check = saying(check)
    policy = CascadePolicy([(first.name, check), (last.name, None)])
    return ChatRouter(candidates=[first, last], policy=policy, **options)


def plain(*tiers: Candidate, **options: Any) -> ChatRouter:
    """Return a router that calls the tiers in order, each when the one before has failed."""
    return ChatRouter(candidates=list(tiers), policy="cost", **options)


def saying(passed: bool) -> Callable[[RoutingRequest, AIMessage], Verdict]:
    verdict = Verdict(passed=passed, score=0.9 if passed else 0.1, reason="as told")
    return lambda *_: verdict


class AsksTwo(Check):
    """Asks for a second answer and a judge's word, then says what it was told to say."""

    name = "asks_two"

    def __init__(self, *, passes: bool) -> None:
        self._passes = passes
        self._second = Ask(candidate=tier("second", SECOND, price=2.0), role="second")
        self._judge = Ask(
            candidate=tier("judge", JUDGE, price=3.0), role="judge", messages=(HumanMessage("Judge this."),)
        )

    def __repr__(self) -> str:
        return f"AsksTwo(passes={self._passes})"

    @property
    def seconds(self) -> tuple[Ask, ...]:
        return (self._second,)

    def review(self, request: RoutingRequest, response: AIMessage) -> Review:
        second = yield self._second
        judged = yield self._judge
        assert second.text == SECOND
        assert judged.text == JUDGE
        return Verdict(passed=self._passes, score=0.9 if self._passes else 0.1, reason="as told")


# --- listeners -----------------------------------------------------------------------------------


class Tokens(BaseCallbackHandler):
    """Notes every token, and the models' runs that it hears end."""

    run_inline = True

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.ended: list[str] = []

    def on_llm_new_token(self, token: Any, **_: Any) -> None:
        if token:
            self.tokens.append(token)

    def on_llm_end(self, response: Any, **_: Any) -> None:
        self.ended.append(response.generations[0][0].text)


class AsyncTokens(AsyncCallbackHandler):
    """Does the same, giving way to other tasks meanwhile; takes LangChain's event protocol too."""

    def __init__(self, *, takes_s: float = 0.0) -> None:
        self.takes_s = takes_s
        self.tokens: list[str] = []
        self.ended: list[str] = []
        self.loops: set[Any] = set()

    async def on_llm_new_token(self, token: Any, **_: Any) -> None:
        await asyncio.sleep(0)
        if token:
            self.tokens.append(token)

    async def on_stream_event(self, event: Any, **_: Any) -> None:
        await asyncio.sleep(self.takes_s)
        text = (event.get("delta") or {}).get("text")
        if text:
            self.tokens.append(text)

    async def on_chain_start(self, *_: Any, **__: Any) -> None:
        self.loops.add(asyncio.get_running_loop())

    async def on_chain_end(self, *_: Any, **__: Any) -> None:
        self.loops.add(asyncio.get_running_loop())

    async def on_llm_end(self, response: Any, **_: Any) -> None:
        self.ended.append(response.generations[0][0].text)


class Tracer(BaseTracer):
    """Keeps the trees of runs as a tracing service gets them."""

    def __init__(self) -> None:
        super().__init__()
        self.roots: list[Run] = []

    def _persist_run(self, run: Run) -> None:
        self.roots.append(run)


def runs_of(tracer: Tracer) -> list[tuple[str, str | None, bool]]:
    """Return kind, role and success of every run below the one root, in the order of their beginning."""
    (root,) = tracer.roots
    assert root.run_type == "chain"
    assert root.end_time is not None
    children = sorted(root.child_runs, key=lambda run: run.start_time)
    assert all(run.end_time is not None and run.end_time <= root.end_time for run in children)
    return [
        (run.run_type, (run.extra["metadata"] or {}).get("router_role"), run.error is None)
        for run in children
    ]


def merged(chunks: Sequence[AIMessageChunk]) -> AIMessageChunk:
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return whole


def texts(chunks: Sequence[BaseMessage]) -> list[str]:
    """Return the texts of the chunks that have any."""
    return [chunk.text for chunk in chunks if chunk.text]


# --- the ways to ask for one answer --------------------------------------------------------------

Way = Callable[[Any, RunnableConfig], Awaitable[Any]]


async def by_invoke(router: Any, config: RunnableConfig) -> Any:
    return router.invoke("Hello", config)


async def by_ainvoke(router: Any, config: RunnableConfig) -> Any:
    return await router.ainvoke("Hello", config)


async def by_stream(router: Any, config: RunnableConfig) -> Any:
    return merged(list(router.stream("Hello", config)))


async def by_astream(router: Any, config: RunnableConfig) -> Any:
    return merged([chunk async for chunk in router.astream("Hello", config)])


async def by_events(router: Any, config: RunnableConfig) -> Any:
    return router.stream_events("Hello", config, version="v3").output


async def by_aevents(router: Any, config: RunnableConfig) -> Any:
    return await (await router.astream_events("Hello", config, version="v3"))


WHOLE: list[Way] = [by_invoke, by_ainvoke]
STREAMED: list[Way] = [by_stream, by_astream, by_events, by_aevents]
WAYS: list[Way] = [*WHOLE, *STREAMED]


def seen_of(shown: Any) -> set[str]:
    """Return which of the models' words are to be found in what was shown, whatever it is."""
    words = {"draft": "draftling", "final": "finesse", "second": "seconds ", "judge": "judges"}
    return {label for label, word in words.items() if word in str(shown)}
