"""A cascade inside an agent: as its model, and as its middleware."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import tool
from langchain_router_agents import RouterMiddleware
from langgraph.errors import GraphInterrupt
from pydantic import BaseModel
from tenacity import wait_none

from langchain_router import ChatRouter, Resilience
from tests.chat.speaking import (
    DRAFT,
    DRAFT_TOKENS,
    FINAL,
    FINAL_TOKENS,
    JUDGE,
    AsksTwo,
    Speaker,
    Tracer,
    cascade,
    draft,
    final,
    seen_of,
    texts,
)


class City(BaseModel):
    """A city."""

    name: str
    people: int


@tool
def population(city: str) -> str:
    """Return the population of a city."""
    return f"{city}: 2,100,000"


def called(name: str, arguments: dict[str, Any]) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": f"call-{name}"}])


# --- both ways to put a router into an agent -----------------------------------------------------


def as_model(router: ChatRouter, **options: Any) -> Any:
    return create_agent(router, **options)


def as_middleware(router: ChatRouter, **options: Any) -> Any:
    own = Speaker(label="own", says=["the agent's own model is never asked"])
    return create_agent(own, middleware=[RouterMiddleware(router)], **options)


Place = Callable[..., Any]
placed = pytest.mark.parametrize("place", [as_model, as_middleware])
either = pytest.mark.parametrize(
    ("passes", "said_by", "tokens"), [(True, "draft", DRAFT_TOKENS), (False, "final", FINAL_TOKENS)]
)
ASKED: Any = {"messages": "Hello"}


async def _by_invoke(agent: Any, config: Any) -> Any:
    return agent.invoke(ASKED, config)


async def _by_ainvoke(agent: Any, config: Any) -> Any:
    return await agent.ainvoke(ASKED, config)


asked = pytest.mark.parametrize("ask", [_by_invoke, _by_ainvoke])


def answers(result: Any) -> list[AIMessage]:
    return [message for message in result["messages"] if isinstance(message, AIMessage)]


# --- answers, runs, usage ------------------------------------------------------------------------


@placed
@asked
@either
async def test_the_answer_is_the_cascades_with_every_attempt_on_it(
    place: Place, ask: Any, *, passes: bool, said_by: str, tokens: list[str]
) -> None:
    (answer,) = answers(await ask(place(cascade(AsksTwo(passes=passes))), {}))
    outcome = answer.response_metadata["router_outcome"]
    assert answer.text == "".join(tokens)
    assert outcome["served_by"] == said_by
    roles = {"draft", "second", "judge"} | ({"answer"} - ({"answer"} if passes else set()))
    assert {attempt["role"] for attempt in outcome["attempts"]} == roles
    assert all(attempt["cost_usd"] > 0 for attempt in outcome["attempts"])


@placed
@asked
@pytest.mark.parametrize("passes", [True, False])
async def test_usage_is_counted_once_for_every_call(place: Place, ask: Any, *, passes: bool) -> None:
    counted, tracer = UsageMetadataCallbackHandler(), Tracer()
    await ask(place(cascade(AsksTwo(passes=passes))), {"callbacks": [counted, tracer]})
    once = {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14}
    names = ["draft", "second", "judge", *([] if passes else ["final"])]
    assert counted.usage_metadata == dict.fromkeys(names, once)
    models = [
        run for run in _all_runs(tracer.roots[0]) if run.run_type == "chat_model" or run.run_type == "llm"
    ]
    assert sorted(run.extra["metadata"]["router_candidate"] for run in models) == sorted(names)
    assert all(run.extra["metadata"]["langgraph_node"] == "model" for run in models)
    assert all(run.end_time for run in models)


def _all_runs(run: Any) -> list[Any]:
    return [run, *(below for child in run.child_runs for below in _all_runs(child))]


# --- what is shown -------------------------------------------------------------------------------


@placed
@either
def test_a_message_stream_shows_the_answer_and_no_other(
    place: Place, *, passes: bool, said_by: str, tokens: list[str]
) -> None:
    agent = place(cascade(AsksTwo(passes=passes)))
    shown = [message for message, _ in agent.stream(ASKED, stream_mode="messages")]
    assert texts(shown) == tokens
    assert seen_of(shown) <= {said_by}


@placed
@either
async def test_an_async_message_stream_shows_the_same(
    place: Place, *, passes: bool, said_by: str, tokens: list[str]
) -> None:
    agent = place(cascade(AsksTwo(passes=passes)))
    shown = [message async for message, _ in agent.astream(ASKED, stream_mode="messages")]
    assert texts(shown) == tokens
    assert seen_of(shown) <= {said_by}


@placed
@either
async def test_v2_events_show_the_same(
    place: Place, *, passes: bool, said_by: str, tokens: list[str]
) -> None:
    agent = place(cascade(AsksTwo(passes=passes)))
    events = [event async for event in agent.astream_events(ASKED, version="v2")]
    chunks = [event["data"]["chunk"] for event in events if event["event"] == "on_chat_model_stream"]
    assert texts(chunks) == tokens
    assert seen_of(events) == {said_by}


@placed
@either
async def test_v3_events_show_the_same(
    place: Place, *, passes: bool, said_by: str, tokens: list[str]
) -> None:
    agent = place(cascade(AsksTwo(passes=passes)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LangGraph says that it is experimental
        shown = [list(message.text) for message in agent.stream_events(ASKED, version="v3").messages]
        stream = await agent.astream_events(ASKED, version="v3")
        ashown = [[text async for text in message.text] async for message in stream.messages]
    assert shown == ashown == [tokens]
    assert said_by


@placed
async def test_a_model_that_a_check_calls_by_itself_is_not_shown(place: Place) -> None:
    judge = Speaker(label="judge", says=[JUDGE])

    def check(*_: Any) -> bool:
        return judge.invoke("Is it right?").text == ""

    agent = place(cascade(check))
    shown = [message async for message, _ in agent.astream(ASKED, stream_mode="messages")]
    assert judge.asked
    assert texts(shown) == FINAL_TOKENS


@placed
async def test_a_draft_that_breaks_off_unseen_is_followed_by_the_next_tier(place: Place) -> None:
    agent = place(cascade(True, draft(breaks_after=2), final()))
    shown = [message for message, _ in agent.stream(ASKED, stream_mode="messages")]
    ashown = [message async for message, _ in agent.astream(ASKED, stream_mode="messages")]
    assert texts(shown) == texts(ashown) == FINAL_TOKENS


@placed
async def test_the_best_draft_is_shown_when_the_last_tier_fails(place: Place) -> None:
    router = cascade(
        False, draft(), final(ConnectionResetError("down")), resilience=Resilience(wait=wait_none())
    )
    shown = [message for message, _ in place(router).stream(ASKED, stream_mode="messages")]
    assert texts(shown) == DRAFT_TOKENS


# --- tools and structure -------------------------------------------------------------------------

PARIS = called("population", {"city": "Paris"})


@placed
@asked
async def test_each_step_of_a_tool_loop_is_a_cascade_of_its_own(place: Place, ask: Any) -> None:
    router = cascade(lambda _, answer: bool(answer.tool_calls), draft(PARIS, DRAFT), final(FINAL))
    result = await ask(place(router, tools=[population]), {})
    first, last = answers(result)
    assert first.tool_calls[0]["args"] == {"city": "Paris"}
    assert last.text == FINAL
    assert [one.response_metadata["router_outcome"]["served_by"] for one in (first, last)] == [
        "draft",
        "final",
    ]
    assert sum(isinstance(message, ToolMessage) for message in result["messages"]) == 1


@placed
async def test_the_answer_after_a_tool_call_is_shown_in_chunks(place: Place) -> None:
    def shown_by(messages: list[Any]) -> list[str]:
        return [token for token in texts(messages) if token]

    def agent() -> Any:
        check = lambda _, response: bool(response.tool_calls)  # noqa: E731
        return place(cascade(check, draft(PARIS, DRAFT), final(FINAL)), tools=[population])

    shown = [one for one, _ in agent().stream(ASKED, stream_mode="messages") if one.type != "tool"]
    assert shown_by(shown) == FINAL_TOKENS
    shown = [one async for one, _ in agent().astream(ASKED, stream_mode="messages") if one.type != "tool"]
    assert shown_by(shown) == FINAL_TOKENS


@placed
async def test_a_rejected_drafts_tool_call_is_neither_made_nor_shown(place: Place) -> None:
    agent = place(cascade(False, draft(PARIS), final(FINAL)), tools=[population])
    shown = [message for message, _ in agent.stream(ASKED, stream_mode="messages")]
    assert not any(getattr(message, "tool_call_chunks", None) for message in shown)
    assert not any(isinstance(message, ToolMessage) for message in shown)
    assert texts(shown) == FINAL_TOKENS


@placed
@asked
async def test_a_draft_whose_tool_call_cannot_be_read_escalates(place: Place, ask: Any) -> None:
    broken = AIMessage(
        "", invalid_tool_calls=[{"name": "population", "args": '{"city": ', "id": "call", "error": None}]
    )
    (answer,) = answers(await ask(place(cascade(True, draft(broken), final()), tools=[population]), {}))
    assert answer.text == FINAL
    verdict = answer.response_metadata["router_outcome"]["attempts"][0]["verdict"]
    assert verdict["passed"] is False


@placed
@asked
@pytest.mark.parametrize("passes", [True, False])
async def test_a_response_format_is_answered_by_the_tier_accepted(
    place: Place, ask: Any, *, passes: bool
) -> None:
    router = cascade(
        passes,
        draft(called("City", {"name": "Paris", "people": 2})),
        final(called("City", {"name": "Rome", "people": 3})),
    )
    result = await ask(place(router, response_format=ToolStrategy(City)), {})
    assert result["structured_response"].name == ("Paris" if passes else "Rome")


@asked
@pytest.mark.parametrize("strategy", [ToolStrategy(City, handle_errors=False), ProviderStrategy(City)])
async def test_a_draft_that_breaks_the_response_format_escalates(ask: Any, strategy: Any) -> None:
    is_tool = isinstance(strategy, ToolStrategy)
    wrong = called("City", {"name": "Paris"}) if is_tool else '{"name": "Paris"}'
    rome = {"name": "Rome", "people": 3}
    right = called("City", rome) if is_tool else json.dumps(rome)
    able = frozenset({"tool_calling", "structured_output"})
    first, last = replace(draft(wrong), capabilities=able), replace(final(right), capabilities=able)
    result = await ask(as_middleware(cascade(True, first, last), response_format=strategy), {})
    assert result["structured_response"] == City(name="Rome", people=3)


@placed
def test_an_interrupt_in_a_check_passes_through(place: Place) -> None:
    def check(*_: Any) -> bool:
        raise GraphInterrupt

    router = cascade(check)
    with pytest.raises(GraphInterrupt):
        router.invoke("Hello")
    place(router).invoke(ASKED)  # the agent's graph takes it as its own
