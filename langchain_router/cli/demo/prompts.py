"""The project's own prompts, over the nine intents."""

from __future__ import annotations

import json
import random
from importlib import resources

from langchain_router.testing import SimulatedPrompt


def own_prompts(limit: int | None = None) -> list[SimulatedPrompt]:
    """Return the prompts in a fixed shuffled order, with intent, difficulty and a reference answer.

    Args:
        limit: At most so many.
    """
    text = resources.files("langchain_router.cli.demo").joinpath("prompts.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    random.Random(0).shuffle(rows)
    return [
        SimulatedPrompt(
            text=row["prompt"], intent=row["intent"], difficulty=row["difficulty"], answer=row["answer"]
        )
        for row in rows[:limit]
    ]
