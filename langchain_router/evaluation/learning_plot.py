"""Draws learning curves: the moving mean of utility beyond the best single model's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from langchain_router.evaluation.learning_curves import SetLearned, over_seeds
from langchain_router.evaluation.panels import draw_panels

_COLOURS = {
    "thompson": "#d55e00",
    "lin_thompson": "#0072b2",
    "epsilon_greedy": "#009e73",
    "cost": "#cc79a7",
}
_LINES = {"random": ":", "table by intent": "--"}


def plot_learning(results: Sequence[SetLearned], path: str | os.PathLike[str]) -> None:
    """Draw one panel for each data set and write them to a file.

    A curve is the mean over seeds of a moving mean over a tenth of the requests; its band is the 95 %
    interval over seeds. The best single model in hindsight is the line at 0.

    Args:
        results: From `bench_learning`.
        path: A `.png`, `.svg` or `.pdf` file.

    Raises:
        ConfigurationError: matplotlib is not installed, or the file cannot be written.
    """
    draw_panels(
        results,
        _draw,
        path,
        columns=2,
        panel_width=5.6,
        x="requests",
        y="utility beyond the best single model's, points a request",
    )


def _draw(panel: Any, result: SetLearned) -> None:
    heights = [0.0]
    panel.axhline(0, color="black", lw=1.3, label="best single model")
    for baseline in result.baselines:
        if baseline.name in _LINES:
            height = 100 * (baseline.utility - result.best_single.utility)
            heights.append(height)
            panel.axhline(
                height, color="black", lw=1.1, ls=_LINES[baseline.name], alpha=0.7, label=baseline.name
            )
    for policy in result.policies:
        colour = _COLOURS.get(policy.name)
        means = [over_seeds(point) for point in 100 * np.array(policy.curve).T]
        panel.plot(
            policy.requests, [one.value for one in means], "-", color=colour, lw=1.8, label=policy.name
        )
        if len(policy.ahead_from) > 1:
            panel.fill_between(
                policy.requests,
                [one.low for one in means],
                [one.high for one in means],
                color=colour,
                alpha=0.15,
                lw=0,
            )
        heights += [one.value for one in means]
    room = 0.15 * (max(heights) - min(heights)) + 1
    panel.set_ylim(min(heights) - room, max(heights) + room)
    name = result.name.replace("+", " + ")
    panel.set_title(f"{name}\n{result.prompts} prompts, {result.models} models", fontsize=8)
    panel.grid(alpha=0.25)
    panel.tick_params(labelsize=8)
    panel.margins(x=0.01)
