"""Plans fitted on recorded answers: what each comes to; no check is judged on what it was fitted on."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np
import pytest

from langchain_router.checks.scoring import Answered
from langchain_router.checks.scoring.features import FeatureCache
from langchain_router.evaluation.plans.arms import Arm, Came, best_single, came_of, checked, fit_arms
from langchain_router.evaluation.plans.progress import silent
from langchain_router.evaluation.plans.table import Table, dense_table
from langchain_router.evaluation.recorded import as_request
from langchain_router.testing.replay import ReplayOutcome, ReplayRow
from tests.evaluation.plans.made_rows import TWO, Shown, scored, sums

TINY, MID, LARGE = range(3)


@functools.cache
def usual() -> tuple[Table, list[Arm], Came]:
    table = dense_table(sums(100))
    return table, *fitted(table)


def fitted(table: Table) -> tuple[list[Arm], Came]:
    return fit_arms(table, cache=FeatureCache(), progress=silent)


def best_cascade(arms: Sequence[Arm], came: Came, base: float, *, seconds: bool | None = None) -> int:
    """The cheapest arm with a check that loses two points or less."""
    costs = came.costs_usd.mean(axis=0)
    good = [
        place
        for place, arm in enumerate(arms)
        if arm.scorer is not None
        and came.scores[:, place].mean() >= base - 0.02
        and seconds in {None, bool(arm.seconds)}
    ]
    return min(good, key=lambda place: float(costs[place]))


def test_every_model_alone_comes_first_with_what_was_recorded_of_it() -> None:
    table, arms, came = usual()
    assert arms[:3] == [Arm(draft=TINY), Arm(draft=MID), Arm(draft=LARGE)]
    np.testing.assert_array_equal(came.scores[:, :3], table.scores)
    np.testing.assert_array_equal(came.costs_usd[:, :3], table.costs_usd)
    assert not came.escalated[:, :3].any()
    assert came.scores.shape == came.costs_usd.shape == came.escalated.shape == (100, len(arms))


def test_drafts_seconds_and_the_last_are_all_paid_for() -> None:
    table = dense_table(
        scored([{"a": 0.25, "b": 0.0, "c": 0.5, "d": 1.0}] * 10, {"a": 1.0, "b": 2.0, "c": 4.0, "d": 8.0})
    )
    gains = np.linspace(0.0, 0.9, 10)
    for seconds, paid in (((), 1.0), ((1,), 3.0), ((1, 2), 7.0)):
        came = checked(table, Arm(draft=0, seconds=seconds, last=3, most_gain=0.55), gains)
        assert came.costs_usd[:, 0].tolist() == [paid] * 6 + [paid + 8.0] * 4
        assert came.scores[:, 0].tolist() == [0.25] * 6 + [1.0] * 4
        assert came.escalated[:, 0].tolist() == [False] * 6 + [True] * 4


def test_what_is_expected_to_gain_just_as_much_as_allowed_is_not_escalated() -> None:
    table = dense_table(scored([{"a": 0.0, "b": 1.0}] * 10, {"a": 1.0, "b": 2.0}))
    came = checked(table, Arm(draft=0, last=1, most_gain=0.5), np.array([0.5] * 5 + [0.5001] * 5))
    assert came.escalated[:, 0].tolist() == [False] * 5 + [True] * 5


def test_every_cascade_of_a_fit_is_paid_and_scored_by_who_was_asked() -> None:
    table, arms, came = usual()
    for place, arm in enumerate(arms):
        if arm.last is not None:
            escalated = came.escalated[:, place]
            first = table.costs_usd[:, [arm.draft, *arm.seconds]].sum(axis=1)
            np.testing.assert_allclose(
                came.costs_usd[:, place], first + escalated * table.costs_usd[:, arm.last]
            )
            taken = np.where(escalated, table.scores[:, arm.last], table.scores[:, arm.draft])
            np.testing.assert_array_equal(came.scores[:, place], taken)
            assert len({arm.draft, *arm.seconds, arm.last}) == 2 + len(arm.seconds)


@pytest.mark.parametrize(("shown", "seconds"), [("work", None), ("result", True)])
def test_wrong_answers_that_show_or_that_a_second_contradicts_are_escalated(
    shown: Shown, seconds: bool | None
) -> None:
    table, other = dense_table(sums(240, shown=shown)), dense_table(sums(200, seed=1, shown=shown))
    arms, came = fitted(table)
    base = float(table.scores[:, LARGE].mean())
    chosen = best_cascade(arms, came, base, seconds=seconds)
    full = table.costs_usd[:, LARGE].mean()
    assert came.costs_usd[:, chosen].mean() < 0.6 * full
    elsewhere = came_of([arms[chosen]], other, cache=FeatureCache())
    assert elsewhere.scores.mean() > other.scores[:, LARGE].mean() - 0.05
    assert elsewhere.costs_usd.mean() < 0.65 * full
    wrong = other.scores[:, arms[chosen].draft] == 0
    assert elsewhere.escalated[wrong, 0].mean() > 0.8
    assert elsewhere.escalated[~wrong, 0].mean() < 0.45


def test_where_answers_show_nothing_a_second_opinion_saves_more_than_none() -> None:
    skills = {"tiny": (0.6, 0.6, 1e-5), "mid": (0.6, 0.6, 2e-5), "large": (1.0, 1.0, 1e-3)}
    table = dense_table(sums(200, shown="result", skills=skills))
    arms, came = fitted(table)
    costs, scores = came.costs_usd.mean(axis=0), came.scores.mean(axis=0)
    most = {
        bool(arm.seconds): max(
            float(scores[place])
            for place, other in enumerate(arms)
            if other.last is not None
            and bool(other.seconds) == bool(arm.seconds)
            and costs[place] < 0.6 * costs[LARGE]
        )
        for arm in arms
        if arm.last is not None
    }
    assert most[True] > most[False] + 0.05


def noise(count: int, seed: int) -> list[ReplayRow]:
    """A cheap model that is right by lot, whatever its words, and one that is always right."""
    rng = np.random.default_rng(seed)
    return [
        ReplayRow(
            id=str(number),
            dataset="noise",
            domain="",
            prompt=f"Question {number}?",
            outcomes={
                "cheap": ReplayOutcome(
                    score=float(rng.random() < 0.5),
                    response=" ".join(f"w{one}" for one in rng.integers(0, 40, 12)),
                    cost_usd=1e-5,
                ),
                "dear": ReplayOutcome(score=1.0, response="Yes.", cost_usd=1e-3),
            },
        )
        for number in range(count)
    ]


def test_a_check_fitted_on_noise_does_not_look_good_on_the_rows_it_was_fitted_on() -> None:
    arms, came = fitted(dense_table(noise(150, seed=4)))
    gained = []
    for place, arm in enumerate(arms):
        if arm.scorer is not None:
            share = came.escalated[:, place].mean()
            by_lot = came.scores[:, 0].mean() + share * (1 - came.scores[:, 0].mean())
            gained.append(float(came.scores[:, place].mean() - by_lot))
    assert gained, "checks were fitted"
    assert max(gained) < 0.08, "no better than lots"


def test_on_other_rows_an_arm_escalates_by_what_its_scorer_says_live() -> None:
    _, arms, _ = usual()
    other = dense_table(sums(40, seed=2))
    came = came_of(arms, other, cache=FeatureCache())
    for place, arm in list(enumerate(arms))[3::7]:
        assert arm.scorer is not None
        examples = [
            Answered(
                prompt=request,
                answer=other.answer(row, arm.draft),
                seconds={other.models[one]: other.answer(row, one) for one in arm.seconds},
            )
            for row, request in enumerate(map(as_request, other.rows))
        ]
        gains = arm.scorer.gains(examples, FeatureCache())
        assert came.escalated[:, place].tolist() == (gains > arm.most_gain).tolist()


def test_other_rows_need_no_scores_to_be_decided() -> None:
    _, arms, _ = usual()
    rows = sums(40, seed=2)
    turned = [
        ReplayRow(
            id=row.id,
            dataset="",
            domain="",
            prompt=row.prompt,
            outcomes={
                name: ReplayOutcome(score=0.5, response=one.response, cost_usd=one.cost_usd)
                for name, one in row.outcomes.items()
            },
        )
        for row in rows
    ]
    before, after = (came_of(arms, dense_table(one), cache=FeatureCache()) for one in (rows, turned))
    np.testing.assert_array_equal(before.escalated, after.escalated)


def test_without_texts_there_are_single_models_only() -> None:
    arms, _ = fitted(dense_table(sums(60, shown="nothing")))
    assert arms == [Arm(draft=TINY), Arm(draft=MID), Arm(draft=LARGE)]


def test_two_models_make_cascades_without_seconds() -> None:
    arms, _ = fitted(dense_table(sums(100, skills=TWO)))
    assert {(arm.draft, arm.seconds, arm.last) for arm in arms[2:]} == {(0, (), 1)}


@pytest.mark.parametrize(
    "skills",
    [
        {"good": (1.0, 1.0, 1e-5), "bad": (0.5, 0.5, 1e-3)},
        {"one": (0.5, 0.5, 1e-4), "two": (0.5, 0.5, 1e-4)},
        {"free": (0.5, 0.5, 0.0), "gift": (0.9, 0.9, 0.0)},
    ],
    ids=["the best is the cheapest", "all cost the same", "all are free"],
)
def test_where_no_draft_is_cheaper_nothing_is_checked(skills: dict[str, tuple[float, float, float]]) -> None:
    arms, _ = fitted(dense_table(sums(60, skills=skills)))
    assert arms == [Arm(draft=0), Arm(draft=1)]


def test_where_nothing_can_be_gained_nothing_breaks() -> None:
    always = {"tiny": (1.0, 1.0, 1e-5), "large": (1.0, 1.0, 1e-3)}
    table = dense_table(sums(60, skills=always))
    _, came = fitted(table)
    assert best_single(table) == 0
    assert (came.scores == 1).all()


def test_of_equally_good_models_the_cheaper_is_best() -> None:
    rows = scored([{"a": 0.5, "b": 1.0, "c": 1.0}] * 10, {"a": 1.0, "b": 3.0, "c": 2.0})
    table = dense_table(rows)
    assert table.models[best_single(table)] == "c"


def test_how_far_the_fit_is_is_told() -> None:
    told: list[str] = []
    fit_arms(dense_table(sums(60)), cache=FeatureCache(), progress=told.append)
    assert told == [f"{one}: check {n} of 4" for n, one in enumerate(("mid", "mid", "tiny", "tiny"), 1)]


def test_the_same_rows_give_the_same_arms() -> None:
    table = dense_table(sums(60))
    (ours, our_came), (theirs, their_came) = fitted(table), fitted(table)
    assert [(a.draft, a.seconds, a.last, a.most_gain) for a in ours] == [
        (a.draft, a.seconds, a.last, a.most_gain) for a in theirs
    ]
    np.testing.assert_array_equal(our_came.scores, their_came.scores)
