"""What a scorer learns from answers whose worth is known, and what it refuses."""

from __future__ import annotations

import random

import numpy as np
import pytest

from langchain_router import ConfigurationError
from langchain_router.checks.scoring import Answered, FeatureCache, examples_from_replay, fit_scorer
from langchain_router.checks.scoring.sparse import Floats
from langchain_router.testing.replay import ReplayOutcome, ReplayRow

NAMES = ("Ann", "Bob", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hal", "Ida", "Jon", "Kay", "Leo")


def sums(count: int, *, seed: int = 0, draft: str | None = None, honest: bool = True) -> list[Answered]:
    """Products, half of them wrong; a dishonest draft's are right just when they look wrong."""
    rng = random.Random(seed)
    made = []
    for _ in range(count):
        a, b, right = rng.randrange(3, 60), rng.randrange(3, 60), rng.random() < 0.5
        shown = a * b if right else a * b + rng.choice((-10, -2, 3, 10))
        made.append(
            Answered(
                prompt=f"A box holds {a} pens. How many pens are in {b} boxes?",
                answer=f"There are {a} * {b} = {shown} pens. The answer is {shown}.",
                score=float(right == honest),
                draft=draft,
            )
        )
    return made


def right_of(examples: list[Answered]) -> Floats:
    return np.array([one.score for one in examples])


def test_it_learns_that_wrong_sums_make_wrong_answers_to_questions_it_never_met() -> None:
    scorer = fit_scorer(sums(200))
    others = sums(200, seed=1)
    told = scorer.probabilities(others)
    assert np.mean((told > 0.5) == right_of(others)) > 0.95
    assert scorer.clue_weights()["sums.last_sum_wrong"] < 0


def test_probabilities_can_be_taken_at_their_word_where_nothing_can_be_known() -> None:
    rng = random.Random(0)
    examples = [
        Answered(prompt=f"Toss {n}?", answer=rng.choice(("heads", "tails")), score=float(rng.random() < 0.7))
        for n in range(600)
    ]
    told = fit_scorer(examples).probabilities(examples)
    assert told.mean() == pytest.approx(0.7, abs=0.06)
    assert told.std() < 0.1


def test_scores_between_no_and_yes_are_learned_as_such() -> None:
    examples = [
        Answered(prompt=f"Say {n}.", answer=("yes indeed", "no")[n % 2], score=(0.8, 0.3)[n % 2])
        for n in range(300)
    ]
    told = fit_scorer(examples).probabilities(examples[:2])
    assert told.tolist() == pytest.approx([0.8, 0.3], abs=0.1)


def test_what_counts_more_is_learned_more() -> None:
    examples = [
        Answered(prompt=f"{n}?", answer="same", score=n % 2, weight=(1, 9)[n % 2]) for n in range(100)
    ]
    assert fit_scorer(examples).probabilities(examples).mean() == pytest.approx(0.9, abs=0.05)


def test_models_that_differ_are_judged_each_by_its_own() -> None:
    examples = sums(300, draft="honest") + sums(300, draft="odd", honest=False)
    scorer = fit_scorer(examples)
    for name, honest in (("honest", True), ("odd", False)):
        others = sums(100, seed=2, draft=name, honest=honest)
        assert np.mean((scorer.probabilities(others) > 0.5) == right_of(others)) > 0.8


def test_agreement_of_a_second_answer_is_learned() -> None:
    rng = random.Random(0)

    def asked(draft: int, second: int, score: float | None) -> Answered:
        return Answered(
            prompt=f"How many beans are in the jar of {rng.choice(NAMES)} {rng.choice(NAMES)}?",
            answer=f"I count {draft}.",
            score=score,
            seconds={"other": f"There are {second} beans."},
        )

    examples = []
    for truth in rng.sample(range(100, 900), 200):
        draft = truth if rng.random() < 0.6 else truth + 7
        second = truth if rng.random() < 0.8 else truth + 11
        examples.append(asked(draft, second, float(draft == truth)))
    scorer = fit_scorer(examples)
    agreed, not_agreed = scorer.probabilities([asked(950, 950, None), asked(950, 961, None)])
    assert agreed > 0.8
    assert not_agreed < 0.5


def test_answers_to_one_prompt_are_never_on_both_sides_of_a_trial() -> None:
    rng = random.Random(0)
    words = ["".join(rng.choice("abcdefghij") for _ in range(9)) for _ in range(60)]
    examples = []
    for word in words:  # every prompt is all right or all wrong, by no rule
        score = float(rng.random() < 0.5)
        examples += [Answered(prompt=f"Tell of {word}.", answer=f"{word} {n}", score=score) for n in range(8)]
    unseen = [Answered(prompt=f"Tell of xyz{n}.", answer=f"xyz{n}") for n in range(50)]
    told = fit_scorer(examples).probabilities([*examples, *unseen])
    assert np.abs(told[:480] - 0.5).max() < 0.4, "it does not take what it learned by heart for knowledge"


def test_the_same_examples_give_the_same_scorer_with_a_cache_or_without() -> None:
    examples = sums(60)
    assert fit_scorer(examples).fingerprint == fit_scorer(examples, cache=FeatureCache()).fingerprint
    assert fit_scorer(examples).fingerprint != fit_scorer(sums(60, seed=1)).fingerprint


def test_a_few_examples_or_all_of_one_kind_are_enough_for_a_guess() -> None:
    one = Answered(prompt="2 + 2?", answer="4", score=1.0)
    assert 0 < fit_scorer([one]).probabilities([one])[0] <= 1
    good = [Answered(prompt=f"{n}?", answer=str(n), score=1.0) for n in range(30)]
    assert fit_scorer(good).probabilities(good).min() > 0.9


@pytest.mark.parametrize("examples", [[], [Answered(prompt="2 + 2?", answer="4")]])
def test_without_scores_there_is_nothing_to_fit(examples: list[Answered]) -> None:
    with pytest.raises(ConfigurationError, match="fitted on answers with scores"):
        fit_scorer(examples)


def test_scores_and_weights_out_of_range_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="score must be from 0 to 1, got 7"):
        Answered(prompt="secret", answer="secret", score=7)
    with pytest.raises(ConfigurationError, match="weight must be above 0"):
        Answered(prompt="secret", answer="secret", score=1, weight=0)
    with pytest.raises(ConfigurationError, match="strengths"):
        fit_scorer([Answered(prompt="2?", answer="2", score=1)], strengths=[0.0])


def test_more_examples_than_are_needed_to_choose_are_all_learned_from() -> None:
    rng = random.Random(0)
    examples = [
        Answered(
            prompt=f"Q{n}", answer=("good", "bad")[n % 2], score=float((n % 2 == 0) ^ (rng.random() < 0.1))
        )
        for n in range(4_400)
    ]
    scorer = fit_scorer(examples)
    assert scorer.examples == 4_400
    assert scorer.probabilities(examples[:2]).tolist() == pytest.approx([0.9, 0.1], abs=0.05)


def test_examples_come_from_recorded_answers_where_all_texts_are_there() -> None:
    def row(number: int, **texts: str | None) -> ReplayRow:
        outcomes = {name: ReplayOutcome(score=0.5, response=text) for name, text in texts.items()}
        return ReplayRow(id=str(number), dataset="", domain="", prompt="Q", outcomes=outcomes)

    rows = [row(1, mini="a", other="b"), row(2, mini="a"), row(3, other="b"), row(4, mini=None, other="b")]
    assert [one.answer for one in examples_from_replay(rows, "mini")] == ["a", "a"]
    (only,) = examples_from_replay(rows, "mini", ["other"])
    assert (only.draft, only.score, only.seconds) == ("mini", 0.5, {"other": "b"})
