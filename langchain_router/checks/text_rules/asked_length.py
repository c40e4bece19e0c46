"""How much text a request asks for at least, where it says so: an essay, 500 words, an explanation in detail.

Most requests ask for no length at all, and then any answer is long enough: "Yes", "42" and "B" are answers.
"""

from __future__ import annotations

import re

from langchain_router.checks.text_rules import asked_length_phrases as phrases
from langchain_router.checks.text_rules.answer_text import HEAD_CHARS
from langchain_router.signals.text import TextView

MOST_WORDS = 400
"""No answer is asked for more than this, however long a text was ordered."""

_ZONE_CHARS = 300  # an instruction stands at either end of a request
_SHARE = 0.25  # of the length that was ordered: far too short, not a little
_PER = {"paragraph": 12, "page": 80, "sentence": 2}  # words

_FLAGS = re.IGNORECASE | re.VERBOSE
_ORDERS = (
    (re.compile(phrases.LONG_TEXTS, _FLAGS), 40),
    (re.compile(phrases.EXPLANATIONS, _FLAGS), 20),
    (re.compile(phrases.SHORTER_TEXTS, _FLAGS), 15),
)
_BRIEF = re.compile(phrases.BRIEF, _FLAGS)
_COUNTED = re.compile(phrases.COUNTED, _FLAGS)
_ACKNOWLEDGES = re.compile(rf"\W*(?:(?:{phrases.ACKNOWLEDGEMENTS})\W*){{1,3}}\Z", _FLAGS)
_TASK = re.compile(phrases.TASKS, _FLAGS)

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # two of these signs say about a word


def least_words(seen: TextView) -> int:
    """Return how many words an answer needs so as not to be far too short; 0 where no length is asked for.

    Example:
        >>> least_words(TextView(head="Write an essay about the sea."))
        40
        >>> least_words(TextView(head="Is this essay good: yes or no?"))
        0
    """
    zones = _instructions(seen)
    counted = _COUNTED.search(zones)
    least = (
        _ordered(counted) if counted else next((words for order, words in _ORDERS if order.search(zones)), 0)
    )
    return 0 if least and _BRIEF.search(zones) else min(least, MOST_WORDS)


def is_shorter(answer: str, words: int) -> bool:
    """Return whether an answer has fewer words; a long one is not counted."""
    if len(answer) >= HEAD_CHARS:
        return False
    dense = len(_DENSE.findall(answer))
    return len(_WORD.findall(_DENSE.sub(" ", answer))) + dense / 2 < words


def only_acknowledges(answer: str) -> bool:
    """Return whether the answer is no more than "Sure!" or "Here you go:"."""
    return len(answer) <= 80 and _ACKNOWLEDGES.match(answer.replace("\u2019", "'")) is not None


def orders_a_text(seen: TextView) -> bool:
    """Return whether a request orders something to be written, explained or listed."""
    return _TASK.search(_instructions(seen)) is not None


def _ordered(counted: re.Match[str]) -> int:
    if counted["signs"]:
        return round(int(counted["signs"]) / 2 * _SHARE)
    number = phrases.NUMBERS.get(counted["count"].lower()) or int(re.sub(r"\D", "", counted["count"]))
    unit = counted["unit"].lower()
    return round(number * _SHARE) if unit == "word" else number * _PER[unit]


def _instructions(seen: TextView) -> str:
    """Return both ends of a request, where its instruction stands."""
    if seen.chars <= 2 * _ZONE_CHARS:
        return seen.head.replace("\u2019", "'")
    return f"{seen.head[:_ZONE_CHARS]}\n{(seen.tail or seen.head)[-_ZONE_CHARS:]}".replace("\u2019", "'")
