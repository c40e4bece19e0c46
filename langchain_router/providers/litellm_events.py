"""The events of a stream, watched where LiteLLM reads them.

It skips broken ones, and takes `[DONE]` for a finish reason: so it does for the providers that it reaches by
plain HTTP in OpenAI's format (Mistral, Groq, DeepSeek, OpenRouter and many more). OpenAI's own events are
read by the OpenAI package.
"""

from __future__ import annotations

import json
from typing import Any

# LiteLLM's `CustomStreamWrapper` keeps the finish reason it was told in one of these; the last since 1.110.
_FINISH_REASONS = ("received_finish_reason", "intermittent_finish_reason", "received_any_finish_reason")


class Events:
    """Watches one stream's events.

    Args:
        stream: LiteLLM's, not yet read.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._names = [name for name in _FINISH_REASONS if hasattr(stream, name)]
        self._is_finish_made_up = False
        source: Any = getattr(stream, "completion_stream", None)
        self._read = getattr(source, "_handle_string_chunk", None)
        if self._read is not None:
            source._handle_string_chunk = self._handle  # noqa: SLF001 - of this one stream; no other way in

    def has_finish(self) -> bool:
        """Return whether the provider sent a finish reason; a stream that cannot tell is believed."""
        return not self._names or (self._is_told() and not self._is_finish_made_up)

    def _is_told(self) -> bool:
        return any(getattr(self._stream, name) for name in self._names)

    def _handle(self, str_line: str) -> Any:
        read: Any = self._read
        chunk = read(str_line=str_line)
        if isinstance(chunk, dict):  # what LiteLLM makes of a line that holds no event
            if chunk.get("is_finished"):
                self._is_finish_made_up |= _data(str_line) == "[DONE]" and not self._is_told()
            elif not chunk.get("text") and _is_broken(str_line):
                raise ValueError("an event of the stream is not JSON")
        return chunk


def _data(line: str) -> str:
    return line.removeprefix("data:").strip()


def _is_broken(line: str) -> bool:
    data = _data(line)
    if not line.startswith("data:") or not data:
        return False
    try:
        json.loads(data)
    except ValueError:
        return True
    return False
