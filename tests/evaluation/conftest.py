"""A folder of recorded answers made up for the tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.evaluation.recordings import sums


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two recorded data sets of 120 sums each."""
    for name in ("sums", "more"):
        lines = []
        for row in sums(120, name=name):
            outcomes: dict[str, Any] = {
                model: {"score": o.score, "response": o.response, "cost": o.cost_usd}
                for model, o in row.outcomes.items()
            }
            lines.append(json.dumps({"id": row.id, "prompt": row.prompt, "outcomes": outcomes}))
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path
