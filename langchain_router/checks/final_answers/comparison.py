"""Whether two answers to one request come to the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from langchain_core.messages import AIMessage

from langchain_router.checks.final_answers.choice import choice, yes_or_no
from langchain_router.checks.final_answers.cues import Cues
from langchain_router.checks.final_answers.data import NotJson, canonical, tool_calls_in, whole_json
from langchain_router.checks.final_answers.number import Number, last_number, same_number, stated_number
from langchain_router.checks.final_answers.stated import TAIL_CHARS, Stated, stated
from langchain_router.checks.final_answers.text import is_short, normal_code, normal_text, similarity

Kind = Literal["auto", "number", "choice", "json", "text"]
"""As what two answers are compared; `"auto"` decides from the request and both answers."""

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What came of comparing two answers.

    Attributes:
        kind: As what they were compared.
        score: 1.0 or 0.0 where results are the same or not; for long texts their similarity.
        exact: False for long texts, whose similarity says little.
        problem: Why they could not be compared, in words; empty when they could.
    """

    kind: str
    score: float
    exact: bool = True
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    text: str
    result: Stated


def compare(asked: Cues, one: AIMessage, other: AIMessage, kind: Kind = "auto") -> Compared:
    """Compare what two answers to the same request come to. Never raises, and never says what they say.

    Args:
        asked: What the request wants, from `cues`.
        one: An answer.
        other: Another.
        kind: As what to compare them; tool calls are compared as such whatever the kind.

    Example:
        >>> compare(Cues(), AIMessage("**Paris**"), AIMessage("The answer is Paris."))
        Compared(kind='text', score=1.0, exact=True, problem='')
    """
    calls = tool_calls_in(one), tool_calls_in(other)
    if calls != (None, None):
        return Compared(kind="tool calls", score=float(calls[0] == calls[1] != ()))
    texts = str(one.text), str(other.text)
    if not all(text.strip() for text in texts):
        return Compared(kind=kind, score=0.0, problem="an answer is empty")
    pair = [_Answer(text=text, result=stated(text)) for text in texts]
    if kind == "number":
        return _same("number", [_number(answer) for answer in pair], same_number)
    if kind == "choice":
        return _same("choice", [_choice(answer, asked) or _letter(answer) for answer in pair])
    if kind == "json":
        return _same("json", [_json(answer) for answer in pair])
    return _compare_text(asked, pair) if kind == "text" else _compare_auto(asked, pair)


def _compare_auto(asked: Cues, pair: list[_Answer]) -> Compared:
    """Take the first kind that the request and an answer point to; the other must then be of it too."""
    if asked.options or asked.yes_no:
        picked = [_choice(answer, asked) for answer in pair]
        if any(picked):
            return _same("choice", picked)
    if asked.schema:
        return _same("json", [_json(answer) for answer in pair])
    if asked.code:  # in its results `1 a` and `1 b`, or `a` and `A`, are not the same
        return _compare_text(asked, pair)
    if any(_clear_number(answer) for answer in pair):
        return _same("number", [_number(answer) for answer in pair], same_number)
    if asked.number and any(numbers := [_number(answer) for answer in pair]):
        return _same("number", numbers, same_number)
    said = [yes_or_no(answer.result.text) if answer.result.marked else None for answer in pair]
    if all(said):
        return _same("choice", said)
    if any(isinstance(answer.result.value, (dict, list)) for answer in pair):
        return _same("json", [_json(answer) for answer in pair])
    return _compare_text(asked, pair)


def _compare_text(asked: Cues, pair: list[_Answer]) -> Compared:
    texts = [answer.result.text if answer.result.marked else answer.text for answer in pair]
    short = [is_short(text) for text in texts]
    if not any(short):
        return Compared(kind="text", score=similarity(*texts), exact=False)
    if not all(short):
        return Compared(kind="text", score=0.0, problem="one answer is short and the other long")
    if asked.code:  # where an empty string is a result like any other
        return _same("text", [normal_code(text) for text in texts])
    return _same("text", [normal_text(text) or None for text in texts])


def _same(kind: str, pair: list[Any], same: Callable[[Any, Any], bool] | None = None) -> Compared:
    one, other = pair
    if one is None or other is None:
        return Compared(kind=kind, score=0.0, problem=f"an answer gives no {kind}")
    return Compared(kind=kind, score=float(one == other if same is None else same(one, other)))


def _clear_number(answer: _Answer) -> Number | None:
    value, text = answer.result.value, answer.result.text
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return stated_number(text) if answer.result.marked and is_short(text) else None


def _number(answer: _Answer) -> Number | None:
    clear = _clear_number(answer)
    if clear is not None or not isinstance(answer.result.value, str):
        return clear
    return last_number(answer.result.text[-TAIL_CHARS:])


def _choice(answer: _Answer, asked: Cues) -> str | None:
    """Return the option picked, by the result that is stated or by how the answer opens."""
    opening = answer.text[:TAIL_CHARS]
    if not asked.options:
        return yes_or_no(answer.result.text) or yes_or_no(opening)
    picked = choice(answer.result.text, asked.options, stated=answer.result.marked)
    return picked or choice(opening, asked.options, stated=False)


def _letter(answer: _Answer) -> str | None:
    """Return a letter where the request lists no options that were understood."""
    return choice(answer.result.text, {}, stated=answer.result.marked)


def _json(answer: _Answer) -> str | None:
    value = answer.result.value
    try:
        return canonical(whole_json(value) if isinstance(value, str) else value)
    except NotJson:
        return None
