"""How far a stream of v3 events is read before its answer is decided on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models._compat_bridge import message_to_events
from langchain_core.language_models.chat_model_stream import AsyncChatModelStream, ChatModelStream
from langchain_core.messages import AIMessage

from langchain_router.chat.reading import Begun, Reading
from langchain_router.chat.replies import check_is_finished, fault_of
from langchain_router.execution.moves import Reply
from langchain_router.request import estimate_tokens

Stream = TypeVar("Stream", ChatModelStream, AsyncChatModelStream)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventReading(Reading):
    """How to read one stream of events."""

    def is_far_enough(self, held: list[Any]) -> bool:
        """Return whether what was read will do to decide."""
        if self.until == "end" or held[-1].get("event") == "message-start":
            return False
        if self.whole_if_used and any(_is_used(event) for event in held):
            return False
        return self.until == "shown" or sum(estimate_tokens(text_of(event)) for event in held) >= self.tokens


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


def _is_used(event: Any) -> bool:
    """Return whether a program uses this event: it belongs to a tool call."""
    block = event.get("content") or event.get("content_block") or event.get("delta") or {}
    return "tool_call" in str(block.get("type", ""))
