"""A check of the user's own may call a model by itself: that is counted, and shown to nobody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler

from tests.chat.graphs import ANODES, HELLO, NODES, graph_of, invoking
from tests.chat.speaking import (
    DRAFT,
    FINAL,
    FINAL_TOKENS,
    JUDGE,
    STREAMED,
    Speaker,
    Tokens,
    Tracer,
    Way,
    by_ainvoke,
    by_invoke,
    cascade,
    seen_of,
    texts,
)


def _asking(model: Speaker) -> Callable[..., bool]:
    def check(*_: Any) -> bool:
        return model.invoke("Is it right?").text == ""

    return check


def _awaiting(model: Speaker) -> Callable[..., Awaitable[bool]]:
    async def check(*_: Any) -> bool:
        return (await model.ainvoke("Is it right?")).text == ""

    return check


@pytest.mark.parametrize("asking", [_asking, _awaiting])
@pytest.mark.parametrize("node", [*NODES, *ANODES])
async def test_a_model_that_a_check_calls_by_itself_is_not_shown(
    asking: Callable[..., Any], node: Callable[..., Any]
) -> None:
    judge = Speaker(label="judge", says=[JUDGE])
    graph = graph_of(node(cascade(asking(judge))))
    shown = [message async for message, _ in graph.astream(HELLO, stream_mode="messages")]
    assert judge.asked
    assert texts(shown) == FINAL_TOKENS


@pytest.mark.parametrize("asking", [_asking, _awaiting])
async def test_nor_is_it_in_an_event_stream(asking: Callable[..., Any]) -> None:
    router = cascade(asking(Speaker(label="judge", says=[JUDGE])))
    events = [event async for event in router.astream_events("Hello", version="v2")]
    assert seen_of(events) == {"final"}


@pytest.mark.parametrize("way", [by_invoke, by_ainvoke, *STREAMED])
async def test_but_it_is_counted_and_belongs_to_the_cascades_run(way: Way) -> None:
    counted, tracer, shown = UsageMetadataCallbackHandler(), Tracer(), Tokens()
    router = cascade(_asking(Speaker(label="judge", says=[JUDGE])))
    await way(router, {"callbacks": [counted, tracer, shown]})
    assert counted.usage_metadata.keys() == {"draft", "judge", "final"}
    assert len(tracer.roots[0].child_runs) == 3
    assert "judge" in seen_of(shown.ended)
    assert "".join(shown.tokens) in {FINAL, ""}


def test_a_check_that_passes_is_as_quiet() -> None:
    judge = Speaker(label="judge", says=[JUDGE])
    graph = graph_of(invoking(cascade(lambda _, __: bool(judge.invoke("Is it right?").text))))
    shown = [message for message, _ in graph.stream(HELLO, stream_mode="messages")]
    assert "".join(texts(shown)) == DRAFT
