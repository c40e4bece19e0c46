"""From all that was said of an answer to one label, and how much one source may say.

One source must not outvote the others, however often it speaks: each counts once, and from three sources on
the middle one decides. What a source that is not trusted may say in a day is limited, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from langchain_router.outcomes.lessons import Label

DAY_S: Final = 86_400.0
"""How far back the cap on a source looks, in seconds."""

INFERRED: Final = "hook:"
"""How the names of sources begin that infer, rather than say, how good an answer was."""

_LEAST_CAP: Final = 10.0
_SHARE_OF_ALL: Final = 0.05
_DIGITS: Final = 9
"""Sums of fractions are rounded to this, so that 0.85 said twice is 0.85, not just below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One piece of feedback, as far as the label depends on it.

    Attributes:
        source: Who said it.
        key: What was judged.
        score: 0..1.
        weight: How much it was given when it was stored, 0..1.
    """

    source: str
    key: str
    score: float
    weight: float


def label_of(feedback: Iterable[Said]) -> Label | None:
    """Return how good an answer was by all that was said of it; None where nothing counts.

    Each source has one voice: the mean of its keys by their weights, at the largest of these. Two sources are
    averaged; of three and more the weighted median counts, so that one alone moves nothing. The weight is
    that of all sources together, at most 1. What hooks inferred counts only where nobody has said anything.
    In whatever order feedback came, the label is the same.

    Example:
        >>> said = [Said(source=name, key="user", score=score, weight=1.0) for name, score in
        ...         (("ann", 1.0), ("bob", 0.9), ("eve", 0.0))]
        >>> label_of(said)
        Label(score=0.9, weight=1.0)
    """
    by_source: defaultdict[str, list[Said]] = defaultdict(list)
    for one in sorted(feedback, key=lambda said: (said.source, said.key)):
        if round(one.weight, _DIGITS) > 0:  # less than that is nothing
            by_source[one.source].append(one)
    told = {source: said for source, said in by_source.items() if not source.startswith(INFERRED)}
    if not told and by_source:  # together they say no more than the one that says most
        inferred = [_voice(said) for said in by_source.values()]
        weight = max(weight for _, weight in inferred)
        return Label(score=round(_mean(inferred), _DIGITS), weight=round(weight, _DIGITS))
    voices = [_voice(said) for said in told.values()]
    if not voices:
        return None
    score = _mean(voices) if len(voices) <= 2 else _median(voices)
    weight = min(1.0, sum(weight for _, weight in voices))
    return Label(score=round(score, _DIGITS), weight=round(weight, _DIGITS))


def cap_of_a_source(all_weight: float) -> float:
    """Return the most weight that a source which is not trusted may have in a day.

    Args:
        all_weight: Of all feedback of that day, from every source.
    """
    return max(_LEAST_CAP, _SHARE_OF_ALL * all_weight)


def _voice(said: list[Said]) -> tuple[float, float]:
    return _mean([(one.score, one.weight) for one in said]), max(one.weight for one in said)


def _mean(scored: list[tuple[float, float]]) -> float:
    return sum(score * weight for score, weight in scored) / sum(weight for _, weight in scored)


def _median(scored: list[tuple[float, float]]) -> float:
    ordered = sorted(scored)
    half = sum(weight for _, weight in ordered) / 2
    reached = 0.0
    for number, (score, weight) in enumerate(ordered):
        reached += weight
        if reached > half:
            return score
        if reached == half:
            return (score + ordered[number + 1][0]) / 2
    return ordered[-1][0]
