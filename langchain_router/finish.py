"""How an answer ended, in one vocabulary for all providers."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, Literal

from langchain_core.messages import BaseMessage

Finish = Literal["stop", "length", "refused", "other"]
"""Of its own accord, at a limit of length, by the provider's filter, or in a way that has no name here."""

# OpenAI and LiteLLM, Anthropic, Bedrock, Google, Ollama.
_KEYS: Final = ("finish_reason", "stop_reason", "stopReason", "finishReason", "done_reason")

_LENGTH: Final = frozenset(
    {
        "length",  # OpenAI, LiteLLM, Mistral, Ollama, Hugging Face
        "max_tokens",  # Anthropic, Bedrock, Cohere, Google
        "max_output_tokens",  # OpenAI's Responses API
        "model_length",  # Mistral: the context window is full
        "model_context_window_exceeded",  # Anthropic
        "error_limit",  # Cohere: the context window is full
    }
)
_REFUSED: Final = frozenset(
    {
        "content_filter",  # OpenAI, Azure, LiteLLM
        "refusal",  # Anthropic
        "safety",  # this and the next five: Google
        "recitation",
        "blocklist",
        "prohibited_content",
        "spii",
        "image_safety",
        "error_toxic",  # Cohere
        "guardrail_intervened",  # Bedrock
        "content_filtered",
    }
)
_STOP: Final = frozenset(
    {
        "stop",
        "end_turn",
        "stop_sequence",
        "complete",
        "completed",
        "eos",
        "eos_token",
        "tool_use",
        "tool_calls",
        "tool_call",
        "function_call",
    }
)


def finish_of(message: BaseMessage) -> Finish | None:
    """Return how an answer ended, or None when it does not say.

    Args:
        message: Its `response_metadata` is read, where every provider puts its own word.

    Example:
        >>> from langchain_core.messages import AIMessage
        >>> finish_of(AIMessage("Once upon a", response_metadata={"stop_reason": "max_tokens"}))
        'length'
    """
    reasons = _reasons(message.response_metadata)
    for reason in reasons:
        if reason in _LENGTH:
            return "length"
        if reason in _REFUSED:
            return "refused"
        if reason in _STOP:
            return "stop"
    return "other" if reasons else None


def _reasons(metadata: Mapping[str, object]) -> list[str]:
    """Return every word about the end, the most telling first."""
    found = [metadata.get(key) for key in _KEYS]
    details = metadata.get("incomplete_details")  # OpenAI's Responses API
    if isinstance(details, Mapping):
        found.append(details.get("reason"))
    found.append(metadata.get("status"))
    names = [one.name if isinstance(one, Enum) else one for one in found]
    return [name.rpartition(".")[2].lower() for name in names if isinstance(name, str) and name]
