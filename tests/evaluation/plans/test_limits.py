"""What limits a suite is said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from langchain_router.evaluation.plans.limits import limits_of
from langchain_router.evaluation.plans.suites import DataFacts
from tests.evaluation.plans.made_up import FACTS, suite, with_adaptive


def test_a_loss_beyond_the_allowance_comes_first_and_says_how_sure_it_is() -> None:
    perhaps = with_adaptive(suite(), quality_lost=0.03, quality_lost_ci=(0.01, 0.05), fit_quality_lost=0.019)
    first = limits_of(perhaps, FACTS, 0.02)[0]
    assert first.startswith("Loses 3.0 points, more than the 2 allowed; the interval reaches down")
    assert first.endswith("The fit rows promised +1.9.")
    surely = with_adaptive(suite(), quality_lost=0.03, quality_lost_ci=(0.021, 0.05))
    assert "the whole interval lies beyond it" in limits_of(surely, FACTS, 0.02)[0]


def test_a_promise_that_was_not_kept_is_said() -> None:
    said = limits_of(with_adaptive(suite(), cost_saved=0.5, fit_cost_saved=0.65), FACTS, 0.02)
    assert "The fit rows promised 65%; saved were 50%." in said


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (replace(FACTS, with_text=0.0), "only models can be chosen"),
        (replace(FACTS, with_text=0.5), "The text of 50% of the answers was not recorded"),
        (replace(FACTS, cut=0.2), "20% of the recorded texts were cut short"),
        (replace(FACTS, rows=900, models=9), "Measured on 500 of 900 prompts and 3 of 9 models"),
        (replace(FACTS, estimated=1.0), "All costs are estimates"),
        (replace(FACTS, without_cost=0.1), "The cost of 10% of the answers is unknown"),
        (replace(FACTS, repeated=0.3), "30% of the prompts stand in an earlier row too"),
        (replace(FACTS, fitted=0.005), "0.5% of the test prompts were fitted on as well"),
    ],
)
def test_what_the_rows_lack_is_said(facts: DataFacts, said: str) -> None:
    assert said in " ".join(limits_of(suite(), facts, 0.02))
    assert said not in " ".join(limits_of(suite(), FACTS, 0.02))


def test_few_rows_are_said() -> None:
    assert "With 80 prompts all of this is uncertain: see the interval." in limits_of(
        suite(test_rows=80), FACTS, 0.02
    )
