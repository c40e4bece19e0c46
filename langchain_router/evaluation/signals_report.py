"""Prints how well the first two layers read labelled prompts, and writes it as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from langchain_router.evaluation.output import make_console, write_json
from langchain_router.evaluation.signals import (
    DifficultyFigures,
    IntentFigures,
    measure_difficulty,
    measure_intent,
)
from langchain_router.exceptions import ConfigurationError
from langchain_router.signals import INTENTS, HeuristicComplexityScorer, KeywordIntentClassifier

SHOWN_FROM: Final = 30
"""Prompts that a source needs for a line of its own in the table; the file holds every source."""


def run(intent: Sequence[str], difficulty: Sequence[str], json_path: str | None = None) -> None:
    """Measure the learned classifier and scorer on files, print tables, and write the figures.

    Raises:
        ConfigurationError: No files are named, or one cannot be read or written.
    """
    from langchain_router.signals.learned_complexity import LearnedComplexityScorer
    from langchain_router.signals.linear_intent import LinearIntentClassifier

    if not intent and not difficulty:
        raise ConfigurationError("Name files to measure on: --intent FILE..., --difficulty FILE..., or both.")
    console = make_console()
    classifier, scorer = LinearIntentClassifier(), LearnedComplexityScorer()
    intents = [measure_intent(path, classifier) for path in intent]
    for one in intents:
        _print_intent(console, one)
    ranked: list[DifficultyFigures] = []
    if difficulty:
        ranked = measure_difficulty(difficulty, classifier, scorer)
        heuristic = measure_difficulty(difficulty, KeywordIntentClassifier(), HeuristicComplexityScorer())
        _print_difficulty(console, ranked, heuristic)
    if json_path is not None:
        write_json(
            json_path,
            {"intent": [one.as_json() for one in intents], "difficulty": [one.as_json() for one in ranked]},
        )


def _print_intent(console: Any, one: IntentFigures) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    title = (
        f"{one.file}: {one.n} prompts, macro-F1 {one.macro_f1:.3f} (keywords {one.keywords_macro_f1:.3f}), "
        f"{one.us:.0f} \u00b5s each"
    )
    table = Table(title=title, title_style="bold", title_justify="left", box=SIMPLE_HEAD, padding=(0, 0))
    table.add_column("label")
    table.add_column("F1", justify="right")
    for intent in INTENTS:
        table.add_column(intent.replace("_", "\n")[:13], justify="right")
    for label, f1 in one.per_intent.items():
        counts = one.confusion[label]
        table.add_row(label, f"{f1:.3f}", *(str(counts.get(said, 0) or "") for said in INTENTS))
    console.print(table)


def _print_difficulty(
    console: Any, ranked: Sequence[DifficultyFigures], heuristic: Sequence[DifficultyFigures]
) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    title = (
        f"Rank correlation with difficulty, {ranked[0].us:.0f} \u00b5s each (heuristic {heuristic[0].us:.0f})"
    )
    table = Table(title=title, title_style="bold", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("source")
    for heading in ("prompts", "learned", "length", "heuristic"):
        table.add_column(heading, justify="right")
    large = [pair for pair in zip(ranked, heuristic, strict=True) if pair[0].n >= SHOWN_FROM]
    for one, other in large:
        table.add_row(
            one.source, str(one.n), *map(_shown, (one.spearman, one.spearman_length, other.spearman))
        )
    columns = [
        [one.spearman for one, _ in large],
        [one.spearman_length for one, _ in large],
        [other.spearman for _, other in large],
    ]
    if large:
        table.add_row(
            f"mean of these {len(large)}", "", *(_shown(_mean(column)) for column in columns), style="bold"
        )
    console.print(table)
    small = len(ranked) - len(large)
    if small:
        console.print(f"{small} sources of fewer than {SHOWN_FROM} prompts are in the JSON file only.\n")


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
