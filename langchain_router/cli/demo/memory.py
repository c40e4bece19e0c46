"""What one run of the demo leaves to the next: a store of its own for each sort of traffic."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from langchain_router.chat_model import ChatRouter
from langchain_router.cli.demo.traffic import Served, Traffic
from langchain_router.exceptions import ConfigurationError
from langchain_router.outcomes.store import OutcomeStore, default_url, open_store

_SOURCE = "demo"


def open_memory(store: str | None, *, fresh: bool, traffic: Traffic) -> OutcomeStore:
    """Open the store of a demo.

    Args:
        store: A URL or a path, `"none"` for memory only, or None for the demo's own file in the user's data
            directory.
        fresh: Put away what earlier runs have left: the file is renamed, not deleted.
        traffic: What is routed; each sort has a file of its own.

    Raises:
        ConfigurationError: `fresh` is asked for where there is no file.
    """
    chosen = store or os.environ.get("LANGCHAIN_ROUTER_STORE") or _own_url(traffic)
    if chosen.lower() == "none":
        return open_store(None)
    if fresh:
        _put_away(chosen)
    return open_store(chosen, trusted_sources=("app", _SOURCE))


def print_start(console: Console, router: ChatRouter) -> None:
    """Say what the run starts from."""
    health = router.health()
    where, judged = health["store"]["url"], health["learning"]["feedback"]
    if judged:
        console.print(
            f"Starts from what earlier runs learned: {judged} judged answers, kept in {where}. Where its "
            "prompts are the same as then, its figures flatter it. --fresh starts anew."
        )
    else:
        console.print(f"Nothing learned yet; what this run learns is kept in {where}.")


def give_feedback(console: Console, router: ChatRouter, served: Sequence[Served]) -> None:
    """Tell the router how good its answers were, as a user would, and say so."""
    rows = [
        {"decision_id": one.decision_id, "score": one.score, "source": _SOURCE}
        for one in served
        if one.score is not None and one.decision_id is not None
    ]
    if not rows:
        console.print("Nothing was learned: nobody can say how good these answers are.")
        return
    imported = router.import_feedback(rows)
    router.flush()
    learned = imported.statuses.get("new", 0)
    console.print(
        f"Remembered: {learned} answers judged, each of the model that gave it only. The next run "
        "starts from that."
    )


def _own_url(traffic: Traffic) -> str:
    base, _, _ = default_url().rpartition("router.db")
    return f"{base}demo-{traffic.name}.db"


def _put_away(url: str) -> None:
    from langchain_router.outcomes.storing.sqlite_file import put_aside

    prefix = "sqlite:///"
    if "://" in url and not url.startswith(prefix):
        raise ConfigurationError("--fresh goes with a file; give another database for a fresh start.")
    path = url.removeprefix(prefix)
    if Path(path).exists():
        put_aside(path)
