"""Prints what the benchmark of policies found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from langchain_router.evaluation.plans.aims import Aim, aims_of
from langchain_router.evaluation.plans.limits import limits_of, loses_more
from langchain_router.evaluation.plans.measuring import Settings
from langchain_router.evaluation.plans.names import (
    ADAPTIVE,
    BEST_STATIC,
    MODELS_ONLY,
    ORACLE,
    figures_of,
    label,
    named,
    names_in,
)
from langchain_router.evaluation.plans.online import online_notes, online_rows
from langchain_router.evaluation.plans.peers import PEERS
from langchain_router.evaluation.plans.results import Figures, SuiteFigures
from langchain_router.evaluation.plans.stored import Run, means_of
from langchain_router.evaluation.plans.suites import DataFacts

_HEADINGS = ("saved", "points\nlost", "95 %\ninterval", "esca-\nlated", "APGR")
_SUMMARISED = (ADAPTIVE, MODELS_ONLY, BEST_STATIC, ORACLE)
_COLOURS = {True: "green", False: "red", None: "yellow"}
OVER = "!"
"""Marks what lost more than allowed."""


def print_intro(console: Console, settings: Settings) -> None:
    """Print how to read the tables."""
    console.print(
        "Saved: share of the cost of the best single model, the one that did best on the fit rows. Points "
        "lost: its mean score less the policy's, in hundredths, with the 95 % interval from resampling the "
        f"test rows; {OVER} marks what lost more than the {100 * settings.max_quality_loss:g} allowed. All "
        f"is fitted, and every operating point set, on the fit rows alone, at a confidence of "
        f"{settings.confidence:.0%}. The cost of drafts and second opinions is counted. Baselines are dim; "
        "the oracle knows every score beforehand.\n",
        highlight=False,
    )


def print_suite(console: Console, suite: SuiteFigures, facts: DataFacts, settings: Settings) -> None:
    """Print a suite's table: policies, then baselines, then what limits it."""
    allowed = settings.max_quality_loss
    table = Table(
        title=suite.name, title_style="bold", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    table.add_column("who", no_wrap=True)
    for heading in _HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("set on the fit rows to", overflow="fold")
    for one in figures_of(suite):
        table.add_row(*_row(one, allowed), style=None if one in suite.policies else "dim")
    console.print(table)
    console.print(fitted_on(suite), highlight=False, soft_wrap=True)
    adaptive = named(suite, ADAPTIVE)
    if adaptive is not None:
        console.print(f"Who answers with {ADAPTIVE}: {shares(adaptive)}.", highlight=False, soft_wrap=True)
    for sentence in limits_of(suite, facts, allowed):
        console.print(f"- {sentence}", highlight=False, soft_wrap=True)
    console.print()


def print_summary(console: Console, run: Run) -> None:
    """Print all suites side by side, their means, what could not be measured, and the aims."""
    means = means_of(run.suites)
    shown = [name for name in _SUMMARISED if name in means]
    if len(run.suites) > 1:
        allowed = run.settings.max_quality_loss
        table = Table(
            title="All suites: saved, and points lost",
            title_style="bold",
            title_justify="left",
            box=SIMPLE_HEAD,
        )
        table.add_column("suite", overflow="fold")
        for name in shown:
            table.add_column(label(name), justify="right", no_wrap=True)
        for suite in run.suites:
            found = [named(suite, name) for name in shown]
            table.add_row(suite.name, *("-" if one is None else both(one, allowed) for one in found))
        table.add_section()
        table.add_row("mean", *(_mean(means[name]) for name in shown), style="bold")
        console.print(table)
    for name, why in run.failures.items():
        console.print(f"[red]{name} could not be measured:[/red] {_escaped(why)}", highlight=False)
    absent = absent_peers(run.suites)
    if absent:
        console.print(
            f"Left out: {', '.join(map(label, absent))}; the installed LiteLLM does not have them.",
            highlight=False,
        )
    for aim in aims_of(run.suites):
        if aim.measured:
            print_aim(console, aim)


def print_aim(console: Console, aim: Aim) -> None:
    """Print whether an aim was reached, with its figure."""
    colour = _COLOURS[aim.reached]
    console.print(
        f"Aim, [{colour}]{aim.verdict}[/{colour}]: {aim.text}. Here: {aim.figure}.", highlight=False
    )


def print_online(console: Console, name: str, found: Mapping[str, Any]) -> None:
    """Print how fast policies learned on a suite."""
    header, *rows = online_rows(found)
    table = Table(
        title=f"{name}, prompt by prompt", title_style="bold", title_justify="left", box=SIMPLE_HEAD
    )
    for place, heading in enumerate(header):
        table.add_column(heading, justify="right" if place else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print(online_notes(found) + "\n", highlight=False)


def fitted_on(suite: SuiteFigures) -> str:
    """Return the sentence that says what was fitted on which rows."""
    how = (
        f"Fitted and set on {suite.fit_rows:,} rows, tested on {suite.test_rows:,} others."
        if suite.folds == 1
        else f"Tested on {suite.test_rows:,} rows in {suite.folds} folds, each fitted and set on the rows "
        f"of the other folds alone, {suite.fit_rows:,} on average."
    )
    return (
        f"{how} {len(suite.models)} models; best single: {suite.best_single} (score "
        f"{suite.best_single_score:.3f}, ${1_000 * suite.best_single_cost_usd:.3f} per 1,000)."
    )


def shares(figures: Figures, *, most: int = 5) -> str:
    """Return whose answers were returned how often, the most frequent first."""
    ranked = sorted(figures.share_per_model.items(), key=lambda pair: -pair[1])
    ranked = [(name, share) for name, share in ranked if share > 0]
    rest = sum(share for _, share in ranked[most:])
    told = [f"{name} {share:.1%}" for name, share in ranked[:most]]
    return ", ".join([*told, f"{len(ranked) - most} others {rest:.1%}"] if len(ranked) > most else told)


def both(one: Figures, allowed: float) -> str:
    """Return what was saved and lost, with the mark of what lost more than allowed."""
    return f"{one.cost_saved:.1%} {points(one.quality_lost)}{mark(one, allowed)}"


def points(lost: float) -> str:
    """Return a loss in points.

    Example:
        >>> points(0.0123), points(-0.004), points(0.00001)
        ('+1.2', '-0.4', '0.0')
    """
    shown = f"{100 * lost:+.1f}"
    return "0.0" if float(shown) == 0 else shown


def mark(one: Figures, allowed: float) -> str:
    """Return the mark of what lost more than allowed, or a space."""
    return OVER if loses_more(one, allowed) else " "


def absent_peers(suites: Sequence[SuiteFigures]) -> tuple[str, ...]:
    """Return the other routers that no suite has figures of."""
    return tuple(name for name in PEERS if suites and name not in names_in(suites))


def _row(one: Figures, allowed: float) -> Iterable[str]:
    low, high = one.quality_lost_ci
    return (
        label(one.name),
        f"{one.cost_saved:.1%}",
        f"{points(one.quality_lost)}{mark(one, allowed)}",
        f"{points(low)} to {points(high)}",
        f"{one.escalation_rate:.1%}",
        "" if one.apgr is None else f"{one.apgr:.3f}",
        _escaped(one.operating_point),
    )


def _mean(mean: Mapping[str, float]) -> str:
    return f"{mean['cost_saved']:.1%} {points(mean['quality_lost'])} "


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
