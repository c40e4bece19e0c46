"""Puts the decision and the outcome on the answer: `response_metadata["router"]` and `["router_outcome"]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessageChunk, BaseMessage

from langchain_router.decision import RoutingDecision
from langchain_router.execution.served import Served
from langchain_router.outcomes.records import Outcome

METADATA_KEY = "router"
OUTCOME_KEY = "router_outcome"


def stamp(answer: Any, decision: RoutingDecision, served: Served) -> Any:
    """Return the answer with the decision on it, and with the outcome where that is known.

    What is neither a message nor holds one is left as it is. The message is copied: a tracer or a cache may
    hold the original. Of a stream, stamp the first chunk only, since merging chunks joins equal keys.
    """
    if isinstance(answer, BaseMessage):
        is_whole = not isinstance(answer, AIMessageChunk)
        metadata = stamped(
            answer.response_metadata, decision, served, outcome=served.outcome if is_whole else None
        )
        return answer.model_copy(update={"response_metadata": metadata})
    if isinstance(answer, Mapping) and isinstance(answer.get("raw"), BaseMessage):
        return type(answer)({**answer, "raw": stamp(answer["raw"], decision, served)})  # type: ignore[call-arg]
    return answer


def stamp_outcome(part: Any, outcome: Outcome) -> Any:
    """Return the last chunk of a stream, or what holds it, with the outcome on it."""
    if isinstance(part, Mapping):
        return type(part)({**part, "raw": stamp_outcome(part["raw"], outcome)})  # type: ignore[call-arg]
    metadata = {**part.response_metadata, OUTCOME_KEY: outcome.to_dict()}
    return part.model_copy(update={"response_metadata": metadata})


def stamped(
    metadata: Mapping[str, Any], decision: RoutingDecision, served: Served, *, outcome: Outcome | None
) -> dict[str, Any]:
    """Return an answer's metadata with the decision and the calls so far, and the outcome where it is known.

    All of it is JSON-serialisable, without prompt text.
    """
    found: dict[str, Any] = {
        **decision.to_dict(),
        "served_by": served.served_by,
        "attempts": [attempt.to_dict() for attempt in served.attempts],
    }
    if METADATA_KEY in metadata:  # the candidate was a router itself
        found["nested"] = metadata[METADATA_KEY]
    told = {} if outcome is None else {OUTCOME_KEY: outcome.to_dict()}
    return {**metadata, METADATA_KEY: found, **told}


def as_chunk(message: BaseMessage) -> AIMessageChunk:
    """Return a message as a chunk; a model that cannot stream yields its whole answer as one."""
    if isinstance(message, AIMessageChunk):
        return message
    fields = message.model_dump(exclude={"type"})
    return AIMessageChunk(**fields, chunk_position="last")
