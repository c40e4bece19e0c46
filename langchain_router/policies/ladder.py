"""Candidates in the order of what they charge."""

from __future__ import annotations

import math
from collections.abc import Sequence

from langchain_router.candidates.candidate import Candidate

_INPUT_SHARE = 0.75  # three prompt tokens to one of answer, the usual blend in price comparisons


def by_price(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates cheapest first; those without a known price come last, as if dearest."""
    return sorted(candidates, key=_blended_usd_per_token)


def _blended_usd_per_token(candidate: Candidate) -> float:
    price = candidate.price
    if price is None:
        return math.inf
    return _INPUT_SHARE * price.input_usd_per_token + (1 - _INPUT_SHARE) * price.output_usd_per_token
