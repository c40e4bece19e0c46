"""How fast policies learned prompt by prompt, as the rows of a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def online_rows(found: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    """Return a heading and a row for each choice that does not learn, then for each policy that does.

    Args:
        found: Of one suite: a `SetLearned` as JSON-serialisable data.
    """
    single = next(one["utility"] for one in found["baselines"] if one["name"] == "best single")
    rows = [("who", "score", "$ per 1,000", "gain", "gain in the last quarter")]
    for one in found["baselines"]:
        gain = 100 * (one["utility"] - single)
        rows.append(
            (one["name"], f"{one['score']:.3f}", f"{1_000 * one['cost_usd']:.3f}", f"{gain:+.1f}", "")
        )
    for one in found["policies"]:
        score, cost = one["score"]["value"], one["cost_usd"]["value"]
        gains = (_points(one["gain"]), _points(one["last_gain"]))
        rows.append((one["name"], f"{score:.3f}", f"{1_000 * cost:.3f}", *gains))
    return tuple(rows)


def online_notes(found: Mapping[str, Any]) -> str:
    """Return how to read that table."""
    return (
        f"{found['prompts']:,} prompts, one by one in {found['seeds']} orders; a policy sees the score of "
        "its own choice alone and starts from prices. Gain: points of utility a request beyond the best "
        f"single model in hindsight, utility being the score less {found['cost_weight']:g} times the cost as "
        "a share of the dearest model's; \u00b1 is the 95 % interval over orders."
    )


def _points(interval: Mapping[str, float | None]) -> str:
    value, high = interval["value"], interval["high"]
    half = "" if high is None or value is None else f" \u00b1{100 * (high - value):.1f}"
    return f"{100 * (value or 0.0):+.1f}{half}"
