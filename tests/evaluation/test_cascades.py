"""The command: what it prints, what it writes, and what it says when it cannot."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pytest

from langchain_router.cli.checks import add_bench_checks, run_bench_checks
from langchain_router.evaluation.cascades import main, run
from langchain_router.evaluation.options import Options
from langchain_router.evaluation.recorded import read_set
from langchain_router.exceptions import ConfigurationError
from tests.evaluation.recordings import WORD

QUICK = ("--resamples", "50")


def test_the_command_prints_tables_and_writes_figures(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = tmp_path / "out.json"
    assert (
        main([str(folder), "--sets", "sums,sums+more", "--every-pair", "--json", str(written), *QUICK]) == 0
    )
    printed = capsys.readouterr().out
    held_out = {name: len(read_set(folder, name).split()[1].rows) for name in ("sums", "sums+more")}
    for name, rows in held_out.items():
        assert f"{name}, {rows} rows" in printed
    for expected in ("agreement: auto", "SchemaCheck is not measured", "6 pairs:"):
        assert expected in printed
    found = json.loads(written.read_text())
    assert [one["name"] for one in found["sets"]] == ["sums", "sums+more"]
    assert len(found["pairs"]["sums"]) == 6
    assert WORD not in printed + written.read_text()


def test_every_line_fits_into_100_columns(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), "--sets", "sums,sums+more", "--every-pair", *QUICK]) == 0
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 100
    assert "…" not in printed, "nothing is cut off"
    assert "heuristic & agreement" in printed


def test_a_folder_of_other_data_sets_is_answered_with_what_to_write(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(folder)]) == 2
    came = capsys.readouterr()
    assert "--sets more,sums." in came.err
    assert came.out == "", "nothing is printed before what is missing is known"
    assert main([str(tmp_path / "nowhere")]) == 2
    assert "There is no such folder." in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main([str(tmp_path / "empty")]) == 2
    assert "no file of recorded answers in it" in capsys.readouterr().err


def test_all_rows_are_more_than_those_held_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), "--sets", "sums", "--all-rows", *QUICK]) == 0
    assert "sums, 120 rows" in capsys.readouterr().out


def test_models_can_be_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(folder), "--sets", "sums", "--draft", "alpha-medium", *QUICK]) == 0
    assert "draft alpha-medium" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--sets", "missing"), "missing.jsonl"),
        (("--sets", "sums", "--premium", "nobody"), "'nobody'"),
        (("--sets", "sums", "--resamples", "0"), "at least one"),
        (("--sets", ","), "at least one"),
        (("--sets", "sums", *QUICK, "--json", "/nowhere/out.json"), "/nowhere/out.json"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    assert main([str(folder), *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_the_subcommand_runs_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_bench_checks(parser.add_subparsers(dest="command"))
    run_bench_checks(parser.parse_args(["bench-checks", str(folder), "--sets", "sums", *QUICK]))
    assert "agreement: auto" in capsys.readouterr().out


def test_a_plot_is_written(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "out.png"
    assert main([str(folder), "--sets", "sums", "--plot", str(picture), *QUICK]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main([str(folder), "--sets", "sums", "--plot", str(tmp_path / "no" / "out.png"), *QUICK]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_a_plot_without_matplotlib_says_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main([str(folder), "--sets", "sums", "--plot", "out.png", *QUICK]) == 2
    assert "pip install 'langchain-llm-router[report]'" in capsys.readouterr().err


def test_a_missing_rich_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rich.console", None)
    with pytest.raises(ConfigurationError, match=r"langchain-llm-router\[report\]"):
        run(Options(folder=str(folder), sets=("sums",)))
