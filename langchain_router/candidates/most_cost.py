"""The most that a call may cost: what limits in money are held against, before there is a bill."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from langchain_core.messages import BaseMessage

from langchain_router.candidates.candidate import Candidate
from langchain_router.request import RoutingRequest

_VERDICT_TOKENS: Final = 300
"""Room for the answer to a question of a check's own: a verdict and its reason."""


def most_cost_usd(
    candidate: Candidate,
    request: RoutingRequest,
    *,
    usual_answer_tokens: int,
    messages: Sequence[BaseMessage] | None = None,
) -> float | None:
    """Return the most that one call may cost in US dollars, or None when its price is unknown.

    Bounded by `max_tokens` where the call or the candidate sets it; else as long as such answers usually are.

    Args:
        candidate: Who would be called.
        request: What is asked of the router.
        usual_answer_tokens: Length of an answer that has no bound, in tokens.
        messages: What is asked instead of the request itself, as judges are; their verdict is short.
    """
    if candidate.price is None:
        return None
    own_bound = candidate.options.get("max_tokens")
    if messages is None:
        bound = request.max_output_tokens or own_bound
        answer_tokens = usual_answer_tokens if bound is None else int(bound) * request.answers
        prompt_tokens = request.prompt_tokens
    else:
        answer_tokens = _VERDICT_TOKENS if own_bound is None else int(own_bound)
        prompt_tokens = RoutingRequest(messages=tuple(messages)).prompt_tokens
    return candidate.price.cost_usd(input_tokens=prompt_tokens, output_tokens=answer_tokens)
