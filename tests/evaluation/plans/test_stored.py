"""A run as JSON: what the issue of the benchmark promises, and the way back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from langchain_router.evaluation.plans.measuring import Settings
from langchain_router.evaluation.plans.stored import Run, run_as_json, run_from_json
from langchain_router.exceptions import ConfigurationError
from tests.evaluation.plans.made_up import FACTS, suite

SETTINGS = Settings(folds=5, max_quality_loss=0.02, confidence=0.9, seed=0, save="somewhere")


def run_of(*names: str, **others: Any) -> Run:
    suites = tuple(suite(name, **others) for name in names)
    return Run(
        settings=SETTINGS,
        suites=suites,
        facts=dict.fromkeys(names, FACTS),
        failures={"bad": "too small"},
        online={names[0]: {"prompts": 3}},
    )


def test_given_files_are_one_object_with_policies_and_baselines() -> None:
    told = json.loads(json.dumps(run_as_json(run_of("sums", folds=1))))
    adaptive = told["policies"][0]
    assert adaptive["policy"] == "adaptive"
    assert (adaptive["cost_saved"], adaptive["quality_lost"]) == (0.71, 0.012)
    assert adaptive["quality_lost_ci"] == [0.002, 0.022]
    assert adaptive["curve"][0] == [0.02, 0.7]
    assert told["baselines"][0].keys() == adaptive.keys()
    assert (told["fit_rows"], told["test_rows"], told["best_single"]) == (400, 500, "large")
    assert "somewhere" not in json.dumps(told)


def test_folds_are_a_list_of_suites_with_means() -> None:
    told = run_as_json(run_of("sums", "more"))
    assert [one["suite"] for one in told["suites"]] == ["sums", "more"]
    assert told["mean"]["adaptive"] == {"cost_saved": 0.71, "quality_lost": 0.012, "suites": 2}
    assert told["failures"] == {"bad": "too small"}
    assert told["suites"][0]["online"] == {"prompts": 3}


def test_what_was_written_can_be_read_again() -> None:
    found = run_of("sums", "more")
    told = json.loads(json.dumps(run_as_json(found)))
    assert run_as_json(run_from_json([told])) == told
    apart = [json.loads(json.dumps(run_as_json(run_of(name, folds=1)))) for name in ("sums", "more")]
    assert [one.name for one in run_from_json(apart).suites] == ["sums", "more"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda _: [{}], "cannot be read"),
        (lambda _: [[]], "cannot be read"),
        (lambda told: [told, told], "stands in several"),
        (lambda told: [told, {**told, "settings": {**told["settings"], "seed": 1}}], "different settings"),
    ],
)
def test_other_figures_are_refused(change: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        run_from_json(change(run_as_json(run_of("sums"))))
