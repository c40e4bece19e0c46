"""JSON that an answer gives, and its equality irrespective of key order and number formatting."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from langchain_core.messages import AIMessage

_MOST_CHARS = 50_000
_MOST_NESTED = 40
_EXACT_BELOW = 1e15  # floats are exact integers up to here
_FENCE = re.compile(r"```[a-zA-Z0-9]{0,12}[ \t]{0,20}\n(.*?)```", re.DOTALL)


class NotJson(Exception):  # noqa: N818 - it is no error, but what a text is
    """The text holds no JSON that can be compared."""


def whole_json(text: str) -> Any:
    r"""Return the value of a text that is JSON, in a code fence or not.

    Raises:
        NotJson: It is something else, longer than 50,000 characters, or nested beyond 40 levels.

    Example:
        >>> whole_json('```json\n{"n": 1.0}\n```')
        {'n': 1.0}
    """
    if len(text) > _MOST_CHARS:
        raise NotJson
    text = text.strip()
    if len(text) > 6 and text.startswith("```") and text.endswith("```"):
        text = text[3:-3].partition("\n")[2].strip()
    if not text or text[0] not in '{["-0123456789tfn':
        raise NotJson
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        raise NotJson from None


def embedded_objects(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects that a text is or holds in code fences, the last one first."""
    if len(text) > _MOST_CHARS:
        text = text[-_MOST_CHARS:]
    for candidate in [text, *reversed(_FENCE.findall(text))]:
        try:
            value = whole_json(candidate)
        except NotJson:
            continue
        if isinstance(value, dict):
            yield value


def canonical(value: Any) -> str:
    """Return one text for all JSON values that are equal, whatever their key order and number formatting.

    Raises:
        NotJson: It is nested beyond 40 levels, or no JSON value.

    Example:
        >>> canonical({"b": 1e3, "a": " x "}) == canonical({"a": "x", "b": 1000})
        True
        >>> canonical(1) == canonical(True)
        False
    """
    return json.dumps(_normal(value, 0), sort_keys=True, separators=(",", ":"))


def tool_calls_in(message: AIMessage) -> tuple[str, ...] | None:
    """Return the tool calls of a message in one form, in sorted order; None when it makes none.

    A call whose arguments could not be parsed makes the whole `()`, which equals no other's calls.
    """
    if message.invalid_tool_calls:
        return ()
    if not message.tool_calls:
        return None
    try:
        return tuple(sorted(f"{call['name']} {canonical(call['args'])}" for call in message.tool_calls))
    except NotJson:
        return ()


def _normal(value: Any, depth: int) -> Any:
    if depth > _MOST_NESTED:
        raise NotJson
    if isinstance(value, dict):
        return {str(key): _normal(one, depth + 1) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_normal(one, depth + 1) for one in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        return int(value) if value.is_integer() and abs(value) < _EXACT_BELOW else value
    if isinstance(value, str):
        return value.strip()
    if value is None or isinstance(value, int):
        return value
    raise NotJson
