"""Whether a text says the same over and over, as a model does that has lost its way."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

_TAIL_CHARS = 4_000  # a model that is caught in a loop does not come out of it
_LONGEST_UNIT = 200
_LEAST_TIMES = 6
_LEAST_CHARS = 100
_LEAST_CHARS_OF_SIGNS = 600  # rules, borders and zeros are drawn with signs
_LINE_CHARS = 4
_LINES = 8
_LINES_SHARE = 0.5
_WORDS = 80
_DISTINCT_SHARE = 0.25
_WORD = re.compile(r"[^\W\d_]+")
_WORD_OR_NUMBER = re.compile(r"[^\W_]+")

_WANTED = re.compile(
    r"\b(?:repeat|repeated\w*|repetiti\w+|over and over|\d+ times|(?:hundred|thousand) times|chant|lyrics"
    r"|song|repite|repetir|veces|répète\w*|répéter|fois|wiederhol\w+|mal hintereinander|repita|vezes|ripeti"
    r"|volte|herhaal\w*|повтор\w+)\b|重复|重複|繰り返|反复|遍|반복",
    re.IGNORECASE,
)


def asks_for_repetition(request: str) -> bool:
    """Return whether a request asks for the same several times, or for a song with a chorus."""
    return _WANTED.search(request) is not None


def repeats_itself(text: str) -> str | None:
    """Return in words what is said over and over at the end of a text, or None.

    Example:
        >>> repeats_itself("And then it rained. " * 20)
        'the same words come over and over'
    """
    tail = text[-_TAIL_CHARS:].rstrip()
    if _repeats_a_line(tail):
        return "the same line comes over and over"
    if _ends_in_a_loop(tail) or _says_few_things(tail):
        return "the same words come over and over"
    return None


def _repeats_a_line(tail: str) -> bool:
    lines = [line.strip() for line in tail.split("\n")]
    lines = [line for line in lines if len(line) >= _LINE_CHARS and _WORD.search(line)]
    if len(lines) < _LINES:
        return False
    run = longest = 1
    for before, line in pairwise(lines):
        run = run + 1 if line == before else 1
        longest = max(longest, run)
    return longest >= _LEAST_TIMES and longest >= len(lines) * _LINES_SHARE


def _ends_in_a_loop(tail: str) -> bool:
    """Return whether the end is one short unit again and again, wherever in the unit it stops."""
    for length in range(1, _LONGEST_UNIT + 1):
        unit = tail[-length:]
        if not tail.endswith(unit * _LEAST_TIMES):
            continue
        least = _LEAST_CHARS if _WORD.search(unit) else _LEAST_CHARS_OF_SIGNS
        times = max(_LEAST_TIMES, -(-least // length))
        if len(tail) >= times * length and tail.endswith(unit * times):
            return True
    return False


def _says_few_things(tail: str) -> bool:
    """Return whether most runs of three words came before, in prose; code and tables may do that."""
    if "```" in tail or "|" in tail or "\t" in tail:
        return False
    words = [word.lower() for word in _WORD_OR_NUMBER.findall(tail)]
    if len(words) < _WORDS or sum(map(str.isalpha, words)) < len(words) / 2:
        return False
    threes = Counter(zip(words, words[1:], words[2:], strict=False))
    return len(threes) / (len(words) - 2) < _DISTINCT_SHARE
