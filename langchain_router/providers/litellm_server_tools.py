"""Tools that the provider has run itself: their calls are not the application's to answer.

LiteLLM shows Anthropic's as ordinary tool calls, in streams and before 1.110 in whole answers too; an agent
would run them a second time.
"""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage

_PREFIX = "srvtoolu_"


class ServerCalls:
    """Tells the pieces of such calls from others in one stream, where only a call's first bears its id."""

    def __init__(self) -> None:
        self._indices: set[Any] = set()
        self._was_any = False
        self._is_other_called = False

    def left_out_of(self, pieces: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the pieces of the application's own calls."""
        for piece in pieces:
            if _is_servers(piece):
                self._indices.add(piece.get("index"))
                self._was_any = True
            elif piece.get("id"):
                self._indices.discard(piece.get("index"))
        kept = [piece for piece in pieces if piece.get("index") not in self._indices]
        self._is_other_called |= bool(kept)
        return kept

    def finish(self, reason: str) -> str:
        """Return the finish reason, which some LiteLLM versions set by the provider's own calls too."""
        only_servers = self._was_any and not self._is_other_called
        return "stop" if reason == "tool_calls" and only_servers else reason


def leave_out_server_calls(message: AIMessage) -> None:
    """Leave such calls out of a whole answer."""
    raw = message.additional_kwargs.get("tool_calls")
    if not raw or not any(_is_servers(call) for call in raw):
        return
    message.tool_calls = [call for call in message.tool_calls if not _is_servers(call)]
    message.invalid_tool_calls = [call for call in message.invalid_tool_calls if not _is_servers(call)]
    kept = [call for call in raw if not _is_servers(call)]
    if kept:
        message.additional_kwargs["tool_calls"] = kept
    else:
        del message.additional_kwargs["tool_calls"]


def _is_servers(call: Any) -> bool:
    found = call.get("id") if isinstance(call, dict) else getattr(call, "id", None)
    return isinstance(found, str) and found.startswith(_PREFIX)
