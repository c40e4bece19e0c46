"""Whether an answer comes to one result or to several that differ."""

from __future__ import annotations

import re

from langchain_router.checks.final_answers.text import normal_text
from langchain_router.checks.scoring.clues.reading import Answer, Question, capped

NAMES = ("results", "results_differ", "result_said_again", "alternatives")

_MARKER = re.compile(
    r"(?:answer|result|total)[*_]{0,2}(?:\s{1,3}(?:is|are|would be)\s{0,3}:?|\s{0,3}[:=])[*_$\\( ]{0,6}"
    r"([^\n.;]{1,60})|\\boxed\s?\{([^{}\n]{1,60})\}|####[ \t]{1,8}([^\n]{1,60})"
    r"|\"answer\"\s{0,5}:\s{0,5}\"?([^\"\n]{1,60})"
)
_OTHERWISE = (
    " alternatively ",
    " another way ",
    " another possibility ",
    " another option ",
    " another answer ",
)
_MOST = 12
_FIGURE = re.compile(r"-?\d[\d,]{0,20}(?:\.\d{1,12})?")


def clues(question: Question, answer: Answer) -> tuple[float, ...]:  # noqa: ARG001 - all clues are asked alike
    """Return how many results an answer states and whether they are one.

    Example:
        >>> from langchain_router.checks.scoring.clues.reading import read_answer, read_question
        >>> clues(read_question("6 * 7?"), read_answer("The answer is 42. No, the answer is 43."))[1]
        1.0
    """
    found = []
    for match in _MARKER.finditer(answer.lower):
        found.append(next(filter(None, match.groups()), ""))
        if len(found) == _MOST:
            break
    results = [_normal(one) for one in found]
    result = answer.result.text
    again = _normal(result) if 0 < len(result) <= 60 else ""
    return (
        capped(len(results), 4),
        float(len(set(results)) > 1),
        float(bool(again) and answer.lower.count(again) > 1),
        float(any(one in answer.spoken for one in _OTHERWISE)),
    )


def _normal(text: str) -> str:
    figures = _FIGURE.findall(text)
    return figures[0].replace(",", "") if len(figures) == 1 else normal_text(text)
