"""What is asked and what is allowed: the first room of the flow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_router.constraints import Constraints

Phase = Literal["user_turn", "tool_result", "other"]
"""Where an agent stands: answering the user, reading a tool's result, or neither."""

_BLOCK_CAPABILITIES = {
    "image": "image_inputs",
    "image_url": "image_inputs",
    "input_image": "image_inputs",
    "audio": "audio_inputs",
    "input_audio": "audio_inputs",
    "video": "video_inputs",
    "file": "pdf_inputs",
    "input_file": "pdf_inputs",
    "document": "pdf_inputs",
}
_BLOCK_TOKENS = 1_000  # what one image or page is taken to weigh; providers bill 85 to 1,600
_MESSAGE_TOKENS = 4  # role and separators around each message
_TOKEN_SAMPLE_CHARS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRequest:
    """One request, as every later room sees it. Built once from LangChain's input and config.

    Attributes:
        messages: The conversation. Left out of `repr`: prompts are never printed.
        tools: Tool definitions in OpenAI's dict form.
        response_schema: JSON schema that the answer must follow, if any.
        schema_by_tool_call: Whether a tool call may carry the structured answer, so that a model which calls
            tools but has no native structured output will do.
        constraints: What the caller allows.
        max_output_tokens: The caller's own limit on the answer, if the call sets one.
        pinned: Name of the only candidate that may answer, if the call names one.
        step: Name of the chain or agent step that asks (LangGraph's node), if known.
        thread_id: The conversation it belongs to, if known.
    """

    messages: tuple[BaseMessage, ...] = field(repr=False)
    tools: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    response_schema: Mapping[str, Any] | None = field(default=None, repr=False)
    schema_by_tool_call: bool = False
    constraints: Constraints = field(default_factory=Constraints)
    max_output_tokens: int | None = None
    pinned: str | None = None
    step: str | None = None
    thread_id: str | None = None
    required: frozenset[str] = field(init=False, default=frozenset())
    prompt_tokens: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "required", frozenset(self._required()))
        object.__setattr__(self, "prompt_tokens", self._prompt_tokens())

    @property
    def phase(self) -> Phase:
        """Whether the model answers the user, reads a tool's result, or neither."""
        last = self.messages[-1] if self.messages else None
        if isinstance(last, ToolMessage):
            return "tool_result"
        return "user_turn" if isinstance(last, HumanMessage) else "other"

    def with_constraints(self, constraints: Constraints) -> RoutingRequest:
        """Return the same request under other constraints."""
        return replace(self, constraints=constraints)

    def _required(self) -> Iterator[str]:
        yield from self.constraints.require
        if self.tools:
            yield "tool_calling"
        if self.response_schema is not None:
            yield "structured_output"
        for message in self.messages:
            for block in blocks(message):
                kind = _BLOCK_CAPABILITIES.get(str(block.get("type")))
                if kind:
                    yield kind

    def _prompt_tokens(self) -> int:
        """Estimate in constant time per message; see `estimate_tokens` for its error."""
        total = _MESSAGE_TOKENS * len(self.messages)
        for message in self.messages:
            total += sum(estimate_tokens(text) for text in texts(message))
            total += sum(
                _BLOCK_TOKENS for block in blocks(message) if str(block.get("type")) in _BLOCK_CAPABILITIES
            )
            if isinstance(message, AIMessage):
                total += sum(estimate_tokens(str(call["args"])) for call in message.tool_calls)
        return total + sum(estimate_tokens(str(tool)) for tool in (*self.tools, self.response_schema or ()))


def texts(message: BaseMessage) -> Iterator[str]:
    """Yield every piece of text in a message, whatever its content is."""
    content = message.content
    if isinstance(content, str):
        yield content
        return
    for part in content if isinstance(content, Sequence) else ():
        if isinstance(part, str):
            yield part
        elif isinstance(part, Mapping) and isinstance(part.get("text"), str):
            yield part["text"]


def blocks(message: BaseMessage) -> Iterator[Mapping[str, Any]]:
    """Yield the dict blocks of a multimodal message; nothing for plain text."""
    content: object = message.content
    if isinstance(content, Iterable) and not isinstance(content, (str, bytes)):
        yield from (part for part in content if isinstance(part, Mapping))


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text without a tokenizer, in constant time.

    Four ASCII characters count as a token and every other character as one, measured on samples from
    the start, the middle and the end. That is right within about 30 % for English and code and errs
    upwards for Chinese, Japanese and Korean, which is the safe side for context windows and budgets.

    Args:
        text: Any text; lone surrogates and NUL count like other characters.

    Returns:
        At least 1 for a text that is not empty.

    Example:
        >>> estimate_tokens("four letters each, about four tokens")
        9
    """
    if not text:
        return 0
    if len(text) <= 3 * _TOKEN_SAMPLE_CHARS:
        sample = text
    else:
        middle = len(text) // 2
        sample = (
            text[:_TOKEN_SAMPLE_CHARS]
            + text[middle : middle + _TOKEN_SAMPLE_CHARS]
            + text[-_TOKEN_SAMPLE_CHARS:]
        )
    ascii_chars = len(sample.encode("ascii", "ignore"))
    per_char = (ascii_chars / 4 + (len(sample) - ascii_chars)) / len(sample)
    return max(1, round(per_char * len(text)))
