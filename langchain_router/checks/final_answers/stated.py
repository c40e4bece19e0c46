"""What an answer comes to, without the reasoning around it.

A model writes its result in one of a few ways: a field of a JSON object, a box, after "the answer is", or as
the whole of a short answer. Work is bounded: the result is looked for in the last 4,000 characters, or in
JSON of up to 50,000.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from langchain_router.checks.final_answers.data import NotJson, canonical, embedded_objects, whole_json
from langchain_router.checks.final_answers.text import is_short

TAIL_CHARS = 4_000
"""How much of an answer's end is read."""

_FIELDS = ("answer", "final_answer", "finalanswer", "final answer")
_FIELD_NAME = re.compile(r'"(?:final[_ ]?)?answer"\s{0,20}:', re.IGNORECASE)
_MARKER = re.compile(
    r"(?:(?:final|correct|right|best)\s{1,5}(?:answer|option|choice)|answer)[*_]{0,2}"
    r"(?:\s{1,5}(?:is|are|would be|should be|must be)\s{0,5}:?|\s{0,5}[:=])"
    r"[*_]{0,2}[ \t]{0,8}\n?[ \t]{0,8}(?=\S)"
    r"|^####[ \t]{1,8}",
    re.IGNORECASE | re.MULTILINE,
)
_SENTENCE_END = re.compile(r"[.!?](?=\s{1,5}[A-Z(]|\s{0,5}$)")
_NEW_TURN = re.compile(r"\n\s{0,10}(?:Q|Question|Human|User)\s?:")
_BOX = re.compile(r"\\boxed\s?\{")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """The result that an answer states.

    Attributes:
        value: A JSON value where it was a field of a JSON object or the whole answer was JSON, else a text.
        marked: Whether the answer itself sets it apart; if not, `value` is the end of the answer.
    """

    value: Any = field(repr=False)
    marked: bool

    @property
    def text(self) -> str:
        """The result as a text."""
        if isinstance(self.value, str):
            return self.value
        try:
            return canonical(self.value)
        except NotJson:
            return ""


def stated(text: str) -> Stated:
    """Return the result that an answer states. Never raises.

    Example:
        >>> stated('{"reasoning": "6 * 8", "answer": "$48"}').value
        '$48'
        >>> stated("6 * 8 = 48. The answer is $48 in all.").text
        '$48 in all'
    """
    for found in embedded_objects(text):
        lowered = {str(key).casefold(): value for key, value in found.items()}
        for name in _FIELDS:
            if name in lowered:
                return Stated(value=lowered[name], marked=True)
    try:
        return Stated(value=whole_json(text), marked=True)
    except NotJson:
        pass
    before_play = _before_play(text)
    tail = before_play[-TAIL_CHARS:]
    marked = _in_broken_json(tail) or _boxed(tail) or _after_marker(tail)
    if marked:
        return Stated(value=marked, marked=True)
    tail = text[-TAIL_CHARS:].strip()
    return Stated(value=tail, marked=len(text) <= TAIL_CHARS and is_short(tail))


def _before_play(text: str) -> str:
    """Return the answer proper of a model that then plays on and puts questions to itself."""
    turn = _NEW_TURN.search(text[:TAIL_CHARS])
    return text[: turn.start()] if turn and _MARKER.search(text[: turn.start()]) else text


def _in_broken_json(text: str) -> str | None:
    """Return the last field of a JSON object that does not parse, as one with a stray quote in it."""
    end = text.rstrip().removesuffix("```").rstrip()
    if not end.endswith("}"):
        return None
    names = list(_FIELD_NAME.finditer(end))
    return end[names[-1].end() : -1].strip(" \t\r\n,").strip('"') or None if names else None


def _boxed(text: str) -> str | None:
    """Return what stands in the last box, whose braces may nest."""
    starts = [match.end() for match in _BOX.finditer(text)]
    depth = 1
    for at in range(starts[-1], len(text)) if starts else ():
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if not depth:
            return text[starts[-1] : at].strip() or None
    return None


def _after_marker(text: str) -> str | None:
    """Return the sentence after the last "the answer is", if it is a short one."""
    ends = [match.end() for match in _MARKER.finditer(text)]
    if not ends:
        return None
    line = text[ends[-1] :].strip().split("\n", 1)[0]
    end = _SENTENCE_END.search(line)
    sentence = (line[: end.start()] if end else line).strip(" \t*_")
    return sentence if sentence and is_short(sentence) else None
