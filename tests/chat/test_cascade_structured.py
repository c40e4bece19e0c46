"""Tools and structured output through a cascade: validated before anything of them is seen."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from pydantic import BaseModel, ValidationError
from tenacity import wait_none

from langchain_router import Candidate, ChatRouter, Resilience
from langchain_router.chat.stream_modes import Holdback
from langchain_router.exceptions import StreamInterruptedError
from langchain_router.execution.errors import ErrorKind
from langchain_router.policies.cascade import CascadePolicy
from tests.chat.speaking import (
    FINAL,
    STREAMED,
    WAYS,
    Tokens,
    Way,
    cascade,
    draft,
    final,
    merged,
    plain,
    tier,
)


class City(BaseModel):
    """A city."""

    name: str
    people: int


@tool
def population(city: str) -> int:
    """Return the population of a city."""
    return len(city)


def called(name: str, arguments: dict[str, Any]) -> AIMessage:
    return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": "call-1"}])


def broken(name: str) -> AIMessage:
    return AIMessage(
        "", invalid_tool_calls=[{"name": name, "args": '{"city": ', "id": "call-1", "error": None}]
    )


CITY = City.model_json_schema()
PARIS = called("City", {"name": "Paris", "people": 2})
ROME = called("City", {"name": "Rome", "people": 3})
WRONG = called("City", {"name": "Draftville"})
NO_CALL = "I would rather not."
ASK = "Which city?"


# --- structured output ---------------------------------------------------------------------------


async def both(runnable: Any, config: Any = None) -> list[Any]:
    return [runnable.invoke(ASK, config), await runnable.ainvoke(ASK, config)]


async def both_streams(runnable: Any, config: Any = None) -> list[list[Any]]:
    return [list(runnable.stream(ASK, config)), [one async for one in runnable.astream(ASK, config)]]


async def test_a_draft_that_follows_the_schema_is_the_answer() -> None:
    router = cascade(True, draft(PARIS), final(ROME)).with_structured_output(City)
    assert await both(router) == [City(name="Paris", people=2)] * 2
    assert await both_streams(router) == [[City(name="Paris", people=2)]] * 2


@pytest.mark.parametrize("said", [WRONG, NO_CALL, broken("City")])
async def test_a_draft_that_does_not_parse_is_followed_by_the_next_tier(said: Any) -> None:
    router = cascade(True, draft(said), final(ROME)).with_structured_output(City)
    assert await both(router) == [City(name="Rome", people=3)] * 2
    assert await both_streams(router) == [[City(name="Rome", people=3)]] * 2


@pytest.mark.parametrize("said", [WRONG, NO_CALL])
async def test_the_verdict_says_so_without_the_answers_text(said: Any) -> None:
    router = cascade(True, draft(said), final(ROME)).with_structured_output(City, include_raw=True)
    for answer in await both(router):
        assert (answer["parsed"], answer["parsing_error"]) == (City(name="Rome", people=3), None)
        outcome = answer["raw"].response_metadata["router_outcome"]
        verdicts = [one.get("verdict") for one in outcome["attempts"]]
        assert verdicts[0]["passed"] is False
        assert "does not parse" in verdicts[0]["reason"]
        assert "Draftville" not in str(outcome)
        assert verdicts[1:] == [None]
        assert outcome["served_by"] == "final"


async def test_with_the_raw_message_a_stream_bears_decision_and_outcome() -> None:
    router = cascade(True, draft(WRONG), final(ROME)).with_structured_output(City, include_raw=True)
    for parts in await both_streams(router):
        whole = parts[0]
        for part in parts[1:]:
            whole = whole + part
        assert whole["parsed"] == City(name="Rome", people=3)
        metadata = whole["raw"].response_metadata
        assert metadata["router"]["served_by"] == metadata["router_outcome"]["served_by"] == "final"
        assert metadata["router_outcome"]["status"] == "ok"


@pytest.mark.parametrize("mode", ["buffer", Holdback(tokens=1)])
@pytest.mark.parametrize("accepts", [True, False])
async def test_a_stream_of_dicts_grows_and_is_all_of_one_answer(mode: Any, *, accepts: bool) -> None:
    shown = Tokens()
    router = cascade(accepts, draft(PARIS), final(ROME), stream_mode=mode).with_structured_output(CITY)
    name, people = ("Paris", 2) if accepts else ("Rome", 3)
    for parts in await both_streams(router, {"callbacks": [shown]}):
        assert len(parts) > 1
        assert parts[-1] == {"name": name, "people": people}
        assert all(name.startswith(part.get("name", "")) for part in parts)
        assert [len(str(part)) for part in parts] == sorted(len(str(part)) for part in parts)


async def test_a_chunk_that_shows_nothing_does_not_end_the_failover() -> None:
    first = tier("first", PARIS, begins_empty=True, breaks_after=1)
    router = plain(first, final(ROME)).with_structured_output(City)
    assert await both_streams(router) == [[City(name="Rome", people=3)]] * 2


async def test_when_no_tier_follows_the_schema_it_is_the_parsers_own_error() -> None:
    router = cascade(True, draft(WRONG), final(WRONG))
    plain_router = router.with_structured_output(City)
    with pytest.raises((ValidationError, OutputParserException)):
        plain_router.invoke(ASK)
    with pytest.raises((ValidationError, OutputParserException)):
        await plain_router.ainvoke(ASK)
    for answer in await both(router.with_structured_output(City, include_raw=True)):
        assert answer["parsed"] is None
        assert answer["parsing_error"] is not None


async def test_a_check_sees_what_parsed() -> None:
    looked_at: list[Any] = []

    def check(request: Any, response: AIMessage) -> bool:
        looked_at.append((request.response_schema["required"], response.tool_calls[0]["args"]["name"]))
        return bool(response.tool_calls[0]["args"]["people"] > 2)

    router = cascade(check, draft(PARIS), final(ROME)).with_structured_output(City)
    assert await both(router) == [City(name="Rome", people=3)] * 2
    assert looked_at == [(["name", "people"], "Paris")] * 2


@pytest.mark.parametrize("way", WAYS)
async def test_a_draft_whose_tool_call_cannot_be_read_is_followed_by_the_next_tier(way: Way) -> None:
    router = cascade(True, draft(broken("population")), final(ROME_CALL))
    answer = await answer_of(way, router)
    assert answer.tool_calls[0]["args"] == {"city": "Rome"}
    verdict = answer.response_metadata["router_outcome"]["attempts"][0]["verdict"]
    assert (verdict["passed"], verdict["reason"]) == (False, "a tool call's arguments are no JSON")


# --- tools ---------------------------------------------------------------------------------------


async def answer_of(way: Way, router: Any) -> Any:
    return await way(router.bind_tools([population]), {})


PARIS_CALL = called("population", {"city": "Paris"})
ROME_CALL = called("population", {"city": "Rome"})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("accepts", [True, False])
async def test_tool_calls_are_those_of_one_answer(way: Way, *, accepts: bool) -> None:
    router = cascade(accepts, draft(PARIS_CALL), final(ROME_CALL))
    answer = await answer_of(way, router)
    assert [(one["name"], one["args"]) for one in answer.tool_calls] == [
        ("population", {"city": "Paris" if accepts else "Rome"})
    ]
    assert answer.invalid_tool_calls == []


@pytest.mark.parametrize("way", STREAMED)
async def test_holdback_reads_a_tool_call_whole_before_it_is_checked(way: Way) -> None:
    looked_at: list[Any] = []

    def check(_: Any, response: AIMessage) -> bool:
        looked_at.append([one["args"] for one in response.tool_calls])
        return True

    router = cascade(check, draft(PARIS_CALL), final(ROME_CALL), stream_mode=Holdback(tokens=1))
    answer = await answer_of(way, router)
    assert looked_at == [[{"city": "Paris"}]]
    assert answer.tool_calls[0]["args"] == {"city": "Paris"}


@pytest.mark.parametrize("way", WAYS)
async def test_a_last_tiers_tool_call_is_read_whole_so_that_a_broken_one_is_never_seen(way: Way) -> None:
    """Behind the last tier stands one that belongs to no tier: it is asked when all tiers fail."""
    spare: Candidate = tier("spare", ROME_CALL, price=20)
    last = final(broken("population"))
    policy = CascadePolicy([("draft", lambda *_: False), ("final", None)])
    answer = await answer_of(way, ChatRouter(candidates=[draft(), last, spare], policy=policy))
    assert answer.tool_calls[0]["args"] == {"city": "Rome"}
    kinds = [one["error_kind"] for one in answer.response_metadata["router_outcome"]["attempts"]]
    assert kinds == [None, ErrorKind.MALFORMED.value, None]


@pytest.mark.parametrize("way", STREAMED)
async def test_a_last_tiers_tool_call_that_breaks_off_unseen_leaves_the_draft(way: Way) -> None:
    last = final(ROME_CALL, breaks_after=1)
    router = cascade(False, draft(), last, resilience=Resilience(wait=wait_none()))
    answer = await answer_of(way, router)
    assert answer.response_metadata["router_outcome"]["served_by"] == "draft"


@pytest.mark.parametrize("way", STREAMED)
async def test_on_a_plan_without_checks_a_tool_call_streams_live(way: Way) -> None:
    with pytest.raises(StreamInterruptedError):
        await answer_of(way, plain(tier("only", ROME_CALL, breaks_after=1)))


async def test_text_of_a_last_tier_with_tools_bound_streams_live() -> None:
    slow = final(FINAL, pauses_s={3: 0.05})
    bound = cascade(False, draft(), slow).bind_tools([population])
    answer: Any = merged(list(bound.stream("Hello")))  # type: ignore[arg-type]
    outcome = answer.response_metadata["router_outcome"]
    assert outcome["first_token_s"] < outcome["latency_s"] - 0.04
