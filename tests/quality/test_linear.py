"""The regression: exact, as the textbook has it, and honest about what it does not know."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_router.exceptions import ConfigurationError
from langchain_router.quality.linear import ExactLinear

SIZE = 3
observations = st.lists(
    st.tuples(
        st.sampled_from("ab"),
        st.tuples(st.just(128), st.integers(-127, 127), st.integers(-127, 127)),
        st.integers(-1024, 1024),
        st.integers(0, 64),
        st.integers(0, 3),
    ),
    max_size=12,
)
Observation = tuple[str, tuple[int, int, int], int, int, int]


def model(half_life_s: float | None = 1.0) -> ExactLinear:
    return ExactLinear([2.0, 5.0, 20.0], half_life_s=half_life_s)


def take(linear: ExactLinear, one: Observation, sign: int = 1) -> None:
    key, inputs, target, weight, at_s = one
    linear.learn(key, np.array(inputs), target, weight=weight, at_s=at_s, sign=sign)


def told(linear: ExactLinear) -> list[bytes]:
    arrays = [array.tobytes() for _, array in sorted(linear.arrays().items())]
    coefficients = [part.tobytes() for key in "ab" for part in linear.coefficients(key)]
    return arrays + coefficients


@given(observations, observations, st.randoms(use_true_random=False))
def test_any_order_of_learning_and_unlearning_gives_the_same_bits(
    kept: list[Observation], undone: list[Observation], rng: random.Random
) -> None:
    steps = [(one, 1) for one in kept + undone] + [(one, -1) for one in undone]
    shuffled = steps.copy()
    rng.shuffle(shuffled)
    first, second = model(), model()
    for one, sign in steps:
        take(first, one, sign)
    for number, (one, sign) in enumerate(shuffled):
        take(second, one, sign)
        if number % 3 == 0:  # whenever it was read in between
            second.predict(["a"], np.array([128, 0, 0]))
    assert told(first) == told(second)


@settings(max_examples=30)
@given(observations)
def test_coefficients_are_those_of_the_textbook(made: list[Observation]) -> None:
    linear = model(half_life_s=None)
    for one in made:
        take(linear, one)
    for key in "ab":
        mine = [one for one in made if one[0] == key]
        expected, inverse = _by_fractions(mine, [Fraction(2), Fraction(5), Fraction(20)])
        means, covariance = linear.coefficients(key)
        assert means == pytest.approx([float(one) for one in expected], abs=1e-9)
        total = sum((Fraction(w, 64) for *_, w, _ in mine), Fraction(0))
        squares = sum((Fraction(w, 64) * Fraction(y, 1024) ** 2 for _, _, y, w, _ in mine), Fraction(0))
        explained = sum((mean * _by_target(mine, place) for place, mean in enumerate(expected)), Fraction(0))
        noise = (Fraction(8) * Fraction(15, 100) + squares - explained) / (8 + total)
        assert covariance == pytest.approx(
            np.array([[float(noise * one) for one in row] for row in inverse]), abs=1e-9
        )


def test_a_block_of_a_strong_prior_moves_less_than_one_of_a_weak_prior() -> None:
    linear = model(half_life_s=None)
    for _ in range(5):
        linear.learn("a", np.array([128, 128, 128]), 512)
    weak, middle, strong = linear.coefficients("a")[0]
    assert weak > middle > strong > 0


def test_a_key_never_seen_predicts_nothing_and_is_unsure() -> None:
    means, deviations = model().predict(["new"], np.array([128, 0, 0]))
    assert means.tolist() == [0.0]
    assert deviations[0] == pytest.approx((0.15 / 2) ** 0.5)


def test_both_ways_of_predicting_agree() -> None:
    linear, rng = model(), random.Random(3)
    rows = [np.array([128, rng.randint(-127, 127), rng.randint(-127, 127)]) for _ in range(20)]
    for place, row in enumerate(rows):
        linear.learn("ab"[place % 2], row, rng.randint(0, 1024))
    for row in rows:
        means, deviations = linear.predict(["b", "a"], row)
        same_means, same_deviations = linear.predict_rows(["b", "a"], [row, row])
        assert same_means == pytest.approx(means.tolist())
        assert same_deviations == pytest.approx(deviations.tolist())


def test_nine_intervals_of_ten_hold_the_truth() -> None:
    rng = np.random.default_rng(5)
    precision, noise, held = np.array([2.0, 5.0, 20.0]), 0.15, []
    for _ in range(600):
        truth = rng.normal(0, np.sqrt(noise / precision))
        linear = ExactLinear(precision.tolist(), half_life_s=None)
        for _ in range(int(rng.integers(1, 60))):
            inputs = np.concatenate(([128], rng.integers(-127, 128, 2)))
            target = inputs / 128 @ truth + rng.normal(0, noise**0.5)
            linear.learn("a", inputs, round(1024 * float(target)))
        asked = np.concatenate(([128], rng.integers(-127, 128, 2)))
        means, deviations = linear.predict(["a"], asked)
        held.append(abs(means[0] - asked / 128 @ truth) < 1.645 * deviations[0])
    assert 0.87 < np.mean(held) < 0.93


def test_asking_for_ever_new_keys_keeps_memory_constant() -> None:
    linear = ExactLinear([1.0, 1.0], most_keys=4)
    for number in range(200):
        linear.learn(f"key {number}", np.array([128, 0]), 1024)
        linear.predict([f"key {number}"], np.array([128, 0]))
    assert len(linear._rows) <= 8
    assert len(linear.arrays()["sums"]) == 4


def test_a_key_that_made_room_for_another_is_forgotten_at_once() -> None:
    asked = np.array([128, 0])
    for key, other in ("ab", "ba"):
        linear = ExactLinear([1.0, 1.0], most_keys=1)
        linear.learn(key, asked, 1024)
        linear.predict([key, other], asked)
        linear.learn(other, asked, 1024)
        assert sorted(linear.predict([key, other], asked)[0].tolist()) == [0.0, 0.5]


def test_what_was_read_before_fades_when_another_key_learns_something_newer() -> None:
    linear, asked = ExactLinear([1.0, 1.0], half_life_s=1.0), np.array([128, 0])
    linear.learn("a", asked, 1024, at_s=1)
    before = linear.predict(["a", "b"], asked)[0][0]
    linear.learn("b", asked, 1024, at_s=3)
    assert before == 0.5
    assert linear.predict(["a", "b"], asked)[0].tolist() == pytest.approx([0.2, 0.5])


@pytest.mark.parametrize("precision", [[1.0, 0.0], [1.0, -1.0], [float("nan")], {"": [1.0], "a": [1.0, 2.0]}])
def test_a_prior_that_is_none_is_refused(precision: list[float]) -> None:
    with pytest.raises(ConfigurationError, match="precision"):
        ExactLinear(precision)


def _by_target(made: list[Observation], place: int) -> Fraction:
    return sum((Fraction(w * x[place] * y, 64 * 128 * 1024) for _, x, y, w, _ in made), Fraction(0))


def _by_fractions(
    made: list[Observation], prior: list[Fraction]
) -> tuple[list[Fraction], list[list[Fraction]]]:
    """Solve (prior + sum of w x x') m = sum of w x y by elimination, without rounding."""
    rows = []
    for i in range(SIZE):
        left = [
            sum((Fraction(w * x[i] * x[j], 64 * 128 * 128) for _, x, _, w, _ in made), Fraction(0))
            for j in range(SIZE)
        ]
        left[i] += prior[i]
        rows.append(left + [Fraction(i == j) for j in range(SIZE)])
    for i in range(SIZE):
        rows[i] = [one / rows[i][i] for one in rows[i]]
        for j in range(SIZE):
            if j != i:
                factor = rows[j][i]
                rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i], strict=True)]
    inverse = [row[SIZE:] for row in rows]
    means = [
        sum((inverse[i][j] * _by_target(made, j) for j in range(SIZE)), Fraction(0)) for i in range(SIZE)
    ]
    return means, inverse
