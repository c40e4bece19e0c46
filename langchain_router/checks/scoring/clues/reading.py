"""A question and an answer as the clues read them: both once, and in bounded parts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar, cast

from langchain_core.messages import AIMessage, HumanMessage

from langchain_router.checks.final_answers.cues import Cues, cues
from langchain_router.checks.final_answers.number import NUMBER_WORDS
from langchain_router.checks.final_answers.stated import Stated, stated
from langchain_router.checks.text_rules.answer_text import said
from langchain_router.request import RoutingRequest
from langchain_router.signals.text import view

_T = TypeVar("_T")

HEAD_CHARS = 4_000
"""How much of an answer is read from its start."""

TAIL_CHARS = 2_000
"""How much is read from its end, when it is longer than that."""

_MOST_PROMPT_CHARS = 100_000
_MOST_NUMBERS = 60
_MOST_WORDS = 800
_PLAIN_WORD = re.compile(r"[^\W_]+(?:'[a-z]+)?")
_NUMBER = re.compile(r"\d[\d,]{0,20}(?:\.\d{1,12})?")
_LARGEST_WORD = 12
_WORDS = {word: float(value) for word, value in NUMBER_WORDS.items() if value <= _LARGEST_WORD} | {
    "half": 2.0,
    "twice": 2.0,
    "double": 2.0,
    "triple": 3.0,
    "thrice": 3.0,
    "dozen": 12.0,
    "week": 7.0,
}
_WORD = re.compile("|".join(rf"\b{word}s?\b" for word in _WORDS), re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the clues read of a request.

    Attributes:
        text: Both ends of the last human message, at most 2,700 characters.
        chars: Length of the whole message.
        asked: The kind of answer it wants.
        numbers: Those in it, in figures or in small words.
        memo: What was worked out from it.
    """

    text: str = field(repr=False)
    chars: int
    asked: Cues
    numbers: frozenset[float] = field(repr=False)
    memo: dict[object, object] = field(default_factory=dict, repr=False, compare=False)

    def once(self, work: Callable[[str], _T]) -> _T:
        """Return what comes of working on the text, which is done once for all answers to the question."""
        if work not in self.memo:
            self.memo[work] = work(self.text)
        return cast("_T", self.memo[work])


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the clues read of an answer.

    Attributes:
        text: Both ends of it, at most 6,000 characters, without what its model thought aloud before.
        chars: Length of the whole answer.
    """

    text: str = field(repr=False)
    chars: int

    @cached_property
    def result(self) -> Stated:
        """What it comes to."""
        return stated(self.text)

    @cached_property
    def lower(self) -> str:
        """The text in lower case, with straight apostrophes."""
        return self.text.lower().replace("\u2019", "'")

    @cached_property
    def words(self) -> list[str]:
        """Its words and numbers in lower case, the first eight hundred."""
        return _PLAIN_WORD.findall(self.lower)[:_MOST_WORDS]

    @cached_property
    def spoken(self) -> str:
        """The same words in one line, with a space on either side of each, to look for phrases in."""
        return f" {' '.join(self.words)} "


def read_question(request: RoutingRequest | str) -> Question:
    """Return what the clues read of a request, or of a prompt. Never raises.

    Example:
        >>> sorted(read_question("Ann has 12 pens and loses a half. How many are left?").numbers)
        [2.0, 12.0]
    """
    left_out = 0
    if isinstance(request, str):
        if len(request) > _MOST_PROMPT_CHARS:
            left_out = len(request) - _MOST_PROMPT_CHARS
            half = _MOST_PROMPT_CHARS // 2
            request = request[:half] + request[-half:]
        request = RoutingRequest(messages=(HumanMessage(request),))
    seen = view(request)
    window = seen.window
    return Question(
        text=window,
        chars=seen.chars + left_out,
        asked=cues(request),
        numbers=frozenset(numbers_in(window)) | {_WORDS[one] for one in _small_words(window)},
    )


def read_answer(answer: AIMessage | str) -> Answer:
    """Return what the clues read of an answer. Never raises.

    Example:
        >>> read_answer("<think>Hm.</think>" + "x" * 1_000_000).chars
        1000000
    """
    text = said(AIMessage(answer) if isinstance(answer, str) else answer)
    cut = text if len(text) <= HEAD_CHARS + TAIL_CHARS else text[:HEAD_CHARS] + "\n" + text[-TAIL_CHARS:]
    return Answer(text=cut, chars=len(text))


def numbers_in(text: str) -> list[float]:
    """Return the numbers written in figures in a text, the first sixty of them.

    Example:
        >>> numbers_in("1,200 at $2.50")
        [1200.0, 2.5]
    """
    found = []
    for match in _NUMBER.finditer(text):
        found.append(float(match[0].replace(",", "")))
        if len(found) == _MOST_NUMBERS:
            break
    return found


def capped(count: float, most: float) -> float:
    """Return a count as a share of the most that makes a difference."""
    return min(count / most, 1.0)


def _small_words(text: str) -> set[str]:
    found = (word.lower() for word in _WORD.findall(text))
    return {word if word in _WORDS else word[:-1] for word in found}
