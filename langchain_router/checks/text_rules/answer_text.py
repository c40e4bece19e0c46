"""The text of an answer, and the bounded parts of it that are read."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from langchain_core.messages import AIMessage

HEAD_CHARS = 4_000
"""How much of an answer is read from its start; as much from its end."""

_FENCED = re.compile(r"(?P<fence>```|~~~).*?(?:(?P=fence)|\Z)", re.DOTALL)
_INLINE_CODE = re.compile(r"`[^`\n]{1,200}`")
_URL = re.compile(r"\bhttps?://\S+")
_THOUGHT = re.compile(r"\s{0,100}<think(?:ing)?>", re.IGNORECASE)
_THOUGHT_END = re.compile(r"</think(?:ing)?>\s*", re.IGNORECASE)
_THOUGHT_CHARS = 200_000  # what a model may think aloud before its answer


def said(message: AIMessage) -> str:
    """Return the text of an answer, without what its model thought aloud in front of it.

    A thought that never ends is left: then there is no answer yet.

    Example:
        >>> said(AIMessage("<think>Hm, 6 * 7.</think>42"))
        '42'
    """
    text = _text(message)
    if not _THOUGHT.match(text):
        return text
    end = _THOUGHT_END.search(text, 0, _THOUGHT_CHARS)
    return text[end.end() :] if end else text


def _text(message: AIMessage) -> str:
    """Return what `message.text` returns, without its copies of a text that can be megabytes long."""
    if isinstance(message.content, str):
        return message.content
    parts = [_part(block) for block in message.content]
    return parts[0] if len(parts) == 1 else "".join(parts)


def _part(block: str | dict[Any, Any]) -> str:
    if isinstance(block, str):
        return block
    text = block.get("text") if block.get("type") == "text" else None
    return text if isinstance(text, str) else ""


def thinks_aloud(text: str) -> bool:
    """Return whether a text from `said` still begins with a thought, one that never ends."""
    return _THOUGHT.match(text) is not None


def prose(text: str, limit: int) -> str:
    """Return the words at the start of a text, at most `limit` characters, without code and addresses.

    Example:
        >>> prose("Use `len`: ```len(x)``` See https://example.org/len now.", 100)
        'Use  :   See   now.'
    """
    plain = _FENCED.sub(" ", text[:HEAD_CHARS])
    return _URL.sub(" ", _INLINE_CODE.sub(" ", plain))[:limit]


def is_blank(text: str) -> bool:
    """Return whether a text shows nothing: white space, invisible characters, an empty code fence.

    Only both ends are read; an answer with thousands of blanks at either end is taken for blank.
    """
    ends = text if len(text) <= 2 * HEAD_CHARS else text[:HEAD_CHARS] + text[-HEAD_CHARS:]
    return not any(map(_shows, ends))


def _shows(char: str) -> bool:
    return char not in "`~\u2800\u3164" and unicodedata.category(char) not in _UNSEEN


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"})
