"""The bounded view: what is read, and that nothing else is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_router.request import RoutingRequest
from langchain_router.signals.lexicon import Lexicon, listed
from langchain_router.signals.text import (
    HEAD_CHARS,
    SYSTEM_CHARS,
    TAIL_CHARS,
    SchemaShape,
    TextView,
    schema_shape,
    view,
    words,
)


def seen(*messages: BaseMessage, schema: Mapping[str, Any] | None = None) -> TextView:
    return view(RoutingRequest(messages=messages, response_schema=schema))


def test_a_short_message_is_read_whole_and_has_no_tail() -> None:
    result = seen(HumanMessage("Translate this."))
    assert (result.head, result.tail, result.window) == ("Translate this.", "", "Translate this.")


def test_a_long_message_is_read_at_both_ends() -> None:
    result = seen(HumanMessage("first " + "x" * 50_000 + " last"))
    assert result.head.startswith("first ")
    assert result.tail.endswith(" last")
    assert len(result.window) == HEAD_CHARS + TAIL_CHARS + 1
    assert result.chars == 50_011


@pytest.mark.parametrize("extra", [0, 1, TAIL_CHARS - 1, TAIL_CHARS, TAIL_CHARS + 1])
def test_head_and_tail_never_overlap(extra: int) -> None:
    text = "".join(chr(0x4E00 + i) for i in range(HEAD_CHARS + extra))
    result = seen(HumanMessage(text))
    assert len(result.head) + len(result.tail) == min(len(text), HEAD_CHARS + TAIL_CHARS)
    assert not set(result.head) & set(result.tail)


def test_the_last_human_message_is_the_one_that_is_read() -> None:
    result = seen(HumanMessage("old"), AIMessage("reply"), HumanMessage("new"), AIMessage("thinking"))
    assert result.head == "new"
    assert result.turns == 2


def test_a_tool_result_leaves_the_task_in_view() -> None:
    result = seen(HumanMessage("task"), AIMessage("calling"), ToolMessage("result", tool_call_id="1"))
    assert result.head == "task"
    assert result.phase == "tool_result"


def test_a_chat_message_of_the_user_counts_as_human() -> None:
    assert seen(ChatMessage(role="user", content="hello")).head == "hello"
    assert seen(ChatMessage(role="critic", content="hello")).head == ""


def test_a_long_system_message_is_cut() -> None:
    result = seen(SystemMessage("s" * 9_000), HumanMessage("hi"))
    assert len(result.system) == SYSTEM_CHARS
    assert result.system_chars == 9_000


def test_the_text_parts_of_a_multimodal_message_are_read_from_both_ends() -> None:
    parts: list[str | dict[Any, Any]] = [
        {"type": "text", "text": "first"},
        {"type": "image_url", "image_url": {"url": "data:,"}},
        *({"type": "text", "text": "y" * 100} for _ in range(100)),
        {"type": "text", "text": "last"},
    ]
    result = seen(HumanMessage(parts))
    assert result.head.startswith("first\nyyy")
    assert result.tail.endswith("yyy\nlast")
    assert len(result.head) <= HEAD_CHARS
    assert len(result.tail) <= TAIL_CHARS


def test_nothing_at_all_gives_an_empty_view() -> None:
    assert seen().window == seen(SystemMessage("only this")).window == ""


def test_the_view_does_not_print_the_prompt() -> None:
    assert "secret" not in repr(seen(SystemMessage("secret"), HumanMessage("secret " * 1_000)))


def test_a_schema_is_counted_at_all_depths() -> None:
    schema = {
        "properties": {
            "lines": {"type": "array", "items": {"properties": {"paid": {"type": "boolean"}}}},
            "kind": {"enum": ["a", "b"]},
        }
    }
    assert seen(HumanMessage("x"), schema=schema).schema == SchemaShape(fields=3, closed=2, lists=1)


def test_a_schema_that_holds_itself_is_counted_only_so_far() -> None:
    schema: dict[str, Any] = {"properties": {"a": {"type": "array"}}}
    schema["properties"]["a"]["items"] = schema
    assert schema_shape(schema).fields <= 200


def test_words_are_lower_case_and_clauses_are_marked() -> None:
    assert words("Say: ÉCRIS-le!\nNow") == ["say", ":", "écris", "le", "!", "\n", "now"]
    assert words("don\u2019t") == ["don't"]


def test_composed_and_decomposed_accents_are_the_same_word() -> None:
    assert words("re\u0301sume\u0301") == words("r\u00e9sum\u00e9")


def test_a_lexicon_finds_phrases_that_share_words() -> None:
    lexicon = Lexicon({"a": listed("at most, at most once"), "b": ["most"]})
    assert sorted(lexicon.find(words("at most once"))) == [(0, "a"), (0, "a"), (1, "b")]
    assert list(lexicon.find(words("at most twice"))) == [(0, "a"), (1, "b")]
    assert list(lexicon.find(["at"])) == []


@given(st.text(alphabet=st.characters(), max_size=4_000))
def test_any_text_has_a_view(text: str) -> None:
    result = seen(SystemMessage(text), HumanMessage(text))
    assert result.window.startswith(text[:HEAD_CHARS])
    words(result.window)


def test_ten_megabytes_take_no_longer_than_a_few_kilobytes() -> None:
    request = RoutingRequest(messages=(HumanMessage("word " * 2_000_000),))
    best = min(_timed(request) for _ in range(20))
    assert best < 0.001  # copying or scanning ten megabytes takes longer


def _timed(request: RoutingRequest) -> float:
    start = time.perf_counter()
    view(request)
    return time.perf_counter() - start
