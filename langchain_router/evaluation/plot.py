"""Draws quality against cost: each check beside the random cascade."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from langchain_router.evaluation.bench import CheckResult, SetResult
from langchain_router.evaluation.panels import draw_panels

_STYLES = {
    "length": ("#8c8c8c", "^", 6, "full"),
    "hedging": ("#8c8c8c", "v", 6, "full"),
    "heuristic": ("#d55e00", "s", 8, "none"),
    "agreement: auto": ("#0072b2", "o", 7, "full"),
    "heuristic & agreement": ("#009e73", "D", 10, "none"),
}
"""Colour, marker, size and filling of the checks drawn, hollow ones around others that end up in the same
place; the other checks are in the table only."""

_FEWEST_CORNERS = 4  # a curve with fewer is that of a yes or no
_VISIBLE = 0.02  # escalating less, its curve is the random line


def plot_sets(results: Sequence[SetResult], path: str | os.PathLike[str]) -> None:
    """Draw one panel for each data set and write them to a file.

    A panel shows where each check ends up, the curve of every escalation rate, and the line of random
    cascades between never and always escalating. A bar is the 95 % interval of the gain over random at equal
    cost, so a check whose bar stays off the line differs from random.

    Args:
        results: From `bench_set`.
        path: A `.png`, `.svg` or `.pdf` file.

    Raises:
        ConfigurationError: matplotlib is not installed, or the file cannot be written.
    """
    draw_panels(
        results,
        _draw,
        path,
        columns=3,
        panel_width=4.6,
        x="cost of a request, % of always asking the premium model",
        y="mean quality",
    )


def _draw(panel: Any, result: SetResult) -> None:
    draft, premium = result.standings["draft"], result.standings["premium"]
    share = 100 * draft.cost_usd / premium.cost_usd
    panel.plot(
        [share, share + 100],
        [draft.score, premium.score],
        "--",
        color="black",
        lw=1.4,
        label="random cascade",
    )
    panel.plot([100], [premium.score], "*", color="black", ms=11, label="always premium")
    panel.plot([share], [draft.score], "x", color="black", ms=8, mew=2, label="draft alone")
    for one in result.checks:
        if one.contender.name in _STYLES:
            _draw_check(panel, one, result)
    panel.set_title(f"{result.name}\n{draft.model} \u2192 {premium.model}", fontsize=9)
    panel.grid(alpha=0.25)
    panel.tick_params(labelsize=8)
    panel.margins(0.07)


def _draw_check(panel: Any, one: CheckResult, result: SetResult) -> None:
    colour, marker, size, filling = _STYLES[one.contender.name]
    measured = one.measured
    if len(one.curve) >= _FEWEST_CORNERS or measured.escalated > _VISIBLE:
        x = [100 * cost for cost, _ in one.curve]
        panel.plot(x, [quality for _, quality in one.curve], "-", color=colour, lw=1.1, alpha=0.55)
    gain = measured.gain_at_cost
    panel.errorbar(
        [100 * measured.cost_usd / result.standings["premium"].cost_usd],
        [measured.quality],
        yerr=[[max(0.0, gain.value - gain.low) / 100], [max(0.0, gain.high - gain.value) / 100]],
        fmt=marker,
        color=colour,
        ms=size,
        fillstyle=filling,
        elinewidth=0.9,
        capsize=2.5,
        label=one.contender.name + (" (baseline)" if one.contender.baseline else ""),
        zorder=3,
    )
