"""The page of figures."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from langchain_router.evaluation.plans.page import write_page
from langchain_router.evaluation.plans.stored import Run
from langchain_router.evaluation.plans.suites import USUAL
from langchain_router.exceptions import ConfigurationError
from tests.evaluation.plans.made_up import FACTS, suite, with_adaptive
from tests.evaluation.plans.test_stored import SETTINGS

SIGNALS = {
    "intent": [{"file": "/home/me/intent_dev.jsonl", "macro_f1": 0.8512, "keywords_macro_f1": 0.602}],
    "difficulty": [
        {"source": "exams", "n": 300, "spearman": 0.41, "spearman_length": 0.2},
        {"source": "tiny", "n": 5, "spearman": 0.9, "spearman_length": 0.1},
    ],
}


def checks() -> dict[str, Any]:
    measured = {
        "escalated": 0.3,
        "saved": {"value": 0.4},
        "gain_at_cost": {"value": 2.5, "low": 1.0, "high": 4.0},
        "auc_right": 0.712,
    }
    names = ("learned", "heuristic: empty")
    listed = [{"contender": {"name": name}, "measured": measured} for name in names]
    return {"options": {"folder": "/home/me/replay"}, "sets": [{"name": "sums", "checks": listed}]}


def run_of(*names: str, **failures: str) -> Run:
    suites = tuple(suite(name) for name in names)
    facts = dict.fromkeys((*names, *failures), FACTS)
    return Run(settings=SETTINGS, suites=suites, facts=facts, failures=failures, online={})


def written(tmp_path: Path, run: Run, **others: Any) -> str:
    page = tmp_path / "docs" / "benchmarks.md"
    write_page(run, str(page), **others)
    return page.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    run = run_of(*USUAL, small="There is no file '/home/me/replay/small.jsonl'; read or/and write it.")
    bad = with_adaptive(suite(USUAL[3]), quality_lost=0.034)
    run = replace(run, suites=(*run.suites[:3], bad, *run.suites[4:]))
    written(
        folder, run, figures_path=str(folder / "docs" / "benchmarks.json"), signals=SIGNALS, checks=checks()
    )
    return folder / "docs"


def test_every_suite_has_its_figures_and_every_aim_its_verdict(usual: Path) -> None:
    text = (usual / "benchmarks.md").read_text()
    assert all(f"### {name}\n" in text for name in USUAL)
    assert text.count("| **adaptive** | 71.0% |") == 13
    assert "| 4. alpacaeval | 500 | 3 | 71.0% +3.4! |" in text
    assert "Loses 3.4 points, more than the 2 allowed" in text
    assert "| **mean** |" in text
    assert re.search(
        r"\| 74% of the best .* over 13 suites of the aim; .* on 1 of them \| \*\*not reached\*\* \|", text
    )
    assert "| 0.410 over 1 sources of at least 30 prompts | **reached** |" in text
    assert "[benchmarks.json](benchmarks.json)" in text


def test_plots_are_small_and_all_that_is_linked_is_there(usual: Path) -> None:
    text = (usual / "benchmarks.md").read_text()
    links = re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)
    assert len(links) == 5
    assert all((usual / link).stat().st_size < 200_000 for link in links)


def test_nothing_of_this_machine_is_told(usual: Path) -> None:
    text = (usual / "benchmarks.md").read_text()
    assert "/home" not in text
    assert str(usual) not in text
    assert "`small` could not be measured: There is no file 'small.jsonl'; read or/and write it." in text


def test_figures_of_other_commands_are_told(usual: Path) -> None:
    text = (usual / "benchmarks.md").read_text()
    assert "| intent_dev.jsonl | 0.851 | 0.602 |" in text
    assert "| exams | 300 | 0.410 | 0.200 |" in text
    assert "| tiny |" not in text
    assert "| sums | learned | 30.0% | 40.0% | +2.5 (+1.0 to +4.0) | 0.712 |" in text
    assert "heuristic: empty" not in text


def test_without_them_the_page_says_how_to_add_them(tmp_path: Path) -> None:
    text = written(tmp_path, run_of("sums"), figures_path=str(tmp_path / "elsewhere.json"))
    assert "--signals-json signals.json" in text
    assert "--checks-json checks.json" in text
    assert "elsewhere" not in text


def test_plots_of_an_earlier_run_are_taken_away(tmp_path: Path) -> None:
    (tmp_path / "docs" / "img").mkdir(parents=True)
    for name in ("benchmarks-curves-7.png", "mine.png"):
        (tmp_path / "docs" / "img" / name).touch()
    written(tmp_path, run_of(*USUAL[:2]))
    assert sorted(path.name for path in (tmp_path / "docs" / "img").iterdir()) == [
        "benchmarks-curves-1.png",
        "benchmarks.png",
        "mine.png",
    ]


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("signals", {"intent": [{}], "difficulty": []}),
        ("signals", []),
        ("checks", {"sets": [{}]}),
        ("checks", {}),
    ],
)
def test_figures_of_another_shape_are_refused(tmp_path: Path, name: str, given: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"--{name}-json is not what `bench-{name} --json` writes"):
        written(tmp_path, run_of("sums"), **{name: given})


def test_a_page_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "docs").write_text("a file", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="The page cannot be written"):
        written(tmp_path, run_of("sums"))
