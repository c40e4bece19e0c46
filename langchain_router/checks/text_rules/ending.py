"""Whether a text breaks off before its end."""

from __future__ import annotations

import json
import re

from langchain_router.checks.text_rules.answer_text import thinks_aloud

_FENCES_CHARS = 100_000  # code fences are counted in answers up to here
_PROSE_CHARS = 120  # from here on, a text is prose that ends as prose does
_LINE_CHARS = 80
_TAIL_CHARS = 2_000

_FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})([^`\n]*)$", re.MULTILINE)
_STARTS_LIKE_CODE = re.compile(r"\s*(?:[|>$#\\{}]|```)")
_ENDS_LIKE_CODE = re.compile(r".*[|{}\\;=]$")
_LISTED = re.compile(r"\s*(?:[-*+\u2022\u2013]|\d+[.)]\s|[A-Z][\w .]{0,30}:\s)")
_TAGGED = re.compile(r"(?:[#@]|https?://|www\.)\S*$")
_SENTENCE_END = re.compile(r"[.!?\u2026][\"')\]\u00bb\u201d\u2019*_]*\s|[\u3002\uff01\uff1f]")
_WORD_AT_END = re.compile(r"([^\W\d_]+(?:['\u2019][^\W\d_]+)?)$")

# Words that hardly a sentence ends with: articles, conjunctions, and prepositions that want a noun.
_LEADS_ON_LISTED = """
    the a an and or but nor of into onto from which whose because although unless whether than if as
    your our their its my every
    el la los las una pero del con para por porque aunque su sus
    le les des une et ou mais du qui dans avec pour sur parce ses leur leurs aux
    der das dem des ein eine einen einem und oder aber weil dass wenn sowie
    uma mas da das porque seu sua
    il lo gli ma che perché nel nella della dei
    het een maar omdat dat voor
    и или но что чтобы потому если для из
"""
_LEADS_ON = frozenset(_LEADS_ON_LISTED.split())


def breaks_off(text: str, *, says_finished: bool) -> str | None:
    """Return in words how the text breaks off, or None.

    Args:
        text: The answer.
        says_finished: Whether the provider says that the model ended of its own accord. Then a last
            sentence without a full stop is a matter of style; a last word such as "the" is not.
    """
    if thinks_aloud(text):
        return "it never comes to an answer: what it thinks aloud does not end"
    if len(text) <= _FENCES_CHARS and _leaves_code_open(text):
        return "a block of code is not closed"
    tail = text[-_TAIL_CHARS:].rstrip()
    if len(text) < _PROSE_CHARS or not tail:
        return None
    line = tail.rpartition("\n")[2]
    if _STARTS_LIKE_CODE.match(line) or _ENDS_LIKE_CODE.match(line[-_LINE_CHARS:]):
        return None
    if _is_dangling(line):
        return "it ends in the middle of a clause"
    if not says_finished and _is_unfinished_sentence(line):
        return "its last sentence has no end"
    return None


def _leaves_code_open(text: str) -> bool:
    """Return whether a code fence is left open; one with a language inside another is nested in it.

    A fence that is the last line, and JSON that is whole without its closing fence, are slips of form.
    """
    opened: list[re.Match[str]] = []
    for match in _FENCE.finditer(text):
        fence, info = match[1], match[2].strip()
        if opened and not info and fence.startswith(opened[-1][1]):
            opened.pop()
        elif not opened or info:
            opened.append(match)
    if not opened:
        return False
    inside = text[opened[-1].end() :].strip()
    if opened[-1][2].strip().lower() == "json":
        return not _is_json(inside)
    return bool(inside or opened[-1][2].strip())


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_dangling(line: str) -> bool:
    if len(line) < _LINE_CHARS // 2:
        return False
    if line[-1] in ",(\uff0c\u3001\uff08":
        return True
    last = _WORD_AT_END.search(line[-_LINE_CHARS:])
    return last is not None and last[1] in _LEADS_ON  # in lower case: "Plan A" ends well


def _is_unfinished_sentence(line: str) -> bool:
    """Return whether a paragraph of several sentences ends in a letter."""
    if len(line) < _LINE_CHARS or not line[-1].isalpha() or _LISTED.match(line) or _TAGGED.search(line):
        return False
    return _SENTENCE_END.search(line) is not None
