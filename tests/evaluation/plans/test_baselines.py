"""What a policy is held against: each set on the fit rows alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from langchain_router.evaluation.plans.baselines import (
    BASELINES,
    Mixed,
    best_static,
    by_score,
    cheapest,
    oracle,
    per_dataset_table,
    prompt_length,
    random_mix,
    single,
)
from langchain_router.evaluation.plans.table import Table, dense_table
from langchain_router.testing.replay import ReplayRow
from tests.evaluation.plans.made_rows import scored, sums, with_scores_turned

PRICES = {"a": 1.0, "b": 3.0, "c": 10.0}
LENGTH = by_score(prompt_length)


def three() -> Table:
    """A scores .5, b .9, c 1."""
    return dense_table(
        scored([{"a": float(n % 2), "b": float(n % 10 > 0), "c": 1.0} for n in range(40)], PRICES)
    )


def lengths(count: int, *, cut: int, kind: str = "made") -> list[ReplayRow]:
    """Prompts of 1, 2, 3 ... characters; the cheap model is wrong from a length on."""
    rows = scored([{"a": float(n < cut), "c": 1.0} for n in range(1, count + 1)], PRICES)
    return [replace(row, prompt="x" * n, dataset=kind) for n, row in enumerate(rows, 1)]


def saved(mixed: Mixed, table: Table) -> float:
    return 1 - float(mixed.costs_usd(table).sum() / table.costs_usd[:, -1].sum())


def test_the_cheapest_and_the_best_are_taken_for_all() -> None:
    table = three()
    assert cheapest(table, table, 0.0).shares.tolist() == [[1.0, 0.0, 0.0]] * 40
    assert single(table, table, 0.5).shares.tolist() == [[0.0, 0.0, 1.0]] * 40
    assert cheapest(table, table, 0.0).words == "a"


@pytest.mark.parametrize(("allowed", "model"), [(0.0, 2), (0.09, 2), (0.11, 1), (0.5, 0)])
def test_the_best_static_choice_is_the_cheapest_that_loses_no_more_than_allowed(
    allowed: float, model: int
) -> None:
    assert best_static(three(), three(), allowed).shares.argmax(axis=1).tolist() == [model] * 40


@pytest.mark.parametrize("allowed", [0.0, 0.02, 0.05])
def test_a_random_mix_loses_just_what_is_allowed(allowed: float) -> None:
    table = three()
    mixed = random_mix(table, table, allowed)
    assert mixed.shares.sum(axis=1) == pytest.approx(np.ones(40))
    assert table.scores[:, 2].mean() - mixed.scores(table).mean() == pytest.approx(allowed)
    assert saved(mixed, table) == pytest.approx(10 * allowed * 0.7)  # to b, which loses a tenth


def test_a_random_mix_is_exact_and_by_no_lots() -> None:
    table = three()
    mixed = random_mix(table, table, 0.05)
    assert mixed.shares[0].tolist() == pytest.approx([0.0, 0.5, 0.5])
    assert mixed.words == "50% to b"
    assert mixed.scores(table)[0] == pytest.approx(0.5)  # b is wrong there
    assert mixed.costs_usd(table)[0] == pytest.approx(6.5)


def test_a_random_mix_gives_all_to_a_cheaper_model_that_is_good_enough() -> None:
    table = three()
    assert random_mix(table, table, 0.9).shares[0].tolist() == pytest.approx([1.0, 0.0, 0.0])
    best_first = dense_table(scored([{"a": 1.0, "b": 0.5}] * 10, PRICES))
    assert random_mix(best_first, best_first, 0.02).shares[0].tolist() == pytest.approx([1.0, 0.0])


def test_prompt_length_finds_the_length_from_which_the_better_model_is_needed() -> None:
    fit, test = dense_table(lengths(50, cut=26)), dense_table(lengths(40, cut=26))
    mixed = LENGTH(fit, test, 0.0)
    assert mixed.shares[:, 0].tolist() == [1.0] * 25 + [0.0] * 15
    assert mixed.words == "50% to a"
    assert mixed.scores(test).mean() == 1.0


def test_prompt_length_uses_up_the_loss_that_is_allowed() -> None:
    table = dense_table(lengths(50, cut=26))
    mixed = LENGTH(table, table, 0.1)
    assert mixed.shares[:, 0].sum() == 30
    assert 1 - mixed.scores(table).mean() == pytest.approx(0.1)


def test_prompt_length_gives_all_to_the_cheap_model_where_that_is_allowed() -> None:
    fit, test = dense_table(lengths(20, cut=26)), dense_table(lengths(40, cut=26))
    assert LENGTH(fit, test, 0.0).shares[:, 0].tolist() == [1.0] * 40


def test_where_no_length_will_do_even_a_shorter_prompt_than_any_goes_to_the_best() -> None:
    fit = dense_table([replace(row, prompt="long " * 9 + row.prompt) for row in lengths(20, cut=0)])
    mixed = LENGTH(fit, dense_table(lengths(20, cut=26)), 0.0)
    assert mixed.shares[:, 1].tolist() == [1.0] * 20


def test_any_score_may_be_asked() -> None:
    table = dense_table(lengths(40, cut=11))
    turned = by_score(lambda one: -prompt_length(one))
    assert saved(turned(table, table, 0.0), table) == pytest.approx(0.0, abs=0.03)
    assert saved(LENGTH(table, table, 0.0), table) == pytest.approx(0.25 * 0.9, abs=0.03)


def kinds() -> list[ReplayRow]:
    """Of one kind the cheap model is always right, of another never."""
    easy = scored([{"a": 1.0, "c": 1.0}] * 20, PRICES)
    hard = scored([{"a": 0.0, "c": 1.0}] * 20, PRICES)
    return [
        *(replace(row, dataset="sums", domain="easy") for row in easy),
        *(replace(row, dataset="sums", domain="hard") for row in hard),
    ]


def test_a_table_by_data_set_takes_for_each_kind_the_model_that_is_good_enough() -> None:
    table = dense_table(kinds())
    mixed = per_dataset_table(table, table, 0.0)
    assert mixed.shares.argmax(axis=1).tolist() == [0] * 20 + [1] * 20
    assert mixed.words == "2 kinds"


def test_a_kind_that_was_never_seen_gets_the_best_single_model() -> None:
    fit = dense_table(kinds())
    unseen = fit.of([replace(row, domain="new") for row in kinds()] + kinds()[:1])
    assert per_dataset_table(fit, unseen, 0.0).shares.argmax(axis=1).tolist() == [1] * 40 + [0]


def test_a_table_by_data_set_never_costs_more_than_the_best_single_model() -> None:
    """On one kind a model that is a little dearer does better, and the cheapest does too badly on both."""
    prices = {"a": 1.0, "b": 3.0, "c": 3.1}
    rows = [
        *(replace(one, domain="x") for one in scored([{"a": 0.0, "b": 1.0, "c": 0.0}] * 20, prices)),
        *(replace(one, domain="y") for one in scored([{"a": 0.3, "b": 0.5, "c": 0.9}] * 20, prices)),
    ]
    table = dense_table(rows)
    assert per_dataset_table(table, table, 0.0).shares.tolist() == [[0.0, 1.0, 0.0]] * 40


@pytest.mark.parametrize("seed", range(4))
def test_the_oracle_loses_nothing_on_any_prompt_and_none_that_loses_nothing_saves_more(seed: int) -> None:
    fit, test = dense_table(sums(60, seed=seed)), dense_table(sums(60, seed=seed + 50))
    mixed, best = oracle(fit, test, 0.02), single(fit, test, 0.02)
    assert (mixed.scores(test) >= best.scores(test)).all()
    assert (mixed.costs_usd(test) <= best.costs_usd(test)).all()
    base = best.scores(test)[:, None]
    least = np.where(test.scores >= base, test.costs_usd, np.inf).min(axis=1)
    np.testing.assert_allclose(mixed.costs_usd(test), least)


@pytest.mark.parametrize("name", [one for one in BASELINES if one != "oracle"])
def test_the_scores_of_the_test_rows_move_nothing_but_the_oracle(name: str) -> None:
    fit, rows = dense_table(sums(60)), sums(40, seed=9)
    before, after = (
        BASELINES[name](fit, fit.of(one), 0.02).shares for one in (rows, with_scores_turned(rows))
    )
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize(
    "prices", [{"a": 0.0, "b": 0.0, "c": 0.0}, {"a": 1.0, "b": 1.0, "c": 1.0}], ids=["free", "the same price"]
)
@pytest.mark.parametrize("scores", [(1.0, 1.0, 1.0), (0.0, 0.0, 0.0), (0.2, 0.5, 0.4)])
def test_where_models_are_equal_each_still_answers_every_prompt_once(
    name: str, prices: dict[str, float], scores: Sequence[float]
) -> None:
    table = dense_table(scored([dict(zip("abc", scores, strict=True))] * 12, prices))
    shares = BASELINES[name](table, table, 0.02).shares
    assert shares.sum(axis=1) == pytest.approx(np.ones(12))
    assert (shares >= 0).all()
