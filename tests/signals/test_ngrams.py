"""What the learned signals see of a text."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_router.signals.ngrams import BITS, WEIGHTS, Hashed, hashed, tokens_of


def likeness(left: Hashed, right: Hashed) -> float:
    rows = np.zeros((2, 2**BITS))
    for row, one in zip(rows, (left, right), strict=True):
        np.add.at(row, one.places, one.values)
    return float(rows[0] @ rows[1] / np.sqrt((rows[0] @ rows[0]) * (rows[1] @ rows[1])))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Don't add 12 to 7!", ["don't", "add", "00", "to", "0", "!"]),
        ("Don\u2019t", ["don't"]),
        ("翻译成英文", ["翻", "译", "成", "英", "文"]),
        ("हिन्दी में लिखो।", ["हिन्दी", "में", "लिखो", "।"]),
        ("a\n\n\nb\nc", ["a", "\n\n", "b", "\n", "c"]),
        ("snake_case(x)", ["snake", "_", "case", "(", "x", ")"]),
        ("1234567", ["0000"]),
    ],
)
def test_words_signs_and_numbers_are_told_apart_in_every_script(text: str, tokens: list[str]) -> None:
    assert tokens_of(text) == tokens


def test_the_same_words_are_alike_and_others_are_not() -> None:
    asked = hashed("Translate this letter into German")
    near = likeness(asked, hashed("translate this letter into german."))
    assert near > 0.8 > 0.2 > likeness(asked, hashed("Why does my loop never end?"))


def test_where_a_word_stands_counts() -> None:
    filler = "one two three four five six seven eight nine ten " * 12
    first, last = hashed(f"summarise {filler}"), hashed(f"{filler} summarise")
    assert likeness(first, last) < likeness(first, hashed(f"summarise {filler} now"))


def test_every_part_is_as_long_whatever_the_length_of_the_text() -> None:
    for text in ("hi", "word " * 50, "another word " * 400):
        vector = hashed(text)
        assert float((vector.values**2).sum()) <= sum(weight**2 for weight in WEIGHTS.values()) + 1e-3


def test_the_map_stays_what_the_shipped_weights_were_learned_through() -> None:
    vector = hashed("Sort 3 names: Åsa, 李, Bob\n")
    told = f"{len(vector.places)} {int(vector.places.sum())} {float(vector.values.sum()):.3f}"
    assert told == "140 9526211 17.193", "whoever changes the map gives it another MAP_NAME and trains anew"


@given(st.text(max_size=300))
def test_any_text_is_hashed_into_the_buckets_there_are(text: str) -> None:
    vector = hashed(text)
    assert len(vector.places) == len(vector.values)
    assert np.isfinite(vector.values).all()
    assert not len(vector.places) or (vector.places.min() >= 0 and vector.places.max() < 2**BITS)


def test_lone_surrogates_and_a_megabyte_are_taken() -> None:
    assert len(hashed("\ud800 \x00 broken").places) > 0
    assert len(hashed("all kinds of words " * 60_000).places) < 5_000
