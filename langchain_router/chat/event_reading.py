"""How far a stream of v3 events is read before its answer is decided on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models._compat_bridge import message_to_events
from langchain_core.language_models.chat_model_stream import AsyncChatModelStream, ChatModelStream
from langchain_core.messages import AIMessage

from langchain_router.chat.parts import REASONING, Look
from langchain_router.chat.reading import Begun, Reading
from langchain_router.chat.replies import check_is_finished, fault_of
from langchain_router.execution.moves import Reply
from langchain_router.finish import finish_of

Stream = TypeVar("Stream", ChatModelStream, AsyncChatModelStream)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReading(Reading):
    """How to read one stream of events."""

    def look_at(self, part: Any) -> Look:
        """Look at an event."""
        if part.get("event") in ("message-start", "message-finish"):
            said = AIMessage("", response_metadata=part.get("metadata") or {})
            return Look(False, False, False, says_how_it_ended=finish_of(said) is not None, text="")
        block = _block_of(part)
        kind, text = str(block.get("type", "")).replace("-", "_"), text_of(part)
        shows = kind != "text" or bool(block.get("text"))
        return Look(
            shows=shows,
            answers=shows and not _is_reasoning(block),
            is_used=kind.startswith(("tool_call", "invalid_tool_call")),
            says_how_it_ended=False,
            text=text,
        )

    def fault_of(self, parts: list[Any]) -> str | None:
        """Say why a program cannot use what these events hold, or None."""
        return fault_of(AIMessage("", invalid_tool_calls=list(filter(_is_broken, map(_block_of, parts)))))


@dataclass(slots=True, eq=False)
class Opened(Generic[Stream]):
    """A model's stream of events, read as far as needed to decide on it.

    Attributes:
        stream: The model's own, or None where it cannot stream.
        whole: The answer of a model that cannot stream.
        begun: What was read of it, and how to read on.
    """

    stream: Stream | None = None
    whole: AIMessage | None = None
    begun: Begun = field(init=False)

    @property
    def message(self) -> AIMessage | None:
        """The model's message, once it is complete."""
        return self.whole if self.stream is None else self.stream.output_message

    @property
    def message_id(self) -> str | None:
        """What the model's message is called."""
        if self.stream is not None:
            return self.stream.message_id
        return None if self.whole is None else self.whole.id

    def replayed(self, whole: AIMessage) -> Iterator[Any]:
        """Yield the events of an answer that came at once."""
        self.whole = whole
        yield from message_to_events(whole, message_id=whole.id)

    @property
    def close(self) -> Callable[[], Any]:
        """What ends the stream, and the call behind it."""
        return self.begun.close

    def check_is_finished(self, candidate: str) -> None:
        """Refuse a complete message that does not say how it ended, where its provider always says so.

        Raises:
            TruncatedResponseError: As `check_is_finished` does.
        """
        if self.message is not None:
            check_is_finished(self.message, candidate)

    def reply(self) -> Reply:
        """Return it as a reply: complete, or one that has only begun."""
        message = self.message
        if not self.begun.has_ended:
            message = AIMessage("".join(text_of(event) for event in self.begun.held))
        return Reply(
            answer=self,
            message=message,
            is_complete=self.begun.has_ended,
            is_streamed=True,
            fault=fault_of(message),
        )


def can_stream(model: Any) -> bool:
    """Return whether a model, or the one in a binding, streams; LangChain makes no events of any other."""
    while not isinstance(model, BaseChatModel) and hasattr(model, "bound"):
        model = model.bound
    ways = ("_stream", "_astream", "_chat_model_stream_v3", "_achat_model_stream_v3")
    own = any(getattr(type(model), way, None) is not getattr(BaseChatModel, way, None) for way in ways)
    return own or hasattr(model, "_stream_chat_model_events") or hasattr(model, "_astream_chat_model_events")


async def closed(stream: AsyncChatModelStream) -> None:
    """End a stream; of one that is over, wait for the callbacks: `aclose` would cut those of an error off."""
    producer = stream._producer_task  # noqa: SLF001 - nothing public waits for it after an error
    if stream.done and producer is not None:
        await asyncio.wait({producer})
    await stream.aclose()


def text_of(event: Any) -> str:
    """Return the text that an event shows."""
    return str((event.get("delta") or {}).get("text") or "")


def _block_of(event: Any) -> Mapping[str, Any]:
    """Return the content block that an event is about, or the piece of one."""
    return event.get("content") or event.get("content_block") or event.get("delta") or {}


def _is_reasoning(block: Mapping[str, Any]) -> bool:
    """Return whether a block is no part of the answer; of an unknown kind only its end tells."""
    kind = str(block.get("type", ""))
    if kind == "non_standard":
        value = block.get("value") or {}
        return not value or value.get("type") in REASONING
    return kind.removesuffix("-delta") in REASONING


def _is_broken(block: Mapping[str, Any]) -> bool:
    """Return whether a block is a tool call that cannot be read."""
    return block.get("type") == "invalid_tool_call"
