"""Custom events go to those who listen, where there is a run for them to belong to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.runnables import RunnableConfig, RunnableLambda, ensure_config

from langchain_router.chat.announcing import DECISION, aannounce, announce, decided
from tests.outcomes.hearing import routed


class Listener(BaseCallbackHandler):
    def __init__(self) -> None:
        self.heard: list[tuple[str, Any, UUID]] = []

    def on_custom_event(self, name: str, data: Any, *, run_id: UUID, **_: Any) -> None:
        self.heard.append((name, data["decision_id"], run_id))


class AsyncListener(AsyncCallbackHandler):
    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    async def on_custom_event(self, name: str, data: Any, **_: Any) -> None:
        self.heard.append((name, data["decision_id"]))


class Breaks(BaseCallbackHandler):
    raise_error = True

    def on_custom_event(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("broken listener")


DECISION_MADE = routed("Hello").decide("Hi")


def _step(config: RunnableConfig) -> bool:
    return announce(ensure_config(config), DECISION, decided(DECISION_MADE))


async def _astep(config: RunnableConfig) -> bool:
    return await aannounce(ensure_config(config), DECISION, decided(DECISION_MADE))


def _say(_: Any, config: RunnableConfig) -> bool:
    return _step(config)


async def _asay(_: Any, config: RunnableConfig) -> bool:
    return await _astep(config)


CHAIN: RunnableLambda[Any, bool] = RunnableLambda(_say, afunc=_asay)


async def test_a_listener_hears_it_in_the_run_around_the_call_either_way() -> None:
    listener, other = Listener(), AsyncListener()
    assert CHAIN.invoke("Hi", {"callbacks": [listener]})
    assert await CHAIN.ainvoke("Hi", {"callbacks": [listener, other]})
    assert [(name, id_) for name, id_, _ in listener.heard] == [("router_decision", DECISION_MADE.id)] * 2
    assert other.heard == [("router_decision", DECISION_MADE.id)]


async def test_a_stream_of_events_shows_it() -> None:
    events: list[Any] = [one async for one in CHAIN.astream_events("Hi", version="v2")]
    [event] = [one for one in events if one["event"] == "on_custom_event"]
    assert (event["name"], event["data"]["decision_id"]) == ("router_decision", DECISION_MADE.id)


async def test_without_a_run_or_a_listener_nothing_is_sent() -> None:
    for config in ({}, {"callbacks": [Listener()]}):
        assert not _step(config)  # type: ignore[arg-type]
        assert not await _astep(config)  # type: ignore[arg-type]
    assert not CHAIN.invoke("Hi", {"callbacks": [BaseCallbackHandler()]})
    assert not await CHAIN.ainvoke("Hi", {"callbacks": [AsyncCallbackHandler()]})


async def test_a_listener_that_breaks_does_not_break_the_call() -> None:
    assert not CHAIN.invoke("Hi", {"callbacks": [Breaks()]})
    assert not await CHAIN.ainvoke("Hi", {"callbacks": [Breaks()]})
