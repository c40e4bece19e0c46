"""The command as a whole, with figures that are made up, and once with the real engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from langchain_router.evaluation.plans.command import run
from langchain_router.evaluation.plans.measuring import Measured, Settings
from langchain_router.evaluation.plans.options import Options
from langchain_router.evaluation.plans.suites import Suite
from langchain_router.exceptions import ConfigurationError
from tests.evaluation.plans.made_up import measure
from tests.evaluation.recordings import WORD


def test_folds_are_printed_written_and_drawn(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, plot, page = tmp_path / "out.json", tmp_path / "plot.svg", tmp_path / "docs" / "page.md"
    options = Options(
        paths=(str(folder),), jobs=1, json_path=str(out), plot_path=str(plot), page_path=str(page)
    )
    run(options, measure=measure)
    printed = capsys.readouterr().out
    assert "All suites: saved, and points lost" in printed
    told = json.loads(out.read_text())
    assert [one["suite"] for one in told["suites"]] == ["more", "sums"]
    assert told["suites"][0]["data"]["rows"] == 120
    assert plot.read_text().startswith("<?xml")
    assert (page.parent / "img" / "page.png").is_file()
    for text in (printed, out.read_text(), page.read_text()):
        assert WORD not in text
        assert str(tmp_path) not in text


def test_given_files_are_pooled_into_one_suite(folder: Path, tmp_path: Path) -> None:
    seen: list[Suite] = []

    def look(one: Suite, settings: Settings, progress: Callable[[str], None]) -> Measured:
        seen.append(one)
        return measure(one, settings, progress)

    files = tuple(str(folder / f"{name}.jsonl") for name in ("sums", "more"))
    out = tmp_path / "out.json"
    run(Options(fit=files, test=files[1:], json_path=str(out)), measure=look)
    assert seen == [Suite(name="more", fit=files, test=files[1:])]
    told = json.loads(out.read_text())
    assert [one["policy"] for one in told["policies"]] == ["adaptive", "cascade", "cost"]
    assert told["data"]["fitted"] == 1.0


def test_a_suite_that_cannot_be_measured_is_told_and_the_others_are_kept(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "more.jsonl").rename(folder / "bad.jsonl")
    out = tmp_path / "out.json"
    run(Options(paths=(str(folder),), jobs=1, json_path=str(out)), measure=measure)
    assert "bad could not be measured: bad: only 3 prompts hold" in " ".join(capsys.readouterr().out.split())
    assert list(json.loads(out.read_text())["failures"]) == ["bad"]
    with pytest.raises(ConfigurationError, match="No suite could be measured"):
        run(Options(paths=(str(folder / "bad.jsonl"),), jobs=1), measure=measure)


def test_figures_are_written_after_every_suite(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    counts: list[int] = []

    def count(one: Suite, settings: Settings, progress: Callable[[str], None]) -> Measured:
        counts.append(len(json.loads(out.read_text())["suites"]) if out.exists() else 0)
        return measure(one, settings, progress)

    run(Options(paths=(str(folder),), jobs=1, json_path=str(out)), measure=count)
    assert counts == [0, 1]


def test_what_could_not_be_written_is_refused_before_anything_is_measured(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> Measured:
        raise AssertionError("it was measured")

    with pytest.raises(ConfigurationError, match="There is no folder"):
        run(Options(paths=(str(folder),), jobs=1, json_path=str(tmp_path / "none" / "x.json")), measure=never)
    monkeypatch.setattr("langchain_router.evaluation.plans.command.find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match="A plot needs matplotlib"):
        run(Options(paths=(str(folder),), jobs=1, plot_path=str(tmp_path / "x.png")), measure=never)


def test_figures_are_drawn_again_without_measuring(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, again = tmp_path / "out.json", tmp_path / "again.json"
    run(Options(paths=(str(folder),), jobs=1, json_path=str(out)), measure=measure)
    first = capsys.readouterr().out
    run(Options(redraw=(str(out),), json_path=str(again)))
    assert out.read_text() == again.read_text()
    second = capsys.readouterr().out
    assert [line for line in second.splitlines() if line.startswith(" adaptive")] == [
        line for line in first.splitlines() if line.startswith(" adaptive")
    ]


def test_the_engine_measures_saves_and_learns_online(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from langchain_router.policies.fitted_plans import FittedPlans

    out = tmp_path / "out.json"
    options = Options(
        fit=(str(folder / "sums.jsonl"),),
        test=(str(folder / "more.jsonl"),),
        online=True,
        json_path=str(out),
        save=str(tmp_path / "plans"),
    )
    run(options)
    told: dict[str, Any] = json.loads(out.read_text())
    by_name = {one["policy"]: one for one in (*told["policies"], *told["baselines"])}
    assert by_name["best_single"]["cost_saved"] == 0
    assert by_name["cheapest"]["cost_saved"] > 0.9
    assert by_name["oracle"]["quality_lost"] <= 0
    assert {"adaptive", "random_mix", "prompt_length", "best_static", "per_dataset_table"} <= set(by_name)
    assert (told["best_single"], told["test_rows"]) == ("gamma-large", 120)
    assert {one["name"] for one in told["online"]["policies"]} >= {"thompson"}
    assert "more, prompt by prompt" in capsys.readouterr().out
    assert FittedPlans.load(tmp_path / "plans" / "more.npz").arms


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "nothing to measure on"),
        ({"fit": ("a",)}, "--fit needs --test"),
        ({"test": ("a",)}, "--test needs --fit"),
        ({"fit": ("a",), "test": ("a",), "paths": ("b",)}, "not both"),
        ({"redraw": ("a",), "paths": ("b",)}, "--redraw shows figures again"),
        ({"redraw": ("a",), "save": "b"}, "nothing to --save"),
        ({"paths": ("a",), "max_quality_loss": 1.5}, "--max-quality-loss must be from 0 to below 1, got 1.5"),
        ({"paths": ("a",), "max_quality_loss": float("nan")}, "got nan"),
        ({"paths": ("a",), "confidence": 0.4}, "--confidence must be from 0.5 to below 1, got 0.4"),
        ({"paths": ("a",), "folds": 1}, "--folds must be at least 2, got 1"),
        ({"paths": ("a",), "jobs": 0}, "--jobs must be at least 1, got 0"),
    ],
)
def test_what_cannot_be_measured_is_said_before_anything_is_read(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Options(**given)
