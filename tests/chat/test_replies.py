"""Tool calls that cannot be read: passed over while another may serve, never shown as whole."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatResult

from langchain_router import Candidate, ChatRouter, StreamInterruptedError
from langchain_router.chat.stream_modes import Holdback, Predecide
from langchain_router.exceptions import MalformedResponseError
from langchain_router.outcomes.records import Outcome
from langchain_router.policies.cascade import CascadePolicy
from tests.chat.chunks import Chunked, arguments, chunked, end, text
from tests.chat.speaking import (
    STREAMED,
    WAYS,
    WHOLE,
    Speaker,
    Tokens,
    Way,
    by_astream,
    by_stream,
    cascade,
    draft,
    final,
    plain,
    tier,
)

SAID = "one moment "
CUT = [text(SAID), arguments('{"city": ', name="population"), arguments('"Par'), end("tool_calls")]
WHOLE_CALL = [*CUT[:2], arguments('"Paris"}'), end("tool_calls")]

BROKEN = AIMessage(
    SAID, invalid_tool_calls=[{"name": "population", "args": '{"city": ', "id": "call-1", "error": None}]
)


def holdback(*chunks: Any, **options: Any) -> ChatRouter:
    """Return a cascade whose draft is shown after its first word."""
    return cascade(True, chunked("draft", *chunks), final(), stream_mode=Holdback(tokens=1), **options)


def last_tier(*chunks: Any, **options: Any) -> ChatRouter:
    return cascade(False, draft(), chunked("final", *chunks, price=10), **options)


# --- after text has gone out ---------------------------------------------------------------------


@pytest.mark.parametrize("way", STREAMED)
@pytest.mark.parametrize("router_of", [holdback, last_tier])
async def test_a_tool_call_cut_off_after_text_went_out_is_an_interruption(way: Way, router_of: Any) -> None:
    outcomes: list[Outcome] = []
    with pytest.raises(StreamInterruptedError) as raised:
        await way(router_of(*CUT, on_outcome=lambda _, outcome: outcomes.append(outcome)), {})
    assert raised.value.partial == SAID
    assert isinstance(raised.value.__cause__, MalformedResponseError)
    assert [one.status for one in outcomes] == ["truncated"]


@pytest.mark.parametrize("router_of", [holdback, last_tier])
def test_nothing_of_such_a_call_goes_out(router_of: Any) -> None:
    chunks: list[Any] = []
    with pytest.raises(StreamInterruptedError):
        chunks.extend(router_of(*CUT).stream("Hello"))
    assert [chunk.text for chunk in chunks if chunk.text] == [SAID]
    assert not any(chunk.tool_call_chunks for chunk in chunks)


@pytest.mark.parametrize("way", STREAMED)
@pytest.mark.parametrize("router_of", [holdback, last_tier])
async def test_a_whole_one_goes_out_when_it_is_whole(way: Way, router_of: Any) -> None:
    answer = await way(router_of(*WHOLE_CALL), {})
    assert answer.text == SAID
    assert [one["args"] for one in answer.tool_calls] == [{"city": "Paris"}]
    assert answer.response_metadata["router_outcome"]["status"] == "ok"


@pytest.mark.parametrize("router_of", [holdback, last_tier])
def test_the_text_before_it_does_not_wait_for_it(router_of: Any) -> None:
    router = router_of(*WHOLE_CALL)
    (model,) = [one.model for one in router.candidates if isinstance(one.model, Chunked)]
    assert next(router.stream("Hello")).text == SAID
    assert model.given == WHOLE_CALL[:1]


# --- plans without checks ------------------------------------------------------------------------


def alone(*chunks: Any) -> ChatRouter:
    return plain(chunked("only", *chunks))


def predecided(*chunks: Any) -> ChatRouter:
    first = replace(chunked("draft", *chunks), quality=0.95)
    return cascade(True, first, final(), stream_mode=Predecide(quality=0.9))


@pytest.mark.parametrize("way", [by_stream, by_astream])
@pytest.mark.parametrize("router_of", [alone, predecided])
async def test_without_checks_a_tool_call_is_shown_as_it_arrives(way: Way, router_of: Any) -> None:
    answer = await way(router_of(*WHOLE_CALL), {})
    assert [one["args"] for one in answer.tool_calls] == [{"city": "Paris"}]
    assert answer.response_metadata["router_outcome"]["status"] == "ok"
    router = router_of(*WHOLE_CALL)
    (model,) = [one.model for one in router.candidates if isinstance(one.model, Chunked)]
    chunks = router.stream("Hello")
    assert [bool(next(chunks).tool_call_chunks) for _ in range(2)] == [False, True]
    assert model.given == WHOLE_CALL[:2]


@pytest.mark.parametrize("way", STREAMED)
@pytest.mark.parametrize("router_of", [alone, predecided])
@pytest.mark.parametrize("is_first", [True, False])
async def test_without_checks_a_stream_with_a_broken_call_is_not_ok(
    way: Way, router_of: Any, *, is_first: bool
) -> None:
    answer = await way(router_of(*CUT[is_first:]), {})
    assert answer.response_metadata["router_outcome"]["status"] == "truncated"


@pytest.mark.parametrize("way", WHOLE)
async def test_nor_is_a_whole_answer_with_one(way: Way) -> None:
    answer = await way(plain(tier("only", BROKEN)), {})
    assert answer.invalid_tool_calls
    assert answer.response_metadata["router_outcome"]["status"] == "truncated"


# --- while another may serve ---------------------------------------------------------------------


def with_spare(last: Candidate, **options: Any) -> ChatRouter:
    """Return a cascade with a candidate behind it that belongs to no tier."""
    policy = CascadePolicy([("draft", lambda *_: False), ("final", None)])
    return ChatRouter(candidates=[draft(), last, tier("spare", "spare", price=20)], policy=policy, **options)


@pytest.mark.parametrize("way", WAYS)
async def test_a_broken_call_of_the_last_tier_is_passed_over(way: Way) -> None:
    broken = AIMessage("", invalid_tool_calls=BROKEN.invalid_tool_calls)
    answer = await way(with_spare(final(broken)), {})
    assert answer.text == "spare"
    attempts = answer.response_metadata["router_outcome"]["attempts"]
    assert [one["error_kind"] for one in attempts] == [None, "malformed", None]


@pytest.mark.parametrize("way", WHOLE)
async def test_but_not_when_its_text_was_heard_already(way: Way) -> None:
    class Telling(Speaker):
        """Tells handlers its tokens while it makes a whole answer."""

        def _generate(self, *args: Any, run_manager: Any = None, **kwargs: Any) -> ChatResult:
            run_manager.on_llm_new_token(SAID)
            return super()._generate(*args, **kwargs)

        async def _agenerate(self, *args: Any, run_manager: Any = None, **kwargs: Any) -> ChatResult:
            await run_manager.on_llm_new_token(SAID)
            return super()._generate(*args, **kwargs)

    heard = Tokens()
    last = replace(final(), model=Telling(label="final", says=[BROKEN]))
    with pytest.raises(StreamInterruptedError):
        await way(with_spare(last), {"callbacks": [heard]})
    assert heard.tokens == [SAID]
