"""What the parts of a stream hold: chunks of a message, or the states of a structured answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata, add_usage

from langchain_router.chat.replies import message_in
from langchain_router.finish import finish_of

REASONING: Final = frozenset(
    {"reasoning", "reasoning_content", "reasoning_items", "thinking", "thinking_blocks", "redacted_thinking"}
)
"""What reasoning is called: as the type of a content block, and as a key beside the content."""

_ANSWERS_BESIDE: Final = frozenset({"function_call", "audio", "refusal"})
"""What of an answer comes beside the content."""


class Look(NamedTuple):
    """What a part of a stream holds.

    Attributes:
        shows: Whether a user sees something of it, be it reasoning; a chunk that only names the role, the
            usage or the end shows nothing.
        answers: Whether it holds a piece of the answer itself; reasoning is none.
        is_used: Whether a program uses it: a piece of a tool call, or of structured output.
        says_how_it_ended: Whether it holds a finish reason.
        text: Its text.
    """

    shows: bool
    answers: bool
    is_used: bool
    says_how_it_ended: bool
    text: str


def look_at(part: Any) -> Look:
    """Look at a part of a stream of chunks."""
    is_structured = isinstance(part, Mapping)
    message = part.get("raw", part) if is_structured else part
    if not isinstance(message, BaseMessage):
        return Look(shows=True, answers=True, is_used=is_structured, says_how_it_ended=False, text="")
    calls, answers = bool(getattr(message, "tool_call_chunks", None)), _answers(message)
    return Look(
        shows=answers or _has_reasoning(message),
        answers=answers,
        is_used=is_structured or calls,
        says_how_it_ended=finish_of(message) is not None,
        text=message.text,
    )


def _answers(message: BaseMessage) -> bool:
    if not isinstance(message, AIMessageChunk):
        return True  # whole, from a model that cannot stream
    if message.tool_call_chunks or any(message.additional_kwargs.get(key) for key in _ANSWERS_BESIDE):
        return True
    if isinstance(message.content, str):
        return bool(message.content)
    return any(
        bool(block) if isinstance(block, str) else block.get("type") not in REASONING and not _is_empty(block)
        for block in message.content
    )


def _has_reasoning(message: BaseMessage) -> bool:
    if any(message.additional_kwargs.get(key) for key in REASONING):
        return True
    return isinstance(message.content, list) and any(
        isinstance(block, dict) and block.get("type") in REASONING for block in message.content
    )


def _is_empty(block: Mapping[str, Any]) -> bool:
    """Return whether a block only announces that text follows."""
    return block.get("type") in ("text", None) and not block.get("text")


def merged(parts: list[Any]) -> Any:
    """Return the parts of a stream as one: a message, or a structured answer's last state with its raw."""
    messages = [part for part in parts if isinstance(part, BaseMessage)]
    if messages:
        first: Any = messages[0]
        return first if len(messages) == 1 else first + messages[1:]  # at once: adding up is quadratic
    found: dict[str, Any] = {}
    raws = []
    for part in parts:
        if isinstance(part, Mapping):
            found.update(part)
            if isinstance(part.get("raw"), BaseMessage):
                raws.append(part["raw"])
    if raws:
        found["raw"] = merged(raws)
    return found or None


class Tail:
    """Gathers what a stream's outcome needs: how it ended, the usage, whether its tool calls are whole.

    Attributes:
        text: The texts of the parts, for the case that it breaks off.
    """

    def __init__(self) -> None:
        self.text: list[str] = []
        self._metadata: dict[str, Any] = {}
        self._usage: UsageMetadata | None = None
        self._calls: list[AIMessageChunk] = []
        self._is_empty = True
        self._id: str | None = None

    def note(self, part: Any) -> None:
        """Take a part in."""
        message = part.get("raw") if isinstance(part, Mapping) else part
        if not isinstance(message, BaseMessage):
            return
        self._is_empty = False
        self._id = self._id or message.id
        self.text.append(message.text)
        if message.response_metadata:
            known = {key: value for key, value in message.response_metadata.items() if value is not None}
            self._metadata.update(known)  # not merged: equal words would be joined
        usage = getattr(message, "usage_metadata", None)
        if usage:
            self._usage = add_usage(self._usage, usage)
        calls = getattr(message, "tool_call_chunks", None)
        if calls:
            self._calls.append(AIMessageChunk(content="", tool_call_chunks=calls))

    def message(self) -> AIMessage | None:
        """Return a message with the usage, the metadata and the tool calls of all parts, without text."""
        if self._is_empty:
            return None
        whole = message_in(merged(list(self._calls))) or AIMessage("")
        return whole.model_copy(
            update={"id": self._id, "usage_metadata": self._usage, "response_metadata": self._metadata}
        )
