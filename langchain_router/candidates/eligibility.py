"""Who may answer a request at all.

Hard constraints only, from code only, never from prompt text. Fails closed: what is not known to fit does
not fit. Every exclusion carries its reason in words that name the value and the limit.
"""

from __future__ import annotations

from collections.abc import Iterator

from langchain_router.candidates.candidate import Candidate
from langchain_router.constraints import Constraints
from langchain_router.request import RoutingRequest

ASSUMED_CONTEXT_TOKENS = 8_192
"""Window of a candidate that does not state one: every chat model served today takes this much."""

DEFAULT_ANSWER_TOKENS = 512
"""Room kept for the answer when the call sets no `max_tokens`."""

_ABILITY_WORDS = {
    "tool_calling": "tool calling",
    "structured_output": "structured output",
    "image_inputs": "image input",
    "pdf_inputs": "PDF input",
    "audio_inputs": "audio input",
    "video_inputs": "video input",
}


def reasons_against(
    candidate: Candidate,
    request: RoutingRequest,
    *,
    estimated_cost_usd: float | None,
    predicted_quality: float | None,
) -> tuple[str, ...]:
    """Return why this candidate may not answer this request; nothing when it may.

    Args:
        candidate: A resolved candidate.
        request: What is asked and allowed.
        estimated_cost_usd: Expected cost of the call, or None when the price is unknown.
        predicted_quality: Expected quality, 0..1, or None when unknown.
    """
    allowed = request.constraints
    if request.pinned not in (None, candidate.name):
        return (f"is not the model asked for, {request.pinned!r}",)
    return (
        *_lacking_abilities(candidate, request),
        *_context(candidate, request),
        *_budgets(candidate, allowed, estimated_cost_usd, predicted_quality),
        *reasons_against_place(candidate, request),
    )


def reasons_against_reading(candidate: Candidate, request: RoutingRequest) -> tuple[str, ...]:
    """Return why this model may not be asked the request for a second opinion, whatever it costs."""
    return (
        *_lacking_abilities(candidate, request),
        *_context(candidate, request),
        *reasons_against_place(candidate, request),
    )


def reasons_against_place(candidate: Candidate, request: RoutingRequest) -> tuple[str, ...]:
    """Return why this model may not see anything of the request: where it is, and whose."""
    return tuple(
        request.constraints.reasons_against_place(
            provider=candidate.provider, region=candidate.region, tags=candidate.tags
        )
    )


def _lacking_abilities(candidate: Candidate, request: RoutingRequest) -> Iterator[str]:
    able = candidate.capabilities
    for ability in sorted(request.required):
        if able is not None and ability in able:
            continue
        if ability == "structured_output" and request.schema_by_tool_call and able and "tool_calling" in able:
            continue  # a model that calls tools returns structured output through a tool call
        if able is None:
            yield f"is not known to have {_ABILITY_WORDS[ability]} (set capabilities= on the Candidate)"
        else:
            yield f"lacks {_ABILITY_WORDS[ability]}"


def _context(candidate: Candidate, request: RoutingRequest) -> Iterator[str]:
    needed = request.prompt_tokens + (request.max_output_tokens or DEFAULT_ANSWER_TOKENS)
    window = candidate.context_tokens
    if window is None and needed > ASSUMED_CONTEXT_TOKENS:
        yield (
            f"states no context window (taken as {ASSUMED_CONTEXT_TOKENS:,} tokens; "
            f"about {needed:,} are needed: set context_tokens)"
        )
    elif window is not None and needed > window:
        yield f"takes {window:,} tokens where about {needed:,} are needed"
    longest, wanted = candidate.max_output_tokens, request.max_output_tokens
    if longest is not None and wanted is not None and wanted > longest:
        yield f"answers with at most {longest:,} tokens where max_tokens asks for {wanted:,}"


def _budgets(
    candidate: Candidate, allowed: Constraints, cost_usd: float | None, quality: float | None
) -> Iterator[str]:
    limit = allowed.max_cost_usd
    if limit is not None and cost_usd is None:
        yield f"has no known price, and max_cost_usd is {limit:g}"
    elif limit is not None and cost_usd is not None and cost_usd > limit:
        yield f"would cost about ${cost_usd:.6f}, over max_cost_usd {limit:g}"
    slowest = allowed.max_latency_s
    if slowest is not None and candidate.latency_s is None:
        yield f"has no known latency, and max_latency_s is {slowest:g}"
    elif slowest is not None and candidate.latency_s is not None and candidate.latency_s > slowest:
        yield f"typically takes {candidate.latency_s:g} s, over max_latency_s {slowest:g}"
    least = allowed.min_quality
    if least is not None and quality is None:
        yield f"has no known quality, and min_quality is {least:g}"
    elif least is not None and quality is not None and not quality >= least:  # NaN is not enough either
        yield f"has predicted quality {quality:.2f}, under min_quality {least:g}"
