"""Puts the decision on the answer, as `response_metadata["router"]`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from langchain_core.language_models.chat_model_stream import AsyncChatModelStream, ChatModelStream
from langchain_core.messages import AIMessageChunk, BaseMessage

from langchain_router.decision import RoutingDecision
from langchain_router.execution.plan import Attempt

Stream = TypeVar("Stream", ChatModelStream, AsyncChatModelStream)

METADATA_KEY = "router"


def stamp(answer: Any, decision: RoutingDecision, attempts: Sequence[Attempt]) -> Any:
    """Return the answer with the decision on it; what is neither a message nor holds one is left as it is.

    The message is copied: a tracer or a cache may hold the original. Of a stream, stamp the first chunk
    only, since merging chunks joins equal keys.
    """
    if isinstance(answer, BaseMessage):
        found = router_metadata(decision, attempts)
        if METADATA_KEY in answer.response_metadata:  # the candidate was a router itself
            found["nested"] = answer.response_metadata[METADATA_KEY]
        metadata = {**answer.response_metadata, METADATA_KEY: found}
        return answer.model_copy(update={"response_metadata": metadata})
    if isinstance(answer, Mapping) and isinstance(answer.get("raw"), BaseMessage):
        return type(answer)({**answer, "raw": stamp(answer["raw"], decision, attempts)})  # type: ignore[call-arg]
    return answer


def stamp_stream(stream: Stream, decision: RoutingDecision, attempts: Sequence[Attempt]) -> Stream:
    """Let a v3 stream's finished message carry the decision."""
    finished = stream.output_message
    if finished is not None:  # a model that does not stream has answered by now
        finished.response_metadata[METADATA_KEY] = router_metadata(decision, attempts)
        return stream
    dispatch = stream.dispatch

    def dispatch_stamped(event: Mapping[str, Any]) -> None:
        if event.get("event") == "message-finish":
            metadata = {**(event.get("metadata") or {}), METADATA_KEY: router_metadata(decision, attempts)}
            event = {**event, "metadata": metadata}
        dispatch(event)

    stream.dispatch = dispatch_stamped  # type: ignore[method-assign]
    return stream


def router_metadata(decision: RoutingDecision, attempts: Sequence[Attempt]) -> dict[str, Any]:
    """Return the decision and what came of it as JSON-serialisable data, without prompt text."""
    return {
        **decision.to_dict(),
        "served_by": attempts[-1].candidate,
        "attempts": [
            {
                "candidate": attempt.candidate,
                "latency_s": round(attempt.latency_s, 4),
                "error_kind": None if attempt.error_kind is None else attempt.error_kind.value,
            }
            for attempt in attempts
        ],
    }


def as_chunk(message: BaseMessage) -> AIMessageChunk:
    """Return a message as a chunk; a model that cannot stream yields its whole answer as one."""
    if isinstance(message, AIMessageChunk):
        return message
    fields = message.model_dump(exclude={"type"})
    return AIMessageChunk(**fields, chunk_position="last")
