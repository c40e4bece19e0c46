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
from langchain_router.cli.demo.memory import give_feedback, open_memory, print_start
from langchain_router.cli.demo.recorded import RecordedTraffic
from langchain_router.cli.demo.report import print_cascade, print_explained, print_report
from langchain_router.cli.demo.simulated import SimulatedTraffic
from langchain_router.cli.demo.traffic import Served, Traffic, Usage
from langchain_router.exceptions import ConfigurationError
from langchain_router.policies import make_policy

_AT_ONCE = 4
_BY_QUALITY = ("cost", "cascade")


def run_demo(
    *,
    data: str | None,
    live: bool,
    policy: str,
    quality: float | None,
    limit: int | None,
    store: str | None = None,
    fresh: bool = False,
) -> None:
    """Route the traffic and print what was decided and what it saved.

    Args:
        data: File of recorded prompts and answers, or None.
        live: Whether to use real providers.
        policy: Name of the policy.
        quality: Threshold of the cost policy, 0..1; None takes the traffic's own.
        limit: Most prompts to route.
        store: Where to keep what is learned: a URL, a path, `"none"`; None for the demo's own file.
        fresh: Start as if nothing had been learned.

    Raises:
        ConfigurationError: The options exclude each other, or the file cannot be used.
    """
    console = Console()
    traffic = _open(data=data, live=live, limit=limit, policy=policy, quality=quality)
    try:
        console.rule(f"[bold]{traffic.title}")
        for note in traffic.notes:
            console.print(note, style="yellow")
        threshold = quality if quality is not None else (traffic.quality if policy in _BY_QUALITY else None)
        memory = open_memory(store, fresh=fresh, traffic=traffic)
        router = ChatRouter(candidates=traffic.candidates, policy=policy, quality=threshold, store=memory)
        print_start(console, router)
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
        if policy == "cascade":
            print_cascade(console, traffic, served=served, always=always)
        give_feedback(console, router, served)
    finally:
        traffic.close()


def _open(*, data: str | None, live: bool, limit: int | None, policy: str, quality: float | None) -> Traffic:
    if data and live:
        raise ConfigurationError(
            "--data (DATA=) routes recorded answers, --live (LIVE=1) asks real providers: leave one out."
        )
    if quality is not None and policy not in _BY_QUALITY:
        raise ConfigurationError(
            "--quality (QUALITY=) goes with the policies cost and cascade; leave one of them out."
        )
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
    role: str
    started_s: float
    ended_s: float = 0.0
    usage: Usage | None = None


class _Watch(BaseCallbackHandler):
    """Notes which models were called for one prompt, what each used, and whose answer was returned."""

    def __init__(self) -> None:
        self._runs: dict[UUID, _Run] = {}
        self._served_by: str | None = None
        self._decision_id: str | None = None

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],  # noqa: ARG002 - the signature is LangChain's
        messages: list[list[BaseMessage]],  # noqa: ARG002
        *,
        run_id: UUID,
        metadata: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        told = metadata or {}
        self._decision_id = told["router_decision_id"]
        self._runs[run_id] = _Run(
            candidate=told["router_candidate"], role=told["router_role"], started_s=time.perf_counter()
        )

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **_: Any) -> None:
        run = self._runs[run_id]
        run.ended_s = time.perf_counter()
        generation = response.generations[0][0]
        message = generation.message if isinstance(generation, ChatGeneration) else None
        if isinstance(message, AIMessage) and message.usage_metadata is not None:
            usage = message.usage_metadata
            run.usage = Usage(input_tokens=usage["input_tokens"], output_tokens=usage["output_tokens"])

    def on_chain_end(self, outputs: Any, **_: Any) -> None:
        """A cascade is a chain run of its own; its answer says who gave it."""
        if isinstance(outputs, AIMessage) and "router" in outputs.response_metadata:
            self._served_by = outputs.response_metadata["router"]["served_by"]

    def served(self, prompt: str, traffic: Traffic) -> Served:
        """Return what came of the call: all its runs are paid, one of them answered."""
        runs = [run for run in self._runs.values() if run.ended_s]
        answered = self._served_by or runs[-1].candidate

        def cost_usd(candidate: str | None, usage: Usage | None) -> float | None:
            return None if candidate is None or usage is None else traffic.cost_usd(candidate, prompt, usage)

        costs = [cost_usd(run.candidate, run.usage) for run in runs]
        serving = next(run for run in reversed(runs) if run.candidate == answered)
        return Served(
            candidate=answered,
            latency_s=max(run.ended_s for run in runs) - min(run.started_s for run in runs),
            cost_usd=None if None in costs else sum(cost for cost in costs if cost is not None),
            modelled_premium_cost_usd=cost_usd(traffic.premium, serving.usage),
            score=traffic.score(answered, prompt),
            is_checked=any(run.role == "draft" for run in runs),
            decision_id=self._decision_id,
            escalations=sum(run.role == "draft" and run.candidate != answered for run in runs),
        )
