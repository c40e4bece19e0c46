"""The learned classifier, through `classify`, `fit` and `save`."""
# ruff: noqa: RUF001 - other scripts are the point of some of these prompts

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from langchain_router.exceptions import ConfigurationError
from langchain_router.request import RoutingRequest
from langchain_router.signals import (
    INTENTS,
    Intent,
    IntentClassifier,
    IntentPrediction,
    KeywordIntentClassifier,
)
from langchain_router.signals.linear_intent import LinearIntentClassifier

LINEAR = LinearIntentClassifier()


def asked(*messages: object, **given: Any) -> RoutingRequest:
    return RoutingRequest(
        messages=tuple(m if isinstance(m, BaseMessage) else HumanMessage(str(m)) for m in messages), **given
    )


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("write a script that renames every photo in a folder after its date", "code_generation"),
        ("Why does this crash?\n```\nx = []\nprint(x[0])\n```", "code_review"),
        ("give me the short version of this: the council met, argued, and went home", "summarization"),
        ("is this comment positive or negative: 'would not buy again'", "classification"),
        ("pull the phone number and the name out of this mail: ring me on 555 0100, Bea", "extraction"),
        ("A tank holds 90 litres and loses 4 litres an hour. When is it half empty?", "reasoning"),
        ("how do I say 'see you soon' in Portuguese", "translation"),
        ("make this mail more polite: send me the file now", "formatting"),
        ("any ideas for my grandmother's birthday?", "conversation"),
        ("把下面这句话翻译成英文：今天天气很好。", "translation"),
        ("用一句话总结下面的内容：会议讨论了预算，决定下周再议。", "summarization"),
        ("Escribe una función en Python que sume una lista.", "code_generation"),
        ("Übersetze diesen Satz ins Englische: Das Boot ist voll.", "translation"),
        ("Fais-moi un résumé de ce texte : la réunion a été longue et inutile.", "summarization"),
    ],
)
def test_requests_are_told_apart_however_they_are_worded(text: str, label: Intent) -> None:
    prediction = LINEAR.classify(asked(text))
    assert prediction.label == label
    assert prediction.source == "linear"


def test_the_probabilities_are_those_of_the_nine_and_sum_to_one() -> None:
    prediction = LINEAR.classify(asked("What is it?"))
    assert set(prediction.probabilities) == set(INTENTS)
    assert sum(prediction.probabilities.values()) == pytest.approx(1)
    assert prediction.label == max(prediction.probabilities, key=prediction.probabilities.__getitem__)
    assert isinstance(LINEAR, IntentClassifier)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=400), st.text(max_size=80))
def test_nothing_that_a_prompt_can_hold_makes_it_raise(text: str, system: str) -> None:
    LINEAR.classify(asked(SystemMessage(system), text))
    LINEAR.classify(asked([{"type": "text", "text": text}, {"type": "image_url"}]))


@pytest.mark.parametrize("text", ["", "\ud800", "\x00", "\u202e\u200b", "0" * 10_000, "\n" * 5_000])
def test_odd_texts_are_classified(text: str) -> None:
    assert LINEAR.classify(asked(text)).label in INTENTS
    assert LINEAR.classify(RoutingRequest(messages=())).label in INTENTS


def test_a_prompt_of_ten_megabytes_costs_about_as_much_as_its_two_ends() -> None:
    short, long = asked("some words of no meaning " * 200), asked("some words of no meaning " * 400_000)
    took = []
    for request in (short, long):
        start = time.perf_counter()
        LINEAR.classify(request)
        took.append(time.perf_counter() - start)
    assert took[1] < 20 * took[0] + 0.05


def test_a_system_message_decides_where_the_human_message_is_material() -> None:
    material = "The ferry sails at nine and returns at noon."
    told = SystemMessage("You are a translator. Translate everything the user writes into French.")
    alone, with_system = LINEAR.classify(asked(material)), LINEAR.classify(asked(told, material))
    assert with_system.probabilities["translation"] > alone.probabilities["translation"]
    assert with_system.label == "translation"


def test_a_closed_schema_speaks_for_a_label_as_it_does_for_the_keywords() -> None:
    text = "The kettle broke after a week."
    schema = {"properties": {"verdict": {"enum": ["good", "bad"]}}}
    plain, closed = LINEAR.classify(asked(text)), LINEAR.classify(asked(text, response_schema=schema))
    assert closed.probabilities["classification"] > plain.probabilities["classification"]


def test_when_it_is_unsure_the_fallback_answers_and_the_evidence_says_so() -> None:
    class Always:
        def classify(self, request: RoutingRequest) -> IntentPrediction:
            return IntentPrediction(
                label="extraction",
                probabilities={intent: float(intent == "extraction") for intent in INTENTS},
                source="mine",
                evidence=("why",),
            )

    doubtful = LinearIntentClassifier(fallback=Always(), unsure_below=1.0).classify(asked("hm"))
    assert (doubtful.label, doubtful.source, doubtful.evidence) == (
        "extraction",
        "mine",
        ("linear:unsure", "why"),
    )
    keywords = LinearIntentClassifier(unsure_below=1.0).classify(asked("hm"))
    assert keywords.probabilities == KeywordIntentClassifier().classify(asked("hm")).probabilities


def test_no_evidence_holds_text_of_the_prompt() -> None:
    evidence = LINEAR.classify(asked("Summarise the secret plan of Zebulon")).evidence
    assert not any("zebulon" in one.lower() or "secret" in one.lower() for one in evidence)


MINE = [f"ticket {n}: {what}" for n in range(12) for what in ("printer on fire", "no coffee", "door jammed")]


def test_fit_learns_from_prompts_of_mine_and_leaves_the_rest_as_it_was() -> None:
    labels: list[Intent] = ["classification"] * len(MINE)
    fitted = LINEAR.fit(MINE, labels)
    request = asked("ticket 99: lift stuck")
    assert (
        fitted.classify(request).probabilities["classification"]
        > LINEAR.classify(request).probabilities["classification"]
    )
    assert fitted.classify(request).label == "classification"
    assert fitted.classify(asked("Translate this letter into Greek.")).label == "translation"
    assert LINEAR.fit(MINE, labels).fingerprint == fitted.fingerprint != LINEAR.fingerprint


def test_fit_takes_whole_requests() -> None:
    requests = [asked(SystemMessage("You sort mail."), text) for text in MINE]
    fitted = LINEAR.fit(requests, ["classification"] * len(requests))
    assert fitted.classify(asked(SystemMessage("You sort mail."), "ticket 1: hm")).label == "classification"


def test_fitted_weights_are_saved_and_read(tmp_path: Path) -> None:
    fitted = LINEAR.fit(MINE, ["classification"] * len(MINE))
    fitted.save(tmp_path / "mine.npz")
    again = LinearIntentClassifier(tmp_path / "mine.npz")
    assert again.fingerprint == fitted.fingerprint
    assert again.classify(asked("ticket 7")) == fitted.classify(asked("ticket 7"))


@pytest.mark.parametrize(
    ("prompts", "labels", "l2", "message"),
    [
        (["a"], [], 1e-3, "one label"),
        ([], [], 1e-3, "1 to 10000"),
        (["a"], ["poem"], 1e-3, "'poem' is not an intent"),
        (["a"], ["translation"], 0.0, "l2 must be above 0"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(
    prompts: list[str], labels: list[Intent], l2: float, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        LINEAR.fit(prompts, labels, l2=l2)


def test_a_threshold_that_is_no_probability_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"within 0\.\.1, got 2"):
        LinearIntentClassifier(unsure_below=2)
