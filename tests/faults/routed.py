"""Routers of two candidates on the fault server, asked in all four ways, and what came of it in words.

`first` (its whole answer), `second after KIND` (failed over, with the attempt's error kind), `breaks off
after TEXT` (`StreamInterruptedError` with that partial text), `raises CLASS`; and the bad ones: `first, cut
short` and `first, empty` (counted as success), `first, late` (after the deadline), `first, absurd usage`.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any, Literal

from langchain_core.messages import AIMessage

from langchain_router import Candidate, ChatRouter, Price, StreamInterruptedError
from langchain_router.execution.resilience import Resilience
from tests.faults.server import FaultServer

Way = Literal["invoke", "ainvoke", "stream", "astream"]
WAYS: tuple[Way, ...] = ("invoke", "ainvoke", "stream", "astream")

ANSWER = "The fault server is well today."
HUGE_CHARACTERS = 4_000_000
MOST_TOKENS = 10_000_000


def candidate(server: FaultServer, name: str, model: str, *, rank: int, timeout_s: float) -> Candidate:
    return Candidate(
        name=name,
        model=f"openai/{model}",
        options={"api_base": server.base_url, "api_key": "key-in-a-test", "timeout": timeout_s},
        provider=name,
        price=Price.per_million(input_usd=rank, output_usd=rank),
        context_tokens=100_000 * rank,
        quality=0.7 + 0.1 * rank,
    )


def router(
    server: FaultServer,
    first: str,
    second: str = "healthy",
    *,
    timeout_s: float = 1.0,
    resilience: Resilience | None = None,
) -> ChatRouter:
    return ChatRouter(
        candidates=[
            candidate(server, "first", first, rank=1, timeout_s=timeout_s),
            candidate(server, "second", second, rank=2, timeout_s=timeout_s),
        ],
        quality=0.5,
        resilience=resilience,
    )


def answer(routed: ChatRouter, way: Way) -> AIMessage:
    async def astreamed() -> Any:
        whole: Any = None
        async for chunk in routed.astream("Hello"):
            whole = chunk if whole is None else whole + chunk
        return whole

    if way == "invoke":
        return routed.invoke("Hello")
    if way == "ainvoke":
        return asyncio.run(routed.ainvoke("Hello"))
    if way == "astream":
        return asyncio.run(astreamed())  # type: ignore[no-any-return]
    whole: Any = None
    for chunk in routed.stream("Hello"):
        whole = chunk if whole is None else whole + chunk
    return whole  # type: ignore[no-any-return]


def outcome(routed: ChatRouter, way: Way, *, late_after_s: float = math.inf) -> str:
    started = time.monotonic()
    try:
        message = answer(routed, way)
    except StreamInterruptedError as error:
        return f"breaks off after {error.partial!r}"
    except Exception as error:  # noqa: BLE001 - its class is what is looked at
        return f"raises {type(error).__name__}"
    took_s = time.monotonic() - started
    found = message.response_metadata["router"]
    if found["served_by"] == "second":
        assert message.text == ANSWER
        return f"second after {found['attempts'][0]['error_kind']}"
    if message.text not in (ANSWER, "x" * HUGE_CHARACTERS):
        return "first, cut short" if message.text else "first, empty"
    usage = message.usage_metadata
    if usage and not all(0 <= usage[count] <= MOST_TOKENS for count in ("input_tokens", "output_tokens")):
        return "first, absurd usage"
    return "first, late" if took_s > late_after_s else "first"


def in_flight_soon(server: FaultServer, model: str) -> int:
    """Return how many requests are under way, after giving them half a second to end."""
    end = time.monotonic() + 0.5
    while server.in_flight(model) and time.monotonic() < end:
        time.sleep(0.01)
    return server.in_flight(model)


def warm_up(server: FaultServer) -> None:
    """Let LiteLLM do what it does on its first calls, which takes seconds."""
    for way in WAYS:
        answer(router(server, "healthy", timeout_s=30), way)
