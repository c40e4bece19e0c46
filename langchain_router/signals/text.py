"""Bounded views of a request: what both layers read, and all that they read.

A prompt can be ten megabytes long. What it asks for stands almost always in its first or its last
lines, so the layers read a window at each end and a few facts that cost nothing to know.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from langchain_core.messages import BaseMessage, ChatMessage, HumanMessage, SystemMessage

from langchain_router.request import Phase, RoutingRequest, texts
from langchain_router.signals.routing_talk import without_routing_talk

HEAD_CHARS = 1_800
"""How much is read from the start of the last human message."""

TAIL_CHARS = 900
"""How much is read from its end, when it is longer than the head."""

SYSTEM_CHARS = 800
"""How much is read from the start of the system message."""

_MESSAGES_SEEN = 200  # how far back turns are counted
_SYSTEM_SEEN = 4  # a system message stands among the first messages
_SCHEMA_NODES = 200
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[.?!:;\n]")
QUESTION_MARKS = ("?", "\uff1f", "\u061f")
"""Latin, full-width and Arabic."""

BREAKS = frozenset(".?!:;\n")
"""Tokens of `words` that end a clause."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaShape:
    """What a JSON schema asks for, in numbers.

    Attributes:
        fields: How many properties it names, at all depths.
        closed: How many of its parts can only take one of a few values (an enum, a constant, a boolean).
        lists: How many of its parts are arrays.
    """

    fields: int = 0
    closed: int = 0
    lists: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TextView:
    """The part of a request that the two layers read.

    Attributes:
        head: Start of the last human message, at most `HEAD_CHARS` characters, without what speaks to whoever
            routes it.
        tail: End of it, at most `TAIL_CHARS` characters; empty when the head holds the whole message.
        system: Start of the system message, at most `SYSTEM_CHARS` characters.
        chars: Length of the whole last human message, in characters, without the same.
        system_chars: Length of the whole system message, in characters.
        turns: Human messages among the last 200 messages.
        tools: How many tools the model may call.
        phase: Whether the model answers the user or reads a tool's result.
        schema: Shape of the answer's schema; `None` where the answer is free.
    """

    head: str = field(default="", repr=False)
    tail: str = field(default="", repr=False)
    system: str = field(default="", repr=False)
    chars: int = 0
    system_chars: int = 0
    turns: int = 0
    tools: int = 0
    phase: Phase = "other"
    schema: SchemaShape | None = None

    @property
    def window(self) -> str:
        """Both ends of the last human message, joined by a line break where something lies between."""
        return f"{self.head}\n{self.tail}" if self.tail else self.head


def view(request: RoutingRequest) -> TextView:
    """Return the bounded view of a request. Never raises, and never copies a whole prompt.

    Example:
        >>> from langchain_core.messages import HumanMessage
        >>> seen = view(RoutingRequest(messages=(HumanMessage("x" * 1_000_000 + " Summarise this."),)))
        >>> seen.chars, len(seen.head), seen.tail.endswith("Summarise this.")
        (1000016, 1800, True)
    """
    known: TextView | None = request.memo.get("text_view")
    if known is None:
        known = request.memo["text_view"] = _view(request)
    return known


def _view(request: RoutingRequest) -> TextView:
    recent = request.messages[-_MESSAGES_SEEN:]
    human = [message for message in recent if _is_human(message)]
    said = list(texts(human[-1])) if human else []
    told = next(
        (list(texts(m)) for m in request.messages[:_SYSTEM_SEEN] if isinstance(m, SystemMessage)),
        [],
    )
    chars = sum(map(len, said))
    start, end = _start(said, HEAD_CHARS), _end(said, min(TAIL_CHARS, max(0, chars - HEAD_CHARS)))
    head, tail = without_routing_talk(start), without_routing_talk(end)
    return TextView(
        head=head,
        tail=tail,
        system=_start(told, SYSTEM_CHARS),
        chars=chars - (len(start) - len(head)) - (len(end) - len(tail)),
        system_chars=sum(map(len, told)),
        turns=len(human),
        tools=len(request.tools),
        phase=request.phase,
        schema=None if request.response_schema is None else schema_shape(request.response_schema),
    )


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, with clause breaks as tokens of their own.

    Example:
        >>> words("Don't stop: go on!")
        ["don't", 'stop', ':', 'go', 'on', '!']
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).replace("\u2019", "'")
    return _WORD.findall(text.lower())


def schema_shape(schema: Mapping[str, Any]) -> SchemaShape:
    """Count what a JSON schema asks for, looking at no more than 200 of its parts.

    Example:
        >>> schema_shape({"properties": {"label": {"enum": ["spam", "ham"]}}})
        SchemaShape(fields=1, closed=1, lists=0)
    """
    fields = closed = lists = 0
    for node in islice(_nodes(schema), _SCHEMA_NODES):
        properties = node.get("properties")
        fields += len(properties) if isinstance(properties, Mapping) else 0
        closed += "enum" in node or "const" in node or node.get("type") == "boolean"
        lists += node.get("type") == "array"
    return SchemaShape(fields=fields, closed=closed, lists=lists)


def _is_human(message: BaseMessage) -> bool:
    return isinstance(message, HumanMessage) or (isinstance(message, ChatMessage) and message.role == "user")


def _start(parts: Sequence[str], limit: int) -> str:
    taken: list[str] = []
    for part in parts:
        if limit <= 0:
            break
        taken.append(part[:limit])
        limit -= len(part) + 1
    return "\n".join(taken)


def _end(parts: Sequence[str], limit: int) -> str:
    taken: list[str] = []
    for part in reversed(parts):
        if limit <= 0:
            break
        taken.append(part[-limit:])
        limit -= len(part) + 1
    return "\n".join(reversed(taken))


def _nodes(root: object) -> Iterator[Mapping[str, Any]]:
    waiting: list[object] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            yield node
            waiting.extend(islice(node.values(), _SCHEMA_NODES))
        elif isinstance(node, list):
            waiting.extend(node[:_SCHEMA_NODES])
