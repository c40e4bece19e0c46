"""Checks measured on made-up sums, where agreement is known to help and length is known not to."""

from __future__ import annotations

import dataclasses
import json

import pytest

from langchain_router.checks.check import Verdict
from langchain_router.evaluation.bench import as_trial, bench_pairs, bench_set, contenders, to_dict
from langchain_router.evaluation.lineup import Lineup
from langchain_router.evaluation.recorded import Recorded, Reviewed
from langchain_router.exceptions import ConfigurationError
from tests.evaluation.recordings import WORD, sums

DATA = Recorded(name="sums", rows=tuple(sums(300)))
LINEUP = Lineup(draft="alpha-small", second="beta-small", premium="gamma-large")


def test_agreement_beats_random_where_models_err_apart_and_the_baselines_do_not() -> None:
    found = bench_set(DATA, LINEUP, checks=contenders(), resamples=200, seed=0)
    by_name = {one.contender.name: one for one in found.checks}
    agreement = by_name["agreement: auto"].measured
    assert agreement.gain_at_cost.side == 1
    assert agreement.saved.value > 0.5
    assert by_name["agreement: number"].measured == agreement
    assert by_name["agreement: choice"].measured.escalated == 1.0
    assert by_name["length"].measured.escalated == pytest.approx(0.3)
    assert by_name["length"].measured.gain_at_cost.side < 1
    assert by_name["hedging"].measured.escalated == 0.0
    assert "heuristic & agreement" in by_name
    assert sum(name.startswith("heuristic: ") for name in by_name) >= 6
    assert found.with_schema == 0


def test_a_share_is_escalated_from_the_lowest_score_up_and_like_prompts_count_as_one() -> None:
    rows = sums(3)
    rows[2] = dataclasses.replace(rows[2], prompt=rows[0].prompt)
    reviewed = [Reviewed(verdict=Verdict(passed=True, score=score)) for score in (0.9, 0.1, 0.5)]
    found = as_trial(rows, LINEUP, reviewed, rate=1 / 3)
    assert found.escalated.tolist() == pytest.approx([0, 1, 0])
    assert found.prompt.tolist() == [0, 1, 0]
    assert as_trial(rows, LINEUP, reviewed).escalated.tolist() == [0, 0, 0]


def test_every_pair_is_measured_both_ways_round() -> None:
    found = {(p.draft, p.second): p.measured for p in bench_pairs(DATA, "gamma-large", resamples=50, seed=0)}
    cheap = ("alpha-small", "beta-small", "alpha-medium")
    assert set(found) == {(a, b) for a in cheap for b in cheap if a != b}
    there, back = found["alpha-small", "beta-small"], found["beta-small", "alpha-small"]
    assert there.escalated == back.escalated
    assert there.cost_usd == pytest.approx(back.cost_usd)


def test_the_pair_chosen_by_rule_has_the_same_figures_in_both_reports() -> None:
    checks = [one for one in contenders() if one.name == "agreement: auto"]
    alone = bench_set(DATA, LINEUP, checks=checks, resamples=50, seed=0).checks[0].measured
    pairs = bench_pairs(DATA, "gamma-large", resamples=50, seed=0)
    assert alone in [pair.measured for pair in pairs]


def test_results_are_json_and_hold_no_prompt_or_answer() -> None:
    text = json.dumps(
        to_dict(bench_set(DATA, LINEUP, checks=contenders(), resamples=20, seed=0)), allow_nan=False
    )
    assert "agreement: auto" in text
    assert WORD not in text


def test_rows_in_which_a_model_is_missing_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="no row"):
        bench_set(
            DATA,
            Lineup(draft="nobody", second="beta-small", premium="gamma-large"),
            checks=(),
            resamples=1,
            seed=0,
        )
