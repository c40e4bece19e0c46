"""What a check has to beat: an answer's length, and words that sound unsure. Not for use in a cascade."""

from __future__ import annotations

import re

from langchain_core.messages import AIMessage

from langchain_router.checks.base import Check
from langchain_router.checks.check import Review, Verdict
from langchain_router.request import RoutingRequest

_READ_CHARS = 20_000
_HALF_CHARS = 1_000
_HEDGES = re.compile(
    r"\b(?:maybe|perhaps|possibly|probably|presumably|apparently|likely|unlikely|might|unsure|uncertain|unclear"
    r"|not (?:entirely |completely |quite )?(?:sure|certain|clear)|i (?:think|believe|guess|suppose|assume)"
    r"|it (?:seems|appears|depends)|hard to (?:say|tell)"
    r"|(?:do not|don't|cannot|can't) (?:know|tell|say|determine)"
    r"|as far as i know|to the best of my knowledge|more or less|assuming)\b",
    re.IGNORECASE,
)


class LengthBaseline(Check):
    """Score an answer by its length, the longer the better: half for 1,000 characters."""

    name = "length"

    def review(self, request: RoutingRequest, response: AIMessage) -> Review:  # noqa: ARG002
        """Look at the length alone."""
        yield from ()
        chars = len(response.text)
        score = chars / (chars + _HALF_CHARS)
        return Verdict(passed=score >= 0.5, score=score, reason=f"{chars} characters")


class HedgingBaseline(Check):
    """Pass an answer in which nothing sounds unsure: no "perhaps", "I think" or "it depends"."""

    name = "hedging"

    def review(self, request: RoutingRequest, response: AIMessage) -> Review:  # noqa: ARG002
        """Count such words."""
        yield from ()
        count = len(_HEDGES.findall(response.text[:_READ_CHARS]))
        return Verdict(passed=not count, score=1 / (1 + count), reason=f"{count} hedging words")
