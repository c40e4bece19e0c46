"""Every public call does the same sync and async: answers, metadata, outcomes, runs and callbacks.

The calls stand in one table. A method with an async twin that is not in it fails the last tests.
"""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler, UsageMetadataCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.outputs import LLMResult
from langchain_core.prompt_values import ChatPromptValue
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from pydantic import BaseModel
from tenacity import stop_after_attempt

from langchain_router import ChatRouter, Resilience, RoutingDecision, StreamInterruptedError
from langchain_router.chat.binding import RouterBinding
from langchain_router.chat.structured import StructuredRouter
from langchain_router.outcomes.judgements import Receipt
from langchain_router.outcomes.records import Outcome
from tests.chat.speaking import AsksTwo, Tracer, cascade, draft, final, plain, tier


class City(BaseModel):
    """A city."""

    name: str


@tool
def population(city: str) -> int:
    """Return the population of a city."""
    return len(city)


def city(name: str) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": "City", "args": {"name": name}, "id": "call"}])


# --- what may happen -----------------------------------------------------------------------------

DOWN = ConnectionResetError("down")

Made = Callable[[Any, Any, dict[str, Any]], ChatRouter]

SCENARIOS: dict[str, Made] = {
    "plain": lambda first, last, options: plain(
        tier("draft", first), tier("final", last, price=9), **options
    ),
    "failover": lambda _, last, options: plain(tier("draft", DOWN), tier("final", last, price=9), **options),
    "everybody is down": lambda _, __, options: plain(tier("draft", DOWN), tier("final", DOWN), **options),
    "a bug": lambda _, last, options: plain(tier("draft", TypeError("bug")), final(last), **options),
    "accepted": lambda first, last, options: cascade(True, draft(first), final(last), **options),
    "escalated": lambda first, last, options: cascade(False, draft(first), final(last), **options),
    "draft is down": lambda _, last, options: cascade(True, draft(DOWN), final(last), **options),
    "exhausted": lambda first, _, options: cascade(False, draft(first), final(DOWN), **options),
    "cascade is down": lambda _, __, options: cascade(True, draft(DOWN), final(DOWN), **options),
    "judged and accepted": lambda first, last, options: cascade(
        AsksTwo(passes=True), draft(first), final(last), **options
    ),
    "judged and escalated": lambda first, last, options: cascade(
        AsksTwo(passes=False), draft(first), final(last), **options
    ),
    "a broken check": lambda first, last, options: cascade(
        lambda *_: 1 / 0, draft(first), final(last), **options
    ),
    "held back": lambda first, last, options: cascade(
        True, draft(first), final(last), stream_mode="holdback", **options
    ),
    "predecided": lambda first, last, options: cascade(
        False, draft(first), final(last), stream_mode="predecide", **options
    ),
    "one chain run": lambda first, last, options: plain(
        tier("draft", first), tier("final", last, price=9), trace="chain", **options
    ),
    "without streaming": lambda first, last, options: cascade(
        False, draft(first), final(last), disable_streaming=True, **options
    ),
    "truncated": lambda first, last, options: plain(
        tier("draft", first, finish=None, provider="openai"), final(last), **options
    ),
    "interrupted": lambda first, last, options: cascade(
        False, draft(first), final(last, breaks_after=1), **options
    ),
}


# --- the calls -----------------------------------------------------------------------------------

Sync = Callable[[Any, RunnableConfig], Any]
Async = Callable[[Any, RunnableConfig], Awaitable[Any]]


async def _all(parts: Any) -> list[Any]:
    return [part async for part in parts]


async def _one() -> Any:
    yield "Hello"


def _events(router: Any, config: RunnableConfig) -> Any:
    stream = router.stream_events("Hello", config, version="v3")
    return [list(stream), list(stream.text), stream.output]


async def _aevents(router: Any, config: RunnableConfig) -> Any:
    stream = await router.astream_events("Hello", config, version="v3")
    events, text = await _all(stream), await _all(stream.text)
    return [events, text, await stream]


def _callbacks(config: RunnableConfig) -> Any:
    return config.get("callbacks")


HELLO = [HumanMessage("Hello")]
PROMPT = ChatPromptValue(messages=HELLO)


def _told(receipt: Receipt) -> str:
    return f"{receipt.status}, {receipt.label}"


async def _told_later(router: ChatRouter, config: RunnableConfig) -> str:
    return _told(await router.arecord_feedback(await router.ainvoke("Hello", config), 0.5))


CALLS: dict[str, tuple[Sync, Async]] = {
    "decide": (lambda r, c: r.decide("Hello", c), lambda r, c: r.adecide("Hello", c)),
    "invoke": (lambda r, c: r.invoke("Hello", c), lambda r, c: r.ainvoke("Hello", c)),
    "stream": (lambda r, c: list(r.stream("Hello", c)), lambda r, c: _all(r.astream("Hello", c))),
    "transform": (
        lambda r, c: list(r.transform(iter(["Hello"]), c)),
        lambda r, c: _all(r.atransform(_one(), c)),
    ),
    "batch": (lambda r, c: r.batch(["Hello"], c), lambda r, c: r.abatch(["Hello"], c)),
    "batch_as_completed": (
        lambda r, c: list(r.batch_as_completed(["Hello"], c)),
        lambda r, c: _all(r.abatch_as_completed(["Hello"], c)),
    ),
    "generate": (
        lambda r, c: r.generate([HELLO], callbacks=_callbacks(c)),
        lambda r, c: r.agenerate([HELLO], callbacks=_callbacks(c)),
    ),
    "generate_prompt": (
        lambda r, c: r.generate_prompt([PROMPT], callbacks=_callbacks(c)),
        lambda r, c: r.agenerate_prompt([PROMPT], callbacks=_callbacks(c)),
    ),
    "stream_events": (_events, _aevents),
    "record_feedback": (
        lambda r, c: _told(r.record_feedback(r.invoke("Hello", c), 0.5)),
        lambda r, c: _told_later(r, c),
    ),
}
"""The name of a method, and how to call it and its twin."""

BOUND = ("decide", "invoke", "stream", "transform", "batch", "batch_as_completed", "stream_events")
STRUCTURED = ("invoke", "stream", "transform", "batch", "batch_as_completed")

NO_TWIN = {
    "stream_log": "LangChain has only astream_log, which reads astream",
    "as_tool": "makes a tool of a runnable",
    "assign": "makes a chain",
}


# --- comparing -----------------------------------------------------------------------------------

_TIMES_AND_IDS = {"decision_id", "router_decision_id", "latency_s", "first_token_s", "id", "run_id"}


def _plain(found: Any) -> Any:
    """Return data without what differs between any two calls."""
    if isinstance(found, Mapping):
        return {str(key): _plain(value) for key, value in found.items() if key not in _TIMES_AND_IDS}
    if isinstance(found, (list, tuple)):
        return [_plain(one) for one in found]
    if isinstance(found, BaseMessage):
        return {"class": type(found).__name__, **_plain(found.model_dump())}
    if isinstance(found, LLMResult):
        return [[_plain(generation.message) for generation in one] for one in found.generations]  # type: ignore[union-attr]
    if isinstance(found, (RoutingDecision, Outcome)):
        return _plain(found.to_dict())
    if isinstance(found, StreamInterruptedError):
        return [type(found).__name__, found.partial, found.candidate, type(found.__cause__).__name__]
    if isinstance(found, BaseException):
        inner = [_plain(one) for one in getattr(found, "exceptions", ())]
        return [type(found).__name__, str(found), inner, getattr(found, "__notes__", [])]
    if isinstance(found, BaseModel):
        return found.model_dump()
    assert found is None or isinstance(found, (str, int, float)), type(found)
    return found


class _Heard(BaseCallbackHandler):
    """Notes what it hears of each run, in order; shows tokens, so drafts' are kept from it."""

    run_inline = True

    def __init__(self) -> None:
        self.by_run: dict[Any, list[str]] = {}

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("on_"):
            return super().__getattribute__(name)
        by_run = self.by_run

        def note(*args: Any, run_id: Any, token: str = "", **_: Any) -> None:
            if name == "on_llm_new_token":
                token = token or args[0] if args else token
            by_run.setdefault(run_id, []).append(f"{name} {token}".strip())

        return note

    def on_llm_new_token(self, *_: Any, **__: Any) -> None:
        """Defined so that the router sees that this handler shows tokens."""


def _tree(run: Any) -> Any:
    return {
        "type": run.run_type,
        "name": run.name,
        "tags": sorted(run.tags or ()),
        "metadata": {
            key: value
            for key, value in _plain(run.extra["metadata"]).items()
            if key.startswith("router_") or key == "m"
        },
        "failed": run.error is not None,
        "has_ended": run.end_time is not None,
        "children": sorted((_tree(child) for child in run.child_runs), key=str),
    }


class _Observed:
    """Everything that can be seen of one call."""

    def __init__(self, make: Made, said: tuple[Any, Any]) -> None:
        self._tracer, self._heard, self._usage = Tracer(), _Heard(), UsageMetadataCallbackHandler()
        self._outcomes: list[Outcome] = []
        self.router = make(
            *said,
            {
                "resilience": Resilience(stop=stop_after_attempt(2)),
                "on_outcome": lambda _, outcome: self._outcomes.append(outcome),
            },
        )
        self.config: RunnableConfig = {
            "callbacks": [self._tracer, self._heard, self._usage],
            "tags": ["mine"],
            "metadata": {"m": 1},
        }

    async def settled(self) -> None:
        """Wait for the callbacks of what LangChain closes in the background: a bound model's stream."""
        for _ in range(100):
            if not self._tracer.run_map:
                return
            await asyncio.sleep(0.002)

    def seen(self, came: Any) -> dict[str, Any]:
        return {
            "came": _plain(came),
            "outcomes": _plain(self._outcomes),
            "runs": sorted((_tree(root) for root in self._tracer.roots), key=str),
            "heard": sorted(self._heard.by_run.values()),
            "usage": dict(sorted(self._usage.usage_metadata.items())),
            "health": {
                name: state.get("state") for name, state in self.router.health()["candidates"].items()
            },
        }


def _sync(observed: _Observed, target: Any, call: str) -> dict[str, Any]:
    try:
        came = CALLS[call][0](target, observed.config)
    except Exception as error:  # noqa: BLE001 - compared
        came = error
    return observed.seen(came)


async def _async(observed: _Observed, target: Any, call: str) -> dict[str, Any]:
    try:
        came = await CALLS[call][1](target, observed.config)
    except Exception as error:  # noqa: BLE001 - compared
        came = error
    await observed.settled()
    return observed.seen(came)


async def _compared(scenario: str, call: str, said: tuple[Any, Any], target: Callable[[Any], Any]) -> None:
    one, other = _Observed(SCENARIOS[scenario], said), _Observed(SCENARIOS[scenario], said)
    seen, aseen = (
        _sync(one, target(one.router), call),
        await _async(other, target(other.router), call),
    )
    for what, found in seen.items():
        assert found == aseen[what], what
    assert seen["runs"] or call == "decide"


TEXTS = ("drafty words of a draft", "finally the last words")
CITIES = (city("Paris"), city("Rome"))


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_router_does_the_same_sync_and_async(scenario: str, call: str) -> None:
    await _compared(scenario, call, TEXTS, lambda router: router)


@pytest.mark.parametrize("call", BOUND)
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_with_tools_bound_it_does_the_same(scenario: str, call: str) -> None:
    await _compared(scenario, call, CITIES, lambda router: router.bind_tools([population]))


@pytest.mark.parametrize("call", STRUCTURED)
@pytest.mark.parametrize("include_raw", [True, False])
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_with_structured_output_it_does_the_same(
    scenario: str, call: str, *, include_raw: bool
) -> None:
    await _compared(
        scenario, call, CITIES, lambda router: router.with_structured_output(City, include_raw=include_raw)
    )


# --- the table is complete -----------------------------------------------------------------------


def _twins(cls: type) -> Iterator[str]:
    """Yield the public methods that have an async twin by name, whether or not the class defines them."""
    for name in dir(cls):
        if name.startswith("_") or not name.startswith("a"):
            continue
        is_async = inspect.iscoroutinefunction(getattr(cls, name)) or inspect.isasyncgenfunction(
            getattr(cls, name)
        )
        is_twin = callable(getattr(cls, name)) and callable(getattr(cls, name[1:], None))
        if is_async or is_twin:
            yield name[1:]


NOT_FOR_USERS = {
    "run": "for integrations; invoke is made of it",
    "run_stream": "for integrations; stream is made of it",
    "run_events": "for integrations; stream_events is made of it",
    "reply": "one call of a plan",
    "model_for": "one call of a plan",
}


@pytest.mark.parametrize(
    ("cls", "calls"),
    [(ChatRouter, set(CALLS)), (RouterBinding, set(CALLS)), (StructuredRouter, set(CALLS))],
)
def test_every_public_method_with_an_async_twin_is_in_the_table(cls: type, calls: set[str]) -> None:
    missing = set(_twins(cls)) - calls - NOT_FOR_USERS.keys() - NO_TWIN.keys()
    assert not missing, f"add {missing} to CALLS, so that sync and async are compared"


def test_what_is_in_the_table_exists() -> None:
    assert set(_twins(ChatRouter)) >= set(CALLS)
    assert set(BOUND) | set(STRUCTURED) <= set(CALLS)
    own = {name for name in vars(StructuredRouter) if f"a{name}" in vars(StructuredRouter)}
    assert own <= set(STRUCTURED)
    own = {name for name in vars(RouterBinding) if f"a{name}" in vars(RouterBinding)}
    assert own <= set(BOUND)


def test_no_async_method_of_the_router_is_without_a_sync_twin() -> None:
    for cls in (ChatRouter, RouterBinding, StructuredRouter):
        for name, found in vars(cls).items():
            is_async = inspect.iscoroutinefunction(found) or inspect.isasyncgenfunction(found)
            if is_async and not name.startswith("_"):
                assert name[1:] in dir(cls), f"{cls.__name__}.{name} has no sync twin"


def test_the_comparison_sees_a_difference() -> None:
    outcome = Outcome(decision_id="1", status="ok", served_by="a", latency_s=1.0)
    assert _plain(outcome) == _plain(dataclasses.replace(outcome, decision_id="2", latency_s=2.0))
    assert _plain(outcome) != _plain(dataclasses.replace(outcome, status="error"))
