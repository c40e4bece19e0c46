"""Whether an answer begins as a refusal does.

A phrase such as "I cannot" says nothing in the middle of a text, and little in a story. So only the
beginning of a short answer is read, and a request that has to do with refusals is left alone.
"""

from __future__ import annotations

import re

from langchain_router.checks.text_rules import refusal_phrases as phrases

MOST_CHARS = 1_000
"""An answer longer than this goes on to answer after all, whatever its first words."""

_START_CHARS = 200
_FLAGS = re.IGNORECASE | re.VERBOSE

_ANY_EXCUSE = f"(?:{phrases.EXCUSES})"
_ANY_REFUSAL = f"(?:{phrases.REFUSALS}|{phrases.DOUBTS})"
_BETWEEN = rf"[\s,.!:;-]*(?:[^.!?\u3002\n]{{0,60}}?[\s,.!;-]+)??(?:{phrases.TURNS})?[\s,]*"
_SOON = r"[^.!?\u3002\n]{0,80}?"

_EXCUSED = re.compile(
    rf"\W*{_ANY_EXCUSE}(?:[\s,.!-]+{_ANY_EXCUSE})?(?:{_BETWEEN}{_ANY_REFUSAL}|{_SOON}(?:{phrases.AFTER_EXCUSES}))",
    _FLAGS,
)
_OPENLY = re.compile(
    rf"\W*(?:(?:hmm|oh|well|thanks?|thank\ you)\b[^.!?\n]{{0,40}}[,.!]\s+)?(?:{phrases.REFUSALS})", _FLAGS
)
_DOUBTFULLY = re.compile(rf"\W*(?:{phrases.DOUBTS})", _FLAGS)
_ONLY_EXCUSED = re.compile(rf"\W*{_ANY_EXCUSE}\W*\Z", _FLAGS)

_ABOUT_REFUSALS = re.compile(
    rf"{phrases.ABOUT_REFUSALS}|[{phrases.QUOTES}](?:{_ANY_REFUSAL}|{_ANY_EXCUSE})|{phrases.SAYS}{_ANY_REFUSAL}",
    _FLAGS,
)
_IN_ANOTHERS_VOICE = re.compile(phrases.OTHER_VOICES, _FLAGS)


def refuses(answer: str, request: str) -> bool:
    """Return whether the answer begins with a refusal that the request did not ask for.

    Args:
        answer: Its text; a long one is taken to answer after all.
        request: What was asked, with what the system message says about it.

    Example:
        >>> refuses("I'm sorry, but I can't help with that.", "Who won in 1998?")
        True
        >>> refuses("I can't wait to hear what you think of it!", "Write a cheerful ending.")
        False
    """
    if len(answer) > MOST_CHARS:
        return False
    start = _straight(answer[:_START_CHARS])
    if _EXCUSED.match(start) or _OPENLY.match(start) or _ONLY_EXCUSED.match(start):
        return _ABOUT_REFUSALS.search(_straight(request)) is None
    if _DOUBTFULLY.match(start):
        asked = _straight(request)
        return not _IN_ANOTHERS_VOICE.search(asked) and not _ABOUT_REFUSALS.search(asked)
    return False


def _straight(text: str) -> str:
    """Return a text with plain apostrophes and dashes, as the phrases are written."""
    return text.translate(_PLAIN_SIGNS)


_PLAIN_SIGNS = {0x2019: "'", 0x2013: "-", 0x2014: "-", 0xFF0C: ",", 0xFF01: "!", 0xFF1F: "?"}
