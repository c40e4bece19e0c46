"""Which recorded answers make up a suite."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from langchain_router.evaluation.plans.suites import facts_of, find_suites, given_suite, read_rows
from langchain_router.exceptions import ConfigurationError
from langchain_router.testing.replay import ReplayOutcome, ReplayRow
from tests.evaluation.recordings import sums


def test_every_file_of_an_unknown_folder_is_a_suite(folder: Path) -> None:
    assert [suite.name for suite in find_suites([str(folder)])] == ["more", "sums"]


def test_of_a_known_folder_those_of_the_aim_are_measured_and_others_when_named(folder: Path) -> None:
    (folder / "sums.jsonl").rename(folder / "gb_svamp.jsonl")
    assert [suite.name for suite in find_suites([str(folder)])] == ["gb_svamp"]
    assert [suite.name for suite in find_suites([str(folder)], ["more"])] == ["more"]


def test_sets_can_be_pooled(folder: Path) -> None:
    (pooled,) = find_suites([str(folder)], ["sums+more"])
    assert (pooled.name, len(read_rows(pooled.test))) == ("sums+more", 240)


def test_files_are_suites_of_their_own(folder: Path) -> None:
    (one,) = find_suites([str(folder / "sums.jsonl")])
    assert (one.name, len(read_rows(one.test))) == ("sums", 120)


@pytest.mark.parametrize(
    ("paths", "sets", "said"),
    [
        (["{folder}/none.jsonl"], [], "There is no file or folder"),
        (["{folder}"], ["none"], r"holds neither none\.jsonl\.gz nor none\.jsonl\. Name what there is"),
        (["{folder}/sums.jsonl"], ["sums"], "--sets names data sets of one folder; 0 were given"),
        (["{folder}", "{folder}/sums.jsonl"], [], "Two suites are called 'sums'"),
        (["{folder}/empty"], [], "holds no recorded answers"),
    ],
)
def test_what_is_not_there_is_said(folder: Path, paths: list[str], sets: list[str], said: str) -> None:
    (folder / "empty").mkdir()
    with pytest.raises(ConfigurationError, match=said):
        find_suites([path.format(folder=folder) for path in paths], sets)


def test_files_without_rows_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="There is no row in"):
        read_rows([str(tmp_path / "empty.jsonl")])


def test_a_given_suite_is_called_after_what_it_is_tested_on() -> None:
    suite = given_suite(["a/fit.jsonl"], [f"b/{name}.jsonl.gz" for name in "vwxyz"])
    assert suite.name == "v+w+x+2 more"


def test_facts_say_what_rows_lack() -> None:
    whole = facts_of(sums(100))
    assert (whole.rows, whole.models, whole.recorded, whole.with_text) == (100, 4, 1.0, 1.0)
    assert (whole.cut, whole.estimated, whole.without_cost, whole.repeated, whole.fitted) == (0, 0, 0, 0, 0)

    outcomes = {
        "a": ReplayOutcome(
            score=1.0, response="So much \u2026[truncated]", cost_usd=1.0, cost_kind="estimated"
        ),
        "b": ReplayOutcome(score=1.0),
    }
    row = ReplayRow(id="1", dataset="", domain="", prompt="x", outcomes=outcomes)
    sparse = facts_of([row, replace(row, outcomes={"a": outcomes["a"]})], fit_rows=[row])
    assert sparse.recorded == 0.75
    assert sparse.with_text == sparse.estimated == pytest.approx(2 / 3)
    assert sparse.without_cost == pytest.approx(1 / 3)
    assert (sparse.cut, sparse.repeated, sparse.fitted) == (1.0, 0.5, 1.0)
