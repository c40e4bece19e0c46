"""Recorded answers made up for the tests: sums, answered by four models of known skill and price."""

from __future__ import annotations

from langchain_router.testing.replay import ReplayOutcome, ReplayRow

WORD = "Quokka"
_MODELS = {  # skill in hundredths, price, and an offset that makes models err on different sums
    "alpha-small": (80, 1e-5, 0),
    "beta-small": (80, 2e-5, 37),
    "alpha-medium": (85, 4e-5, 11),
    "gamma-large": (97, 1e-3, 61),
}


def sums(count: int, *, name: str = "sums") -> list[ReplayRow]:
    """Sums; a model errs where a number of the row is beyond its skill, by an amount of its own."""
    rows = []
    for i in range(count):
        outcomes = {}
        for model, (skill, usd, offset) in _MODELS.items():
            right = (i * 53 + offset * 17) % 100 < skill
            said = 2 * i + (0 if right else 1 + offset)
            text = f"{WORD} adds {i} and {i}. The answer is {said}."
            outcomes[model] = ReplayOutcome(score=float(right), response=text, cost_usd=usd)
        rows.append(
            ReplayRow(
                id=f"{name}-{i}",
                dataset=name,
                domain="",
                prompt=f"How much are {i} and {i}, {WORD}?",
                outcomes=outcomes,
            )
        )
    return rows
