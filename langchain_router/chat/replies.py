"""Reads what a model returned into what the plan machine looks at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ToolCallChunk,
    message_chunk_to_message,
)
from langchain_core.messages.tool import invalid_tool_call as create_invalid_tool_call

from langchain_router.decision import RoutingDecision
from langchain_router.exceptions import MalformedResponseError, TruncatedResponseError
from langchain_router.execution.moves import Call, Reply
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


def checked(reply: Reply, decision: RoutingDecision, step: Call) -> Reply:
    """Refuse a tool call or structured answer that cannot be used, while another may still serve.

    Raises:
        MalformedResponseError: The answer has a fault, and the plan goes on behind its step.
    """
    is_last = step.step is decision.plan[-1]
    if decision.has_checks and step.role in ("answer", "hedge") and reply.fault and not is_last:
        raise unusable(step.step.candidate.name, reply.fault)
    return reply


def unusable(candidate: str, fault: str) -> MalformedResponseError:
    """Return the error for an answer that a program cannot use."""
    return MalformedResponseError(f"{candidate!r} gave an unusable answer: {fault}.")


def message_in(answer: Any) -> AIMessage | None:
    """Return the model's message in what it returned, or None; a broken tool call is an invalid one in it."""
    if isinstance(answer, Mapping):
        answer = answer.get("raw")
    if isinstance(answer, AIMessageChunk):
        whole = message_chunk_to_message(answer)
        return _without_guesses(whole, answer) if isinstance(whole, AIMessage) else None
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
    return bool(message.invalid_tool_calls) or not all(map(_is_whole, chunks))


def _without_guesses(message: AIMessage, chunk: AIMessageChunk) -> AIMessage:
    """Return a stream's message without the tool calls whose arguments LangChain had to complete."""
    broken = [one for one in chunk.tool_call_chunks if not _is_whole(one)]
    if not broken or message.invalid_tool_calls:
        return message
    cut = [create_invalid_tool_call(name=one["name"], args=one["args"], id=one["id"]) for one in broken]
    whole = [
        call for call, one in zip(message.tool_calls, chunk.tool_call_chunks, strict=True) if _is_whole(one)
    ]
    return message.model_copy(update={"tool_calls": whole, "invalid_tool_calls": cut})


def _is_whole(call: ToolCallChunk) -> bool:
    try:
        json.loads(call["args"] or "{}", strict=False)
    except ValueError:
        return False
    return True
