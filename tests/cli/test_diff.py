"""`langchain-router diff`."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import pytest

from langchain_router.cli.diff import add_diff, run_diff
from langchain_router.exceptions import ConfigurationError
from langchain_router.outcomes.store import open_store
from tests.evaluation.logged_traffic import NOW_S, log_traffic

ALL = f"{int((time.time() - NOW_S) / 86_400) + 2}d"


def run(*arguments: str) -> None:
    parser = argparse.ArgumentParser()
    add_diff(parser.add_subparsers())
    run_diff(parser.parse_args(["diff", *arguments]))


@pytest.fixture
def store_path(tmp_path: Path) -> str:
    store = open_store(tmp_path / "router.db")
    log_traffic(store, 30, certain=True)
    store.close()
    return str(tmp_path / "router.db")


def test_requests_are_listed_up_to_the_limit_and_all_are_written(
    store_path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(
        *("--store", store_path, "--policy", "recorded", "--policy", "single:large"),
        *("--since", ALL, "--limit", "3", "--json", str(tmp_path / "out.json")),
    )
    printed = capsys.readouterr().out
    assert printed.count("small -> large  +$0.009000") == 3
    assert "and 27 more" in printed
    assert "30 of 30 requests (100.0%) go elsewhere." in printed
    assert "$0.030000 under A, $0.300000 under B: +$0.270000 (+900.0%)" in printed
    assert len(json.loads((tmp_path / "out.json").read_text())["moved"]) == 30


def test_the_last_seven_days_are_looked_at_unless_said_otherwise(store_path: str) -> None:
    with pytest.raises(ConfigurationError, match="since then; it holds 30 older ones"):
        run("--store", store_path, "--policy", "recorded", "--policy", "threshold")


@pytest.mark.parametrize("policies", [(), ("cost",), ("cost", "threshold", "cascade")])
def test_two_policies_are_compared_neither_more_nor_fewer(store_path: str, policies: tuple[str, ...]) -> None:
    given = [word for one in policies for word in ("--policy", one)]
    with pytest.raises(ConfigurationError, match=f"compares two policies, got {len(policies)}"):
        run("--store", store_path, *given)
