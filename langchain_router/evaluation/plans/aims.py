"""What the benchmark is meant to show, held against what it did show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Final

from langchain_router.evaluation.plans.names import ADAPTIVE, figures_of, label, named
from langchain_router.evaluation.plans.results import Figures, SuiteFigures
from langchain_router.evaluation.plans.suites import USUAL

SAVED: Final = 0.74
LOST: Final = 0.02
APGR: Final = 0.70
APGR_SUITES: Final = ("routellm_gsm8k", "routellm_mmlu")
SPEARMAN: Final = 0.35
FEWEST_RANKED: Final = 30
"""Prompts that a source needs for its rank correlation to count, as in the table of `bench-signals`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """An aim and what came of it.

    Attributes:
        text: What was aimed at.
        figure: What was measured.
        reached: Whether it was; None where it was not measured on all that it speaks of.
        measured: Whether there is any figure.
    """

    text: str
    figure: str
    reached: bool | None
    measured: bool = True

    @property
    def verdict(self) -> str:
        """Whether it was reached, in words."""
        return {True: "reached", False: "not reached", None: "not measured in full"}[self.reached]


def aims_of(suites: Sequence[SuiteFigures]) -> tuple[Aim, ...]:
    """Return the aims for the policies, the savings first."""
    return (_savings(suites), *(_apgr(suites, name) for name in APGR_SUITES))


def aims_of_signals(found: Mapping[str, Any]) -> tuple[Aim, ...]:
    """Return the aims for ranking prompts by difficulty; of intents no file says which aim is its.

    Args:
        found: What `bench-signals` wrote.
    """
    ranked = [
        one
        for one in found.get("difficulty", ())
        if one["n"] >= FEWEST_RANKED and one["spearman"] is not None and one["spearman_length"] is not None
    ]
    if not ranked:
        return ()
    mean = fmean(one["spearman"] for one in ranked)
    above = sum(one["spearman"] > one["spearman_length"] for one in ranked)
    return (
        Aim(
            text=f"Complexity: mean rank correlation with difficulty of {SPEARMAN} over sources",
            figure=f"{mean:.3f} over {len(ranked)} sources of at least {FEWEST_RANKED} prompts",
            reached=mean >= SPEARMAN,
        ),
        Aim(
            text="Complexity: above prompt length on every source",
            figure=f"above it on {above} of {len(ranked)} sources",
            reached=above == len(ranked),
        ),
    )


def _savings(suites: Sequence[SuiteFigures]) -> Aim:
    text = (
        f"{SAVED:.0%} of the best single model's cost saved at no more than {100 * LOST:g} points lost, as "
        f"the mean over {len(USUAL)} suites"
    )
    usual = [suite for suite in suites if suite.name in USUAL]
    measured = usual or list(suites)
    found = [one for suite in measured if (one := named(suite, ADAPTIVE)) is not None]
    if not found:
        return Aim(text=text, figure="no figure", reached=None, measured=False)
    saved = fmean(one.cost_saved for one in found)
    lost = fmean(one.quality_lost for one in found)
    over = sum(one.quality_lost > LOST for one in found)
    which = (
        "suites of the aim" if usual else "other suites than the aim's" if len(found) > 1 else "other suite"
    )
    figure = (
        f"{saved:.1%} saved, {100 * lost:+.2f} points lost, over {len(found)} {which}; more than "
        f"{100 * LOST:g} points on {over} of them"
    )
    whole = {suite.name for suite in usual} == set(USUAL)
    return Aim(text=text, figure=figure, reached=saved >= SAVED and lost <= LOST if whole else None)


def _apgr(suites: Iterable[SuiteFigures], name: str) -> Aim:
    text = f"APGR of {APGR:.2f} on {name}, on rows not fitted"
    suite = next((suite for suite in suites if suite.name == name), None)
    told = [] if suite is None else [one for one in figures_of(suite) if one.apgr is not None]
    if suite is None or not told:
        why = "not among the suites" if suite is None else "no figure"
        return Aim(text=text, figure=why, reached=None, measured=False)
    judged = _judged(suite)
    return Aim(
        text=text,
        figure=", ".join(f"{label(one.name)} {one.apgr:.3f}" for one in told if one.apgr is not None),
        reached=None if judged is None or judged.apgr is None else judged.apgr >= APGR,
    )


def _judged(suite: SuiteFigures) -> Figures | None:
    """Return the policy that an aim speaks of: the adaptive one, else the first that has an APGR."""
    return next(
        (one for one in sorted(suite.policies, key=lambda one: one.name != ADAPTIVE) if one.apgr is not None),
        None,
    )
