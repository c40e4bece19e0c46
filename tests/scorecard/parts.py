"""What rows share: candidates over HTTP and in memory, ways of asking, and counts of what is left behind."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatResult

from langchain_router import Candidate, ChatRouter, Price
from langchain_router.decision import RoutingDecision
from langchain_router.outcomes.records import Outcome
from langchain_router.router import Router
from langchain_router.testing import FaultyChatModel
from langchain_router.testing.scripted import ScriptedChatModel
from tests.faults.exchange import ANSWER
from tests.faults.server import FaultServer

__all__ = ["ANSWER", "FaultServer"]

Way = Literal["invoke", "ainvoke", "stream", "astream"]
WAYS: tuple[Way, ...] = ("invoke", "ainvoke", "stream", "astream")
KEY = "key-in-a-scorecard"
_WINDOW_TOKENS = 1_000_000


class Clock:
    """Monotonic seconds that move when they are told to."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Spoken(ScriptedChatModel):
    """Answers on the event loop itself, where `ScriptedChatModel` would take a thread."""

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return self._generate(messages, stop, None, **kwargs)


class Outcomes:
    """Takes in what came of each request; give it as `on_outcome`."""

    def __init__(self) -> None:
        self.all: list[tuple[RoutingDecision, Outcome]] = []  # appending to a list is atomic

    def __call__(self, decision: RoutingDecision, outcome: Outcome) -> None:
        self.all.append((decision, outcome))

    @property
    def last(self) -> Outcome:
        return self.all[-1][1]

    def count(self, status: str) -> int:
        return sum(outcome.status == status for _, outcome in self.all)


# --- candidates --------------------------------------------------------------------------------------


def wire(
    server: FaultServer, model: str, *, rank: float = 1, name: str = "", base_url: str = "", **more: Any
) -> Candidate:
    """Return a LiteLLM candidate at the fault server; the model's name says how it fails there."""
    options = {"api_base": base_url or server.base_url, "api_key": KEY, **more.pop("options", {})}
    return Candidate(model=f"openai/{model}", name=name or model, options=options, **_facts(rank, more))


def in_memory(name: str, *, rank: float = 1, answer: str = ANSWER, **faults: Any) -> Candidate:
    """Return a candidate that answers in this process, failing as `FaultyChatModel` is told to."""
    facts: dict[str, Any] = {
        one: faults.pop(one) for one in ("max_concurrency", "context_tokens") if one in faults
    }
    model = FaultyChatModel(model=Spoken(answers=[answer]), **faults)
    return Candidate(model=model, name=name, **_facts(rank, facts))


def model_of(candidate: Candidate) -> FaultyChatModel:
    model = candidate.chat_model()
    assert isinstance(model, FaultyChatModel)
    return model


def _facts(rank: float, more: dict[str, Any]) -> dict[str, Any]:
    return {
        "price": Price.per_million(input_usd=rank, output_usd=rank),
        "quality": 0.9,
        "context_tokens": _WINDOW_TOKENS,
        "provider": "simulated",
        **more,
    }


# --- routers -----------------------------------------------------------------------------------------


def routed(*candidates: Candidate, clock: Callable[[], float] | None = None, **options: Any) -> ChatRouter:
    """Return a router that prefers the candidates in the order of their rank."""
    chat = ChatRouter(candidates=candidates, quality=0.5, **options)
    if clock is not None:  # a chat model has no argument for it: only tests stop the time
        chat._router = Router(
            chat.core.candidates,
            policy=chat.core.policy,
            resilience=chat.core.resilience,
            on_outcome=options.get("on_outcome"),
            clock=clock,
        )
    return chat


# --- asking ------------------------------------------------------------------------------------------


async def aask(chat: ChatRouter, way: Way, text: str = "Hello") -> AIMessage:
    """Ask in an asynchronous way and return the whole answer."""
    if way == "ainvoke":
        return await chat.ainvoke(text)
    whole: Any = None
    async for chunk in chat.astream(text):
        whole = chunk if whole is None else whole + chunk
    return whole  # type: ignore[no-any-return]


def ask(chat: ChatRouter, way: Way, runner: asyncio.Runner, text: str = "Hello") -> AIMessage:
    """Ask in any way and return the whole answer."""
    if way in ("ainvoke", "astream"):
        return runner.run(aask(chat, way, text))
    if way == "invoke":
        return chat.invoke(text)
    whole: Any = None
    for chunk in chat.stream(text):
        whole = chunk if whole is None else whole + chunk
    return whole  # type: ignore[no-any-return]


def watch(chat: ChatRouter, way: Way, runner: asyncio.Runner, see: Callable[[Any], object]) -> None:
    """Ask in any way, showing each chunk of a stream to `see`."""

    async def astreamed() -> None:
        async for chunk in chat.astream("Hello"):
            see(chunk)

    if way == "astream":
        runner.run(astreamed())
    elif way == "stream":
        for chunk in chat.stream("Hello"):
            see(chunk)
    else:
        ask(chat, way, runner)


@contextmanager
def timed(into: list[float]) -> Iterator[None]:
    """Add how long the block takes, in seconds, even if it raises."""
    started_s = time.perf_counter()
    try:
        yield
    finally:
        into.append(time.perf_counter() - started_s)


async def whole(chat: ChatRouter) -> None:
    """Ask for a whole answer."""
    await chat.ainvoke("Hello")


async def streamed(chat: ChatRouter) -> None:
    """Ask for a stream, and read it to its end."""
    async for _ in chat.astream("Hello"):
        pass


async def paced(rps: float, requests: int, one: Callable[[int], Coroutine[Any, Any, Any]]) -> None:
    """Begin so many requests at an even pace, and wait for all of them."""
    loop = asyncio.get_running_loop()
    began_s, tasks = loop.time(), []
    for number in range(requests):
        await asyncio.sleep(max(0.0, began_s + number / rps - loop.time()))
        tasks.append(asyncio.create_task(one(number)))
    await asyncio.gather(*tasks)


class _Gathered(logging.Handler):
    into: list[logging.LogRecord]

    def emit(self, record: logging.LogRecord) -> None:
        self.into.append(record)


@contextmanager
def records(into: list[logging.LogRecord], level: int = logging.DEBUG) -> Iterator[None]:
    """Gather what the router logs in the block."""
    handler = _Gathered(level)
    handler.into = into
    logger = logging.getLogger("langchain_router")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


# --- what is left --------------------------------------------------------------------------------------


def open_sockets() -> int:
    """Return how many sockets this process has open."""
    count = 0
    for entry in Path("/dev/fd").iterdir():
        try:
            count += stat.S_ISSOCK(os.fstat(int(entry.name)).st_mode)
        except OSError:  # the one that listed them
            continue
    return count


def open_files() -> int:
    """Return how many file descriptors this process has open."""
    return sum(1 for _ in Path("/dev/fd").iterdir())


def calling_threads() -> int:
    """Return how many threads are making a call for the router."""
    return sum(thread.name == "langchain-router-call" for thread in threading.enumerate())


def settles(count: Callable[[], int], *, at: int = 0, within_s: float = 3.0) -> int:
    """Wait until a count is down to `at`, but not for long; return by how much it is above."""
    ends_s = time.monotonic() + within_s
    while (left := count() - at) > 0 and time.monotonic() < ends_s:
        time.sleep(0.01)
    return max(left, 0)
