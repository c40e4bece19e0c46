"""Figures and suites made up for the tests, and a way to measure that takes no time."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from langchain_router.evaluation.plans.measuring import Measured, Settings
from langchain_router.evaluation.plans.results import Figures, SuiteFigures
from langchain_router.evaluation.plans.suites import DataFacts, Suite
from langchain_router.exceptions import ConfigurationError

_NAMES = {  # saved and lost
    "adaptive": (0.71, 0.012),
    "cascade": (0.6, 0.01),
    "cost": (0.45, 0.015),
    "best_single": (0.0, 0.0),
    "cheapest": (0.98, 0.21),
    "best_static": (0.2, 0.004),
    "random_mix": (0.08, 0.02),
    "prompt_length": (0.11, 0.018),
    "per_dataset_table": (0.2, 0.004),
    "oracle": (0.83, -0.02),
    "litellm_heuristic": (0.1, 0.02),
    "litellm_heuristic_v2": (0.05, 0.02),
}
FACTS = DataFacts(
    rows=500,
    models=3,
    recorded=1.0,
    with_text=1.0,
    cut=0.0,
    estimated=0.0,
    without_cost=0.0,
    repeated=0.0,
)


def figures(name: str, saved: float, lost: float, **others: Any) -> Figures:
    values: dict[str, Any] = {
        "quality_lost_ci": (lost - 0.01, lost + 0.01),
        "escalation_rate": 0.25,
        "share_per_model": {"small": 0.7, "large": 0.3},
        "curve": ((0.02, 0.7), (1 - saved, 0.9 - lost), (1.0, 0.9)),
    }
    return Figures(name=name, cost_saved=saved, quality_lost=lost, **{**values, **others})


def suite(name: str = "sums", *, shift: float = 0.0, worse: float = 0.0, **others: Any) -> SuiteFigures:
    """A suite: all save `shift` more than the usual and lose `worse` more."""
    made = [
        figures(
            one,
            saved + (shift if 0 < saved < 0.9 else 0),
            lost + (worse if one not in {"best_single", "oracle"} else 0),
            operating_point=f"where {one} was set",
        )
        for one, (saved, lost) in _NAMES.items()
    ]
    values: dict[str, Any] = {
        "fit_rows": 400,
        "test_rows": 500,
        "folds": 5,
        "models": ("tiny", "small", "large"),
        "best_single": "large",
        "best_single_score": 0.9,
        "best_single_cost_usd": 0.001,
        "policies": tuple(made[:3]),
        "baselines": tuple(made[3:]),
    }
    return SuiteFigures(name=name, **{**values, **others})


def with_adaptive(made: SuiteFigures, **changed: Any) -> SuiteFigures:
    """The suite with other figures of the adaptive policy."""
    return replace(made, policies=(replace(made.policies[0], **changed), *made.policies[1:]))


def measure(one: Suite, settings: Settings, progress: Callable[[str], None]) -> Measured:
    """Stands for the engine: a suite called `bad` cannot be measured."""
    progress("made up")
    if one.name == "bad":
        raise ConfigurationError("bad: only 3 prompts hold an answer of every model [at a known cost].")
    return Measured(suite=one, figures=suite(one.name, folds=1 if one.fit else settings.folds))


def measure_threads(one: Suite, settings: Settings, progress: Callable[[str], None]) -> Measured:
    """Tells which process measures, and on how many threads."""
    progress(f"{os.getpid()} {os.environ.get('OMP_NUM_THREADS')}")
    return measure(one, settings, progress)


def end_the_process(*_: Any) -> Measured:
    os._exit(1)
