"""What is asked and what is allowed: the first room of the flow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_router.constraints import Constraints

Phase = Literal["user_turn", "tool_result", "other"]
"""Where an agent stands: answering the user, reading a tool's result, or neither."""

_BLOCK_CAPABILITIES = {
    "image": "image_inputs",
    "image_url": "image_inputs",
    "image_file": "image_inputs",
    "input_image": "image_inputs",
    "audio": "audio_inputs",
    "audio_url": "audio_inputs",
    "input_audio": "audio_inputs",
    "video": "video_inputs",
    "video_url": "video_inputs",
    "file": "pdf_inputs",
    "input_file": "pdf_inputs",
    "document": "pdf_inputs",
}
_MEDIA_CAPABILITIES = {"image": "image_inputs", "audio": "audio_inputs", "video": "video_inputs"}
_MOST_NESTED = 4
_MOST_LEAVES = 10_000
_LEAF_TOKENS = 2  # a number, a boolean or null, with what separates it
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
        answers: How many answers the call asks for (`n`), each of which is billed.
        pinned: Name of the only candidate that may answer, if the call names one.
        step: Name of the chain or agent step that asks (LangGraph's node), if known.
        thread_id: The conversation it belongs to, if known.
        tenant: Whom its cost is counted for, if the caller says so.
        memo: What was worked out from it, for those who need it again while it is decided.
    """

    messages: tuple[BaseMessage, ...] = field(repr=False)
    tools: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    response_schema: Mapping[str, Any] | None = field(default=None, repr=False)
    schema_by_tool_call: bool = False
    constraints: Constraints = field(default_factory=Constraints)
    max_output_tokens: int | None = None
    answers: int = 1
    pinned: str | None = None
    step: str | None = None
    thread_id: str | None = None
    tenant: str | None = None
    required: frozenset[str] = field(init=False, default=frozenset())
    prompt_tokens: int = field(init=False, default=0)
    memo: dict[str, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

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

    def _required(self) -> Iterator[str]:
        yield from self.constraints.require
        if self.tools:
            yield "tool_calling"
        if self.response_schema is not None:
            yield "structured_output"
        for message in self.messages:
            for block in blocks(message):
                needed = _needed_for(block)
                if needed is not None:
                    yield needed

    def _prompt_tokens(self) -> int:
        """Estimate in constant time per message; see `estimate_tokens` for its error."""
        total = _MESSAGE_TOKENS * len(self.messages)
        for message in self.messages:
            total += sum(estimate_tokens(text) for text in texts(message))
            total += sum(_BLOCK_TOKENS for block in blocks(message) if _needed_for(block) is not None)
            if isinstance(message, AIMessage):
                total += sum(_written_tokens(call["args"]) for call in message.tool_calls)
        return total + sum(_written_tokens(one) for one in (*self.tools, self.response_schema or ""))


def texts(message: BaseMessage) -> Iterator[str]:
    """Yield every piece of text in a message, whatever its content is."""
    yield from _texts_in(message.content, depth=0)


def blocks(message: BaseMessage) -> Iterator[Mapping[str, Any]]:
    """Yield the dict blocks of a multimodal message; nothing for plain text."""
    yield from _blocks_in(message.content, depth=0)


def _texts_in(content: object, *, depth: int) -> Iterator[str]:
    if isinstance(content, str):
        yield content
        return
    for part in content if isinstance(content, Sequence) and not isinstance(content, bytes) else ():
        if isinstance(part, str):
            yield part
        elif isinstance(part, Mapping):
            if isinstance(part.get("text"), str):
                yield part["text"]
            if depth < _MOST_NESTED:  # the result of a tool holds content of its own
                yield from _texts_in(part.get("content"), depth=depth + 1)


def _blocks_in(content: object, *, depth: int) -> Iterator[Mapping[str, Any]]:
    if isinstance(content, Iterable) and not isinstance(content, (str, bytes, Mapping)):
        for part in content:
            if isinstance(part, Mapping):
                yield part
                if depth < _MOST_NESTED:
                    yield from _blocks_in(part.get("content"), depth=depth + 1)


def _needed_for(block: Mapping[str, Any]) -> str | None:
    """Return the ability that a model needs to take this block; None for plain ones and unknown kinds."""
    kind = str(block.get("type"))
    if kind == "media":  # Google's form says what it is in its MIME type
        medium = str(block.get("mime_type")).partition("/")[0]
        return _MEDIA_CAPABILITIES.get(medium, "pdf_inputs")
    return _BLOCK_CAPABILITIES.get(kind)


def _written_tokens(value: object) -> int:
    """Estimate the tokens of a value written as JSON, without writing it: it may be huge."""
    total, left = 0, [value]
    for _ in range(_MOST_LEAVES):
        if not left:
            return total
        one = left.pop()
        if isinstance(one, str):
            total += estimate_tokens(one)
        elif isinstance(one, Mapping):
            left.extend(one.values())
            total += sum(1 + len(str(key)) // 4 for key in one)
        elif isinstance(one, (list, tuple)):
            left.extend(one)
        else:
            total += _LEAF_TOKENS
    return total + len(left) * _LEAF_TOKENS  # more leaves than are looked at one by one


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
