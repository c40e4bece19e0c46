"""Shows how far a run of the benchmark is: a bar over all suites, a line for each that is being measured."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self


class Bars:
    """Progress on a terminal; where the output is none, it draws nothing.

    Example:
        >>> from rich.console import Console
        >>> with Bars(Console(quiet=True), {"sums": 120}) as bars:
        ...     bars.tell("sums", "adaptive: 3 of 12 drafts")
        ...     bars.done("sums")
    """

    def __init__(self, console: Any, rows: Mapping[str, int]) -> None:
        """Prepare them.

        Args:
            console: Of rich.
            rows: By suite, how many rows it has: how far the bar moves when it is done.
        """
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._rows = rows
        self._lines: dict[str, Any] = {}
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[doing]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._whole = self._progress.add_task(self._count(), total=sum(rows.values()) or None, doing="")
        self._finished = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def tell(self, suite: str, doing: str) -> None:
        """Show what is being done for a suite."""
        if suite not in self._lines:
            self._lines[suite] = self._progress.add_task(suite, total=None, doing=doing)
        self._progress.update(self._lines[suite], doing=doing)

    def done(self, suite: str) -> None:
        """Move the bar on by a suite, and take its line away."""
        if suite in self._lines:
            self._progress.remove_task(self._lines.pop(suite))
        self._finished += 1
        self._progress.update(self._whole, advance=self._rows[suite], description=self._count(self._finished))

    def _count(self, finished: int = 0) -> str:
        return f"{finished} of {len(self._rows)} suites"
