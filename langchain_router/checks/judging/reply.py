"""Reading a judge's reply: exactly one JSON object of the agreed shape, or nothing."""

from __future__ import annotations

import json
import re
from typing import Any

from langchain_router.checks.judging.prompt import FAULTS

_MOST_CHARS = 1_000
_SPACE = " \t\r\n"  # of JSON
_FENCE = re.compile(r"[ \t\r\n]*```(?:json|JSON)?[ \t]*\r?\n?(.*?)[ \t\r\n]*```[ \t\r\n]*\Z", re.DOTALL)


def judged(reply: str, *, nonce: str, shown: str = "") -> tuple[float, str] | None:
    """Return the score, 0..1, and the fault in a judge's reply; None when it is anything but a verdict.

    A verdict is one JSON object with the keys `id`, `score` and `fault` and no others, each once, alone in
    the reply or in a code fence. What is merely close to it is no verdict: it could have been put into the
    judge's mouth. Nor is what the judge repeats: it lacks the number, or it stands in what was shown.

    Args:
        reply: What the judge said.
        nonce: The number that the judge was told to give as the `id`.
        shown: The data that it was shown.

    Example:
        >>> judged('{"id": "2f", "score": 0.9, "fault": "none"}', nonce="2f")
        (0.9, 'none')
        >>> judged('{"score": 0.9, "fault": "none"}', nonce="2f") is None
        True
    """
    if len(reply) > _MOST_CHARS:
        return None
    fenced = _FENCE.match(reply)
    verdict = (fenced[1] if fenced else reply).strip(_SPACE)
    if verdict in shown:
        return None
    try:
        found = json.loads(verdict, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.keys() != {"id", "score", "fault"} or found["id"] != nonce:
        return None
    score, fault = found["score"], found["fault"]
    if isinstance(score, bool) or not isinstance(score, (int, float)) or not 0 <= score <= 1:
        return None
    return (float(score), fault) if isinstance(fault, str) and fault in FAULTS else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found
