"""The pictures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from langchain_router.evaluation.plans.plot import plot_curves, plot_run
from langchain_router.exceptions import ConfigurationError
from tests.evaluation.plans.made_up import suite, with_adaptive


def words(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def text_stays_text(monkeypatch: pytest.MonkeyPatch) -> None:
    import matplotlib as mpl

    monkeypatch.setitem(mpl.rcParams, "svg.fonttype", "none")


def test_one_suite_shows_curves_and_operating_points(tmp_path: Path) -> None:
    plot_run([suite("sums")], tmp_path / "one.svg", allowed=0.02)
    text = words(tmp_path / "one.svg")
    for said in (
        "500 prompts, 3 models",
        "points lost",
        "mean score",
        "adaptive",
        "oracle",
        "2 points allowed",
    ):
        assert said in text


def test_several_suites_show_each_and_hatch_those_that_lost_too_much(tmp_path: Path) -> None:
    bad = with_adaptive(suite("more"), quality_lost=0.2)
    plot_run([suite("sums"), bad], tmp_path / "many.svg", allowed=0.02)
    text = words(tmp_path / "many.svg")
    for said in ("sums  1", "more  2", "saved by suite", "adaptive, lost too much", "best static"):
        assert said in text
    plot_run([suite("sums"), suite("more")], tmp_path / "good.svg", allowed=0.02)
    assert "adaptive, lost too much" not in words(tmp_path / "good.svg")


def test_a_suite_without_the_usual_names_is_drawn(tmp_path: Path) -> None:
    made = suite("sums")
    odd = replace(made, policies=(replace(made.policies[0], name="my_own"),), baselines=())
    plot_run([odd], tmp_path / "odd.svg", allowed=0.02)
    assert "my own" in words(tmp_path / "odd.svg")
    plot_run([odd, replace(odd, name="more")], tmp_path / "odd.png", allowed=0.02)
    assert (tmp_path / "odd.png").read_bytes().startswith(b"\x89PNG")


def test_curves_have_a_panel_for_each_suite(tmp_path: Path) -> None:
    plot_curves([suite("sums"), suite("more")], tmp_path / "curves.svg")
    assert all(name in words(tmp_path / "curves.svg") for name in ("sums", "more"))


def test_a_plot_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    missing: Any = tmp_path / "none" / "plot.png"
    with pytest.raises(ConfigurationError, match="cannot be written"):
        plot_run([suite()], missing, allowed=0.02)
