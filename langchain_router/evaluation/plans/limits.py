"""What limits a suite: said from its figures and from what its rows are like."""

from __future__ import annotations

from typing import Final

from langchain_router.evaluation.plans.names import ADAPTIVE, ORACLE, named
from langchain_router.evaluation.plans.results import Figures, SuiteFigures
from langchain_router.evaluation.plans.suites import DataFacts

_SMALL: Final = 300
_MUCH: Final = 0.01
_FAR: Final = 0.1
_NARROW: Final = 0.2


def loses_more(figures: Figures, allowed: float) -> bool:
    """Say whether more quality was lost than allowed, by the figure itself."""
    return figures.quality_lost > allowed


def limits_of(suite: SuiteFigures, facts: DataFacts, allowed: float) -> tuple[str, ...]:
    """Return sentences on what limits a suite, what was lost beyond the allowance first.

    Args:
        suite: Its figures.
        facts: What its rows are like.
        allowed: Mean loss that is allowed, in score points.
    """
    adaptive, oracle = named(suite, ADAPTIVE), named(suite, ORACLE)
    said = [] if adaptive is None else _of_adaptive(adaptive, oracle, allowed)
    if oracle is not None and oracle.cost_saved < _NARROW:
        said.append(f"Even the oracle saves no more than {oracle.cost_saved:.0%} here.")
    return (*said, *_of_rows(suite, facts), *_of_costs(facts))


def _of_rows(suite: SuiteFigures, facts: DataFacts) -> list[str]:
    said = []
    if facts.with_text < _MUCH:
        said.append("No answer's text was recorded, so no check can look at one: only models can be chosen.")
    elif facts.with_text < 1 - _MUCH:
        said.append(f"The text of {1 - facts.with_text:.0%} of the answers was not recorded.")
    if facts.cut > _MUCH:
        said.append(f"{facts.cut:.0%} of the recorded texts were cut short: checks see less than live ones.")
    if suite.test_rows < _SMALL:
        said.append(f"With {suite.test_rows} prompts all of this is uncertain: see the interval.")
    if suite.test_rows < facts.rows or len(suite.models) < facts.models:
        said.append(
            f"Measured on {suite.test_rows:,} of {facts.rows:,} prompts and {len(suite.models)} of "
            f"{facts.models} models: the prompts that these all answered, at a known cost."
        )
    if facts.repeated > _MUCH:
        said.append(f"{facts.repeated:.0%} of the prompts stand in an earlier row too.")
    if facts.fitted > 0:
        said.append(f"{facts.fitted:.1%} of the test prompts were fitted on as well, which flatters.")
    return said


def _of_costs(facts: DataFacts) -> list[str]:
    said = []
    if facts.estimated > _MUCH:
        share = "All" if facts.estimated > 1 - _MUCH / 2 else f"{facts.estimated:.0%} of the"
        said.append(f"{share} costs are estimates: tokens times a price list.")
    if facts.without_cost > _MUCH:
        said.append(f"The cost of {facts.without_cost:.0%} of the answers is unknown.")
    return said


def _of_adaptive(adaptive: Figures, oracle: Figures | None, allowed: float) -> list[str]:
    said = []
    if loses_more(adaptive, allowed):
        low = adaptive.quality_lost_ci[0]
        sure = (
            "the whole interval lies beyond it"
            if low > allowed
            else "the interval reaches down to what is allowed, so this may be chance"
        )
        promised = (
            ""
            if adaptive.fit_quality_lost is None
            else f" The fit rows promised {100 * adaptive.fit_quality_lost:+.1f}."
        )
        said.append(
            f"Loses {100 * adaptive.quality_lost:.1f} points, more than the {100 * allowed:g} allowed; "
            f"{sure}.{promised}"
        )
    promised_saving = adaptive.fit_cost_saved
    if promised_saving is not None and promised_saving - adaptive.cost_saved > _FAR:
        said.append(f"The fit rows promised {promised_saving:.0%}; saved were {adaptive.cost_saved:.0%}.")
    if oracle is not None and oracle.cost_saved - adaptive.cost_saved > _FAR:
        said.append(
            f"The oracle saves {oracle.cost_saved:.0%}: for the rest, what prompts and answers tell, on so "
            "many rows, does not do."
        )
    return said
