"""How an answer says what it says: unsure, unwilling, correcting itself, in the language asked in."""

from __future__ import annotations

from langchain_router.checks.scoring.clues.reading import Answer, Question, capped
from langchain_router.checks.text_rules.language import is_in_another_language, names_a_language
from langchain_router.checks.text_rules.refusal import refuses

NAMES = (
    "unsure",
    "guesses",
    "speaks_of_itself",
    "lacks_facts",
    "turns_back",
    "asks_back",
    "apologises",
    "emphasises",
    "gives_reasons",
    "refuses",
    "other_language",
    "beyond_ascii",
)

_LANGUAGE_CHARS = 800


def _phrases(listed: str) -> tuple[str, ...]:
    return tuple(f" {' '.join(phrase.split())} " for phrase in listed.split("|"))


_SAID = (
    (
        3,
        _phrases(
            "perhaps|maybe|possibly|probably|presumably|might|uncertain|unclear|seems|appears|likely|not sure"
            "|not certain|not entirely|it depends|could be|assume|assuming"
        ),
    ),
    (
        1,
        _phrases(
            "i think|i believe|i guess|i suppose|i assume|my best guess|as far as i know|to my knowledge"
        ),
    ),
    (1, _phrases("as an ai|language model|i am an ai|i'm an ai|i'm just")),
    (
        1,
        _phrases(
            "not enough information|insufficient information|no information|cannot be determined|unable to"
            "|does not specify|does not provide|does not mention|need more information|none of the"
        ),
    ),
    (
        2,
        _phrases(
            "wait|actually|correction|i made a mistake|let me re|on second thought|oops|recheck|hold on"
        ),
    ),
    (1, _phrases("could you|can you|please clarify|please provide|please specify|would you like")),
    (1, _phrases("sorry|apologize|apologise|apologies|unfortunately")),
    (2, _phrases("clearly|obviously|definitely|certainly|of course|undoubtedly|must be")),
    (5, _phrases("because|therefore|since|thus|hence|so")),
)


def clues(question: Question, answer: Answer) -> tuple[float, ...]:
    """Return how an answer sounds. The words are English; refusals and languages are told in many.

    Example:
        >>> from langchain_router.checks.scoring.clues.reading import read_answer, read_question
        >>> clues(read_question("Why is it so?"), read_answer("I think, perhaps because it is."))[1]
        1.0
    """
    text = answer.text
    spoken = answer.spoken
    said = tuple(capped(sum(map(spoken.count, phrases)), most) for most, phrases in _SAID)
    start = text[:_LANGUAGE_CHARS]
    other = not question.once(_names_one) and is_in_another_language(start, question.text) is not None
    plain = len(start.encode("ascii", "ignore"))
    return (
        *said,
        float(refuses(text, question.text)),
        float(other),
        (len(start) - plain) / len(start) if start else 0.0,
    )


def _names_one(text: str) -> bool:
    return names_a_language(text)
