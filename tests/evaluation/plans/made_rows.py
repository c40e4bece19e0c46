"""Recorded answers made up for the tests: sums that cheap models get wrong, so that it shows or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from langchain_router.testing.replay import ReplayOutcome, ReplayRow

Shown = Literal["work", "result", "nothing"]

SKILLS: Mapping[str, tuple[float, float, float]] = {
    "tiny": (0.97, 0.35, 1e-5),
    "mid": (0.97, 0.45, 2e-5),
    "large": (0.99, 0.97, 1e-3),
}
"""By model: how often it is right on easy sums, on hard ones, and the price of an answer in US dollars."""

TWO: Mapping[str, tuple[float, float, float]] = {"tiny": SKILLS["tiny"], "large": SKILLS["large"]}


def sums(
    count: int,
    *,
    seed: int = 0,
    skills: Mapping[str, tuple[float, float, float]] = SKILLS,
    shown: Shown = "work",
    hard: float = 0.5,
) -> list[ReplayRow]:
    """Sums, easy ones and hard ones in a longer wording.

    Args:
        count: How many.
        seed: Of who is right where.
        skills: As `SKILLS`.
        shown: Whether answers show the sum, so that a wrong one is recognised; or the result alone, so that
            two can be compared; or no text is recorded.
        hard: Share of hard ones.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        is_hard = bool(rng.random() < hard)
        one, two = (int(value) for value in rng.integers(11, 99, 2))
        outcomes = {}
        for model, (easy_skill, hard_skill, usd) in skills.items():
            right = bool(rng.random() < (hard_skill if is_hard else easy_skill))
            said = one + two + (0 if right else int(rng.integers(1, 9)))
            text = f"{one} + {two} = {said}. The answer is {said}." if shown == "work" else f"It is {said}."
            outcomes[model] = ReplayOutcome(
                score=float(right), response=None if shown == "nothing" else text, cost_usd=usd
            )
        asked = f"How much is {one} + {two}?"
        if is_hard:
            asked = f"In two cellars a merchant counts barrels, {one} in one and {two} in the other. {asked}"
        rows.append(
            ReplayRow(
                id=f"{seed}-{number}",
                dataset="sums",
                domain="hard" if is_hard else "easy",
                prompt=asked,
                outcomes=outcomes,
            )
        )
    return rows


def scored(
    scores: Sequence[Mapping[str, float]], costs_usd: Mapping[str, float], *, prompt: str = "Prompt {}"
) -> list[ReplayRow]:
    """Rows with these scores, one for each, and these prices; no texts are recorded."""
    return [
        ReplayRow(
            id=str(number),
            dataset="made",
            domain="",
            prompt=prompt.format(number),
            outcomes={
                model: ReplayOutcome(score=score, cost_usd=costs_usd[model]) for model, score in one.items()
            },
        )
        for number, one in enumerate(scores)
    ]


def with_scores_turned(rows: Sequence[ReplayRow]) -> list[ReplayRow]:
    """The same rows, every right answer counted wrong and every wrong one right."""
    return [
        replace(
            row,
            outcomes={
                model: replace(outcome, score=1 - outcome.score) for model, outcome in row.outcomes.items()
            },
        )
        for row in rows
    ]
