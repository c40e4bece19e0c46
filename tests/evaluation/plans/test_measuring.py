"""Suites are measured side by side, each in a process of its own."""

from __future__ import annotations

import os

import pytest

from langchain_router.evaluation.plans.measuring import Settings, measure_all
from langchain_router.evaluation.plans.suites import Suite
from langchain_router.exceptions import ConfigurationError
from tests.evaluation.plans.made_up import end_the_process, measure, measure_threads

SETTINGS = Settings(folds=5, max_quality_loss=0.02, confidence=0.9, seed=0)
SUITES = [Suite(name=name, test=()) for name in ("sums", "bad", "more")]


def test_a_suite_that_cannot_be_measured_does_not_end_the_others() -> None:
    told: list[tuple[str, str]] = []
    found = list(
        measure_all(SUITES, SETTINGS, jobs=1, progress=lambda *one: told.append(one), measure=measure)
    )
    assert [one.suite.name for one in found if one.figures] == ["sums", "more"]
    assert [one.failure for one in found if not one.figures] == [
        "bad: only 3 prompts hold an answer of every model [at a known cost]."
    ]
    assert told == [("sums", "made up"), ("bad", "made up"), ("more", "made up")]


def test_processes_compute_on_one_thread_and_tell_how_far_they_are() -> None:
    told: list[str] = []
    progress = lambda _, text: told.append(text)  # noqa: E731
    found = list(measure_all(SUITES, SETTINGS, jobs=2, progress=progress, measure=measure_threads))
    assert {one.suite.name: one.figures is not None for one in found} == {
        "sums": True,
        "bad": False,
        "more": True,
    }
    measuring = [text.split() for text in told if text != "made up"]
    assert len(measuring) == 3
    assert all(threads == "1" for _, threads in measuring)
    assert str(os.getpid()) not in {process for process, _ in measuring}


def test_a_process_that_is_ended_from_outside_is_said() -> None:
    with pytest.raises(ConfigurationError, match="--jobs 1"):
        list(measure_all(SUITES, SETTINGS, jobs=2, measure=end_the_process))
