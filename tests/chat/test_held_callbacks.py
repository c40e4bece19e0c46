"""Drafts never leak: whoever shows tokens hears the answer's, once, and nothing of any other call."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers._streaming import _StreamingCallbackHandler
from tenacity import wait_none

from langchain_router import Candidate, Resilience
from langchain_router.chat.holding import StandIn
from tests.chat.graphs import (
    ANODES,
    HELLO,
    NODES,
    ainvoking,
    graph_of,
    in_a_chain,
    in_an_async_chain,
    invoking,
    prompted,
)
from tests.chat.speaking import (
    DRAFT,
    DRAFT_TOKENS,
    FINAL,
    FINAL_TOKENS,
    STREAMED,
    WAYS,
    WHOLE,
    AsksTwo,
    AsyncTokens,
    Speaker,
    Tokens,
    Way,
    by_astream,
    by_stream,
    cascade,
    draft,
    final,
    seen_of,
    texts,
    tier,
)

AT_ONCE = Resilience(wait=wait_none())
PASSES_AND_SAYS = [(True, "draft", DRAFT_TOKENS), (False, "final", FINAL_TOKENS)]
either = pytest.mark.parametrize(("passes", "said_by", "tokens"), PASSES_AND_SAYS)

# --- handlers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", [by_stream, by_astream])
@either
async def test_a_handler_of_tokens_hears_the_answers_one_by_one(
    way: Way, *, passes: bool, said_by: str, tokens: list[str]
) -> None:
    sync_one, async_one = Tokens(), AsyncTokens()
    listeners: list[Any] = [sync_one, *([async_one] if way is by_astream else [])]
    await way(cascade(AsksTwo(passes=passes)), {"callbacks": listeners})
    assert all(one.tokens == tokens for one in listeners)
    assert said_by in seen_of(sync_one.ended)


async def test_an_async_handler_of_v3_events_hears_them_in_their_order_and_in_its_own_loop() -> None:
    shown = AsyncTokens(takes_s=0.002)
    slow = final(pauses_s=dict.fromkeys(range(5), 0.001))
    stream = await cascade(False, draft(), slow).astream_events("Hello", {"callbacks": [shown]}, version="v3")
    assert (await stream).text == FINAL
    assert shown.tokens == FINAL_TOKENS
    assert len(shown.loops) == 1
    assert shown.loops == {asyncio.get_running_loop()}


@pytest.mark.parametrize("way", WHOLE)
async def test_listening_to_tokens_does_not_turn_a_whole_answer_into_a_stream(way: Way) -> None:
    first, last = draft(), final()
    await way(cascade(False, first, last), {"callbacks": [Tokens()]})
    assert [model.ways for model in (first.model, last.model) if isinstance(model, Speaker)] == [
        ["whole"],
        ["whole"],
    ]


class _RunNotes(BaseCallbackHandler):
    """Shows tokens, and keeps the order of all else."""

    run_inline = True

    def __init__(self) -> None:
        self.notes: list[tuple[str, Any]] = []

    def on_chat_model_start(self, *_: Any, run_id: Any, **__: Any) -> None:
        self.notes.append(("start", run_id))

    def on_llm_new_token(self, *_: Any, run_id: Any, **__: Any) -> None:
        self.notes.append(("token", run_id))

    def on_stream_event(self, *_: Any, run_id: Any, **__: Any) -> None:
        self.notes.append(("token", run_id))

    def on_llm_end(self, *_: Any, run_id: Any, **__: Any) -> None:
        self.notes.append(("end", run_id))


@pytest.mark.parametrize("way", STREAMED)
@pytest.mark.parametrize("passes", [True, False])
async def test_what_a_handler_hears_of_a_run_begins_with_its_start_and_ends_with_its_end(
    way: Way, *, passes: bool
) -> None:
    heard = _RunNotes()
    await way(cascade(AsksTwo(passes=passes)), {"callbacks": [heard]})
    by_run: dict[Any, list[str]] = {}
    for what, run_id in heard.notes:
        by_run.setdefault(run_id, []).append(what)
    assert len(by_run) == (3 if passes else 4)
    assert all((notes[0], notes[-1]) == ("start", "end") for notes in by_run.values())
    assert sum("token" in notes for notes in by_run.values()) == 1


class _Broken(BaseCallbackHandler):
    def on_llm_new_token(self, *_: Any, **__: Any) -> None:
        raise ValueError("a broken listener")

    on_stream_event = on_llm_new_token


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("passes", [True, False])
async def test_a_broken_handler_loses_no_answer(way: Way, *, passes: bool) -> None:
    answer = await way(cascade(passes), {"callbacks": [_Broken()]})
    assert answer.text == (DRAFT if passes else FINAL)


def test_a_stand_in_passes_for_its_handler_however_many_stand_in_between() -> None:
    class Streams(BaseCallbackHandler, _StreamingCallbackHandler[Any]):
        def tap_output_iter(self, run_id: Any, output: Any) -> Any:
            raise AssertionError("what passes would be shown")

        tap_output_aiter = tap_output_iter

    shows: Any = StandIn(StandIn(Streams()))  # type: ignore[arg-type]
    hears: Any = StandIn(StandIn(Tokens()))  # type: ignore[arg-type]
    assert isinstance(shows, Streams)
    assert isinstance(shows, _StreamingCallbackHandler)
    assert shows.tap_output_iter(None, [1]) == shows.tap_output_aiter(None, [1]) == [1]
    assert isinstance(hears, Tokens)
    assert not isinstance(hears, _StreamingCallbackHandler)


# --- LangGraph's message streams -----------------------------------------------------------------


@pytest.mark.parametrize("node", NODES)
@either
def test_a_message_stream_shows_the_answers_tokens_and_no_other(
    node: Callable[..., Any], *, passes: bool, said_by: str, tokens: list[str]
) -> None:
    graph = graph_of(node(cascade(AsksTwo(passes=passes))))
    shown = [message for message, _ in graph.stream(HELLO, stream_mode="messages")]
    assert texts(shown) == tokens
    assert seen_of(shown) <= {said_by}


@pytest.mark.parametrize("node", [*ANODES, *NODES])
@either
async def test_an_async_message_stream_shows_the_same(
    node: Callable[..., Any], *, passes: bool, said_by: str, tokens: list[str]
) -> None:
    graph = graph_of(node(cascade(AsksTwo(passes=passes))))
    shown = [message async for message, _ in graph.astream(HELLO, stream_mode="messages")]
    assert texts(shown) == tokens
    assert seen_of(shown) <= {said_by}


@pytest.mark.parametrize("node", [invoking, in_a_chain])
@either
def test_a_graphs_v3_events_show_the_same(
    node: Callable[..., Any], *, passes: bool, said_by: str, tokens: list[str]
) -> None:
    del said_by
    graph = graph_of(node(cascade(AsksTwo(passes=passes))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LangGraph says that it is experimental
        shown = [list(message.text) for message in graph.stream_events(HELLO, version="v3").messages]
    assert shown == [tokens]


@pytest.mark.parametrize("node", [ainvoking, in_an_async_chain])
@either
async def test_a_graphs_async_v3_events_show_the_same(
    node: Callable[..., Any], *, passes: bool, said_by: str, tokens: list[str]
) -> None:
    del said_by
    graph = graph_of(node(cascade(AsksTwo(passes=passes))))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stream = await graph.astream_events(HELLO, version="v3")
        shown = [[text async for text in message.text] async for message in stream.messages]
    assert shown == [tokens]


@pytest.mark.parametrize("node", [*NODES, *ANODES])
async def test_a_draft_that_breaks_off_unseen_is_followed_by_the_next_tier(node: Callable[..., Any]) -> None:
    graph = graph_of(node(cascade(True, draft(breaks_after=2), final())))
    shown = [message async for message, _ in graph.astream(HELLO, stream_mode="messages")]
    assert texts(shown) == FINAL_TOKENS


@pytest.mark.parametrize("node", [*NODES, *ANODES])
async def test_the_best_draft_is_shown_when_the_last_tier_fails(node: Callable[..., Any]) -> None:
    graph = graph_of(node(cascade(False, draft(), final(ConnectionResetError("down")), resilience=AT_ONCE)))
    shown = [message async for message, _ in graph.astream(HELLO, stream_mode="messages")]
    assert texts(shown) == DRAFT_TOKENS


@pytest.mark.parametrize("node", [*NODES, *ANODES])
@pytest.mark.parametrize("inner_passes", [True, False])
async def test_of_a_cascade_within_a_cascade_the_same_is_shown(
    node: Callable[..., Any], *, inner_passes: bool
) -> None:
    inner = Candidate(model=cascade(inner_passes), name="inner")
    graph = graph_of(node(cascade(True, inner, tier("outer", "outermost"))))
    shown = [message async for message, _ in graph.astream(HELLO, stream_mode="messages")]
    assert texts(shown) == (DRAFT_TOKENS if inner_passes else FINAL_TOKENS)


# --- event streams -------------------------------------------------------------------------------


@either
async def test_v2_events_show_the_answers_tokens_and_no_other(
    *, passes: bool, said_by: str, tokens: list[str]
) -> None:
    router = cascade(AsksTwo(passes=passes))
    events = [event async for event in router.astream_events("Hello", version="v2")]
    chunks = [event["data"]["chunk"] for event in events if event["event"] == "on_chat_model_stream"]
    assert texts(chunks) == tokens
    assert seen_of(events) == {said_by}


@either
async def test_v2_events_of_a_chain_show_the_same(*, passes: bool, said_by: str, tokens: list[str]) -> None:
    chain = prompted(cascade(AsksTwo(passes=passes)))
    events = [event async for event in chain.astream_events({"input": "Hello"}, version="v2")]
    chunks = [event["data"]["chunk"] for event in events if event["event"] == "on_chat_model_stream"]
    assert texts(chunks) == tokens
    assert [
        e["data"]["chunk"] for e in events if e["event"] == "on_parser_stream" and e["data"]["chunk"]
    ] == (tokens)
    assert seen_of(events) <= {said_by}


@either
async def test_a_log_shows_the_same(*, passes: bool, said_by: str, tokens: list[str]) -> None:
    router = cascade(AsksTwo(passes=passes))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated
        patches = [patch async for patch in router.astream_log("Hello")]
    assert seen_of(patches) == {said_by}
    streamed = [
        op["value"] for patch in patches for op in patch.ops if op["path"].endswith("streamed_output_str/-")
    ]
    assert [text for text in streamed if text] == tokens


@either
def test_v3_events_show_the_answers_tokens_and_no_other(
    *, passes: bool, said_by: str, tokens: list[str]
) -> None:
    stream = cascade(AsksTwo(passes=passes)).stream_events("Hello", version="v3")
    events = list(stream)
    assert list(stream.text) == tokens
    assert seen_of(events) == {said_by}
    assert [event["event"] for event in events].count("message-finish") == 1


@either
async def test_async_v3_events_show_the_same(*, passes: bool, said_by: str, tokens: list[str]) -> None:
    stream = await cascade(AsksTwo(passes=passes)).astream_events("Hello", version="v3")
    events = [event async for event in stream]
    assert [text async for text in stream.text] == tokens
    assert seen_of(events) == {said_by}
