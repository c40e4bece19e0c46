"""The learned scorer, through `score`."""
# ruff: noqa: RUF001 - other scripts are the point of some of these prompts

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from langchain_router.exceptions import ConfigurationError
from langchain_router.request import RoutingRequest
from langchain_router.signals import ComplexityScore, ComplexityScorer, KeywordIntentClassifier
from langchain_router.signals.learned_complexity import LearnedComplexityScorer
from langchain_router.signals.linear_weights import LinearWeights

SCORER = LearnedComplexityScorer()
TOOLS = tuple({"type": "function", "function": {"name": f"tool_{i}"}} for i in range(6))


def score(*messages: object, **given: Any) -> ComplexityScore:
    asked = tuple(m if isinstance(m, BaseMessage) else HumanMessage(str(m)) for m in messages)
    request = RoutingRequest(messages=asked, **given)
    return SCORER.score(request, KeywordIntentClassifier().classify(request))


@pytest.mark.parametrize("text", ["hi", "thanks", "ok", "", "Hola", "你好"])
def test_greetings_and_nothing_are_near_zero(text: str) -> None:
    assert score(text).value <= 0.15


@pytest.mark.parametrize(
    ("easier", "harder"),
    [
        ("What is 2 + 3?", "Prove that there are infinitely many primes congruent to 3 modulo 4."),
        ("Write hello world in Python.", "Implement a lock-free concurrent hash map in C++ with resizing."),
        (
            "Translate 'thank you' into Spanish.",
            "Translate this indemnity clause into German so that it stays valid.",
        ),
        (
            "今天星期几？",
            "证明任意大于二的偶数可以写成两个素数之和的猜想为何至今无法证明，并比较已知的部分结果。",
        ),
        (
            "Add 4 and 5.",
            "Add 4817, 5902.75, 39% of 8140 and 7/11, then divide by 0.0625 and round to 3 places.",
        ),
        (
            "print([1, 2][0])\nWhat is the output?",
            "def f(x):\n    for i in range(9):\n        x = x * 3 + i\n    return x\nprint(f(7))\nOutput?",
        ),
    ],
)
def test_the_harder_of_two_requests_scores_higher(easier: str, harder: str) -> None:
    assert score(easier).value < score(harder).value


def test_contributions_add_up_to_the_score_largest_first() -> None:
    result = score("Compare the two proofs: which bound is tighter, and why must n be at least 4?")
    amounts = list(result.contributions.values())
    assert result.value == pytest.approx(SCORER.base + sum(amounts))
    assert [abs(amount) for amount in amounts] == sorted(map(abs, amounts), reverse=True)
    assert {"words", "length", "proof"} <= set(result.contributions)
    assert result.source == "learned"
    assert isinstance(SCORER, ComplexityScorer)


def test_turns_tools_and_schema_raise_the_score() -> None:
    text = "Book the usual table for us"
    schema = {"properties": {f"f{i}": {"type": "string"} for i in range(12)}}
    alone = score(text).value
    assert score(*["Earlier", AIMessage("yes")] * 8, text).value > alone
    assert score(text, tools=TOOLS).contributions["tools"] > 0
    assert score(text, response_schema=schema).contributions["schema"] > 0


@pytest.mark.parametrize("sign", ["digits", "numbers", "operators", "branches", "nesting", "proof", "limits"])
def test_no_sign_of_more_work_takes_from_the_score(sign: str) -> None:
    signs = LearnedComplexityScorer()._signs
    assert signs[sign][2] >= 0


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=400))
def test_every_text_is_scored_within_zero_and_one(text: str) -> None:
    assert 0 <= score(text).value <= 1
    assert 0 <= score([{"type": "text", "text": text}]).value <= 1


@pytest.mark.parametrize(
    "text", ["\ud800", "9" * 100_000, "((((" * 50_000, "\\frac" * 20_000, "'" * 60_000, "a b " * 1_000_000]
)
def test_odd_and_huge_texts_are_scored(text: str) -> None:
    assert 0 <= score(text).value <= 1


def test_weights_are_saved_and_read_and_others_refused(tmp_path: Path) -> None:
    SCORER.save(tmp_path / "w.npz")
    assert LearnedComplexityScorer(tmp_path / "w.npz").fingerprint == SCORER.fingerprint
    with pytest.raises(ConfigurationError, match="lack the numbers of the signs"):
        LearnedComplexityScorer(
            LinearWeights(table=SCORER._weights.table, scales=SCORER._weights.scales, about={})
        )
