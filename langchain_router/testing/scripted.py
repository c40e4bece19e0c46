"""A chat model that says what it was given, in turn."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import PrivateAttr

from langchain_router.chat.stamp import as_chunk
from langchain_router.exceptions import ConfigurationError
from langchain_router.request import estimate_tokens
from langchain_router.testing.openai_api import pieces
from langchain_router.wording import kind_of


class ScriptedChatModel(BaseChatModel):
    """Gives its answers in turn, over and over; streams them word by word.

    Texts get a finish reason and estimated usage, as a provider's answers have them.

    Args:
        answers: Texts or messages, at least one.

    Raises:
        ConfigurationError: They are not a list of these.
    """

    answers: tuple[AIMessage, ...]

    _turn: Iterator[int] = PrivateAttr(default_factory=itertools.count)

    def __init__(self, *, answers: Sequence[str | AIMessage]) -> None:
        super().__init__(answers=_checked(answers))

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Accept any tools; the answers stay what they are."""
        return self.bind(tools=[convert_to_openai_tool(tool) for tool in tools], **kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - answers are not cut
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - the caller reports tokens
        **kwargs: Any,  # noqa: ARG002
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._next(messages))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002 - as above
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> Iterator[ChatGenerationChunk]:
        message = self._next(messages)
        for piece in pieces(message.text):
            yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
        last = as_chunk(message.model_copy(update={"content": ""}))
        last.chunk_position = "last"
        yield ChatGenerationChunk(message=last)

    def _next(self, messages: list[BaseMessage]) -> AIMessage:
        answer = self.answers[next(self._turn) % len(self.answers)]
        asked, said = count_tokens_approximately(messages), estimate_tokens(answer.text)
        usage = UsageMetadata(input_tokens=asked, output_tokens=said, total_tokens=asked + said)
        reason = "tool_calls" if answer.tool_calls else "stop"
        return answer.model_copy(
            update={
                "response_metadata": {"finish_reason": reason, **answer.response_metadata},
                "usage_metadata": answer.usage_metadata or usage,
            }
        )

    @property
    def _llm_type(self) -> str:
        return "scripted-chat-model"


def _checked(answers: object) -> tuple[AIMessage, ...]:
    if isinstance(answers, (str, AIMessage)) or not isinstance(answers, Iterable):
        raise ConfigurationError(f"answers must be a list, got {kind_of(answers)}. Write answers=[...].")
    made = [AIMessage(answer) if isinstance(answer, str) else answer for answer in answers]
    stray = next((one for one in made if not isinstance(one, AIMessage)), None)
    if stray is not None or not made:
        got = "none" if not made else kind_of(stray)
        raise ConfigurationError(f"answers must be texts or AIMessages, at least one, got {got}.")
    return tuple(made)
