"""Sums that fade: exact, and the same in any order."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_router.exceptions import ConfigurationError
from langchain_router.quality.sums import REMEMBERED, FadingSums

additions = st.lists(
    st.tuples(
        st.sampled_from("abcdef"), st.integers(0, 40), st.integers(-(2**30), 2**30), st.sampled_from((1, -1))
    ),
    max_size=30,
)


def filled(made: list[tuple[str, int, int, int]], *, most_keys: int = 64) -> FadingSums:
    sums = FadingSums((1,), half_life_s=1, most_keys=most_keys)
    for key, at_s, what, sign in made:
        sums.add(key, np.array([what]), at_s=at_s, sign=sign)
    return sums


def told(sums: FadingSums) -> dict[str, bytes]:
    return {name: array.tobytes() for name, array in sums.arrays().items()}


@given(additions, st.integers(1, 6), st.randoms(use_true_random=False))
def test_any_order_gives_the_same_bits(
    made: list[tuple[str, int, int, int]], most_keys: int, rng: random.Random
) -> None:
    shuffled = made.copy()
    rng.shuffle(shuffled)
    assert told(filled(made, most_keys=most_keys)) == told(filled(shuffled, most_keys=most_keys))


@given(additions)
def test_what_is_read_is_the_sum_halved_for_each_half_life(made: list[tuple[str, int, int, int]]) -> None:
    sums = filled(made)
    newest = max((at_s for _, at_s, _, _ in made), default=0)
    for key in "abcdef":
        expected = sum(
            (
                Fraction(sign * what, 2 ** (newest - at_s))
                for one, at_s, what, sign in made
                if one == key and at_s >= newest - REMEMBERED
            ),
            Fraction(0),
        )
        assert Fraction(float(sums.read(key)[0])) == expected


@given(additions)
def test_what_was_added_and_taken_away_is_gone(made: list[tuple[str, int, int, int]]) -> None:
    undone = [*made, *((key, at_s, what, -sign) for key, at_s, what, sign in made)]
    assert filled(undone).arrays()["sums"].size == 0


@given(additions, additions)
def test_a_loaded_state_goes_on_as_the_saved_one(
    made: list[tuple[str, int, int, int]], more: list[tuple[str, int, int, int]]
) -> None:
    ahead, loaded = filled([*made, *more], most_keys=4), FadingSums((1,), half_life_s=1, most_keys=4)
    loaded.load(filled(made, most_keys=4).arrays())
    for key, at_s, what, sign in more:
        loaded.add(key, np.array([what]), at_s=at_s, sign=sign)
    assert told(loaded) == told(ahead)


def test_no_more_is_kept_than_the_keys_and_periods_allowed() -> None:
    sums = filled([(f"key {number}", number, 1, 1) for number in range(500)], most_keys=5)
    sums_of_one = filled([("a", number, 1, 1) for number in range(500)])
    assert len(sums.keys()) == 5
    assert len(sums_of_one.arrays()["sums"]) == REMEMBERED + 1


@pytest.mark.parametrize("half_life_s", [0, -1, float("nan"), float("inf"), True, "day"])
def test_a_half_life_that_is_none_is_refused(half_life_s: float) -> None:
    with pytest.raises(ConfigurationError, match="half_life_s"):
        FadingSums((1,), half_life_s=half_life_s)


@pytest.mark.parametrize(
    "broken",
    [
        {"newest": np.array(99)},
        {"owners": np.array([7])},
        {"periods": np.array([0.5])},
        {"sums": np.zeros((1, 2), np.int64)},
        {"sums": np.zeros((1, 1))},
        {"keys": np.frombuffer(b'["a", "a"]', np.uint8)},
        {"keys": np.frombuffer(b'{"a": 1}', np.uint8)},
        {"keys": np.frombuffer(b"[", np.uint8)},
    ],
)
def test_a_state_that_cannot_be_is_refused_and_changes_nothing(broken: dict[str, np.ndarray]) -> None:
    sums = filled([("a", 3, 5, 1)])
    before = told(sums)
    with pytest.raises(ValueError, match=r"."):
        sums.load({**sums.arrays(), **broken})
    assert told(sums) == before
