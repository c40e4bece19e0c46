"""What the parts of a stream hold: chunks of a message, or the states of a structured answer."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from langchain_router.chat.replies import message_in


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


def shows(part: Any) -> bool:
    """Return whether a user sees something of this part; a chunk that only names the role does not count."""
    if isinstance(part, Mapping) and "raw" in part:
        part = part["raw"]
    if isinstance(part, AIMessageChunk):
        return bool(part.content or part.tool_call_chunks)
    return True


def is_used(part: Any) -> bool:
    """Return whether a program uses this part: a piece of a tool call, or of structured output."""
    return isinstance(part, Mapping) or bool(getattr(part, "tool_call_chunks", None))


def text_of(part: Any) -> str:
    """Return the text that a part of a stream shows."""
    return part.text if isinstance(part, BaseMessage) else ""


class Tail:
    """Gathers from a stream's parts what is only known at its end, without keeping their text."""

    def __init__(self) -> None:
        self._facts: list[AIMessageChunk] = []
        self.text: list[str] = []

    def note(self, part: Any) -> None:
        """Take a part in."""
        message = part.get("raw") if isinstance(part, Mapping) else part
        if isinstance(message, BaseMessage):
            self.text.append(message.text)
            usage, metadata = getattr(message, "usage_metadata", None), message.response_metadata
            if usage or len(metadata) > 1 or (metadata and not self._facts):
                self._facts.append(
                    AIMessageChunk(content="", usage_metadata=usage, response_metadata=metadata)
                )

    def message(self) -> AIMessage | None:
        """Return a message with the usage and the metadata of all parts, without text."""
        with contextlib.suppress(TypeError):  # metadata that cannot be merged
            return message_in(merged(list(self._facts)))
        return message_in(self._facts[-1])
