"""What rows about the store share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from langchain_router.outcomes.store import open_store
from tests.outcomes.makers import request, said


@contextmanager
def folder() -> Iterator[Path]:
    """Make a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="scorecard-store-") as name:
        yield Path(name)


def made(path: Path, requests: int = 0) -> Path:
    """Make a store, with so many requests and feedback on each; return its path."""
    store = open_store(path)
    for number in range(requests):
        request(store, f"d{number}")
        store.add_feedback(said(0.5, f"d{number}"))
    store.close()
    return path
