"""What a call cost, from what the provider counted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from langchain_core.messages import BaseMessage

from langchain_router.candidates.candidate import Candidate
from langchain_router.execution.errors import ErrorKind

_MOST_TOKENS: Final = 10_000_000
"""More than any context window holds; a provider that reports more has made a mistake."""

_NOT_BILLED: Final = frozenset(
    {
        ErrorKind.RATE_LIMITED,
        ErrorKind.OVERLOADED,
        ErrorKind.SERVER,
        ErrorKind.CONNECT,
        ErrorKind.AUTH,
        ErrorKind.NOT_FOUND,
        ErrorKind.UNSUPPORTED,
        ErrorKind.BAD_REQUEST,
        ErrorKind.CONTEXT_OVERFLOW,
    }
)
"""Failures that providers do not bill; of the others the prompt is taken to be billed."""


def billed_tokens(message: BaseMessage | None) -> tuple[int, int] | None:
    """Return the prompt and answer tokens that a message says it used; None without, or for absurd ones."""
    usage: Any = getattr(message, "usage_metadata", None)
    if not usage:
        return None
    tokens = (usage["input_tokens"], usage["output_tokens"])
    return tokens if all(isinstance(one, int) and 0 <= one <= _MOST_TOKENS for one in tokens) else None


def cost_usd(candidate: Candidate, message: BaseMessage | None) -> float | None:
    """Return what an answer cost in US dollars, or None when that is unknown.

    A candidate that is itself a router knows best, drafts and judges included. Else by the candidate's price,
    cached prompt tokens at theirs; where it has none, by what LiteLLM says.
    """
    if message is None:
        return None
    nested = _usd(_nested(message).get("cost_usd"))
    if nested is not None:
        return nested
    tokens = billed_tokens(message)
    if candidate.price is None:
        return _usd(message.response_metadata.get("response_cost")) or None  # LiteLLM's 0 is "not known"
    if tokens is None:
        return None
    details = (getattr(message, "usage_metadata", None) or {}).get("input_token_details") or {}
    cached = details.get("cache_read") or 0
    return candidate.price.cost_usd(
        input_tokens=tokens[0], output_tokens=tokens[1], cached_input_tokens=max(0, min(cached, tokens[0]))
    )


def cost_of_failure_usd(candidate: Candidate, kind: ErrorKind, *, prompt_tokens: int) -> float | None:
    """Estimate what a failed call cost: nothing where providers do not bill it, else the prompt."""
    if kind in _NOT_BILLED:
        return 0.0
    if candidate.price is None:
        return None
    return candidate.price.cost_usd(input_tokens=prompt_tokens, output_tokens=0)


def _nested(message: BaseMessage) -> Mapping[str, Any]:
    """Return the outcome of the router that is the candidate, as it stands on the answer; {} for a model."""
    outcome = message.response_metadata.get("router_outcome")
    return outcome if isinstance(outcome, Mapping) else {}


def _usd(said: Any) -> float | None:
    is_cost = isinstance(said, (int, float)) and not isinstance(said, bool) and 0 <= said < math.inf
    return float(said) if is_cost else None
