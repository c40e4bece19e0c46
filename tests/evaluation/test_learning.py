"""Learning curves: how far policies get, told with intervals, on paper and in a picture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from langchain_router import ConfigurationError
from langchain_router.cli import main as cli
from langchain_router.evaluation import learning_curves
from langchain_router.evaluation.bandit import as_traffic
from langchain_router.evaluation.learning import main, run
from langchain_router.evaluation.learning_curves import SetLearned, ahead_from, bench_learning, over_seeds
from langchain_router.evaluation.learning_options import Options
from langchain_router.evaluation.recorded import Recorded
from langchain_router.policies.exploring import COST_WEIGHT
from tests.evaluation.recordings import WORD, sums


@pytest.fixture(scope="module")
def found() -> SetLearned:
    traffic = as_traffic(Recorded(name="sums", rows=tuple(sums(120))))
    return bench_learning(traffic, cost_weight=0.0, seeds=3, passes=4)


def test_what_does_not_learn_stands_in_order(found: SetLearned) -> None:
    by_name = {one.name: one for one in found.baselines}
    assert by_name["best single"].models == "gamma-large"
    assert by_name["always the dearest"].models == "gamma-large"
    assert by_name["best single"].score == pytest.approx(0.97, abs=0.02)
    assert (
        by_name["random"].utility
        < by_name["best single"].utility
        <= by_name["table by intent"].utility
        <= by_name["oracle"].utility
    )


def test_policies_that_explore_beat_random_and_get_better(found: SetLearned) -> None:
    random = next(one for one in found.baselines if one.name == "random")
    for policy in found.policies:
        if policy.name in ("thompson", "lin_thompson"):
            assert policy.score.value > random.score
            assert policy.last_gain.value > policy.gain.value
        assert policy.gain.value == pytest.approx(policy.utility.value - found.best_single.utility)
        assert policy.requests[-1] == 480


def test_being_ahead_counts_from_when_it_is_for_good() -> None:
    assert ahead_from(np.array([1.0, 1.0])) == 1
    assert ahead_from(np.array([1.0, -1.0, 1.0])) == 3
    assert ahead_from(np.array([0.0, 0.0])) is None


@pytest.mark.parametrize("count", [4, 10, 30])
def test_intervals_over_seeds_are_students(count: int) -> None:
    values = np.random.default_rng(count).normal(size=count)
    low, high = stats.t.interval(0.95, count - 1, values.mean(), stats.sem(values))
    interval = over_seeds(values)
    assert (interval.low, interval.high) == pytest.approx((low, high), rel=0.01)


def test_the_weight_of_cost_is_that_of_the_policies() -> None:
    assert Options(folder="").cost_weight == COST_WEIGHT


def test_the_command_prints_writes_and_draws(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures, picture = tmp_path / "f.json", tmp_path / "p.png"
    arguments = ["bench-learning", str(folder), "--sets", "sums,sums+more", "--seeds", "2"]
    assert cli([*arguments, "--json", str(figures), "--plot", str(picture)]) == 0
    said = capsys.readouterr()
    assert "sums+more: 240 prompts, 4 models" in said.out
    assert "best single: " in said.out
    assert picture.read_bytes().startswith(b"\x89PNG")
    written = json.loads(figures.read_text())
    policies = written["sets"][0]["policies"]
    assert [one["name"] for one in policies] == list(learning_curves.contenders(0.1))
    assert WORD not in said.out + said.err + figures.read_text()


def test_what_cannot_be_run_is_said_in_a_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), "--sets", "absent"]) == 2
    assert "Name what there is" in capsys.readouterr().err
    for options in ({"seeds": 0}, {"passes": 0}, {"sets": ()}):
        with pytest.raises(ConfigurationError, match="at least one"):
            run(Options(folder=str(folder), **options))
    with pytest.raises(ConfigurationError, match="--cost-weight"):
        run(Options(folder=str(folder), cost_weight=-1.0))
