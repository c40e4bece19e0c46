"""Runs the demo: every prompt through `prompt | router | parser`, over HTTP, through LiteLLM."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnableConfig
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from langchain_router.chat_model import ChatRouter
from langchain_router.cli.demo.live import LiveTraffic
from langchain_router.cli.demo.recorded import RecordedTraffic
from langchain_router.cli.demo.report import print_explained, print_report
from langchain_router.cli.demo.simulated import SimulatedTraffic
from langchain_router.cli.demo.traffic import Served, Traffic, Usage
from langchain_router.exceptions import ConfigurationError
from langchain_router.policies import make_policy

_AT_ONCE = 4


def run_demo(*, data: str | None, live: bool, policy: str, quality: float | None, limit: int | None) -> None:
    """Route the traffic and print what was decided and what it saved.

    Args:
        data: File of recorded prompts and answers, or None.
        live: Whether to use real providers.
        policy: Name of the policy.
        quality: Threshold of the cost policy, 0..1; None takes the traffic's own.
        limit: Most prompts to route.

    Raises:
        ConfigurationError: The options exclude each other, or the file cannot be used.
    """
    console = Console()
    traffic = _open(data=data, live=live, limit=limit, policy=policy, quality=quality)
    try:
        console.rule(f"[bold]{traffic.title}")
        for note in traffic.notes:
            console.print(note, style="yellow")
        threshold = quality if quality is not None else (traffic.quality if policy == "cost" else None)
        router = ChatRouter(candidates=traffic.candidates, policy=policy, quality=threshold)
        with console.status("Loading LiteLLM (a few seconds)..."):
            router.warm_up()
        prompt = ChatPromptTemplate.from_messages([("human", "{question}")])
        chain = prompt | router | StrOutputParser()
        if not live:  # the first call opens connections, which is nobody's latency
            router.invoke(traffic.prompts[0])
        print_explained(console, router, traffic)
        served = _run(console, "Routing", chain, traffic)
        always: list[Served] = []
        if traffic.premium is not None and not live:
            pinned = prompt | router.bind(model=traffic.premium) | StrOutputParser()
            always = _run(console, f"Always {traffic.premium}, for comparison", pinned, traffic)
        print_report(console, traffic, served=served, always=always)
    finally:
        traffic.close()


def _open(*, data: str | None, live: bool, limit: int | None, policy: str, quality: float | None) -> Traffic:
    if data and live:
        raise ConfigurationError("Recorded data (DATA=) and live providers (--live) exclude each other.")
    if quality is not None and policy != "cost":
        raise ConfigurationError("--quality (QUALITY=) goes with the policy cost; leave one of them out.")
    if limit is not None and limit < 1:
        raise ConfigurationError(f"limit must be 1 or more, got {limit}.")
    make_policy(policy, quality=quality)  # a wrong name or threshold is refused before anything is printed
    if data:
        return RecordedTraffic(Path(data), limit=limit)
    return LiveTraffic(limit=limit) if live else SimulatedTraffic(limit=limit)


def _run(console: Console, what: str, chain: Runnable[Any, str], traffic: Traffic) -> list[Served]:
    watches = [_Watch() for _ in traffic.prompts]
    configs: list[RunnableConfig] = [{"callbacks": [watch], "max_concurrency": _AT_ONCE} for watch in watches]
    inputs = [{"question": prompt} for prompt in traffic.prompts]
    with _progress(console) as progress:
        task = progress.add_task(what, total=len(inputs))
        for _ in chain.batch_as_completed(inputs, configs):
            progress.advance(task)
    return [watch.served(prompt, traffic) for watch, prompt in zip(watches, traffic.prompts, strict=True)]


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        yield progress


@dataclass(slots=True)
class _Run:
    candidate: str
    started_s: float
    ended_s: float = 0.0
    usage: Usage | None = None


class _Watch(BaseCallbackHandler):
    """Notes which candidate answered one call, how long it took and what it used."""

    def __init__(self) -> None:
        self._runs: dict[UUID, _Run] = {}

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],  # noqa: ARG002 - the signature is LangChain's
        messages: list[list[BaseMessage]],  # noqa: ARG002
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        candidate = (metadata or {})["router_candidate"]
        self._runs[run_id] = _Run(candidate=candidate, started_s=time.perf_counter())

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        run = self._runs[run_id]
        run.ended_s = time.perf_counter()
        generation = response.generations[0][0]
        message = generation.message if isinstance(generation, ChatGeneration) else None
        if isinstance(message, AIMessage) and message.usage_metadata is not None:
            usage = message.usage_metadata
            run.usage = Usage(input_tokens=usage["input_tokens"], output_tokens=usage["output_tokens"])

    def served(self, prompt: str, traffic: Traffic) -> Served:
        """Return what came of the call: of its last run, as the ones before it failed."""
        run = [run for run in self._runs.values() if run.ended_s][-1]

        def cost_usd(candidate: str | None) -> float | None:
            if candidate is None or run.usage is None:
                return None
            return traffic.cost_usd(candidate, prompt, run.usage)

        return Served(
            candidate=run.candidate,
            latency_s=run.ended_s - run.started_s,
            cost_usd=cost_usd(run.candidate),
            modelled_premium_cost_usd=cost_usd(traffic.premium),
            score=traffic.score(run.candidate, prompt),
        )
