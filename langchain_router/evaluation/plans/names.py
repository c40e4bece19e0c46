"""What the policies and baselines that reports single out are called."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from langchain_router.evaluation.plans.results import Figures, SuiteFigures

ADAPTIVE: Final = "adaptive"
"""Chooses among plans."""

MODELS_ONLY: Final = "cost"
"""Chooses among single models."""

BEST_STATIC: Final = "best_static"
"""One model for all prompts, the cheapest that keeps quality on the fit rows."""

LENGTH: Final = "prompt_length"
"""Sends the long prompts to the better of two models."""

ORACLE: Final = "oracle"
"""Knows every score beforehand."""


_LABELS: Final = {MODELS_ONLY: "cost (models only)", "cascade": "cascade (one plan)"}


def label(name: str) -> str:
    """Return what a policy or baseline is called in words.

    Example:
        >>> label("best_static"), label("cost")
        ('best static', 'cost (models only)')
    """
    return _LABELS.get(name, name.replace("_", " "))


def figures_of(suite: SuiteFigures) -> tuple[Figures, ...]:
    """Return all figures of a suite, those of policies first."""
    return (*suite.policies, *suite.baselines)


def named(suite: SuiteFigures, name: str) -> Figures | None:
    """Return the figures of a policy or baseline; None where the suite has none of that name."""
    return next((one for one in figures_of(suite) if one.name == name), None)


def names_in(suites: Iterable[SuiteFigures]) -> tuple[str, ...]:
    """Return every name, in order: the policies, then the baselines."""
    policies = [one.name for suite in suites for one in suite.policies]
    baselines = [one.name for suite in suites for one in suite.baselines]
    return tuple(dict.fromkeys((*policies, *baselines)))
