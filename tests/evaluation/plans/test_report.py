"""What the terminal shows."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from langchain_router.evaluation.plans import report
from langchain_router.evaluation.plans.names import names_in
from langchain_router.evaluation.plans.results import SuiteFigures
from langchain_router.evaluation.plans.stored import Run
from langchain_router.evaluation.plans.suites import USUAL
from tests.evaluation.plans.made_up import FACTS, suite, with_adaptive
from tests.evaluation.plans.test_stored import SETTINGS


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=110)


def shown(console: Console) -> str:
    file: Any = console.file
    return " ".join(file.getvalue().split())


def run_of(*suites: SuiteFigures, **failures: str) -> Run:
    facts = {one.name: FACTS for one in suites}
    return Run(settings=SETTINGS, suites=suites, facts=facts, failures=failures, online={})


def test_a_table_shows_every_policy_and_baseline_with_its_figures(console: Console) -> None:
    made = with_adaptive(suite(), apgr=0.7123, quality_lost_ci=(-0.004, 0.018))
    report.print_suite(console, made, FACTS, SETTINGS)
    text = shown(console)
    assert "adaptive 71.0% +1.2 -0.4 to +1.8 25.0% 0.712 where adaptive was set" in text
    assert "cheapest 98.0% +21.0!" in text
    assert all(name.replace("_", " ") in text for name in names_in([made]))
    assert "Tested on 500 rows in 5 folds, each fitted and set on the rows of the other folds alone" in text
    assert "best single: large (score 0.900, $1.000 per 1,000)" in text
    assert "Who answers with adaptive: small 70.0%, large 30.0%." in text


def test_given_rows_are_told_as_such() -> None:
    assert report.fitted_on(suite(folds=1)).startswith("Fitted and set on 400 rows, tested on 500 others.")


def test_a_suite_that_loses_too_much_is_marked_in_its_table_and_in_the_summary(console: Console) -> None:
    bad = with_adaptive(suite("more"), quality_lost=0.034)
    report.print_suite(console, bad, FACTS, SETTINGS)
    assert "adaptive 71.0% +3.4!" in shown(console)
    report.print_summary(console, run_of(suite("sums"), bad))
    text = shown(console)
    assert "more 71.0% +3.4! 45.0% +1.5 20.0% +0.4 83.0% -2.0" in text
    assert "mean 71.0% +2.3 45.0% +1.5 20.0% +0.4 83.0% -2.0" in text


def test_the_aim_is_said_to_be_reached_or_not(console: Console) -> None:
    report.print_summary(console, run_of(*map(suite, USUAL)))
    assert "Aim, not reached: 74% of the best single model's cost saved" in shown(console)
    assert (
        "Here: 71.0% saved, +1.20 points lost, over 13 suites of the aim; more than 2 points on 0"
        in shown(console)
    )


def test_what_could_not_be_measured_and_who_was_left_out_is_said(console: Console) -> None:
    made = suite()
    without = replace(made, baselines=made.baselines[:-1])
    report.print_summary(console, run_of(without, bad="only 3 prompts [of ten]"))
    text = shown(console)
    assert "bad could not be measured: only 3 prompts [of ten]" in text
    assert "Left out: litellm heuristic v2;" in text
    assert report.absent_peers([]) == ()


def test_only_the_most_frequent_models_are_named() -> None:
    shares = {f"m{place}": share for place, share in enumerate([0.1, 0.3, 0.2, 0.2, 0.1, 0.05, 0.05, 0.0])}
    one = with_adaptive(suite(), share_per_model=shares).policies[0]
    assert report.shares(one, most=2) == "m1 30.0%, m2 20.0%, 5 others 50.0%"
