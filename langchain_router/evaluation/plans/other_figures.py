"""What other commands measured, for the page: `bench-signals` and `bench-checks`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Final

from langchain_router.evaluation.plans.aims import FEWEST_RANKED
from langchain_router.evaluation.plans.tables import table
from langchain_router.exceptions import ConfigurationError

_CHECKS: Final = ("length", "hedging", "heuristic", "agreement: auto", "learned", "learned & second")
_SHAPES: Final = (KeyError, TypeError, AttributeError)


def signals_section(found: Any) -> Iterable[str]:
    """Return the part of the page on intents and complexity; how to add it, where nothing was given.

    Args:
        found: What `bench-signals --json` wrote, or None.

    Raises:
        ConfigurationError: It is of another shape.
    """
    yield "## Signals"
    if found is None:
        yield (
            "Not measured in this run: write figures with `langchain-router bench-signals --intent FILE... "
            "--difficulty FILE... --json signals.json`, and add `--signals-json signals.json`."
        )
        return
    try:
        parts = list(_signals(found))
    except _SHAPES:
        raise ConfigurationError("--signals-json is not what `bench-signals --json` writes.") from None
    yield from parts


def checks_section(found: Any) -> Iterable[str]:
    """Return the part of the page on checks; how to add it, where nothing was given.

    Args:
        found: What `bench-checks --json` wrote, or None.

    Raises:
        ConfigurationError: It is of another shape.
    """
    yield "## Checks"
    if found is None:
        yield (
            "Not measured in this run: write figures with `langchain-router bench-checks FOLDER --json "
            "checks.json`, and add `--checks-json checks.json`."
        )
        return
    try:
        parts = list(_checks(found["sets"]))
    except _SHAPES:
        raise ConfigurationError("--checks-json is not what `bench-checks --json` writes.") from None
    yield from parts


def _signals(found: Mapping[str, Any]) -> Iterable[str]:
    intents = [
        (PurePath(one["file"]).name, _shown(one["macro_f1"]), _shown(one["keywords_macro_f1"]))
        for one in found["intent"]
    ]
    if intents:
        yield (
            "Intents: macro-F1 of the learned classifier beside the keywords. Aimed at: .85 on the "
            "development rows, .80 on sources never seen, .60 on Chinese."
        )
        yield table(("file", "learned", "keywords"), intents, right=(1, 2))
    ranked = [one for one in found["difficulty"] if one["n"] >= FEWEST_RANKED]
    if ranked:
        yield (
            "Complexity: Spearman's rank correlation with difficulty within each source of at least "
            f"{FEWEST_RANKED} prompts."
        )
        rows = [
            (one["source"], f"{one['n']:,}", _shown(one["spearman"]), _shown(one["spearman_length"]))
            for one in ranked
        ]
        yield table(("source", "prompts", "learned", "length"), rows, right=(1, 2, 3))


def _checks(sets: Sequence[Mapping[str, Any]]) -> Iterable[str]:
    yield (
        "Cascades of a cheap draft, a check and the best model. Saved beside always asking the best; gain in "
        "points over a random cascade that costs as much, with its 95 % interval; AUC of telling right "
        "drafts from wrong. Models were chosen and checks fitted on other rows of the same set."
    )
    rows = []
    for one in sets:
        for check in one["checks"]:
            name, measured = check["contender"]["name"], check["measured"]
            if name not in _CHECKS:
                continue
            gain = measured["gain_at_cost"]
            interval = f"{gain['value']:+.1f} ({gain['low']:+.1f} to {gain['high']:+.1f})"
            saved, auc = f"{measured['saved']['value']:.1%}", _shown(measured["auc_right"])
            rows.append((one["name"], name, f"{measured['escalated']:.1%}", saved, interval, auc))
    yield table(("set", "check", "escalated", "saved", "gain", "AUC"), rows, right=range(2, 6))


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
