"""A page of panels, one for each data set, written to a file."""

from __future__ import annotations

import importlib
import math
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from langchain_router.exceptions import ConfigurationError

Result = TypeVar("Result")


def draw_panels(
    results: Sequence[Result],
    draw: Callable[[Any, Result], None],
    path: str | os.PathLike[str],
    *,
    columns: int,
    panel_width: float,
    x: str,
    y: str,
) -> None:
    """Draw one panel for each result, with one legend for all, and write them to a file.

    Args:
        results: What to draw.
        draw: Draws one into its panel.
        path: A `.png`, `.svg` or `.pdf` file.
        columns: Most panels side by side.
        panel_width: Of each, in inches.
        x: What the horizontal axes show.
        y: What the vertical axes show.

    Raises:
        ConfigurationError: matplotlib is not installed, or the file cannot be written.
    """
    pyplot = _pyplot()
    columns = min(columns, len(results))
    lines = math.ceil(len(results) / columns)
    size = (panel_width * columns, 3.7 * lines + 0.9)
    figure, panels = pyplot.subplots(lines, columns, figsize=size, squeeze=False, layout="constrained")
    for panel, result in zip(panels.flat, results, strict=False):
        draw(panel, result)
    for panel in panels.flat[len(results) :]:
        panel.set_axis_off()
    handles: dict[str, Any] = {}
    for panel in panels.flat:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=4, frameon=False)
    figure.supxlabel(x, fontsize=11)
    figure.supylabel(y, fontsize=11)
    try:
        figure.savefig(path, dpi=130)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"The plot cannot be written to {str(path)!r}: {error}") from error
    finally:
        pyplot.close(figure)


def _pyplot() -> Any:
    """Return pyplot, drawing to files only.

    Raises:
        ConfigurationError: matplotlib is not installed.
    """
    try:
        importlib.import_module("matplotlib").use("agg")
        return importlib.import_module("matplotlib.pyplot")
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"A plot needs {error.name}: pip install 'langchain-llm-router[report]'."
        ) from None
