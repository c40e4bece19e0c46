"""Checks that are fitted: on the development rows, and measured on others."""

from __future__ import annotations

import dataclasses

from langchain_router.evaluation.bench import bench_set
from langchain_router.evaluation.fitted_checks import FITTED_NAMES, fitted_contenders
from langchain_router.evaluation.lineup import Lineup
from langchain_router.evaluation.recorded import Recorded
from langchain_router.testing.replay import ReplayOutcome, ReplayRow

LINEUP = Lineup(draft="small", second="medium", premium="large")


def recorded(count: int, *, start: int = 0) -> list[ReplayRow]:
    """Sums in which the small model errs one time in three and shows it."""
    rows = []
    for n in range(start, start + count):
        wrong = n % 3 == 0
        told = {"small": n + 9 + 5 * wrong, "medium": n + 9, "large": n + 9}
        rows.append(
            ReplayRow(
                id=str(n),
                dataset="",
                domain="",
                prompt=f"How much is {n} + 9?",
                outcomes={
                    name: ReplayOutcome(
                        score=float(value == n + 9), response=f"{n} + 9 = {value}", cost_usd=10.0**place
                    )
                    for place, (name, value) in enumerate(told.items())
                },
            )
        )
    return rows


def test_both_stand_in_the_table_and_find_the_wrong_drafts() -> None:
    fit_on, others = recorded(90), recorded(90, start=90)
    checks = fitted_contenders(fit_on, LINEUP, reported=others)
    found = bench_set(Recorded(name="sums", rows=tuple(others)), LINEUP, checks=checks, resamples=50, seed=0)
    assert tuple(one.contender.name for one in found.checks) == FITTED_NAMES
    for one in found.checks:
        assert one.measured.auc_right > 0.99
        assert 0.3 < one.measured.escalated < 0.4, "as many as were wrong where it was fitted"


def test_a_prompt_that_is_reported_on_is_never_fitted_on() -> None:
    rows = recorded(60)
    again = [dataclasses.replace(row, id=f"again {row.id}") for row in rows]
    assert fitted_contenders(again, LINEUP, reported=rows) == ()
