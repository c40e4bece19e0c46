"""`langchain-router bench`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

from langchain_router.cli.bench import add_bench, run_bench
from langchain_router.exceptions import ConfigurationError
from tests.evaluation.recordings import sums


def run(*arguments: str) -> None:
    parser = argparse.ArgumentParser()
    add_bench(parser.add_subparsers())
    run_bench(parser.parse_args(["bench", *arguments]))


def write(path: Path, name: str, count: int) -> str:
    lines = [
        json.dumps(
            {
                "id": row.id,
                "prompt": row.prompt,
                "outcomes": {
                    model: {"score": one.score, "response": one.response, "cost": one.cost_usd}
                    for model, one in row.outcomes.items()
                },
            }
        )
        for row in sums(count, name=name)
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def test_figures_are_printed_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit, test = write(tmp_path / "fit.jsonl", "fit", 150), write(tmp_path / "test.jsonl", "test", 60)
    out = tmp_path / "out.json"
    run("--fit", fit, "--test", test, "--max-quality-loss", "0.05", "--confidence", "0.8", "--json", str(out))
    told = json.loads(out.read_text())
    assert (told["suite"], told["fit_rows"], told["test_rows"]) == ("test", 150, 60)
    assert told["settings"]["max_quality_loss"] == 0.05
    assert told["settings"]["confidence"] == 0.8
    adaptive = next(one for one in told["policies"] if one["policy"] == "adaptive")
    assert f"{adaptive['cost_saved']:.1%}" in capsys.readouterr().out


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="nothing to measure on"):
        run()
    with pytest.raises(ConfigurationError, match="There is no file or folder"):
        run(str(tmp_path / "none.jsonl"))
    with pytest.raises(ConfigurationError, match="There is no file"):
        run("--fit", str(tmp_path / "a.jsonl"), "--test", str(tmp_path / "b.jsonl"))
    (tmp_path / "x.json").write_text("{", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="are not JSON"):
        run("--redraw", str(tmp_path / "x.json"))


def test_the_parser_imports_nothing_heavy() -> None:
    code = (
        "import sys, langchain_router.cli.bench; "
        "print(sorted({'numpy', 'rich', 'matplotlib', 'litellm', 'sqlalchemy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"
