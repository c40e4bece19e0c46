"""The command certifies or refuses, in words and as a file that a policy reads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from langchain_router import AdaptivePolicy
from langchain_router.cli.calibrate import add_calibrate, run_calibrate
from langchain_router.evaluation.calibration.calibration import Calibration
from langchain_router.exceptions import ConfigurationError, InsufficientEvidenceError
from langchain_router.outcomes.store import open_store
from tests.evaluation.calibration.test_from_log import logged
from tests.evaluation.calibration.test_from_recorded import rows


def run(*words: str) -> None:
    import argparse

    parser = argparse.ArgumentParser()
    add_calibrate(parser.add_subparsers(dest="command", required=True))
    run_calibrate(parser.parse_args(["calibrate", *words]))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "recorded.jsonl"
    lines = []
    for row in rows(800):
        outcomes = {name: {"score": o.score, "cost": o.cost_usd} for name, o in row.outcomes.items()}
        lines.append(json.dumps({"id": row.id, "prompt": row.prompt, "outcomes": outcomes}))
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_recorded_answers_bring_certificates_in_words_and_in_a_file(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "calibration.json"
    run("--data", str(data), "--max-quality-loss", "0.2", "--confidence", "0.9", "--json", str(out))
    found = Calibration.load(out)
    assert found.certificates
    told = capsys.readouterr().out
    for certificate in found.certificates.values():
        assert certificate.sentence() in told
        assert (certificate.risk_bound, certificate.confidence) == (0.2, 0.9)
    for refusal in found.refusals.values():
        assert str(refusal.still_needed) in told


def test_where_nothing_can_be_certified_the_reasons_are_told_and_it_fails(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "calibration.json"
    with pytest.raises(InsufficientEvidenceError, match="No threshold"):
        run("--data", str(data), "--method", "hoeffding-bentkus", "--json", str(out))
    assert "more are needed" in capsys.readouterr().out
    assert all(one.still_needed for one in Calibration.load(out).refusals.values())


def test_a_store_is_read_and_one_that_is_not_there_is_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = open_store(tmp_path / "router.db")
    logged(store, 200)
    store.close()
    run("--store", f"sqlite:///{tmp_path / 'router.db'}", "--max-quality-loss", "0.7")
    assert "Certified: for code_review" in capsys.readouterr().out
    with pytest.raises(ConfigurationError, match="no store"):
        run("--store", str(tmp_path / "none.db"))
    assert not (tmp_path / "none.db").exists()


def test_the_plans_that_are_saved_take_the_calibration_and_no_others_do(data: Path, tmp_path: Path) -> None:
    plans, out = tmp_path / "plans.npz", tmp_path / "calibration.json"
    run("--data", str(data), "--max-quality-loss", "0.2", "--json", str(out), "--save", str(plans))
    policy = AdaptivePolicy(plans=plans, calibration=out)
    assert policy.fitted is not None
    assert {one.policy for one in Calibration.load(out).certificates.values()} == {policy.fitted.fingerprint}
    others = replace(policy.fitted, dial=0.01)
    with pytest.raises(ConfigurationError, match="not about these plans"):
        AdaptivePolicy(plans=others, calibration=out)


def test_options_of_the_one_source_are_refused_for_the_other(data: Path) -> None:
    with pytest.raises(ConfigurationError, match="--since"):
        run("--data", str(data), "--since", "3d")
    with pytest.raises(ConfigurationError, match="--save"):
        run("--store", "x.db", "--save", "plans.npz")
    with pytest.raises(ConfigurationError, match="betting"):
        run("--store", "x.db", "--method", "hoeffding-bentkus")
