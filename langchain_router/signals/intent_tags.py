"""From text to tags: which ideas a request shows, and how prominently."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

from langchain_router.signals import intent_languages, intent_words
from langchain_router.signals.lexicon import Lexicon, listed
from langchain_router.signals.text import BREAKS, QUESTION_MARKS, SchemaShape, TextView, words

BODY = 0.3
"""Strength of a word in the middle of a long text, where it is more likely material than instruction."""

SYSTEM = 0.7
"""Strength of a word in the system message, which often names more tasks than the one at hand."""

_FIRST = 45  # words at the start that may hold the instruction
_LAST = 35  # and at the end
_LONG, _SHORT = 80, 14  # words, clause breaks included
_OPENING = 6  # words that show whether a text opens with a question
_MANY_TOOLS = 3
_LABEL_FIELDS = 3  # an answer with more fields than this is more than a label
_WORD_PROBLEM_CHARS = 1_200
_CODE_LINES = 150
_PAIR = 8  # longest way in words between a verb and its object
_ROLE_WORDS = 6  # longest way from "you are" to a role
_STEMS_CHARS = 600  # the same two zones, for languages matched by stems
_STEMS_LAST = 300

_PAIRS = {
    "code_noun": ("make",),
    "data_format": ("make",),
    "verdict": ("judged_text",),
}  # object: verbs before it
_TOLD_TO_BE = frozenset(
    {("you", "are"), ("act", "as"), ("acting", "as"), ("role", "of"), ("be", "a"), ("be", "an")}
)
_TALK = frozenset({"greeting", "small_talk", "tell_me", "advice", "role_play", "opens_question", "how_code"})

_CODE_STARTS = frozenset(
    listed(
        """
        def, class, import, from, public, private, protected, const, let, var, function, using,
        package, fn, func, if, for, while, return, elif, else, try, #include, namespace, async,
        await, export, select, insert, create, update, static, void, int, echo
        """
    )
)
_CODE_ENDS = ("{", "}", ";", "});", "},", ")", "];", "/>", "):")
_CODE_MARKS = re.compile(
    r"\w\(\w{0,30}[\"'),=]|\w\[\w{1,20}\]|->\w|\w::\w|\(\)|\+\+|=>|[=!]=|\}\)|&&|\|\||\);|\w = \w|\+="
    r"|</\w|\$\w"
)
_ERROR_TEXTS = (
    "error: ",
    "exception: ",
    "error code",
    "traceback (most",
    "fatal",
    "segmentation fault",
    "errno",
    "\n    at ",
)
_OPTION = re.compile(r"(?:^|[\s(])[A-Ea-e][).:]\s?\S")
_NUMBER = re.compile(r"\d[\d.,]*")
_MATH = re.compile(
    r"\\(?:frac|int|sum|sqrt|lim|alpha|beta|theta|pi|cdot|times|begin)\b|\b[a-z]\s?\^\s?[\d{(]|[∫∑√≤≥∀∃∈→≠\u00d7÷π∞]"
    r"|\b\d*[xyz]\s?[+=*]\s?\d|\d\s?[+*^]\s?\d"
)
_CHOICES = re.compile(r"[\w'\"], or [\w &'\"-]{2,40}\?|\b(?:either|neither) [\w '\"-]{2,40} n?or ")


_LEXICON = Lexicon(
    *(
        {tag: entries.split() for tag, entries in table.items()}
        for table in (intent_words.WORDS, intent_languages.WORDS)
    ),
    *(
        {tag: listed(phrases) for tag, phrases in table.items()}
        for table in (intent_words.PHRASES, intent_words.ROLES, intent_languages.PHRASES)
    ),
)
_STEMS = {tag: listed(stems) for tag, stems in intent_languages.STEMS.items()}
_OPENERS = frozenset(intent_words.WORDS["ask"].split())


def tags(seen: TextView) -> dict[str, float]:
    """Return the tags that a request shows, each with its strength, 0..1.

    What a model is ("classifier", "editor") counts where the system message names it, and in a human message
    only after "you are" or the like: there a router may be a device, and an editor a program.
    """
    tokens = words(seen.window)
    found = _word_tags(tokens, is_system=False)
    if not seen.window.isascii():
        _merge(found, _stem_tags(seen.window), 1.0)
    if seen.system:
        told = _word_tags(words(seen.system), is_system=True)
        if not seen.system.isascii():
            _merge(told, _stem_tags(seen.system), 1.0)
        _merge(found, {tag: strength for tag, strength in told.items() if tag not in _TALK}, SYSTEM)
    _merge(found, dict.fromkeys(_structure(seen, tokens), 1.0), 1.0)
    return found


def _word_tags(tokens: list[str], *, is_system: bool) -> dict[str, float]:
    found: dict[str, float] = {}
    last_seen: dict[str, int] = {}
    body_end = len(tokens) - _LAST
    for i, tag in _LEXICON.find(tokens):
        if tag in intent_words.IMPERATIVE and i and not _may_order(tokens[i - 1]):
            continue
        if (
            tag in intent_words.ROLES
            and not is_system
            and not _is_told_to_be(tokens[max(0, i - _ROLE_WORDS) : i])
        ):
            continue
        strength = 1.0 if i < _FIRST or i >= body_end else BODY
        found[tag] = max(strength, found.get(tag, 0.0))
        last_seen[tag] = i
        for verb in _PAIRS.get(tag, ()):
            if i - last_seen.get(verb, -_PAIR - 1) <= _PAIR:
                found[f"{verb}>{tag}"] = max(strength, found.get(f"{verb}>{tag}", 0.0))
    return found


def _is_told_to_be(before: list[str]) -> bool:
    """Say whether the words before a role give it to the reader: "you are an expert", "act as a"."""
    return "you're" in before or any(pair in _TOLD_TO_BE for pair in pairwise(before))


def _may_order(previous: str) -> bool:
    return previous in BREAKS or previous in intent_words.LEAD_INS or previous.isdigit()


def _stem_tags(window: str) -> dict[str, float]:
    lowered = window.lower()
    edges = (
        lowered
        if len(lowered) <= _STEMS_CHARS + _STEMS_LAST
        else lowered[:_STEMS_CHARS] + "\n" + lowered[-_STEMS_LAST:]
    )
    found = {}
    for tag, stems in _STEMS.items():
        if any(stem in edges for stem in stems):
            found[tag] = 1.0
        elif any(stem in lowered for stem in stems):
            found[tag] = BODY
    return found


def _structure(seen: TextView, tokens: list[str]) -> Iterator[str]:
    window = seen.window
    signs = [tag for tag, shows in _SIGNS.items() if shows(window)]
    yield from signs
    if len(tokens) > _LONG and "code" not in signs:
        yield "long_prose"
    if len(tokens) <= _SHORT:
        yield "short"
    if _opens_with_question([token for token in tokens[:_OPENING] if token not in BREAKS]):
        yield "opens_question"
    if seen.phase == "tool_result":
        yield "tool_result"
    if seen.tools >= _MANY_TOOLS:
        yield "many_tools"
    if seen.schema is not None:
        yield from _answer(seen.schema)


def _opens_with_question(opening: list[str]) -> bool:
    """Say whether it opens with a question word; "could you" opens a request."""
    return bool(opening) and opening[0] in _OPENERS and opening[1:2] != ["you"]


def _answer(schema: SchemaShape) -> Iterator[str]:
    if schema.closed and schema.fields <= _LABEL_FIELDS:
        yield "closed_schema"
    elif schema.fields >= _LABEL_FIELDS:
        yield "wide_schema"
    if schema.lists:
        yield "list_schema"


def _holds_code(window: str) -> bool:
    if "```" in window or ("SELECT " in window and "FROM " in window):
        return True
    if not any(sign in window for sign in "([{=;<>&|$"):
        return False
    lines = sum(_is_code(line.strip()) for line in window.splitlines()[:_CODE_LINES])
    if lines >= 3:
        return True
    marks = len(_CODE_MARKS.findall(window))
    return marks >= 3 or (lines >= 1 and marks >= 1)


def _is_code(line: str) -> bool:
    if line.endswith(_CODE_ENDS):
        return any(mark in line for mark in "({=;<")
    return line.split(" ", 1)[0].lower() in _CODE_STARTS and any(mark in line for mark in "({=;:")


def _holds_error(window: str) -> bool:
    lowered = window.lower()
    return any(text in lowered for text in _ERROR_TEXTS)


def _asks(window: str) -> bool:
    return any(mark in window for mark in QUESTION_MARKS)


def _offers_choices(window: str) -> bool:
    return "or " in window and _CHOICES.search(window) is not None


def _holds_math(window: str) -> bool:
    visible = not window.isascii() or any(sign in window for sign in "^+*=\\")
    return visible and _MATH.search(window) is not None


_SIGNS: dict[str, Callable[[str], bool]] = {
    "code": _holds_code,
    "error_text": _holds_error,
    "question": _asks,
    "options": lambda window: len(_OPTION.findall(window)) >= 3,
    "numbers": lambda window: len(window) < _WORD_PROBLEM_CHARS and len(_NUMBER.findall(window)) >= 3,
    "choices": _offers_choices,
    "math_notation": _holds_math,
}


def _merge(into: dict[str, float], other: Mapping[str, float], factor: float) -> None:
    for tag, strength in other.items():
        into[tag] = max(strength * factor, into.get(tag, 0.0))
