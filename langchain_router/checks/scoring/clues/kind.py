"""Whether what an answer comes to is of the kind that the question asks for."""

from __future__ import annotations

import re

from langchain_router.checks.final_answers.choice import choice, yes_or_no
from langchain_router.checks.final_answers.text import is_short
from langchain_router.checks.scoring.clues.reading import Answer, Question, numbers_in

NAMES = (
    "asks_number",
    "asks_choice",
    "asks_yes_no",
    "asks_list",
    "asks_short",
    "asks_steps",
    "number_given",
    "number_missing",
    "choice_given",
    "choice_missing",
    "choice_first",
    "choice_last",
    "yes_given",
    "no_given",
    "yes_no_missing",
    "list_given",
    "list_missing",
    "result_marked",
    "result_short",
    "only_the_result",
    "result_is_text",
)

_OPENING = 400
_ASKS_LIST = re.compile(
    r"\b(?:list|name|give|suggest|recommend|write|provide|generate|come up with|what are) (?:me |us )?"
    r"(?:\d+|two|three|four|five|six|seven|eight|nine|ten|some|several|a few|the top|the main|all)\b",
    re.IGNORECASE,
)
_ASKS_SHORT = re.compile(
    r"\b(?:print|answer|respond|reply|output|return)(?: \w+){0,3} only\b"
    r"|\bonly (?:print|answer|give|output|return|a|the)\b|\bsingle (?:\w+ )?(?:letter|word|choice|number)\b"
    r"|\bone word\b|\bno (?:explanation|other text)\b|\bwithout (?:any )?explanation"
    r"|\bdo not (?:provide|give|include|add) any\b",
    re.IGNORECASE,
)
_ASKS_STEPS = re.compile(r"\bstep[- ]by[- ]step\b|\bshow your (?:work|steps)|\bexplain your\b", re.IGNORECASE)
_LISTED = re.compile(r"^[ \t]{0,8}(?:[-*+•]|\d{1,3}[.)])[ \t]", re.MULTILINE)


def clues(question: Question, answer: Answer) -> tuple[float, ...]:
    """Return what kind of answer is asked for and what kind is given.

    Example:
        >>> from langchain_router.checks.scoring.clues.reading import read_answer, read_question
        >>> asked = read_question("How many legs has a spider?")
        >>> seen = dict(zip(NAMES, clues(asked, read_answer("It has many legs.")), strict=True))
        >>> seen["number_missing"]
        1.0
    """
    asked, result = question.asked, answer.result
    text = result.text
    opening = answer.text[:_OPENING]
    number = asked.number and not asked.options
    has_number = bool(numbers_in(text[-_OPENING:])) if number else False
    options = asked.options
    picked = (
        (choice(text[-2_000:], options, stated=result.marked) or choice(opening, options, stated=False))
        if options
        else None
    )
    yes_no = asked.yes_no and not options
    said = (yes_or_no(text) or yes_or_no(opening)) if yes_no else None
    listed, short, steps = question.once(_wanted)
    has_list = len(_LISTED.findall(answer.text)) > 1
    letters = list(options)
    return (
        float(number),
        float(bool(options)),
        float(yes_no),
        float(listed),
        float(short),
        float(steps),
        float(number and has_number),
        float(number and not has_number),
        float(picked is not None),
        float(bool(options) and picked is None),
        float(bool(letters) and picked == letters[0]),
        float(bool(letters) and picked == letters[-1]),
        float(said == "yes"),
        float(said == "no"),
        float(yes_no and said is None),
        float(has_list),
        float(listed and not has_list),
        float(result.marked),
        float(is_short(text)),
        float(result.marked and answer.chars < len(text) + 12),
        float(isinstance(result.value, str)),
    )


def _wanted(text: str) -> tuple[bool, ...]:
    """Return whether a question asks for a list, for no more than the result, and for steps."""
    return tuple(one.search(text) is not None for one in (_ASKS_LIST, _ASKS_SHORT, _ASKS_STEPS))
