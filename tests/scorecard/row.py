"""A row of the scorecard: a scenario that is run, measured, and passes or fails by figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Relation = Literal["≤", "≥", "="]

TIMES = "\u00d7"
"""The unit of a ratio."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How large a run is: everything in full, or a quick one for the test suite.

    Called with the two figures, it returns the one that holds: `scale(1_000, 60)`.
    """

    is_quick: bool

    def __call__(self, full: int, quick: int) -> int:
        return quick if self.is_quick else full

    def seconds(self, full: float, quick: float) -> float:
        return quick if self.is_quick else full


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured figure.

    Attributes:
        what: What was measured.
        value: What came out.
        unit: `"ms"`, `"%"` and so on, or nothing for a plain count.
        relation: How it must stand to `limit`; None for a figure that is only told.
        limit: What it is held against.
    """

    what: str
    value: float
    unit: str = ""
    relation: Relation | None = None
    limit: float = math.nan

    @property
    def is_met(self) -> bool:
        if self.relation is None:
            return True
        if self.relation == "≤":
            return self.value <= self.limit
        return self.value >= self.limit if self.relation == "≥" else self.value == self.limit

    def __str__(self) -> str:
        told = f"{self.what} {_written(self.value, self.unit)}"
        if self.relation is None:
            return told
        return (
            f"{told} ({self.relation} {_written(self.limit, self.unit)}{'' if self.is_met else ', NOT MET'})"
        )


@dataclass(slots=True)
class Figures:
    """What a row measured. It passes when every figure that has a limit keeps it, and there is one."""

    figures: list[Figure] = field(default_factory=list)

    def at_most(self, what: str, value: float, limit: float, unit: str = "") -> None:
        self.figures.append(Figure(what=what, value=value, unit=unit, relation="≤", limit=limit))

    def at_least(self, what: str, value: float, limit: float, unit: str = "") -> None:
        self.figures.append(Figure(what=what, value=value, unit=unit, relation="≥", limit=limit))

    def exactly(self, what: str, value: float, limit: float, unit: str = "") -> None:
        self.figures.append(Figure(what=what, value=value, unit=unit, relation="=", limit=limit))

    def none(self, what: str, value: float) -> None:
        self.exactly(what, value, 0)

    def tell(self, what: str, value: float, unit: str = "") -> None:
        self.figures.append(Figure(what=what, value=value, unit=unit))

    @property
    def passed(self) -> bool:
        held = [figure for figure in self.figures if figure.relation is not None]
        return bool(held) and all(figure.is_met for figure in held)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: a scenario, what must hold in it, and the function that measures it.

    Attributes:
        id: `"U1"` and so on.
        scenario: What happens.
        passes_when: What must hold, in words.
        is_p0: Whether a release needs it.
        bound_s: Longest that it may run, in seconds; what takes longer fails.
        quick_bound_s: The same for a quick run.
        measure: Runs it.
    """

    id: str
    scenario: str
    passes_when: str
    is_p0: bool
    bound_s: float
    quick_bound_s: float
    measure: Callable[[Scale], Figures]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a row.

    Attributes:
        row: Which.
        passed: Whether every figure keeps its limit.
        figures: What was measured.
        error: Why nothing was, or None.
        seconds: How long it took.
    """

    row: Row
    passed: bool
    figures: Sequence[Figure] = ()
    error: str | None = None
    seconds: float

    @property
    def measured(self) -> str:
        told = "; ".join(str(figure) for figure in self.figures)
        return told if self.error is None else f"{self.error}{'; ' if told else ''}{told}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.row.id,
            "priority": "P0" if self.row.is_p0 else "P1",
            "scenario": self.row.scenario,
            "passes_when": self.row.passes_when,
            "passed": self.passed,
            "seconds": round(self.seconds, 1),
            "error": self.error,
            "measured": self.measured,
            "figures": [
                {
                    "what": figure.what,
                    "value": figure.value if math.isfinite(figure.value) else None,
                    "unit": figure.unit,
                    "relation": figure.relation,
                    "limit": None if figure.relation is None else figure.limit,
                    "met": figure.is_met,
                }
                for figure in self.figures
            ],
        }


UNTIMED = frozenset(
    {"U6", "U7", "U8", "U10", "U11", "U12", "I3", "I4", "I5", "S3", "S4", "S5", "S6", "S7", "X2", "X3", "X4"}
)
"""Rows without a limit in time. They need no quiet machine: they run two at a time, and in the test suite."""

ROWS: dict[str, Row] = {}
"""Every row, by its id, once the modules in `rows/` are imported."""


def row(
    id: str,
    scenario: str,
    passes_when: str,
    *,
    p0: bool = False,
    bound_s: float = 60.0,
    quick_bound_s: float = 20.0,
) -> Callable[[Callable[[Scale], Figures]], Callable[[Scale], Figures]]:
    """Enter a function that measures into the scorecard; takes the attributes of `Row`."""

    def entered(measure: Callable[[Scale], Figures]) -> Callable[[Scale], Figures]:
        if id in ROWS:
            raise ValueError(f"There are two rows {id}.")
        ROWS[id] = Row(
            id=id,
            scenario=scenario,
            passes_when=passes_when,
            is_p0=p0,
            bound_s=bound_s,
            quick_bound_s=quick_bound_s,
            measure=measure,
        )
        return measure

    return entered


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that so large a share of all do not pass; for a share of 1 the largest."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]


def _written(value: float, unit: str) -> str:
    if not math.isfinite(value):
        number = str(value)
    elif float(value).is_integer() and abs(value) < 1e15:
        number = f"{int(value):,}"
    else:
        number = f"{value:.4g}" if abs(value) < 100 else f"{value:,.0f}"
        if unit == "%" and 99 < value < 100:
            number = f"{value:.2f}"
    return f"{number}{'' if unit in ('', '%', TIMES) else ' '}{unit}"
