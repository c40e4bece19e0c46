"""How long an answer is, for itself and beside its question, and what it is made of."""

from __future__ import annotations

import math
import re

from langchain_router.checks.scoring.clues.reading import Answer, Question, capped

NAMES = (
    "empty",
    "length",
    "length_squared",
    "length_beside_question",
    "question_length",
    "very_short",
    "long",
    "lines",
    "headings",
    "bold",
    "latex",
    "numbers",
    "repeats_question",
    "words_of_question",
    "long_words",
    "different_words",
)

_WORD = re.compile(r"[^\W_]+")
_LONG_WORD = 5
_DIGITS = re.compile(r"[0-9]+")


def clues(question: Question, answer: Answer) -> tuple[float, ...]:
    """Return what an answer looks like from afar.

    Example:
        >>> from langchain_router.checks.scoring.clues.reading import read_answer, read_question
        >>> clues(read_question("Why?"), read_answer(""))[0]
        1.0
    """
    text = answer.text
    log_chars = math.log1p(answer.chars)
    length = (log_chars - 5.0) / 3.0
    words = answer.words
    asked = question.once(_long_words)
    distinct = set(words)
    opening = question.text[:60]
    return (
        float(not text.strip()),
        length,
        length * length - 0.5,
        (log_chars - math.log1p(question.chars)) / 3.0,
        (math.log1p(question.chars) - 5.0) / 3.0,
        float(len(words) <= 3),
        float(answer.chars > 2_000),
        capped(text.count("\n"), 40),
        capped(text.count("\n#"), 5),
        capped(text.count("**"), 20),
        capped(text.count("\\"), 40),
        capped(len(_DIGITS.findall(text)) / (len(words) or 1), 1.0),
        float(len(opening) > 20 and opening in text),
        len(asked & distinct) / len(asked) if asked else 0.0,
        capped(sum(map(len, words)) / (len(words) or 1), 10.0),
        len(distinct) / (len(words) or 1),
    )


def _long_words(text: str) -> frozenset[str]:
    return frozenset(word for word in _WORD.findall(text.lower()) if len(word) >= _LONG_WORD)
