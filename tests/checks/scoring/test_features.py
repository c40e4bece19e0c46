"""Features of any texts whatever: bounded work, no raising, the same for the same."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage

from langchain_router import RoutingRequest
from langchain_router.checks.scoring import FeatureCache, features_of
from langchain_router.checks.scoring.features import ANSWER_START, CLUES, PROMPT_START, SIZE, Features

NASTY = {
    "nothing": "",
    "null bytes": "x = 1\0```python\nx\0```",
    "lone surrogates": "\ud800 = 3",
    "open brackets": "def f(:\n" + "(" * 50_000,
    "nested brackets": "```python\n" + "[" * 5_000 + "]" * 5_000 + "\n```",
    "nested JSON": '{"answer": ' * 20_000,
    "signs": "def f():\n  return " + "-" * 15_000 + "1",
    "a long chain": "import os\nx = " + "1 + " * 4_000 + "1 = 3",
    "attributes": "import os\nx" + ".a" * 9_000,
    "odd escapes": "import re\nre.compile('\\d\\w')",
    "huge numbers": "9" * 5_000 + " * 3 = 4, 1e999 + 1 = 2, 9 ^ 9 ^ 9 ^ 9 = 1",
    "equals": "1 = " * 50_000,
    "fences": "```" * 50_000,
    "blanks": " \n" * 500_000,
    "one word": "a" * 1_000_000,
    "markers": "the answer is \\boxed{" * 20_000,
    "a thought without end": "<think>" + "hm " * 100_000,
    "signs of Chinese": "不" * 200_000,
}


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY.keys())
def test_no_text_raises_or_takes_long_in_either_place(text: str) -> None:
    started = time.process_time()
    for prompt, answer in ((text, "42"), ("How many are left?", text), (text, text)):
        check_form(features_of(prompt, answer))
    assert time.process_time() - started < 1.0


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=300), st.text(alphabet="0123456789+-*/^()=%$.,x \n\\{}[]`\"':<>#", max_size=300))
def test_texts_of_any_signs_have_features(prompt: str, answer: str) -> None:
    check_form(features_of(prompt, answer))


def check_form(found: Features) -> None:
    assert found.indices.dtype == np.int32
    assert len(found.indices) == len(found.values)
    assert np.all(np.diff(found.indices) > 0)
    assert found.indices.min(initial=0) >= 0
    assert found.indices.max(initial=0) < SIZE
    assert np.all(np.isfinite(found.values))


def test_words_of_prompt_and_answer_are_kept_apart() -> None:
    ours, theirs = features_of("river", "bank"), features_of("bank", "river")
    assert not set(ours.indices[ours.indices >= PROMPT_START]) & set(
        theirs.indices[theirs.indices >= ANSWER_START]
    )
    assert len(ours.indices[ours.indices >= ANSWER_START]) == len(ours.indices) - sum(
        ours.indices < ANSWER_START
    )


def test_a_request_and_its_text_have_the_same_features_and_so_have_message_and_text() -> None:
    prompt, answer = "How many legs has a spider?", "A spider has 8 legs."
    by_text = features_of(prompt, answer)
    by_message = features_of(
        RoutingRequest(messages=(HumanMessage(prompt),)), AIMessage([{"type": "text", "text": answer}])
    )
    assert by_text.indices.tolist() == by_message.indices.tolist()
    assert by_text.values.tolist() == by_message.values.tolist()


def test_only_both_ends_of_an_answer_are_read_and_its_length() -> None:
    def answer(middle: str) -> str:
        return "It starts. " * 400 + middle + "It ends. " * 400

    one, other = features_of("Why?", answer("3 + 4 = 8 ")), features_of("Why?", answer("perhaps, ."))
    assert one.indices.tolist() == other.indices.tolist()
    assert one.values.tolist() == other.values.tolist()
    assert one.values.tolist() != features_of("Why?", answer("")).values.tolist()


def test_what_a_model_thought_aloud_is_not_its_answer() -> None:
    thought = features_of("2 + 2?", "<think>2 + 2 = 5, no.</think>4")
    assert thought.indices.tolist() == features_of("2 + 2?", "4").indices.tolist()


def test_a_cache_works_each_answer_out_once_and_forgets_all_when_it_is_full() -> None:
    cache = FeatureCache(most=3)
    first = cache.features("1?", "1")
    assert cache.features("1?", "1") is first
    assert first.indices.tolist() == features_of("1?", "1").indices.tolist()
    assert cache.agreement("1?", "1", "1") == cache.agreement("1?", "1", "1")
    for answer in "23":
        cache.features("1?", answer)
    assert cache.features("1?", "1") is not first


def test_the_clues_come_first() -> None:
    found = features_of("2 + 2?", "2 + 2 = 5")
    assert (found.indices < CLUES).sum() > 3
