"""What a fork and an exit mean for stores."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.outcomes.conftest import OpenStore
from tests.outcomes.makers import request, said

ROOT = Path(__file__).parents[2]

_EXIT = """
import sys
from langchain_router.outcomes.store import open_store
from tests.outcomes.makers import request
store = open_store(sys.argv[1])
for number in range(500):
    request(store, f"d{number}")
"""


def test_rows_that_are_queued_at_exit_are_written(url: str, open_at: OpenStore) -> None:
    open_at(url).close()
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", _EXIT, url], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    counts = open_at(url).counts()
    assert (counts["decisions"], counts["outcomes"]) == (500, 500)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_writes_its_own_rows_and_none_of_its_parents(url: str, open_at: OpenStore) -> None:
    store = open_at(url)
    for number in range(100):
        request(store, f"parent-{number}")

    def child(name: str) -> None:
        request(store, f"{name}-0")
        store.add_feedback(said(1.0, f"{name}-0"))
        for number in range(1, 100):
            request(store, f"{name}-{number}")

    context = multiprocessing.get_context("fork")
    children = [context.Process(target=child, args=(f"child{number}",)) for number in range(3)]
    for one in children:
        one.start()
    for number in range(100, 200):
        request(store, f"parent-{number}")
    for one in children:
        one.join(30)
    assert [one.exitcode for one in children] == [0, 0, 0]
    assert store.flush() == 0
    counts = store.counts()
    assert (counts["decisions"], counts["outcomes"], counts["feedback"]) == (500, 500, 3)
    assert (counts["lessons"], counts["dropped"], counts["orphaned"]) == (503, 0, 0)
