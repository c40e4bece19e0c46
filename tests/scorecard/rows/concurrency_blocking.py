"""Calls that would block the event loop."""

from __future__ import annotations

import asyncio
import functools
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

from blockbuster import BlockingError, blockbuster_ctx

from langchain_router import (
    AgreementCheck,
    CascadePolicy,
    ChatRouter,
    Hedging,
    HeuristicCheck,
    JudgeCheck,
    Resilience,
)
from langchain_router.checks.check import Verdict
from tests.scorecard.parts import FaultServer, in_memory, routed, streamed, whole, wire
from tests.scorecard.row import Figures, Scale, row


@row(
    "C4",
    "A blocking call on the event loop, looked for by BlockBuster over the package while every asynchronous "
    "way is taken: whole, streamed, events, hedged, failed over, retried, cascades with each check, LiteLLM",
    "No report, after a first call each: imports read files, and so does LiteLLM when it makes its client.",
)
def nothing_blocks_the_loop(scale: Scale) -> Figures:
    reports: Counter[str] = Counter()
    asked = 0
    proof: Counter[str] = Counter()
    with FaultServer() as server, asyncio.Runner() as runner:
        chats = list(_every_way(server))

        async def all_ways() -> None:
            nonlocal asked
            for chat in chats:
                for ask in (whole, streamed, _events, _batch):
                    for _ in range(scale(10, 2)):
                        asked += 1
                        await _reported(functools.partial(ask, chat), reports)

        async def warm() -> None:
            for chat in chats:
                for ask in (whole, streamed, _events):
                    await ask(chat)

        runner.run(warm())
        with blockbuster_ctx("langchain_router"):
            runner.run(all_ways())
            runner.run(_reported(_blocked_by_the_clock, proof))
    figures = Figures()
    figures.none(f"reports{_named(reports)}", reports.total())
    figures.tell("requests", asked)
    figures.at_least("reports of a call that does block, to see that it is armed", proof.total(), 1)
    return figures


def _every_way(server: FaultServer) -> Iterator[ChatRouter]:
    yield routed(wire(server, "healthy"), in_memory("b", rank=2))
    yield routed(wire(server, "500"), wire(server, "healthy", rank=2), resilience=Resilience(breaker=None))
    yield routed(in_memory("a", rates={"server": 0.5}, max_concurrency=2))
    yield routed(
        in_memory("a", rates={"slow": 1.0}, slow_s=0.01),
        in_memory("b", rank=2),
        resilience=Resilience(hedging=Hedging(after_s=0.001, share=1.0)),
    )
    judge = in_memory("judge", rank=2, answer='{"score": 0.1, "fault": "wrong"}')
    for check in (
        HeuristicCheck(),
        AgreementCheck(in_memory("b", rank=2, answer="Something else.")),
        JudgeCheck(judge),
        lambda request, response: Verdict(passed=False, reason="never"),  # noqa: ARG005
    ):
        yield ChatRouter(
            candidates=[in_memory("a"), in_memory("b", rank=2), in_memory("c", rank=3)],
            policy=CascadePolicy([("a", check), ("c", None)]),
        )


async def _events(chat: ChatRouter) -> None:
    async for _ in chat.astream_events("Hello", version="v2"):
        pass


async def _batch(chat: ChatRouter) -> None:
    await chat.abatch(["Hello", "Good morning"])


async def _reported(ask: Callable[[], Awaitable[None]], reports: Counter[str]) -> None:
    try:
        await ask()
    except Exception as error:  # noqa: BLE001 - looked at for what it comes from
        found: BaseException | None = error
        while found is not None and not isinstance(found, BlockingError):
            found = found.__cause__ or found.__context__
        if found is None:
            return  # a provider's own failure
        ours = [
            one for one in traceback.extract_tb(found.__traceback__) if "langchain_router" in one.filename
        ]
        where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "?"
        reports[f"{found.args[0]} at {where}"] += 1


async def _blocked_by_the_clock() -> None:
    """Block within the package: a clock that sleeps."""

    def clock() -> float:
        time.sleep(0.001)
        return time.monotonic()

    await whole(routed(in_memory("a"), clock=clock))


def _named(counted: Counter[str]) -> str:
    found = [name for name, count in counted.items() if count]
    return f" ({', '.join(found)})" if found else ""
