"""Reads what errors and messages of a trace say of the answer before them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Final

from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from pydantic import ValidationError
from pydantic.v1 import ValidationError as ValidationErrorV1

from langchain_router.exceptions import RouterError
from langchain_router.execution.errors import ErrorKind, error_kind

UNPARSED: Final = (OutputParserException, ValidationError, ValidationErrorV1, ValueError)
"""What a parser raises for a text that it cannot read."""

_READS_ARGUMENTS: Final = frozenset({"_parse_input", "_to_args_and_kwargs"})
_RUNS_TOOL: Final = frozenset({"_run", "_arun"})
_HANDLED: Final = "Tool input validation error"
_BY_NO_SCHEMA: Final = "Error: Failed to parse structured output for tool "
_START_CHARS: Final = 300
_MOST_FRAMES: Final = 50


def refusals_in(messages: Sequence[BaseMessage]) -> Iterator[tuple[AIMessage, str]]:
    """Yield which answer an agent has just refused, and by which key: what no run of its own tells.

    That is a call of a tool that does not exist, or an answer that does not fit the agent's response format.

    Args:
        messages: The agent's next request; what was refused stands at its end.
    """
    refused: list[str] = []
    for message in reversed(messages):
        if isinstance(message, ToolMessage):
            said = message.text[:_START_CHARS]
            if said.startswith(_BY_NO_SCHEMA):
                refused.append("structured_output")
            elif said.startswith(f"Error: {message.name} is not a valid tool"):
                refused.append("tool_arguments")
            continue
        if isinstance(message, AIMessage):
            yield from ((message, key) for key in refused)
        return


def is_whole(chunk: AIMessageChunk) -> bool:
    """Return whether the chunks of a stream, joined, are all of it."""
    return chunk.chunk_position == "last" or "router_outcome" in chunk.response_metadata


def is_of_arguments(error: BaseException) -> bool:
    """Return whether a tool refused its arguments, not: found fault with something while it ran."""
    if not isinstance(error, (ValidationError, ValidationErrorV1)):
        return False
    at: TracebackType | None = error.__traceback__
    for _ in range(_MOST_FRAMES):
        if at is None or at.tb_frame.f_code.co_name in _RUNS_TOOL:
            return False
        if at.tb_frame.f_code.co_name in _READS_ARGUMENTS:
            return True
        at = at.tb_next
    return False


def is_of_handled_arguments(message: ToolMessage) -> bool:
    """Return whether this is what a tool says that was told to answer for arguments that it refuses."""
    return message.text.startswith(_HANDLED)


def is_of_a_program(error: BaseException) -> bool:
    """Return whether an error is of neither a model nor LangGraph's control flow nor a cancellation."""
    if not isinstance(error, Exception) or isinstance(error, RouterError):
        return False
    return error_kind(error) is ErrorKind.UNKNOWN
