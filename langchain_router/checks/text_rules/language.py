"""Which language a text is in, when that is plain: by its script, and for Latin script by its small words."""

from __future__ import annotations

import re
from collections import Counter

from langchain_router.checks.text_rules.answer_text import prose
from langchain_router.checks.text_rules.language_words import LANGUAGE_NAMES, SMALL_WORDS

_SAMPLE_CHARS = 2_000
_REQUEST_CHARS = 1_500

_SCRIPTS = {
    "Cyrillic": r"\u0400-\u052f",
    "Greek": r"\u0370-\u03ff",
    "Hebrew": r"\u0590-\u05ff",
    "Arabic": r"\u0600-\u06ff\u0750-\u077f",
    "Devanagari": r"\u0900-\u097f",
    "Bengali": r"\u0980-\u09ff",
    "Tamil": r"\u0b80-\u0bff",
    "Thai": r"\u0e00-\u0e7f",
    "Georgian": r"\u10a0-\u10ff",
    "Korean": r"\u1100-\u11ff\uac00-\ud7af",
    "Japanese": r"\u3040-\u30ff",  # the syllables; Chinese has none
    "Chinese": r"\u3400-\u9fff",
    "Latin": r"A-Za-z\u00c0-\u024f\u1e00-\u1eff",
}
_IN_SCRIPT = {script: re.compile(f"[{signs}]") for script, signs in _SCRIPTS.items()}
_DENSE = frozenset({"Chinese", "Japanese", "Korean"})
_CLEAR_SHARE = 0.8
_SYLLABLES_SHARE = 0.1  # Japanese is written with Chinese signs between its own

_LETTERS_ASKED, _LETTERS_ANSWERED = 10, 40  # a dense script needs half as many
_WORDS_ASKED, _WORDS_ANSWERED = 3, 12  # small words
_SMALL_SHARE = 0.2  # of all words in plain prose
_DIFFERENT = 5  # small words, not one of them over and over
_LEAD = 1.5  # over the next language
_OTHERS_WORDS = 3  # small words of the answer's language in the request: it is in both

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_NAMED = re.compile(LANGUAGE_NAMES, re.IGNORECASE | re.VERBOSE)
_MARKED_AS_OTHER = re.compile(
    r"\btransl(?:at|iterat)|\btraduc|\btradui|übersetz|\btraduz|\btradur|перевед|перевод|翻译|翻譯|翻訳|번역"
)

_LANGUAGES_OF: dict[str, tuple[str, ...]] = {}
for _language, _words in SMALL_WORDS.items():
    for _word in _words.split():
        _LANGUAGES_OF[_word] = (*_LANGUAGES_OF.get(_word, ()), _language)


def names_a_language(request: str) -> bool:
    """Return whether a request names a language or asks for a translation."""
    return _NAMED.search(request) is not None or _MARKED_AS_OTHER.search(request.lower()) is not None


def is_in_another_language(answer: str, request: str) -> tuple[str, str] | None:
    """Return the languages of request and answer where both are plain and they differ, else None.

    Example:
        >>> german = "Das ist nicht so einfach, wie es auf den ersten Blick aussieht, und die Antwort hängt "
        >>> german += "davon ab, wie viel Zeit man mit der Frage verbringt und was man von ihr hat."
        >>> is_in_another_language(german, "What is the answer to the question?")
        ('English', 'German')
    """
    asked_in = language_of(request[:_REQUEST_CHARS], letters=_LETTERS_ASKED, small=_WORDS_ASKED)
    if asked_in is None:
        return None
    answered_in = language_of(prose(answer, _SAMPLE_CHARS), letters=_LETTERS_ANSWERED, small=_WORDS_ANSWERED)
    if answered_in is None or answered_in == asked_in:
        return None
    if _holds(request, answered_in) and (asked_in, answered_in) != ("Japanese", "Chinese"):
        return None
    return asked_in, answered_in


def language_of(text: str, *, letters: int, small: int) -> str | None:
    """Return the language, or for scripts that few languages share the script; None when it is not plain.

    Args:
        text: A short text.
        letters: How many letters of a script are enough.
        small: How many small words are enough for a language in Latin script.
    """
    if text.isascii():
        return _latin_language(text, small)
    counts = {script: len(found.findall(text)) for script, found in _IN_SCRIPT.items()}
    if counts["Japanese"] >= _SYLLABLES_SHARE * (counts["Japanese"] + counts["Chinese"]):
        counts["Japanese"] += counts.pop("Chinese")
    else:
        counts["Chinese"] += counts.pop("Japanese")
    script = max(counts, key=counts.__getitem__)
    if counts[script] < _CLEAR_SHARE * sum(counts.values()):
        return None
    if script == "Latin":
        return _latin_language(text, small)
    return script if counts[script] >= (letters / 2 if script in _DENSE else letters) else None


def _latin_language(text: str, least: int) -> str | None:
    words = _WORD.findall(text.lower().replace("\u2019", "'"))
    hits = Counter(language for word in words for language in _LANGUAGES_OF.get(word, ()))
    ranked = hits.most_common(2)
    if not ranked:
        return None
    language, most = ranked[0]
    second = ranked[1][1] if len(ranked) > 1 else 0
    plain = most >= least and most >= _SMALL_SHARE * len(words) and most >= _LEAD * second
    if not plain:
        return None
    different = {word for word in words if language in _LANGUAGES_OF.get(word, ())}
    return language if len(different) >= min(least, _DIFFERENT) else None


def _holds(request: str, language: str) -> bool:
    """Return whether a part of the request is in this language, e.g. the text that it is about."""
    signs = _IN_SCRIPT.get(language)
    if signs is not None:
        return signs.search(request) is not None
    words = set(_WORD.findall(request.lower().replace("\u2019", "'")))
    return sum(_LANGUAGES_OF.get(word) == (language,) for word in words) >= _OTHERS_WORDS
