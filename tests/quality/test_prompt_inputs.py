"""A prompt as numbers: the same from a request as from its text, in bounded work, whatever it says."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from langchain_router import RoutingRequest
from langchain_router.quality.prompt_inputs import BUCKETS, FACTS, SIZE, prompt_inputs

HOSTILE = {
    "nothing": "",
    "a lone surrogate": "a\ud800b",
    "zeros": "\0" * 50,
    "many digits": "9" * 5_000,
    "many lines": "\n" * 5_000,
    "many marks": "?" * 5_000,
    "combining marks": "e\u0301" * 3_000,
    "digits of another script": "\u0663\u0664\u0665 \u00bd \u2167",
    "right to left": "\u202e\u05e9\u05dc\u05d5\u05dd\u202c",
    "nested brackets": "[" * 20_000,
}


def request(text: str) -> RoutingRequest:
    return RoutingRequest(messages=(HumanMessage(text),))


def facts(text: str) -> list[float]:
    row: list[float] = prompt_inputs([text])[0, BUCKETS:].tolist()
    return row


@given(st.text(st.characters(), max_size=200))
def test_a_request_and_its_text_give_the_same_finite_row(text: str) -> None:
    row = prompt_inputs([text])
    np.testing.assert_array_equal(row, prompt_inputs([request(text)]))
    assert row.shape == (1, SIZE)
    assert np.isfinite(row).all()


@pytest.mark.parametrize("length", [2_699, 2_701, 5_000, 100_001, 300_000])
def test_so_do_long_ones(length: int) -> None:
    text = ("words of a long prompt " * (length // 23 + 1))[:length]
    np.testing.assert_array_equal(prompt_inputs([text]), prompt_inputs([request(text)]))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_text_breaks_it_or_weighs_much_more_than_others(text: str) -> None:
    row = prompt_inputs([text])
    np.testing.assert_array_equal(row, prompt_inputs([request(text)]))
    assert np.isfinite(row).all()
    assert abs(row).max() < 4
    assert np.square(row[0, :BUCKETS]).sum() == pytest.approx(
        1.0 if row[0, :BUCKETS].any() else 0.0, abs=1e-4
    )


def test_the_work_for_a_huge_prompt_is_bounded() -> None:
    prompt_inputs(["warm"])
    began = time.perf_counter()
    prompt_inputs(["What is 12 * 12? " * 500_000])
    assert time.perf_counter() - began < 0.5


def test_both_ends_of_a_long_prompt_count() -> None:
    middle = "and so on and so on. " * 1_000
    first, last = f"Translate this. {middle}", f"{middle} Translate this."
    plain = prompt_inputs([middle])
    assert (prompt_inputs([first]) != plain)[0, :BUCKETS].any()
    assert (prompt_inputs([last]) != plain)[0, :BUCKETS].any()


def test_the_last_human_message_counts_alone() -> None:
    talk = RoutingRequest(
        messages=(
            SystemMessage("Be brief."),
            HumanMessage("Something else entirely"),
            AIMessage("Indeed."),
            HumanMessage("How much is 12 * 12?"),
        )
    )
    np.testing.assert_array_equal(prompt_inputs([talk]), prompt_inputs(["How much is 12 * 12?"]))


def test_rows_do_not_depend_on_what_else_is_asked_for() -> None:
    prompts = ["How much is 2 + 2?", "Translate 'house'.", "Write a poem."]
    together = prompt_inputs(prompts)
    for row, prompt in zip(together, prompts, strict=True):
        np.testing.assert_array_equal(row, prompt_inputs([prompt])[0])
    assert prompt_inputs([]).shape == (0, SIZE)


def test_words_and_their_order_tell_prompts_apart_but_capitals_do_not() -> None:
    def words(text: str) -> list[float]:
        found: list[float] = prompt_inputs([text])[0, :BUCKETS].tolist()
        return found

    assert words("the dog bit the man") != words("the man bit the dog")
    assert words("How Much?") == words("how much?")


@pytest.mark.parametrize(
    ("place", "less", "more"),
    [
        (0, "word " * 5, "word " * 50),
        (1, "in the year of old", "in the year 1 7 8 9"),
        (2, "one line", "one\ntwo\nthree"),
        (3, "is it", "is it? is it?"),
        (4, "one 11", "1 and 2 and 3"),
        (5, "house", "\u5bb6\u5c4b"),
    ],
    ids=["length", "digits", "lines", "questions", "numbers", "other scripts"],
)
def test_each_fact_grows_with_what_it_counts(place: int, less: str, more: str) -> None:
    assert len(facts(less)) == FACTS
    assert facts(less)[place] < facts(more)[place]


def test_of_texts_longer_than_is_read_the_whole_length_counts() -> None:
    assert facts("x" * 200_000)[0] < facts("x" * 2_000_000)[0]
