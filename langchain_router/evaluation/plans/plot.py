"""Draws the benchmark of policies: two panels, and a page of cost/quality curves."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import Any, Final

from langchain_router.evaluation.panels import draw_panels
from langchain_router.evaluation.plans.limits import loses_more
from langchain_router.evaluation.plans.names import (
    ADAPTIVE,
    BEST_STATIC,
    LENGTH,
    MODELS_ONLY,
    ORACLE,
    figures_of,
    label,
    named,
)
from langchain_router.evaluation.plans.results import Figures, SuiteFigures

_STYLES: Final = {
    ADAPTIVE: ("#0072b2", "o"),
    "cascade": ("#56b4e9", "D"),
    MODELS_ONLY: ("#009e73", "s"),
    BEST_STATIC: ("#d55e00", "^"),
    LENGTH: ("#cc79a7", "v"),
    "random_mix": ("#8c8c8c", "P"),
    "per_dataset_table": ("#b8860b", "p"),
    "litellm_heuristic": ("#7f5539", "<"),
    "litellm_heuristic_v2": ("#b08968", ">"),
    "best_single": ("black", "*"),
    "cheapest": ("black", "x"),
    ORACLE: ("black", "H"),
}
"""Colour and marker; any other policy or baseline is a grey plus."""

_OTHER: Final = ("#b0b0b0", "+")
_FEWEST_POINTS: Final = 3
_MANY_POINTS: Final = 5  # up to here an axis of points lost is linear
_WIDE: Final = 8.0  # dearest by cheapest point from which a logarithmic axis shows more


def plot_run(suites: Sequence[SuiteFigures], path: str | os.PathLike[str], *, allowed: float) -> None:
    """Draw two panels and write them to a file.

    Of one suite: the cost/quality curves, and what was saved and lost at the operating points. Of several:
    saved and lost on each of them, and what was saved suite by suite.

    Args:
        suites: At least one.
        path: A `.png`, `.svg` or `.pdf` file.
        allowed: Mean loss that is allowed, in score points.

    Raises:
        ConfigurationError: matplotlib is not installed, or the file cannot be written.
    """
    draws: list[Callable[[Any], None]]
    if len(suites) == 1:
        draws = [
            lambda panel: draw_curves(panel, suites[0]),
            lambda panel: _operating(panel, suites[0], allowed),
        ]
    else:
        draws = [lambda panel: _scatter(panel, suites, allowed), lambda panel: _bars(panel, suites, allowed)]
    draw_panels(draws, lambda panel, draw: draw(panel), path, columns=2, panel_width=6.2, x="", y="")


def plot_curves(suites: Sequence[SuiteFigures], path: str | os.PathLike[str]) -> None:
    """Draw the cost/quality curves of each suite into a panel of its own, and write them to a file.

    Raises:
        ConfigurationError: matplotlib is not installed, or the file cannot be written.
    """
    draw_panels(
        suites,
        lambda panel, suite: draw_curves(panel, suite, small=True),
        path,
        columns=4,
        panel_width=3.3,
        x="cost, % of the best single model's",
        y="mean score",
    )


def draw_curves(panel: Any, suite: SuiteFigures, *, small: bool = False) -> None:
    """Draw the cost/quality curve of each policy and baseline, with a mark where it was set."""
    costs = [100 * (1 - one.cost_saved) for one in figures_of(suite)]
    for one in figures_of(suite):
        colour, marker = _STYLES.get(one.name, _OTHER)
        is_policy = one in suite.policies
        curve = [(100 * cost, quality) for cost, quality in sorted(one.curve)]
        costs += [cost for cost, _ in curve]
        if len(curve) >= _FEWEST_POINTS:
            panel.plot(
                *zip(*curve, strict=True),
                "-" if is_policy else "--",
                color=colour,
                lw=1.8 if is_policy else 0.9,
                alpha=0.9 if is_policy else 0.6,
                zorder=_layer(suite, one),
            )
        panel.plot(
            [100 * (1 - one.cost_saved)],
            [suite.best_single_score - one.quality_lost],
            marker,
            color=colour,
            ms=_size(suite, one) - 2 * small,
            label=label(one.name),
            zorder=_layer(suite, one) + 0.5,
        )
    known = [cost for cost in costs if cost > 0]
    if known and max(known) > _WIDE * min(known):
        _logarithmic(panel, min(known), max(known))
    title = f"{suite.name}\n{suite.test_rows:,} prompts, {len(suite.models)} models"
    panel.set_title(title, fontsize=8 if small else 9)
    if not small:
        panel.set_xlabel("cost, % of the best single model's")
        panel.set_ylabel("mean score")
    _tidy(panel, small=small)


def _layer(suite: SuiteFigures, one: Figures) -> float:
    """Return how far up to draw: policies over baselines, the first of them on top."""
    return 3 + len(suite.policies) - suite.policies.index(one) if one in suite.policies else 2


def _size(suite: SuiteFigures, one: Figures) -> float:
    """Return the size of a mark: what lies beneath another is larger, so that both are seen."""
    return 7 + 2 * suite.policies.index(one) if one in suite.policies else 6


def _operating(panel: Any, suite: SuiteFigures, allowed: float) -> None:
    for one in figures_of(suite):
        colour, marker = _STYLES.get(one.name, _OTHER)
        low, high = (100 * end for end in one.quality_lost_ci)
        lost = 100 * one.quality_lost
        panel.errorbar(
            [100 * one.cost_saved],
            [lost],
            yerr=[[max(0.0, lost - low)], [max(0.0, high - lost)]],
            fmt=marker,
            color=colour,
            ms=_size(suite, one),
            zorder=_layer(suite, one),
            elinewidth=0.9,
            capsize=2.5,
            label=label(one.name),
        )
    _allowance(panel, allowed)
    _points_axis(panel, [100 * one.quality_lost for one in figures_of(suite)])
    panel.set_title("where each was set on the fit rows; bars: 95 % interval", fontsize=9)
    panel.set_xlabel("saved, % of the best single model's cost")
    panel.set_ylabel("points lost")
    _tidy(panel)


def _scatter(panel: Any, suites: Sequence[SuiteFigures], allowed: float) -> None:
    for name, away in ((BEST_STATIC, (5, -9)), (ADAPTIVE, (5, 3))):
        colour, marker = _STYLES[name]
        found = [(place, one) for place, suite in enumerate(suites, 1) if (one := named(suite, name))]
        panel.plot(
            [100 * one.cost_saved for _, one in found],
            [100 * one.quality_lost for _, one in found],
            marker,
            color=colour,
            ms=7,
            alpha=0.85,
            label=label(name),
        )
        numbers: dict[tuple[float, float], list[str]] = {}
        for place, one in found:
            numbers.setdefault((round(100 * one.cost_saved), round(100 * one.quality_lost, 1)), []).append(
                str(place)
            )
        for where, some in numbers.items():
            panel.annotate(", ".join(some), where, away, textcoords="offset points", fontsize=7, color=colour)
    _allowance(panel, allowed)
    _points_axis(
        panel,
        [
            100 * one.quality_lost
            for suite in suites
            for name in (BEST_STATIC, ADAPTIVE)
            if (one := named(suite, name))
        ],
    )
    panel.set_title("saved and lost on each suite, by its number", fontsize=9)
    panel.set_xlabel("saved, % of the best single model's cost")
    panel.set_ylabel("points lost")
    _tidy(panel)


def _bars(panel: Any, suites: Sequence[SuiteFigures], allowed: float) -> None:
    """Draw a bar for what the adaptive policy saved, hatched where it lost too much; mark the others."""
    colour, _ = _STYLES[ADAPTIVE]
    lowest = 0.0
    for place, suite in enumerate(suites):
        adaptive = named(suite, ADAPTIVE)
        if adaptive is not None:
            over = loses_more(adaptive, allowed)
            panel.barh(
                place,
                100 * adaptive.cost_saved,
                color="white" if over else colour,
                edgecolor=colour,
                hatch="////" if over else None,
                height=0.62,
                alpha=0.55,
                label=f"{label(ADAPTIVE)}, lost too much" if over else None,
            )
        for name in (MODELS_ONLY, BEST_STATIC, ORACLE):
            one = named(suite, name)
            if one is not None:
                _mark(panel, one, place)
                lowest = min(lowest, 100 * one.cost_saved)
    panel.set_yticks(range(len(suites)), [f"{suite.name}  {place}" for place, suite in enumerate(suites, 1)])
    panel.invert_yaxis()
    panel.set_xlim(lowest - 3, 101)
    panel.set_title(f"saved by suite; hatched: more than {100 * allowed:g} points lost", fontsize=9)
    panel.set_xlabel("saved, % of the best single model's cost")
    _tidy(panel)
    panel.tick_params(axis="y", labelsize=7)


def _mark(panel: Any, one: Figures, place: int) -> None:
    colour, marker = _STYLES[one.name]
    panel.plot([100 * one.cost_saved], [place], marker, color=colour, ms=6, label=label(one.name), zorder=3)


def _allowance(panel: Any, allowed: float) -> None:
    panel.axhline(100 * allowed, color="#c00000", lw=1.0, ls=":", label=f"{100 * allowed:g} points allowed")
    panel.axhline(0, color="black", lw=0.6)


def _points_axis(panel: Any, lost: Sequence[float]) -> None:
    """Give points beyond the first few less room, where some lost so much that others would run together."""
    if max(lost, default=0.0) < 2 * _MANY_POINTS:
        return
    panel.set_yscale("symlog", linthresh=_MANY_POINTS, linscale=2)
    low = math.floor(min(0.0, *lost))
    ticks = [*range(max(low, -_MANY_POINTS), _MANY_POINTS + 1), 10, 20, 30, 50, 100]
    ticks = [tick for tick in ticks if tick <= 1.5 * max(lost)]
    panel.set_yticks(ticks, [str(tick) for tick in ticks])
    panel.set_yticks([], minor=True)


def _logarithmic(panel: Any, low: float, high: float) -> None:
    """Set a logarithmic axis whose ticks are plain percentages."""
    panel.set_xscale("log")
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 3) if len(decades) > 2 else (1, 2, 5)
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    ticks = [tick for tick in ticks if 0.8 * low <= tick <= 1.2 * high]
    panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    panel.set_xticks([], minor=True)


def _tidy(panel: Any, *, small: bool = False) -> None:
    panel.grid(alpha=0.25)
    panel.tick_params(labelsize=7 if small else 8)
    panel.margins(0.06)
