"""`langchain-router whatif`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from langchain_router.cli.whatif import add_whatif, run_whatif
from langchain_router.exceptions import ConfigurationError, InsufficientEvidenceError
from langchain_router.outcomes.store import open_store
from tests.evaluation.logged_traffic import log_traffic


def run(*arguments: str) -> None:
    parser = argparse.ArgumentParser()
    add_whatif(parser.add_subparsers())
    run_whatif(parser.parse_args(["whatif", *arguments]))


@pytest.fixture
def url(tmp_path: Path) -> str:
    store = open_store(tmp_path / "router.db")
    log_traffic(store, 600)
    store.close()
    return f"sqlite:///{tmp_path / 'router.db'}"


def test_figures_are_printed_and_written(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("--store", url, "--policy", "single:large", "--json", str(tmp_path / "out.json"))
    printed = capsys.readouterr().out
    assert "SinglePolicy('large') on 600 recorded requests." in printed
    assert "effective sample of" in printed
    told = json.loads((tmp_path / "out.json").read_text())
    low, high = (told["quality"]["doubly_robust"][end] for end in ("low", "high"))
    assert low < 0.95 < high
    assert f"{told['quality']['doubly_robust']['value']:.3f} [{low:.3f}, {high:.3f}]" in printed


def test_cost_alone_can_be_asked_for(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    run("--store", url, "--policy", "single:large", "--cost-only")
    assert "quality" not in capsys.readouterr().out


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="There is no store at"):
        run("--store", f"sqlite:///{tmp_path / 'none.db'}", "--policy", "cost")
    assert list(tmp_path.iterdir()) == []


def test_what_is_wrong_with_a_policy_or_a_time_is_said_before_the_store_is_read(url: str) -> None:
    with pytest.raises(ConfigurationError, match="Did you mean 'threshold'"):
        run("--store", "nowhere", "--policy", "treshold")
    with pytest.raises(ConfigurationError, match="such as 30d"):
        run("--store", "nowhere", "--policy", "cost", "--since", "month")
    with pytest.raises(ConfigurationError, match="holds no request that has ended since then"):
        run("--store", url, "--policy", "cost", "--since", "1d")


def test_too_little_evidence_is_refused(tmp_path: Path) -> None:
    store = open_store(tmp_path / "router.db")
    log_traffic(store, 60)
    store.close()
    with pytest.raises(InsufficientEvidenceError, match="effective sample"):
        run("--store", str(tmp_path / "router.db"), "--policy", "single:large")
