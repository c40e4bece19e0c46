"""What a request shows of itself: what it needs, how long it is, and where an agent stands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_router import Candidate, Constraints, CostPolicy, Router, RoutingRequest
from langchain_router.request import blocks, estimate_tokens, texts

TOOL = {
    "type": "function",
    "function": {"name": "search", "parameters": {"type": "object", "properties": {}}},
}


def request(*messages: BaseMessage, **asked: Any) -> RoutingRequest:
    return RoutingRequest(messages=messages, **asked)


def with_block(block: dict[str, Any]) -> RoutingRequest:
    return request(HumanMessage([{"type": "text", "text": "Look."}, block]))


@pytest.mark.parametrize(
    ("block", "needed"),
    [
        ({"type": "image", "url": "https://example.org/a.png"}, "image_inputs"),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}, "image_inputs"),
        ({"type": "input_image", "image_url": "x"}, "image_inputs"),
        ({"type": "audio", "base64": "AA"}, "audio_inputs"),
        ({"type": "input_audio", "input_audio": {}}, "audio_inputs"),
        ({"type": "video", "url": "x"}, "video_inputs"),
        ({"type": "file", "base64": "AA", "mime_type": "application/pdf"}, "pdf_inputs"),
        ({"type": "document", "source": {}}, "pdf_inputs"),
    ],
)
def test_a_block_that_is_not_text_needs_the_matching_ability(block: dict[str, Any], needed: str) -> None:
    seen = with_block(block)
    assert seen.required == {needed}
    assert seen.prompt_tokens > 1_000


def test_an_image_in_a_tools_result_or_an_earlier_turn_counts_too() -> None:
    image = {"type": "image", "url": "https://example.org/a.png"}
    earlier = request(HumanMessage([image]), AIMessage("A cat."), HumanMessage("Which breed?"))
    result = request(HumanMessage("Draw"), ToolMessage([image], tool_call_id="1"))
    assert earlier.required == result.required == {"image_inputs"}


def test_tools_a_schema_and_the_constraints_add_what_is_needed() -> None:
    asked = request(
        HumanMessage("Hi"),
        tools=(TOOL,),
        response_schema={},
        constraints=Constraints.of({"require": "audio"}),
    )
    assert asked.required == {"tool_calling", "structured_output", "audio_inputs"}
    assert request(HumanMessage("Hi")).required == frozenset()


def test_words_in_a_prompt_never_change_what_is_needed() -> None:
    said = "Use vision! require=tools max_cost_usd=0 {'type': 'image_url'} response_format json_schema"
    assert request(SystemMessage(said), HumanMessage(said)).required == frozenset()


@pytest.mark.parametrize("block", [{"type": ["image"]}, {"type": {"a": 1}}, {"type": None}, {}, {"text": 5}])
def test_a_block_of_no_known_kind_is_passed_over(block: dict[str, Any]) -> None:
    seen = with_block(block)
    assert seen.required == frozenset()
    assert 0 < seen.prompt_tokens < 50


def test_the_estimate_counts_system_tools_and_schema() -> None:
    plain = request(HumanMessage("Hi")).prompt_tokens
    assert request(SystemMessage("word " * 400), HumanMessage("Hi")).prompt_tokens > plain + 400
    assert request(HumanMessage("Hi"), tools=(TOOL,)).prompt_tokens > plain + 10
    assert request(HumanMessage("Hi"), response_schema={"title": "x" * 400}).prompt_tokens > plain + 90


def test_the_estimate_counts_the_arguments_of_earlier_tool_calls() -> None:
    call = {"name": "write_file", "args": {"text": "word " * 4_000}, "id": "1"}
    wrote = AIMessage("", tool_calls=[call])
    assert request(HumanMessage("Go"), wrote, ToolMessage("ok", tool_call_id="1")).prompt_tokens > 4_000


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("", 0, 0),
        ("a", 1, 1),
        ("The quick brown fox jumps over the lazy dog. " * 100, 800, 1_300),
        ("def area(r: float) -> float:\n    return 3.14159 * r ** 2\n" * 100, 1_100, 2_400),
        ("今日はとても良い天気ですね。" * 100, 900, 1_700),
    ],
)
def test_the_estimate_is_near_what_tokenizers_count(text: str, low: int, high: int) -> None:
    assert low <= estimate_tokens(text) <= high


@given(st.text(alphabet=st.characters(codec=None)))
def test_any_text_has_an_estimate_of_at_least_one_token(text: str) -> None:
    assert estimate_tokens(text) >= (1 if text else 0)
    assert estimate_tokens(text) <= max(1, len(text))


def test_a_long_text_is_estimated_from_samples_and_scales_with_its_length() -> None:
    short, long = estimate_tokens("word " * 2_000), estimate_tokens("word " * 2_000_000)
    assert long == pytest.approx(1_000 * short, rel=0.01)


@pytest.mark.parametrize(
    ("messages", "phase"),
    [
        ([HumanMessage("Hi")], "user_turn"),
        ([HumanMessage("Hi"), ToolMessage("42", tool_call_id="1")], "tool_result"),
        ([HumanMessage("Hi"), AIMessage("Hello")], "other"),
        ([SystemMessage("Be brief")], "other"),
        ([], "other"),
    ],
)
def test_the_last_message_tells_where_an_agent_stands(messages: list[BaseMessage], phase: str) -> None:
    assert request(*messages).phase == phase


def test_repr_never_shows_what_was_said() -> None:
    canary = "CANARY-7f3a"
    shown = repr(
        request(
            HumanMessage(canary), tools=({"name": canary},), response_schema={"title": canary}, step="agent"
        )
    )
    assert canary not in shown
    assert "agent" in shown


def test_texts_and_blocks_split_a_message_whatever_its_content_is() -> None:
    mixed = HumanMessage(["plain", {"type": "text", "text": "block"}, {"type": "image", "url": "x"}])
    assert list(texts(mixed)) == ["plain", "block"]
    assert [block["type"] for block in blocks(mixed)] == ["text", "image"]
    assert list(blocks(HumanMessage("plain"))) == []


def test_a_request_can_be_routed_without_langchain_runs() -> None:
    router = Router([Candidate(model="house/model", quality=0.9)], policy=CostPolicy())
    assert router.decide(request(HumanMessage("Hi"))).chosen.name == "house/model"


def test_what_is_inside_a_tools_result_counts() -> None:
    inside = {"type": "tool_result", "content": [{"type": "text", "text": "x" * 40_000}, {"type": "image"}]}
    asked = request(HumanMessage([inside]))
    assert asked.required == {"image_inputs"}
    assert asked.prompt_tokens > 10_000


@pytest.mark.parametrize(
    ("block", "needed"),
    [
        ({"type": "media", "mime_type": "image/png"}, "image_inputs"),
        ({"type": "media", "mime_type": "application/pdf"}, "pdf_inputs"),
        ({"type": "audio_url"}, "audio_inputs"),
    ],
)
def test_media_in_other_forms_are_not_taken_for_text(block: dict[str, Any], needed: str) -> None:
    assert request(HumanMessage([block])).required == {needed}


def test_arguments_nested_deeper_than_python_writes_do_not_raise() -> None:
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    assert request(HumanMessage("Hi"), tools=({"name": "t", "x": deep},)).prompt_tokens > 0
