"""Whether an answer comes to its end."""

from __future__ import annotations

from langchain_router.checks.scoring.clues.reading import Answer, Question
from langchain_router.checks.text_rules.ending import breaks_off
from langchain_router.checks.text_rules.repetition import repeats_itself
from langchain_router.signals.text import QUESTION_MARKS

NAMES = (
    "breaks_off",
    "ends_with_stop",
    "ends_with_question",
    "ends_with_colon",
    "repeats_itself",
    "plays_on",
)

_TURNS = ("\nq:", "\nquestion:", "\nhuman:", "\nuser:", "\n### instruction")
_STOPS = (".", "!", "\u3002", "\uff01")


def clues(question: Question, answer: Answer) -> tuple[float, ...]:  # noqa: ARG001 - all clues are asked alike
    """Return how an answer ends.

    Example:
        >>> from langchain_router.checks.scoring.clues.reading import read_answer, read_question
        >>> clues(read_question("Why?"), read_answer("Because:"))
        (0.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    """
    end = answer.text[-40:].rstrip().rstrip("*_`\"')”")[-1:]
    return (
        float(breaks_off(answer.text, says_finished=False) is not None),
        float(end in _STOPS),
        float(end in QUESTION_MARKS),
        float(end == ":"),
        float(repeats_itself(answer.text) is not None),
        float(any(turn in answer.lower for turn in _TURNS)),
    )
