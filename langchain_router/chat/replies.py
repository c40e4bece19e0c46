"""Reads what a model returned into what the plan machine looks at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, message_chunk_to_message

from langchain_router.exceptions import TruncatedResponseError
from langchain_router.execution.moves import Reply
from langchain_router.finish import finish_of

_SAY_HOW_THEY_END: Final = frozenset(
    {
        "openai", "azure", "anthropic", "google_genai", "google_vertexai", "bedrock_converse", "mistralai",
        "groq", "deepseek", "xai", "ollama", "openrouter",
    }
)  # fmt: skip
"""Providers whose LangChain packages always report a finish reason, as LangChain names the providers."""


def reply_to(answer: Any, candidate: str) -> Reply:
    """Return a whole answer as a reply.

    Args:
        answer: A message, or what a structured-output chain returns: `{"raw", "parsed", "parsing_error"}`.
        candidate: Who gave it, for the error.

    Raises:
        TruncatedResponseError: It does not say that it is finished, though its provider always does.
    """
    message = message_in(answer)
    if message is not None:
        check_is_finished(message, candidate)
    return Reply(answer=answer, message=message, fault=fault_of(answer))


def message_in(answer: Any) -> AIMessage | None:
    """Return the model's message in what it returned, or None."""
    if isinstance(answer, Mapping):
        answer = answer.get("raw")
    if isinstance(answer, AIMessageChunk):
        whole = message_chunk_to_message(answer)
        return whole if isinstance(whole, AIMessage) else None
    return answer if isinstance(answer, AIMessage) else None


def check_is_finished(message: BaseMessage, candidate: str) -> None:
    """Refuse a message that does not say how it ended, where its provider always says so.

    Raises:
        TruncatedResponseError: The connection was closed early, most likely; the clients do not notice.
    """
    provider = message.response_metadata.get("model_provider")
    if provider in _SAY_HOW_THEY_END and finish_of(message) is None:
        raise TruncatedResponseError(f"{candidate!r} ended its answer without a finish reason.")


def fault_of(answer: Any) -> str | None:
    """Say why a program cannot use an answer, or None: it calls a tool with no JSON, or does not parse."""
    is_parsed = isinstance(answer, Mapping)
    if _has_broken_call(answer.get("raw") if is_parsed else answer):
        return "a tool call's arguments are no JSON"
    if not is_parsed:
        return None
    error = answer.get("parsing_error")
    if error is not None:
        return f"the answer does not parse ({type(error).__name__})"
    return "the answer does not parse" if answer.get("parsed") is None else None


def _has_broken_call(message: Any) -> bool:
    """Return whether a tool call cannot be read."""
    if not isinstance(message, AIMessage):
        return False
    # The chunks of a stream themselves, as LangChain completes arguments that break off.
    chunks = getattr(message, "tool_call_chunks", ())
    return bool(message.invalid_tool_calls) or not all(_is_json(chunk["args"] or "{}") for chunk in chunks)


def _is_json(text: str) -> bool:
    try:
        json.loads(text, strict=False)
    except ValueError:
        return False
    return True
