"""The rule by which models are given their parts."""

from __future__ import annotations

import pytest

from langchain_router.evaluation.lineup import Lineup, choose_lineup, standings
from langchain_router.exceptions import ConfigurationError
from langchain_router.testing.replay import ReplayOutcome, ReplayRow


def rows(**models: tuple[float, float]) -> list[ReplayRow]:
    """One row in which each model has this mean score, at this cost."""
    outcomes = {
        name.replace("_", "-"): ReplayOutcome(score=score, response="x", cost_usd=cost)
        for name, (score, cost) in models.items()
    }
    return [ReplayRow(id="1", dataset="d", domain="", prompt="p", outcomes=outcomes)]


SET = rows(
    llama_1=(0.5, 0.01), llama_2=(0.8, 0.02), vicuna_3=(0.79, 0.02), gpt_4=(0.7, 0.02), claude_5=(0.95, 1.0)
)


def test_the_rule_takes_the_best_the_cheapest_with_a_perfect_check_and_the_next_of_another_family() -> None:
    assert choose_lineup(SET) == Lineup(draft="llama-2", second="gpt-4", premium="claude-5")


def test_of_equally_good_models_the_cheaper_is_the_premium_one() -> None:
    tied = rows(a=(0.9, 2.0), b=(0.9, 1.0), c=(0.8, 0.1), d=(0.8, 0.1))
    assert choose_lineup(tied).premium == "b"


def test_kin_is_taken_where_there_is_nobody_else() -> None:
    kin = rows(llama_1=(0.7, 0.01), llama_2=(0.8, 0.01), gpt_4=(0.9, 1.0))
    assert choose_lineup(kin) == Lineup(draft="llama-2", second="llama-1", premium="gpt-4")


def test_models_given_take_the_place_of_the_rule() -> None:
    found = choose_lineup(SET, draft="llama-1", second="vicuna-3", premium="gpt-4")
    assert found == Lineup(draft="llama-1", second="vicuna-3", premium="gpt-4")
    assert choose_lineup(SET, second="llama-2").draft == "vicuna-3"


def test_a_model_that_did_not_answer_nearly_all_rows_has_no_part() -> None:
    sparse = SET + rows(llama_2=(0.8, 0.02), vicuna_3=(0.79, 0.02), gpt_4=(0.7, 0.02), claude_5=(0.95, 1.0))
    assert "llama-1" not in {one.model for one in standings(sparse)}
    with pytest.raises(ConfigurationError, match="'llama-1'"):
        choose_lineup(sparse, draft="llama-1")


@pytest.mark.parametrize(
    ("few", "match"),
    [
        (rows(a=(1, 1), b=(1, 1)), "three"),
        (rows(a=(1, 1), b=(0.5, 2), c=(0.5, 2)), "name the draft"),
    ],
)
def test_too_few_models_are_refused(few: list[ReplayRow], match: str) -> None:
    with pytest.raises(ConfigurationError, match=match):
        choose_lineup(few)


def test_a_model_cannot_play_two_parts() -> None:
    with pytest.raises(ConfigurationError):
        choose_lineup(SET, draft="gpt-4", second="gpt-4")
