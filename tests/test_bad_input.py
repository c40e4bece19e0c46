"""Content never raises: whatever a prompt holds, a decision comes out, and soon."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from langchain_router import Candidate, ChatRouter, NoEligibleCandidateError, RoutingDecision

EVERYTHING = frozenset({"tools", "vision", "pdf", "audio", "video", "json_schema"})
LARGE = 100_000_000


def able(name: str, quality: float) -> Candidate:
    return Candidate(
        model=f"house/{name}", name=name, quality=quality, capabilities=EVERYTHING, context_tokens=LARGE
    )


ROUTERS = [
    ChatRouter(candidates=[able("one", 0.7), able("two", 0.9)], policy=policy)
    for policy in ("cost", "threshold")
]


def decided(messages: Any) -> None:
    """Decide by every policy, and look at all that a decision shows."""
    for router in ROUTERS:
        decision = router.decide(messages)
        assert isinstance(decision, RoutingDecision)
        assert 0 <= decision.complexity.value <= 1
        json.dumps(decision.to_dict(), allow_nan=False)
        decision.explain().encode()


ODD: dict[str, Any] = {
    "nothing at all": [],
    "an empty string": "",
    "white space": " \n\t\r\u00a0\u2003",
    "an empty message": [HumanMessage("")],
    "no blocks": [HumanMessage([])],
    "a system message only": [SystemMessage("You are terse.")],
    "an answer only": [AIMessage("Yes.")],
    "a tool result only": [ToolMessage("42", tool_call_id="1")],
    "a function's result": [FunctionMessage(content="42", name="f")],
    "a message of another role": [ChatMessage(content="x", role="critic")],
    "a message to be removed": [HumanMessage("x"), RemoveMessage(id="1")],
    "a thousand turns": [HumanMessage("x"), AIMessage("y")] * 500,
    "an image": [HumanMessage([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}])],
    "raw bytes": [HumanMessage([{"type": "image", "data": b"\x00\xff\xfe"}])],
    "blocks of every kind": [
        HumanMessage(
            [
                "bare text",
                {"type": "text", "text": "x"},
                *({"type": kind} for kind in ("image", "audio", "video", "file", "document", "input_file")),
            ]
        )
    ],
    "blocks of no kind": [HumanMessage([{}, {"type": None}, {"type": 5}, {"type": ["image"]}, {"type": {}}])],
    "text that is no text": [HumanMessage([{"type": "text", "text": bad} for bad in (None, 5, [1, 2])])],
    "control characters": "".join(map(chr, range(32))) + "\x7f\x80\x9f",
    "NUL": "\x00" * 1_000,
    "binary as text": bytes(range(256)).decode("latin-1") * 20,
    "lone surrogates": "\ud800 \udfff \udc00\ud800",
    "a lone surrogate in a system message": [SystemMessage("\ud83d"), HumanMessage("hello \ude00")],
    "combining marks": "e" + "\u0301" * 10_000,
    "right to left": "\u202e\u2066 مرحبا \u2069",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈" * 500,
    "one endless word": "a" * 200_000,
    "endless punctuation": "?!." * 100_000,
    "open brackets": "([{<" * 50_000,
    "backslashes": "\\" * 200_000,
    "an open code fence": "```" * 50_000,
    "a format string": "{} {0} {x} %s %(x)s ${x} {{",
    "numbers": "9" * 100_000 + " plus " + "1e999999 nan inf -0",
    "a regular expression's nightmare": "a" * 50_000 + "!" + " a" * 50_000,
}  # fmt: skip


@pytest.mark.parametrize("messages", ODD.values(), ids=ODD)
def test_odd_content_is_decided(messages: Any) -> None:
    decided(messages)


@pytest.mark.parametrize(
    "messages", [ODD[name] for name in ("nothing at all", "lone surrogates", "raw bytes")]
)
async def test_odd_content_is_decided_when_awaited_too(messages: Any) -> None:
    for router in ROUTERS:
        awaited, plain = await router.adecide(messages), router.decide(messages)
        assert {**awaited.to_dict(), "decision_id": ""} == {**plain.to_dict(), "decision_id": ""}


SURROGATES = st.text(alphabet=st.characters(codec=None))
ROLES = st.sampled_from([HumanMessage, AIMessage, SystemMessage])


@st.composite
def conversations(draw: st.DrawFn) -> list[BaseMessage]:
    messages: list[BaseMessage] = []
    for role in draw(st.lists(ROLES, max_size=4)):
        content: Any = draw(
            SURROGATES
            | st.lists(
                SURROGATES
                | st.fixed_dictionaries({"type": st.just("text"), "text": SURROGATES})
                | st.dictionaries(
                    SURROGATES, st.none() | st.integers() | SURROGATES | st.lists(st.integers())
                ),
                max_size=3,
            )
        )
        messages.append(role(content))
    return messages


@given(SURROGATES)
def test_any_text_is_decided(text: str) -> None:
    decided(text)


@settings(max_examples=60)
@given(conversations())
def test_any_conversation_is_decided(messages: list[BaseMessage]) -> None:
    decided(messages)


@pytest.mark.parametrize(
    "piece",
    ["word ", "x", "漢字", "def f(x): return x\n", "\ud800", "? ", "Prove that 2 + 2 = 4. "],
    ids=repr,
)
def test_ten_megabytes_are_decided_in_bounded_time(piece: str) -> None:
    huge = piece * (10_000_000 // len(piece))
    for router in ROUTERS:
        started = time.perf_counter()
        decision = router.decide(huge)
        assert time.perf_counter() - started < 0.5
        assert decision.chosen.name in {"one", "two"}


def test_ten_megabytes_in_blocks_and_tool_results_are_decided_in_bounded_time() -> None:
    piece = "word " * 20_000
    messages = [
        HumanMessage([{"type": "text", "text": piece}] * 50),
        AIMessage("", tool_calls=[{"name": "f", "args": {"text": piece * 10}, "id": "1"}]),
        ToolMessage(piece * 50, tool_call_id="1"),
    ]
    started = time.perf_counter()
    decided(messages)
    assert time.perf_counter() - started < 1


def test_a_prompt_that_fits_nobody_is_a_matter_of_limits_and_names_them() -> None:
    small = Candidate(model="house/small", name="small", context_tokens=8_192)
    with pytest.raises(
        NoEligibleCandidateError, match=r"'small' takes 8,192 tokens where about 2,500,\d+ are"
    ):
        ChatRouter(candidates=[small]).decide("x" * 10_000_000)


@pytest.mark.parametrize(
    "arguments", [{"x": float("nan")}, {"deep": [[[[{}]]]]}, {"\ud800": b"\xff"}, {}], ids=repr
)
def test_any_arguments_of_an_earlier_tool_call_are_decided(arguments: dict[str, Any]) -> None:
    wrote = AIMessage("", tool_calls=[{"name": "f", "args": arguments, "id": None}])
    decided([HumanMessage("Go"), wrote, ToolMessage("done", tool_call_id="1")])
