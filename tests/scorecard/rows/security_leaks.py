"""What must not get out: prompts, answers, keys, headers and URLs."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import vcr
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.load import dumps
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from langchain_router import (
    AgreementCheck,
    Candidate,
    CascadePolicy,
    ChatRouter,
    Deadlines,
    HeuristicCheck,
    JudgeCheck,
    NoEligibleCandidateError,
    Price,
    Resilience,
    RouterError,
    SchemaCheck,
    SpendCap,
)
from langchain_router.checks.check import Verdict
from langchain_router.request import RoutingRequest
from langchain_router.signals.text import view
from langchain_router.testing import FaultyChatModel, cassettes
from langchain_router.testing.fault_plan import FAULTS
from tests.faults.behaviours import BEHAVIOURS
from tests.faults.exchange import Exchange
from tests.scorecard.parts import WAYS, FaultServer, Outcomes, Way, records
from tests.scorecard.row import Figures, Scale, row

_ROOT = Path(__file__).resolve().parents[3]

_CANARY = "canary"


def _canary(place: str) -> str:
    """Return a word that stands nowhere else, not even in the source lines that a traceback shows."""
    return f"{_CANARY}-{place}-{'7f3a' * 2}"


_FOUND = re.compile(rf"{_CANARY}-(\w+)-(?:7f3a)+", re.IGNORECASE)


@dataclass(slots=True)
class _Hits:
    """Counts canaries where they must not be, by where that was."""

    looked: int = 0
    by_place: dict[str, set[str]] = field(default_factory=dict)

    def look(self, where: str, *texts: object) -> None:
        for text in texts:
            self.looked += 1
            for found in _FOUND.findall(text if isinstance(text, str) else repr(text)):
                self.by_place.setdefault(where, set()).add(found)

    def count(self, where: str) -> int:
        return len(self.by_place.get(where, ()))


async def _echo(exchange: Exchange) -> None:
    """Answer 500 with the prompt in the error, as some providers do."""
    error = {
        "message": f"cannot process {exchange.body.get('messages')}",
        "type": "server_error",
        "code": None,
    }
    await exchange.whole({"error": error}, status=500)


@row(
    "X1",
    "Canaries in prompt, system message, API key, header, base URL's path, answer and metadata; every way to "
    "fail on the wire and in memory, sync, async and streamed",
    "None of them in DEBUG logs, in the router's errors (text, repr, notes, traceback), in "
    "reprs, in what a decision, an outcome or health() shows, in what the router adds to a run, or, but for "
    "prompt and answer, on a cassette. A provider that repeats the prompt in its error is told beside it: "
    "that error is passed on as it is.",
    p0=True,
    bound_s=240,
    quick_bound_s=30,
)
def canaries_stay_in(scale: Scale) -> Figures:
    hits, logged = _Hits(), list[logging.LogRecord]()
    errors = 0
    with FaultServer() as server, asyncio.Runner() as runner, records(logged):
        seen = _Watch()
        for number, (chat, outcomes) in enumerate(_routers(server, scale)):
            for way in WAYS if not scale.is_quick else (WAYS[number % 4],):
                error = _asked(chat, way, runner, seen, hits)
                errors += error is not None
                if error is not None:
                    _look_into(error, hits, is_echo="echo" in chat.core.candidates[0].name)
            _look_around(chat, outcomes, hits)
        _look_at_refusals(server, hits)
        for added in seen.added:
            hits.look("what is added to runs", added)
        _look_at_cassette(server, hits)
    for record in logged:
        text = logging.Formatter("%(message)s").format(record)
        hits.look("logs", text, record.args)
    _look_at_checks(hits)
    for path in (_ROOT / "cassettes").rglob("*.yaml"):
        hits.look("cassettes", path.read_text(encoding="utf-8"))
    figures = Figures()
    for where in (
        "logs", "errors", "tracebacks", "reprs", "dumps", "decisions", "outcomes", "health",
        "checks and verdicts", "what is added to runs", "cassettes",
    ):  # fmt: skip
        figures.none(f"in {where}", hits.count(where))
    figures.tell("in errors of providers that repeat the prompt", hits.count("providers' errors"))
    figures.at_least("errors looked into", errors, scale(200, 12))
    figures.at_least("texts looked through", hits.looked, scale(5_000, 300))
    figures.at_least("log records", len(logged), 1)
    return figures


def _routers(server: FaultServer, scale: Scale) -> Iterator[tuple[ChatRouter, Outcomes]]:
    """Yield routers whose first two candidates fail in every way there is."""
    hurried = Resilience(deadlines=Deadlines(attempt_s=0.15, total_s=0.4, first_token_s=0.15))
    server.rate("echo", _echo, share=1.0)

    def made(*candidates: Candidate, **options: Any) -> tuple[ChatRouter, Outcomes]:
        outcomes = Outcomes()
        return (
            ChatRouter(candidates=candidates, on_outcome=outcomes, resilience=hurried, **options),
            outcomes,
        )

    warm, _ = made(_wired(server, "healthy"))
    warm.warm_up()
    for name in ("healthy", "echo", *list(BEHAVIOURS)[:: scale(1, 9)]):
        yield made(_wired(server, name), _wired(server, name, name="other"))
        if not scale.is_quick:
            yield made(_wired(server, name))
    for fault in FAULTS[:: scale(1, 3)]:
        if fault != "control_flow":
            yield made(_faulty(fault, "first"), _faulty(fault, "second"))
    yield made(_native(server, "echo"), _native(server, "500", name="other"))
    check = JudgeCheck(_wired(server, "healthy", name="judge"), timeout_s=0.2) & HeuristicCheck()
    yield made(
        _faulty("ok", "cheap"),
        _faulty("ok", "dear"),
        policy=CascadePolicy([("cheap", check), ("dear", None)]),
        spend_cap=SpendCap(usd=100),
    )
    yield made(
        _faulty("ok", "one"), _faulty("ok", "two"), intent_classifier=_Broken(), complexity_scorer=_Broken()
    )


def _wired(server: FaultServer, model: str, *, name: str = "") -> Candidate:
    return Candidate(
        model=f"openai/{model}",
        name=name or model,
        options={
            "api_base": f"{server.base_url}/{_canary('url')}",
            "api_key": _canary("key"),
            "extra_headers": {"x-secret": _canary("header")},
        },
        **_FACTS,
    )


def _native(server: FaultServer, model: str, *, name: str = "") -> Candidate:
    chat = ChatOpenAI(
        model=model,
        api_key=SecretStr(_canary("key")),
        base_url=f"{server.base_url}/{_canary('url')}",
        default_headers={"x-secret": _canary("header")},
        max_retries=0,
        timeout=0.3,
    )
    return Candidate(model=chat, name=name or model, **_FACTS)


def _faulty(fault: str, name: str) -> Candidate:
    model = FaultyChatModel(answers=[_canary("answer")], script=[fault] * 99, hang_s=0.2, slow_s=0.05)
    return Candidate(model=model, name=name, **_FACTS)


_FACTS: dict[str, Any] = {
    "price": Price.per_million(input_usd=1, output_usd=1),
    "quality": 0.9,
    "context_tokens": 100_000,
    "capabilities": frozenset({"tool_calling", "structured_output"}),
    "provider": "simulated",
}


class _Broken:
    """A classifier and a scorer that fail with the prompt in their error."""

    def classify(self, request: RoutingRequest) -> Any:
        raise ValueError(f"cannot read {request.messages}")

    def score(self, request: RoutingRequest, intent: object) -> Any:
        raise ValueError(f"cannot read {request.messages}")


class _Watch(BaseCallbackHandler):
    """Keeps what the router adds to the runs of the models that it calls."""

    def __init__(self) -> None:
        self.added: list[str] = []

    def on_chat_model_start(self, serialized: Any, messages: Any, **more: Any) -> None:
        metadata = more.get("metadata") or {}
        added = {key: value for key, value in metadata.items() if key.startswith("router")}
        self.added.append(repr((added, [tag for tag in more.get("tags") or () if "router" in tag])))


def _prompt() -> list[Any]:
    return [SystemMessage(f"Say {_canary('system')}."), HumanMessage(f"What does {_canary('prompt')} mean?")]


def _asked(chat: ChatRouter, way: Way, runner: asyncio.Runner, seen: _Watch, hits: _Hits) -> Exception | None:
    """Ask in one way; look at the answer, or return the error."""
    config: Any = {
        "callbacks": [seen],
        "metadata": {"feedback": _canary("feedback")},
        "tags": [_canary("feedback")],
    }

    async def asked() -> Any:
        if way == "ainvoke":
            return await chat.ainvoke(_prompt(), config)
        return [chunk async for chunk in chat.astream(_prompt(), config)]

    try:
        if way in ("ainvoke", "astream"):
            came = runner.run(asked())
        else:
            came = chat.invoke(_prompt(), config) if way == "invoke" else list(chat.stream(_prompt(), config))
    except Exception as error:  # noqa: BLE001 - looked into
        return error
    for message in came if isinstance(came, list) else [came]:
        hits.look("decisions", json.dumps(message.response_metadata.get("router", {})))
        hits.look("outcomes", json.dumps(message.response_metadata.get("router_outcome", {})))
    return None


def _look_into(error: BaseException, hits: _Hits, *, is_echo: bool = False) -> None:
    """Look at an error of the router, and at what it holds unless a provider repeats the prompt there."""
    if not isinstance(error, RouterError):  # the provider's own, raised as it is
        hits.look("providers' errors", str(error))
        return
    hits.look("errors", str(error), error.args[:1], getattr(error, "__notes__", []))
    own = traceback.TracebackException.from_exception(error)
    own.exceptions, own.__cause__, own.__context__ = None, None, None
    hits.look("tracebacks", "".join(own.format()))
    whole = (repr(error), "".join(traceback.format_exception(error)))
    hits.look("providers' errors" if is_echo else "errors", whole[0])
    hits.look("providers' errors" if is_echo else "tracebacks", whole[1])


def _look_around(chat: ChatRouter, outcomes: Outcomes, hits: _Hits) -> None:
    hits.look("reprs", chat, str(chat), chat.core.policy, list(chat.candidates), chat.resilience)
    hits.look("reprs", chat.bind(stop=["x"]), chat.constrained(providers={"simulated"}))
    hits.look("dumps", dumps(chat), str(chat._identifying_params))
    hits.look("health", chat.health())
    for decision, outcome in outcomes.all:
        hits.look("decisions", decision, decision.explain(), json.dumps(decision.to_dict()))
        hits.look("outcomes", outcome, json.dumps(outcome.to_dict()))


def _look_at_refusals(server: FaultServer, hits: _Hits) -> None:
    """Look at the errors of requests that never reach a provider, and at what a request shows of itself."""
    chat = ChatRouter(candidates=[_wired(server, "healthy")])
    refused: Sequence[Callable[[], object]] = (
        lambda: chat.invoke(_prompt(), regions={"eu"}),
        lambda: chat.invoke(_prompt(), max_cost_usd=1e-12),
        lambda: chat.invoke(_prompt(), max_cost_usd="much"),
        lambda: chat.invoke(_prompt(), model="unknown"),
        lambda: ChatRouter(candidates=[_wired(server, "one"), _wired(server, "one")]),
        lambda: ChatRouter(candidates=[_wired(server, "one")], policy="unknown"),
        lambda: ChatRouter(candidates=[_wired(server, "one")], api_key=_canary("key"), timeout="soon"),
    )
    for make in refused:
        try:
            make()
        except (RouterError, NoEligibleCandidateError) as error:
            _look_into(error, hits)
    request = RoutingRequest(
        messages=tuple(_prompt()),
        tools=({"name": _canary("tool")},),
        response_schema={"title": _canary("tool")},
    )
    hits.look("reprs", request, view(request))


def _look_at_checks(hits: _Hits) -> None:
    """Look at checks whose models bear canaries, and at the verdicts that they give."""
    request, answer = RoutingRequest(messages=tuple(_prompt())), AIMessage(f"It is {_canary('answer')}.")
    checks = [
        HeuristicCheck(),
        SchemaCheck(),
        JudgeCheck(_faulty("ok", "judge"), rubric=f"It names {_canary('prompt')}."),
        JudgeCheck(_faulty("server", "judge")),
        AgreementCheck(_faulty("ok", "second")),
        AgreementCheck(_faulty("server", "second")),
        JudgeCheck(_faulty("ok", "judge")) & HeuristicCheck() | SchemaCheck(),
    ]
    for check in checks:
        verdict: Verdict = check.check(request, answer)
        hits.look("checks and verdicts", check, verdict, json.dumps(verdict.to_dict()))


def _look_at_cassette(server: FaultServer, hits: _Hits) -> None:
    """Record a call as the tests do, and look at what was written: of the canaries only what was said."""
    recorder = vcr.VCR()
    cassettes.register(recorder)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "call.yaml"
        with recorder.use_cassette(str(path), **cassettes.options()):
            _native(server, "healthy").chat_model().invoke("Hello")
        text = path.read_text(encoding="utf-8")
        if "Hello" not in text:
            raise AssertionError("nothing was recorded")
        hits.look("cassettes", text.replace(_canary("url"), ""))  # a URL is what a request is matched by
