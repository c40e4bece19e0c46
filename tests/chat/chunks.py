"""Models whose streams are given chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, ToolCallChunk
from langchain_core.outputs import ChatGenerationChunk
from pydantic import Field

from langchain_router import Candidate, Price
from tests.chat.speaking import Speaker


class Chunked(Speaker):
    """Streams these chunks and nothing else; a whole answer is what `says` says."""

    says: list[Any] = Field(default_factory=lambda: ["whole"])
    chunks: list[AIMessageChunk]
    given: list[AIMessageChunk] = Field(default_factory=list)
    """What of them has gone out so far."""

    def _chunks(self, whole: AIMessage) -> Iterator[ChatGenerationChunk]:
        for chunk in self.chunks:
            self.given.append(chunk)
            yield ChatGenerationChunk(message=chunk.model_copy())


def chunked(label: str, *chunks: AIMessageChunk, price: float = 1.0, **how: Any) -> Candidate:
    """Return a candidate that streams these chunks; `how` is what `Speaker` takes."""
    return Candidate(
        model=Chunked(label=label, chunks=list(chunks), **how),
        name=label,
        quality=0.9,
        capabilities=frozenset({"tool_calling"}),
        price=Price.per_million(input_usd=price, output_usd=price),
    )


def text(said: str) -> AIMessageChunk:
    return AIMessageChunk(content=said)


def thought(said: str) -> AIMessageChunk:
    """Return reasoning as most packages give it: beside the content."""
    return AIMessageChunk(content="", additional_kwargs={"reasoning_content": said})


def thought_in_block(said: str) -> AIMessageChunk:
    """Return reasoning as a content block."""
    return AIMessageChunk(content=[{"type": "thinking", "thinking": said, "index": 0}])


def arguments(piece: str, *, name: str | None = None) -> AIMessageChunk:
    """Return a piece of one tool call's arguments; the first piece names the tool."""
    call = ToolCallChunk(
        name=name, args=piece, id=None if name is None else "call-1", index=0, type="tool_call_chunk"
    )
    return AIMessageChunk(content="", tool_call_chunks=[call])


def end(reason: str = "stop", **metadata: str) -> AIMessageChunk:
    """Return a chunk that holds nothing but how it ended."""
    return AIMessageChunk(content="", response_metadata={"finish_reason": reason, **metadata})
