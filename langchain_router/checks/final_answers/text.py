"""Texts in one form, to be compared: short ones exactly, long ones by the words that they share."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

SHORT_CHARS = 200
"""Longest answer that is compared exactly; a longer one is an explanation or an essay."""

SHORT_WORDS = 12
"""Most words of an answer that is compared exactly."""

_MOST_COMPARED_WORDS = 2_000
_MOST_COMPARED_CHARS = 16_000
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]|[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
)
_EDGES = " \t\r\n.,;:!?*_`\"'\u201c\u201d\u2018\u2019«»()"
_ARTICLE = re.compile(r"(?:a|an|the) ")
_QUOTED = re.compile(r"'[^'\n]*'|\"[^\"\n]*\"")
_AROUND_SIGNS = re.compile(r" ?([\[\](){},:]) ?")
_PYTHON_WORDS = {"True": "true", "False": "false", "None": "null"}
_PYTHON_WORD = re.compile(r"\b(?:True|False|None)\b")


def is_short(text: str) -> bool:
    """Say whether an answer is short enough to be compared exactly."""
    return len(text) <= SHORT_CHARS and len(text.split()) <= SHORT_WORDS


def normal_text(text: str) -> str:
    """Return a short answer without what does not change it: case, markup, quotes, a full stop, an article.

    Example:
        >>> normal_text("**The Danube.**")
        'danube'
    """
    text = unicodedata.normalize("NFKC", text[:SHORT_CHARS]).casefold()
    text = " ".join(text.strip(_EDGES).split())
    return _ARTICLE.sub("", text, count=1) if _ARTICLE.match(text) else text


def normal_code(text: str) -> str:
    """Return a literal without what does not change it: spaces and kind of quotes outside and inside.

    Case stays: in code it is part of the value.

    Example:
        >>> normal_code("['a',  True]"), normal_code("hello"), normal_code("'hello'")
        ('["a",true]', 'hello', 'hello')
    """
    text = text.strip().strip("`").strip()
    parts, end = [], 0
    for quoted in _QUOTED.finditer(text):
        parts += [_bare(text[end : quoted.start()]), f'"{quoted[0][1:-1]}"']
        end = quoted.end()
    parts.append(_bare(text[end:]))
    joined = "".join(parts)
    is_one_string = len(joined) > 1 and joined[0] == joined[-1] == '"' and joined.count('"') == 2
    return joined[1:-1] if is_one_string else joined


def similarity(one: str, other: str) -> float:
    """Return how far two texts use the same words, 0..1: Dice's share of the words counted with repeats.

    Word order and meaning play no part. At most the first 2,000 words of each are read.

    Example:
        >>> similarity("The cat sat on the mat.", "On the mat the cat sat!")
        1.0
    """
    words = [Counter(_words(text)) for text in (one, other)]
    total = words[0].total() + words[1].total()
    return 2 * (words[0] & words[1]).total() / total if total else 0.0


def _words(text: str) -> list[str]:
    return _WORD.findall(text[:_MOST_COMPARED_CHARS].casefold())[:_MOST_COMPARED_WORDS]


def _bare(text: str) -> str:
    text = _AROUND_SIGNS.sub(r"\1", " ".join(f"|{text}|".split()))[1:-1]  # bars keep the spaces at the ends
    return _PYTHON_WORD.sub(lambda word: _PYTHON_WORDS[word[0]], text)
