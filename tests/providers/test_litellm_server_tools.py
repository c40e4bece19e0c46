"""Calls of tools that the provider has run itself are not handed to the application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.messages import AIMessage

from langchain_router.providers.litellm import RouterChatLiteLLM
from langchain_router.providers.litellm_server_tools import ServerCalls, leave_out_server_calls

if TYPE_CHECKING:
    from tests.providers.conftest import Ask, Upstream


def call(id_: str, name: str = "search") -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": "{}"}}


def message(*ids: str) -> AIMessage:
    raw = [call(one) for one in ids]
    return AIMessage("", additional_kwargs={"tool_calls": raw})


def test_the_applications_own_calls_stay() -> None:
    answer = message("srvtoolu_1", "toolu_2")
    leave_out_server_calls(answer)
    assert [one["id"] for one in answer.tool_calls] == ["toolu_2"]
    assert [one["id"] for one in answer.additional_kwargs["tool_calls"]] == ["toolu_2"]


def test_an_answer_that_only_searched_calls_nothing_and_stays_so_when_it_is_built_anew() -> None:
    answer = message("srvtoolu_1")
    leave_out_server_calls(answer)
    assert AIMessage.model_validate(answer.model_dump()).tool_calls == []


def test_an_answer_without_such_calls_is_left_as_it_is() -> None:
    answer = message("call_1")
    before = answer.model_copy(deep=True)
    leave_out_server_calls(answer)
    leave_out_server_calls(AIMessage("no tools at all"))
    assert answer == before


def piece(index: int, id_: str | None = None) -> dict[str, Any]:
    return {"index": index, "id": id_, "function": {"name": None, "arguments": "x"}}


def test_later_pieces_of_a_call_have_only_its_index() -> None:
    calls = ServerCalls()
    assert calls.left_out_of([piece(0, "srvtoolu_1"), piece(1, "toolu_1")]) == [piece(1, "toolu_1")]
    assert calls.left_out_of([piece(0), piece(1)]) == [piece(1)]


def test_an_index_may_be_used_again() -> None:
    calls = ServerCalls()
    calls.left_out_of([piece(0, "srvtoolu_1")])
    assert calls.left_out_of([piece(0, "toolu_1")]) == [piece(0, "toolu_1")]
    assert calls.left_out_of([piece(0)]) == [piece(0)]


def test_an_answer_does_not_end_for_calls_that_are_not_the_applications() -> None:
    calls = ServerCalls()
    assert calls.finish("tool_calls") == "tool_calls"
    calls.left_out_of([piece(0, "srvtoolu_1")])
    assert (calls.finish("tool_calls"), calls.finish("length")) == ("stop", "length")
    calls.left_out_of([piece(1, "toolu_1")])
    assert calls.finish("tool_calls") == "tool_calls"


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
def test_a_whole_answer_comes_out_without_them(upstream: Upstream, ask: Ask, way: str) -> None:
    said = {"role": "assistant", "content": "", "tool_calls": [call("srvtoolu_1"), call("toolu_2")]}
    upstream.says({"model": "x", "choices": [{"index": 0, "message": said, "finish_reason": "tool_calls"}]})
    model = RouterChatLiteLLM(model="openai/asked", api_base=upstream.url, api_key="key-in-a-test")
    assert [one["id"] for one in ask(model, way).tool_calls] == ["toolu_2"]
