"""Answers that do not print their words: tenacity's loggers write what an attempt returned into logs."""

from __future__ import annotations

import functools
import types
from typing import Any

from langchain_core.messages import BaseMessage
from tenacity import Future


class UnquotedOutcome(Future):
    """What came of an attempt; a message that it returned keeps everything but its words when printed."""

    def result(self, timeout: float | None = None) -> Any:
        """Return the answer, or raise the error; an answer that is no message is returned as it is."""
        answer = super().result(timeout)
        return unquoted(answer) if isinstance(answer, BaseMessage) else answer


def unquoted(message: BaseMessage) -> BaseMessage:
    """Return a copy of a message that is the same in every way, but prints as its class's name alone.

    Example:
        >>> from langchain_core.messages import AIMessage
        >>> answer = unquoted(AIMessage("forty-two"))
        >>> answer, str(answer), answer.text, answer == AIMessage("forty-two")
        (AIMessage(), 'AIMessage()', 'forty-two', True)
    """
    return _as(_unquoted_class(type(message)), message)


@functools.cache
def _unquoted_class(cls: type[BaseMessage]) -> type[BaseMessage]:
    def plain(message: Any) -> Any:
        return _as(cls, message) if isinstance(message, made) else message

    body = {
        "__module__": cls.__module__,
        "__eq__": lambda self, other: plain(self) == plain(other),
        "__hash__": None,
        "__reduce_ex__": lambda self, _: (_as, (cls, plain(self))),
        "__repr_args__": lambda _: [],
        "__str__": cls.__repr__,
    }
    made: type[BaseMessage] = types.new_class(
        cls.__name__, (cls,), exec_body=lambda space: space.update(body)
    )
    return made


def _as(cls: type[BaseMessage], message: BaseMessage) -> BaseMessage:
    copy = message.model_copy()
    object.__setattr__(copy, "__class__", cls)
    return copy
