"""The keyword classifier, through `classify`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from langchain_router.exceptions import ConfigurationError
from langchain_router.request import RoutingRequest
from langchain_router.signals import (
    INTENTS,
    IntentClassifier,
    IntentPrediction,
    IntentRule,
    KeywordIntentClassifier,
)

DEV = Path(__file__).parents[3] / "shared" / "data" / "intent" / "intent_dev.jsonl"


def classify(text: str, *, system: str = "", **request: Any) -> IntentPrediction:
    messages: list[BaseMessage] = [SystemMessage(system)] if system else []
    messages.append(HumanMessage(text))
    return KeywordIntentClassifier().classify(RoutingRequest(messages=tuple(messages), **request))


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Write a Rust function that merges two sorted vectors.", "code_generation"),
        ("Could you implement a rate limiter in Go?", "code_generation"),
        ("Why does this loop never end?\n```\nwhile (i < 3) { print(i); }\n```", "code_review"),
        ("Refactor this class so that it no longer needs a global.", "code_review"),
        ("Summarise the minutes below in three bullet points.", "summarization"),
        ("Give me the key takeaways of this report.", "summarization"),
        ("Is this tweet positive, negative or neutral? 'Best day ever'", "classification"),
        ("Classify each support ticket by urgency.", "classification"),
        ("Extract every invoice number and due date from the text.", "extraction"),
        ("Pull out all the people named in this letter.", "extraction"),
        ("Prove that there are infinitely many primes.", "reasoning"),
        ("A train covers 120 km in 2 hours and 90 km in 1 hour. How many km per hour is that?", "reasoning"),
        ("Translate into Portuguese: see you tomorrow", "translation"),
        ("How do you say 'good luck' in Japanese?", "translation"),
        ("Rephrase this email so that it sounds more polite.", "formatting"),
        ("Convert this list to a markdown table: pear, plum, fig", "formatting"),
        ("Hello, how are you today?", "conversation"),
        ("What should I cook tonight?", "conversation"),
    ],
)
def test_plain_requests_are_understood(text: str, intent: str) -> None:
    assert classify(text).label == intent


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("Traduce al inglés: el gato duerme", "translation"),
        ("Résume cet article en trois phrases", "summarization"),
        ("Schreibe eine Funktion, die eine Liste sortiert", "code_generation"),
        ("Extraia todos os nomes deste contrato", "extraction"),
        ("Riscrivi questa frase in modo più gentile", "formatting"),
        ("请把下面的句子翻译成英文", "translation"),
        ("この記事を要約してください", "summarization"),
        ("Докажи, что корень из двух иррационален", "reasoning"),
        ("استخرج أسماء الأشخاص من هذا النص", "extraction"),
        ("इस वाक्य का अंग्रेज़ी में अनुवाद करें", "translation"),
        ("이 글을 요약해 주세요", "summarization"),
    ],
)
def test_common_instructions_in_other_languages_are_understood(text: str, intent: str) -> None:
    assert classify(text).label == intent


@pytest.mark.parametrize("order", ["{task}\n\n{material}", "{material}\n\n{task}"])
def test_the_instruction_is_found_before_and_after_a_long_text(order: str) -> None:
    material = "The committee met on Tuesday and spoke about the bridge at length. " * 2_000
    text = order.format(task="Summarize the text in one paragraph.", material=material)
    prediction = classify(text)
    assert prediction.label == "summarization"
    assert prediction.confidence > 0.6


def test_an_instruction_word_deep_inside_the_material_counts_for_less() -> None:
    filler = "The river rose and the mill stood still that year. "
    outside = classify("Extract the dates. " + filler * 12)
    inside = classify(filler * 12 + "They had to extract the dates. " + filler * 12)
    assert outside.probabilities["extraction"] > inside.probabilities["extraction"] + 0.2


def test_a_noun_is_not_taken_for_an_order() -> None:
    assert "make" not in " ".join(classify("The design and the program of the evening").evidence)
    assert classify("Design a program").label == "code_generation"


def test_the_system_message_sets_the_task() -> None:
    assert classify("The weather is lovely today.", system="You are a translator.").label == "translation"


def test_a_router_or_an_editor_in_a_request_is_not_what_the_model_is() -> None:
    assert classify("My router keeps dropping the connection. What can I do?").label == "conversation"
    assert "role_" not in " ".join(classify("Which editor do you like best?").evidence)
    assert "role_classification" in classify("You are a strict classifier. Here comes one.").evidence


def test_the_request_outweighs_a_system_message_that_lists_many_tasks() -> None:
    system = "You are an assistant that can translate, summarize and classify texts."
    assert classify("Write a Python script that renames files.", system=system).label == "code_generation"


def test_a_schema_with_one_closed_field_points_to_classification() -> None:
    schema = {"properties": {"label": {"enum": ["refund", "complaint"]}}}
    assert classify("My parcel never came.", response_schema=schema).label == "classification"


def test_a_schema_with_many_open_fields_points_to_extraction() -> None:
    schema = {"properties": {name: {"type": "string"} for name in ("name", "street", "city", "zip")}}
    assert classify("Ann Lee, 4 Elm St, York YO1", response_schema=schema).label == "extraction"


def test_many_tools_make_idle_talk_less_likely() -> None:
    tools = tuple({"type": "function", "function": {"name": f"t{i}"}} for i in range(4))
    text = "Look into the account of our newest customer"
    assert (
        classify(text, tools=tools).probabilities["conversation"]
        < classify(text).probabilities["conversation"]
    )


def test_explaining_code_is_review_and_explaining_the_world_is_talk() -> None:
    assert classify("Explain:\n```\nx = [i for i in range(3)]\n```").label == "code_review"
    assert classify("Explain how tides work").label == "conversation"


def test_a_text_without_evidence_is_talk_held_with_little_confidence() -> None:
    prediction = classify("Lighthouse keepers of the northern isles")
    assert prediction.label == "conversation"
    assert prediction.confidence < 0.4


def test_evidence_names_rules_and_never_the_prompt() -> None:
    prediction = classify("Translate zanzibarquux into German")
    assert prediction.source == "keywords"
    assert prediction.evidence[0] == "translate"
    assert "zanzibarquux" not in repr(prediction)


def test_it_is_an_intent_classifier() -> None:
    assert isinstance(KeywordIntentClassifier(), IntentClassifier)


@pytest.mark.parametrize(
    "given_rule",
    [
        IntentRule(name="nda", keyword="NDA (mutual)", intent="extraction", weight=6.0),
        IntentRule(name="nda", pattern=r"\bnda\b", intent="extraction", weight=6.0),
    ],
)
def test_a_rule_of_the_users_own_fires_and_is_named(given_rule: IntentRule) -> None:
    request = RoutingRequest(messages=(HumanMessage("Here is the nda (mutual) we spoke of"),))
    prediction = KeywordIntentClassifier(rules=[given_rule]).classify(request)
    assert prediction.label == "extraction"
    assert prediction.evidence[0] == "rule:nda"


def test_a_keyword_is_a_whole_word() -> None:
    rule = IntentRule(name="nda", keyword="nda", intent="extraction", weight=6.0)
    assert rule.matches("an NDA.")
    assert not rule.matches("agenda")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"intent": "poetry"}, "not an intent"),
        ({"intent": ["translation"]}, "not an intent"),
        ({"pattern": "(", "keyword": None}, "cannot be searched"),
        ({"pattern": 3, "keyword": None}, "cannot be searched"),
        ({"pattern": "a*", "keyword": None}, "empty text"),
        ({"keyword": " "}, "empty text"),
        ({"keyword": 3}, "cannot be searched"),
        ({"keyword": None}, "either keyword= or pattern="),
        ({"pattern": "x"}, "either keyword= or pattern="),
        ({"weight": 0}, "weight"),
        ({"weight": float("nan")}, "weight"),
        ({"weight": 11}, "weight"),
        ({"weight": True}, "weight"),
        ({"name": ""}, "name"),
    ],
)
def test_a_faulty_rule_is_refused_when_it_is_made(wrong: dict[str, Any], said: str) -> None:
    fine: dict[str, Any] = {"name": "n", "keyword": "k", "intent": "translation", "weight": 1.0}
    with pytest.raises(ConfigurationError, match=said):
        IntentRule(**(fine | wrong))


def test_something_that_is_no_rule_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="IntentRule"):
        KeywordIntentClassifier(rules=["translate"])  # type: ignore[list-item]


AWKWARD = [
    "",
    "\x00\x00",
    "\ud800 translate \udfff",
    "\u202eetalsnart",
    "\x89PNG\r\n\x1a\n" + "\x00\xff" * 2_000,
    "((((" * 3_000,
    "```" * 3_000,
    "a" * 50_000,
    "请" * 50_000,
    " " * 50_000,
    "\t\n" * 20_000,
    "x, or " * 9_000,
    "in in in " * 9_000,
]


@pytest.mark.parametrize("text", AWKWARD)
def test_awkward_text_gets_nine_probabilities(text: str) -> None:
    _check(classify(text, system=text))


@settings(deadline=None)
@given(st.text(alphabet=st.characters(), max_size=3_500), st.text(alphabet=st.characters(), max_size=900))
def test_any_text_gets_nine_probabilities(text: str, system: str) -> None:
    _check(classify(text, system=system))


def test_requests_without_a_human_message_get_nine_probabilities() -> None:
    for messages in ((), (SystemMessage("Translate."),), (AIMessage(""),)):
        _check(KeywordIntentClassifier().classify(RoutingRequest(messages=messages)))


def _check(prediction: IntentPrediction) -> None:
    assert set(prediction.probabilities) == set(INTENTS)
    assert sum(prediction.probabilities.values()) == pytest.approx(1.0)
    assert prediction.confidence == max(prediction.probabilities.values())


@pytest.mark.parametrize("text", [text for text in AWKWARD if text])
def test_the_work_is_bounded_for_ten_megabytes_of_anything(text: str) -> None:
    request = RoutingRequest(messages=(HumanMessage(text * (10_000_000 // len(text))),))
    classifier = KeywordIntentClassifier()
    best = min(_timed(classifier, request) for _ in range(5))
    assert best < 0.01


def _timed(classifier: KeywordIntentClassifier, request: RoutingRequest) -> float:
    start = time.perf_counter()
    classifier.classify(request)
    return time.perf_counter() - start


@pytest.mark.skipif(not DEV.exists(), reason="the evaluation data is kept outside the repository")
def test_macro_f1_on_prompts_labelled_by_others_stays_above_the_keyword_baseline() -> None:
    rows = [json.loads(line) for line in DEV.read_text(encoding="utf-8").splitlines()]
    pairs = [(row["intent"], classify(row["prompt"]).label) for row in rows]
    scores = []
    for intent in INTENTS:
        hits = sum(truth == said == intent for truth, said in pairs)
        misses = sum((truth == intent) != (said == intent) for truth, said in pairs)
        scores.append(2 * hits / (2 * hits + misses))
    assert sum(scores) / len(scores) > 0.70
