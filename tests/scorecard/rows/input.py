"""Prompts of any size, content and form: a decision comes out, and soon."""

from __future__ import annotations

import asyncio
import functools
import gc
import json
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_router import Candidate, ChatRouter, NoEligibleCandidateError
from tests.scorecard.parts import in_memory
from tests.scorecard.row import Figures, Scale, row

ABLE = frozenset(
    {"tool_calling", "structured_output", "image_inputs", "pdf_inputs", "audio_inputs", "video_inputs"}
)
POLICIES = ("cost", "threshold")
_WINDOW_TOKENS = 100_000_000


def deciding(policy: str = "cost", **options: Any) -> ChatRouter:
    """Return a router of two models that can take anything, only to decide."""
    candidates = [
        Candidate(
            model=f"house/{name}",
            name=name,
            quality=quality,
            capabilities=ABLE,
            context_tokens=_WINDOW_TOKENS,
        )
        for name, quality in (("one", 0.7), ("two", 0.9))
    ]
    return ChatRouter(candidates=candidates, policy=policy, **options)


# --- I1 ----------------------------------------------------------------------------------------------

_SIZE = 10_000_000
_PIECES = (
    "word ",
    "x",
    "\u6f22\u5b57",
    "\ud800",
    "? ",
    "\n",
    "([{<",
    "```",
    "a' ",
    "Prove that 2 + 2 = 4. ",
    "def f(x): return x\n",
    "1. item\n",
    '{"a": [1]}',
)


@row(
    "I1",
    "A prompt of 10 million characters: words, one endless word, brackets, line breaks, code, lone "
    "surrogates; as one message, 100 blocks, 1,000 turns, a system message, a tool's result "
    "and a tool call's arguments",
    "decide() takes at most 50 ms (the best of a few tries of the slowest form: other processes share the "
    "machine) and no more memory than twice the input. 10 MB in 100,000 blocks are told beside it.",
    p0=True,
)
def a_huge_prompt_is_decided_soon(scale: Scale) -> Figures:
    router = deciding()
    router.decide("warm")
    tries, best_ms, any_ms, memory = scale(20, 3), 0.0, 0.0, 0.0
    figures = Figures()
    for name, make in _huge(scale).items():
        made = make()
        times = sorted(_decide_ms(router, made) for _ in range(tries))
        share = _peak_bytes(router, made) / _SIZE
        if name == "arguments":
            figures.at_most("tool call's arguments, best", times[0], 50, "ms")
            figures.at_most("their memory", 100 * share, 200, "% of the input")
            continue
        best_ms, any_ms, memory = max(best_ms, times[0]), max(any_ms, times[-1]), max(memory, share)
    figures.at_most("slowest form of all others, best", best_ms, 50, "ms")
    figures.tell("slowest of all tries", any_ms, "ms")
    figures.at_most("most memory, beside the input", 100 * memory, 200, "% of the input")
    if not scale.is_quick:
        many = [HumanMessage([{"type": "text", "text": "word " * 20} for _ in range(_SIZE // 100)])]
        figures.tell("100,000 blocks, best", min(_decide_ms(router, many) for _ in range(3)), "ms")
    return figures


def _huge(scale: Scale) -> dict[str, Callable[[], Any]]:
    def text(piece: str = "word ", size: int = _SIZE) -> str:
        return piece * (size // len(piece))

    call = {"name": "write", "id": "1"}
    forms: dict[str, Callable[[], Any]] = {
        "blocks": lambda: [HumanMessage([{"type": "text", "text": text(size=_SIZE // 100)}] * 100)],
        "turns": lambda: [HumanMessage(text(size=_SIZE // 1_000)) for _ in range(1_000)],
        "system": lambda: [SystemMessage(text()), HumanMessage("Hello")],
        "result": lambda: [
            HumanMessage("Hello"),
            AIMessage("", tool_calls=[{**call, "args": {}}]),
            ToolMessage(text(), tool_call_id="1"),
        ],
        "image": lambda: [
            HumanMessage([{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{text('A')}"}}])
        ],
        "arguments": lambda: [
            HumanMessage("Hello"),
            AIMessage("", tool_calls=[{**call, "args": {"text": text()}}]),
        ],
    }
    pieces = _PIECES[:: scale(1, 3)]
    return {**{piece: functools.partial(text, piece) for piece in pieces}, **forms}


def _decide_ms(router: ChatRouter, messages: Any) -> float:
    started_s = time.perf_counter()
    router.decide(messages)
    return (time.perf_counter() - started_s) * 1e3


def _peak_bytes(router: ChatRouter, messages: Any) -> int:
    """Return the most that a decision allocates at once, by Python's own count."""
    gc.collect()
    tracemalloc.start()
    try:
        router.decide(messages)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# --- I2 ----------------------------------------------------------------------------------------------

_SIGNS = st.sampled_from(
    [
        "\x00",
        "\ud800",
        "\udfff",
        "\u202e",
        "\u2066",
        "\u200b",
        "\u200d",
        "\ufeff",
        "\u0301",
        "\r",
        "\n",
        "\u2028",
    ]
)
_SOUP = st.lists(_SIGNS | st.characters(codec=None), max_size=40).map("".join)
_BYTES = st.binary(max_size=200).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
_LINES = st.builds(lambda sign, text: text + sign * 100_000 + text, _SIGNS, _SOUP)
_TEXT = _SOUP | _SOUP | _BYTES | _BYTES | st.text(alphabet=st.characters(codec=None))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
_KINDS = ("text", "image", "image_url", "input_audio", "file", "media", "tool_use", "thinking", "nobody's")
_BLOCK = st.fixed_dictionaries(
    {"type": st.sampled_from(_KINDS) | _TEXT},
    optional={"text": _TEXT | _JSON, "content": _JSON, "image_url": _JSON, "mime_type": _TEXT},
) | st.dictionaries(_TEXT, _JSON, max_size=3)
_CONTENT = _TEXT | st.lists(_TEXT | _BLOCK, max_size=4)


@st.composite
def _conversation(draw: st.DrawFn) -> list[BaseMessage]:
    made: list[BaseMessage] = []
    for role in draw(
        st.lists(st.sampled_from((HumanMessage, AIMessage, SystemMessage, ToolMessage)), max_size=4)
    ):
        content: Any = draw(_CONTENT)
        made.append(role(content, tool_call_id="1") if role is ToolMessage else role(content))
    return made


@row(
    "I2",
    "NUL, lone surrogates, right-to-left and zero-width signs, 10⁵ line breaks, random bytes, odd blocks",
    "decide() never raises for what a prompt holds, and what a decision shows is finite and can be written "
    "as JSON and UTF-8. Examples are drawn by Hypothesis from a fixed seed.",
    p0=True,
    bound_s=240,
)
def any_content_is_decided(scale: Scale) -> Figures:
    routers = [deciding(policy) for policy in POLICIES]
    raised: list[str] = []
    seen = 0

    def decide(content: Any) -> None:
        nonlocal seen
        seen += 1
        try:
            decision = routers[seen % len(routers)].decide(content)
            json.dumps(decision.to_dict(), allow_nan=False).encode()
            decision.explain().encode()
        except Exception as error:  # noqa: BLE001 - counted
            raised.append(type(error).__name__)

    for drawn, examples in (
        (_TEXT, scale(4_000, 100)),
        (_conversation(), scale(5_500, 150)),
        (_LINES, scale(500, 10)),
    ):
        quiet = settings(
            max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck)
        )
        seed(0)(quiet(given(drawn)(decide)))()
    figures = Figures()
    figures.none("raised", len(raised))
    figures.at_least("examples", seen, scale(10_000, 250))
    return figures


# --- I3 ----------------------------------------------------------------------------------------------

_TOOL = {
    "type": "function",
    "function": {"name": "f", "description": "f", "parameters": {"type": "object", "properties": {}}},
}
_WORDS = {
    "tool_calling": "tool calling",
    "image_inputs": "image input",
    "audio_inputs": "audio input",
    "pdf_inputs": "PDF input",
    "video_inputs": "video input",
}
_CALLED = AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": "1"}])


def _of(kind: str, **more: Any) -> list[BaseMessage]:
    return [HumanMessage([{"type": "text", "text": "Look."}, {"type": kind, **more}])]


_FORMS: Sequence[tuple[Any, dict[str, Any], str | None]] = (
    ("", {}, None),
    ([], {}, None),
    ([HumanMessage("")], {}, None),
    ([HumanMessage([])], {}, None),
    ([SystemMessage("Be terse.")], {}, None),
    ([AIMessage("Yes.")], {}, None),
    ([ToolMessage("42", tool_call_id="1")], {}, None),
    ([HumanMessage("Do it."), _CALLED, ToolMessage("42", tool_call_id="1")], {}, None),
    ([HumanMessage([{"type": "nobody's"}, {}])], {}, None),
    ("Hello", {"tools": [_TOOL]}, "tool_calling"),
    ("", {"tools": [_TOOL]}, "tool_calling"),
    (_of("image_url", image_url={"url": "data:image/png;base64,AAAA"}), {}, "image_inputs"),
    (_of("image", source_type="base64", data="AAAA", mime_type="image/png"), {}, "image_inputs"),
    (_of("input_audio", input_audio={"data": "AAAA", "format": "wav"}), {}, "audio_inputs"),
    (_of("file", file={"file_data": "AAAA"}), {}, "pdf_inputs"),
    (_of("video", url="https://example.com/v"), {}, "video_inputs"),
    (
        [ToolMessage([{"type": "image", "base64": "AAAA", "mime_type": "image/png"}], tool_call_id="1")],
        {},
        "image_inputs",
    ),
    ("Hello", {"require": {"image_inputs"}}, "image_inputs"),
)


@row(
    "I3",
    "Images, sound, video, files, tools and tools' results; empty, system-only and answer-only conversations",
    "Whoever lacks an ability that the messages need may not answer, alone gives NoEligibleCandidateError "
    "with a reason for each candidate, and nothing else raises; decide, adecide, invoke and ainvoke.",
)
def every_form_meets_who_can_take_it(_: Scale) -> Figures:
    wrong, raised, without_reasons, refused, cases = 0, 0, 0, 0, 0
    with asyncio.Runner() as runner:
        for policy in POLICIES:
            plain = replace(in_memory("plain"), capabilities=frozenset())
            able = replace(in_memory("able", rank=2), capabilities=ABLE)
            both, alone = (ChatRouter(candidates=these, policy=policy) for these in ((plain, able), (plain,)))
            for messages, options, needed in _FORMS:
                cases += 1
                try:
                    seen = _all_ways(both, messages, options, runner)
                except Exception:  # noqa: BLE001 - counted
                    raised += 1
                    continue
                wrong += any(
                    (needed is not None and name != "able") or excluded != ({"plain"} if needed else set())
                    for name, excluded in seen
                )
                try:
                    _all_ways(alone, messages, options, runner)
                    wrong += needed is not None
                except NoEligibleCandidateError as error:
                    refused += 1
                    wrong += needed is None
                    without_reasons += _WORDS[needed or ""] not in " ".join(error.excluded.get("plain", ()))
                except Exception:  # noqa: BLE001 - counted
                    raised += 1
    figures = Figures()
    figures.none("went to a model that cannot take it, or was refused in vain", wrong)
    figures.none("raised otherwise", raised)
    figures.none("refused without the ability named", without_reasons)
    figures.exactly("refused", refused, len(POLICIES) * sum(needed is not None for *_, needed in _FORMS))
    figures.tell("cases", cases)
    return figures


def _all_ways(
    router: ChatRouter, messages: Any, options: dict[str, Any], runner: asyncio.Runner
) -> list[tuple[str, set[str]]]:
    """Return who was chosen, or answered, and who was excluded, in each way of asking."""
    decisions = [
        router.decide(messages, **options),
        runner.run(router.adecide(messages, **options)),
    ]
    found = [(decision.chosen.name, set(decision.excluded)) for decision in decisions]
    for answer in (router.invoke(messages, **options), runner.run(router.ainvoke(messages, **options))):
        told = answer.response_metadata["router"]
        found.append((told["served_by"], set(told["excluded"])))
    return found
