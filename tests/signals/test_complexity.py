"""The complexity scorer, through `score`."""
# ruff: noqa: RUF001 - other scripts are the point of some of these prompts

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage

from langchain_router.request import RoutingRequest
from langchain_router.signals import (
    INTENTS,
    ComplexityScore,
    ComplexityScorer,
    HeuristicComplexityScorer,
    Intent,
    IntentPrediction,
    KeywordIntentClassifier,
)
from langchain_router.signals.complexity import BASE

TOOLS = tuple({"type": "function", "function": {"name": f"tool_{i}"}} for i in range(6))


def score(*messages: object, intent: IntentPrediction | None = None, **given: Any) -> ComplexityScore:
    asked = tuple(m if isinstance(m, BaseMessage) else HumanMessage(str(m)) for m in messages)
    request = RoutingRequest(messages=asked, **given)
    return HeuristicComplexityScorer().score(request, intent or KeywordIntentClassifier().classify(request))


def sure(label: Intent) -> IntentPrediction:
    return IntentPrediction(
        label=label, probabilities={intent: float(intent == label) for intent in INTENTS}, source="test"
    )


@pytest.mark.parametrize(
    "text", ["hi", "Hello!", "thanks", "", "ok", "Hola", "你好", "Bonjour !", "good morning"]
)
def test_greetings_and_nothing_are_trivial(text: str) -> None:
    assert score(text).value <= 0.1


def test_a_long_routine_system_message_does_not_make_a_greeting_hard() -> None:
    system = SystemMessage("You must never discuss prices. Analyse, design and prove with care. " * 200)
    assert score(system, "hi").value <= 0.1


def test_a_demanding_request_is_above_a_plain_one_and_that_above_a_greeting() -> None:
    demanding = score(
        "Design a distributed rate limiter that must survive the loss of a region without dropping more than "
        "1% of requests. First compare consistency and latency, then prove your bound, and finally write the "
        "algorithm with tests for the race conditions."
    )
    plain = score("Write a short note to my neighbour about the fence.")
    assert demanding.value > 0.6 > 0.3 > plain.value > score("hello").value


@pytest.mark.parametrize(
    "text",
    [
        "设计一个分布式限流系统，必须支持十万并发，并证明其一致性。",
        "Докажи теорему и сравни оба алгоритма, не более чем за десять шагов.",
        "صمم خوارزمية وقارن بينها وبين البدائل، يجب أن تعمل بدون ذاكرة إضافية",
        "分散システムの設計を比較し、必ず証明してください。",
        "Démontre le théorème sans récurrence, puis compare les deux méthodes et justifie ton choix.",
        "Demuestra el teorema sin inducción y justifica cada paso, como máximo en diez líneas.",
    ],
)
def test_a_hard_request_in_another_language_is_not_trivial(text: str) -> None:
    assert score(text).value > 0.3


def test_an_ordinary_request_in_another_script_is_not_trivial() -> None:
    result = score("महाराष्ट्र की राजधानी और उसके इतिहास के बारे में लिखिए")
    assert result.contributions["unread_script"] > 0
    assert result.value > 0.2


@pytest.mark.parametrize(
    ("feature", "easier", "harder"),
    [
        ("length", "Tell the story of the fox.", "Tell the story of the fox. " + "It ran on. " * 300),
        ("reasoning", "Describe the plan.", "Critique the plan and justify the optimal one."),
        ("constraints", "Name a bird.", "Name a bird that must live without water, at most 10 cm long."),
        ("mathematics", "Talk about shapes.", "Talk about the eigenvalue of a matrix: x^2 + 3 = 7."),
        (
            "engineering",
            "Talk about shops.",
            "Talk about deadlock and the race condition in distributed caches.",
        ),
        ("domain", "Talk about the paper.", "Talk about the liability clause and its jurisdiction."),
        (
            "instructions",
            "List birds.",
            "List birds, then describe one. Compare two. Which flies best? Who sings?",
        ),
        (
            "code",
            "Look at it.",
            "Look at it.\n```\n" + "for (i = 0; i < n; i++) { a[i] = f(b[i]); }\n" * 9 + "```",
        ),
    ],
)
def test_each_feature_of_the_text_raises_the_score_under_its_own_name(
    feature: str, easier: str, harder: str
) -> None:
    low, high = score(easier, intent=sure("reasoning")), score(harder, intent=sure("reasoning"))
    assert high.contributions[feature] > low.contributions.get(feature, 0.0)
    assert high.value > low.value


def test_turns_tools_and_schema_raise_the_score() -> None:
    text, kind = "Book the usual table for us", sure("conversation")
    alone = score(text, intent=kind)
    deep = score(*["Earlier", AIMessage("yes")] * 8, text, intent=kind)
    schema = {"properties": {f"f{i}": {"type": "string"} for i in range(12)}}
    assert deep.contributions["turns"] > 0 < deep.value - alone.value
    assert score(text, intent=kind, tools=TOOLS).contributions["tools"] > 0
    assert score(text, intent=kind, response_schema=schema).contributions["schema"] > 0


def test_reading_a_tool_result_is_easier_than_deciding_on_the_call() -> None:
    task, call = HumanMessage("Find out when the museum opens"), AIMessage("calling")
    deciding = score(task, tools=TOOLS, intent=sure("conversation"))
    reading = score(
        task, call, ToolMessage("at nine", tool_call_id="1"), tools=TOOLS, intent=sure("conversation")
    )
    assert reading.contributions["tool_result"] < 0
    assert reading.value < deciding.value


def test_the_intent_counts_by_its_probability() -> None:
    text = "Look at the following and answer."
    half = IntentPrediction(
        label="reasoning",
        probabilities=dict.fromkeys(INTENTS, 0.0) | {"reasoning": 0.5, "formatting": 0.5},
        source="test",
    )
    values = [score(text, intent=intent).value for intent in (sure("formatting"), half, sure("reasoning"))]
    assert values[0] < values[1] < values[2]


def test_worked_examples_do_not_count_as_many_questions() -> None:
    example = "Which is heavier, lead or wool?\nAnswer: lead\n\n"
    assert "instructions" not in score(example * 6).contributions


def test_contributions_add_up_to_the_score_and_the_largest_comes_first() -> None:
    result = score("Compare two sorting algorithms and prove which must be faster. Why?")
    amounts = list(result.contributions.values())
    assert result.value == pytest.approx(BASE + sum(amounts))
    assert amounts == sorted(amounts, key=abs, reverse=True)
    assert result.source == "heuristic"


def test_contributions_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        score("hi").contributions["length"] = 1.0  # type: ignore[index]


def test_the_score_never_shows_the_prompt() -> None:
    assert "zanzibarquux" not in repr(score("Prove zanzibarquux"))


def test_it_is_a_complexity_scorer() -> None:
    assert isinstance(HeuristicComplexityScorer(), ComplexityScorer)


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=3_500), st.sampled_from(INTENTS))
def test_any_text_gets_a_score_that_its_parts_explain(text: str, intent: Intent) -> None:
    _check(score(SystemMessage(text), text, intent=sure(intent)))


@pytest.mark.parametrize("text", ["\x00", "\ud800", "\u202eabc", " " * 40_000, "((" * 40_000, "é" * 40_000])
def test_awkward_text_gets_a_score_that_its_parts_explain(text: str) -> None:
    _check(score(text))


def test_requests_without_a_human_message_are_trivial() -> None:
    assert score().value <= 0.1
    assert score(SystemMessage("You are helpful.")).value <= 0.1


def _check(result: ComplexityScore) -> None:
    assert 0.0 <= result.value <= 1.0
    assert result.value == pytest.approx(min(1.0, max(0.0, BASE + sum(result.contributions.values()))))
