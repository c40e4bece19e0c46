"""Recorded answers as a table of the models that have prompts in common."""

from __future__ import annotations

from dataclasses import replace

import pytest

from langchain_router import ConfigurationError
from langchain_router.evaluation.plans.table import dense_table
from langchain_router.testing.replay import ReplayOutcome, ReplayRow
from tests.evaluation.plans.made_rows import scored, sums

PRICES = {"dear": 3e-3, "cheap": 1e-5, "middle": 1e-4}


def full(count: int = 20) -> list[ReplayRow]:
    return scored([{"dear": 1.0, "cheap": row / count, "middle": 0.5} for row in range(count)], PRICES)


def without(row: ReplayRow, model: str) -> ReplayRow:
    return replace(row, outcomes={name: one for name, one in row.outcomes.items() if name != model})


def at_unknown_cost(row: ReplayRow, model: str) -> ReplayRow:
    outcomes = {**row.outcomes, model: replace(row.outcomes[model], cost_usd=None)}
    return replace(row, outcomes=outcomes)


def test_models_are_columns_the_cheapest_first_and_rows_keep_their_order() -> None:
    found = dense_table(full())
    assert found.models == ("cheap", "middle", "dear")
    assert found.scores[:3].tolist() == [[0.0, 0.5, 1.0], [0.05, 0.5, 1.0], [0.1, 0.5, 1.0]]
    assert found.costs_usd[0].tolist() == [1e-5, 1e-4, 3e-3]
    assert found.prompts[:2] == ("Prompt 0", "Prompt 1")
    assert len(found) == len(found.rows) == 20


def test_of_models_at_the_same_cost_the_name_decides() -> None:
    rows = scored([{"b": 1.0, "a": 0.0} for _ in range(10)], {"a": 1e-3, "b": 1e-3})
    assert dense_table(rows).models == ("a", "b")


@pytest.mark.parametrize("lacks", [without, at_unknown_cost])
def test_rows_that_lack_an_answer_at_a_known_cost_are_left_out(lacks) -> None:  # type: ignore[no-untyped-def]
    rows = full()
    rows[3], rows[5] = lacks(rows[3], "cheap"), lacks(rows[5], "dear")
    found = dense_table(rows)
    assert found.models == ("cheap", "middle", "dear")
    assert [row.id for row in found.rows] == [str(one) for one in range(20) if one not in {3, 5}]


@pytest.mark.parametrize("lacks", [without, at_unknown_cost])
def test_a_model_that_too_few_rows_know_is_left_out_and_its_gaps_cost_no_row(lacks) -> None:  # type: ignore[no-untyped-def]
    rows = [lacks(row, "middle") if number % 5 else row for number, row in enumerate(full(100))]
    found = dense_table(rows)
    assert found.models == ("cheap", "dear")
    assert len(found) == 100


def test_of_models_that_share_no_prompts_the_most_frequent_are_kept() -> None:
    pairs = [{"a": 1.0, "b": 0.0}] * 30 + [{"c": 1.0, "d": 1.0}] * 12
    found = dense_table(scored(pairs, dict.fromkeys("abcd", 1e-3)))
    assert found.models == ("a", "b")
    assert len(found) == 30


def test_an_answer_that_cost_nothing_has_a_known_cost() -> None:
    rows = scored([{"free": 0.0, "paid": 1.0}] * 10, {"free": 0.0, "paid": 1.0})
    assert dense_table(rows).costs_usd[0].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        full(9),
        [without(without(row, "cheap"), "middle") for row in full()],
        scored([{"a": 1.0}] * 20 + [{"b": 1.0}] * 20, {"a": 1.0, "b": 1.0}),
    ],
    ids=["none", "nine", "one model", "nothing in common"],
)
def test_too_little_in_common_is_refused(rows: list[ReplayRow]) -> None:
    with pytest.raises(ConfigurationError, match=f"Of {len(rows)} prompts no two models"):
        dense_table(rows)


def test_other_rows_get_the_same_columns_and_lose_those_that_lack_one() -> None:
    others = full(5)
    others[1] = without(others[1], "middle")
    others[2] = replace(others[2], outcomes={**others[2].outcomes, "new": ReplayOutcome(score=1.0)})
    found = dense_table(full()).of(others)
    assert found.models == ("cheap", "middle", "dear")
    assert [row.id for row in found.rows] == ["0", "2", "3", "4"]


def test_a_prompt_that_comes_twice_is_kept_once() -> None:
    rows = sums(12)
    again = replace(rows[3], id="again")
    assert [row.id for row in dense_table([*rows, again]).once_each().rows] == [row.id for row in rows]


def test_the_models_whose_texts_are_all_known_are_told() -> None:
    rows = sums(12)
    whole = dense_table(rows)
    assert whole.answered == (0, 1, 2)
    assert whole.answer(0, 2) == rows[0].outcomes["large"].response
    cut = replace(rows[0].outcomes["mid"], response=None)
    rows[0] = replace(rows[0], outcomes={**rows[0].outcomes, "mid": cut})
    assert dense_table(rows).answered == (0, 2)
    assert dense_table(rows).answer(0, 1) == ""
