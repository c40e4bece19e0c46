"""Which of the options an answer picks: `"B"`, `"Answer: (B)"` and `"B) dry palms"` are one choice."""

from __future__ import annotations

import re
from collections.abc import Mapping

from langchain_router.checks.final_answers.text import normal_text

Options = Mapping[str, str]
"""The letters that a request offers, each with its text, which may be empty."""

_LETTERS = "ABCDEFGHIJ"
_OPTION_LINE = re.compile(r"^[ \t>*-]{0,4}[(\[]?([A-J])[)\].:][ \t]+(\S.{0,300})$", re.MULTILINE)
_INLINE_OPTION = re.compile(
    r"(?<!\w)[(\[]?([A-J])[)\]][ \t]+([^()\[\]\n]{1,200}?)(?=[,;]?\s[(\[]?[A-J][)\]]|$)"
)
_ALONE = re.compile(r"\W{0,6}([A-Ja-j])\W{0,6}")
_LED = re.compile(
    r"[\s*_`\"'(\[]{0,6}(?:option |choice )?[(\[]?([A-J])[*_`]{0,2}(?:[)\].:]|\s-\s)", re.IGNORECASE
)
_NAMED = re.compile(r"\W{0,6}(?:option|choice|answer)\W{1,4}([A-J])\b", re.IGNORECASE)
_LINE_LABEL = re.compile(r"^[ \t>*_-]{0,6}[(\[]?([A-J])[)\].:]", re.MULTILINE)
_BRACKETED = re.compile(r"[(\[]([A-J])[)\]]|(?<!\w)([A-J])\)")
_BARE = re.compile(r"\W{0,6}([A-J])(?=\s{0,5}(?:[.,;:\n]|$)|\s(?:because|since|as|is)\b)")
_YES_NO = re.compile(r"\W{0,6}(yes|no|true|false)(?!\w)", re.IGNORECASE)


def offered(text: str) -> dict[str, str]:
    r"""Return the options that a request lists; the last list counts, as examples stand before it.

    Example:
        >>> offered("Which one warms best?\nA) dry palms\nB) wet palms")
        {'A': 'dry palms', 'B': 'wet palms'}
    """
    return _last_run(_OPTION_LINE.findall(text)) or _last_run(_INLINE_OPTION.findall(text))


def choice(text: str, options: Options, *, stated: bool) -> str | None:
    """Return the letter that an answer picks.

    Args:
        text: The answer, or the part of it that states its result.
        options: What the request offers; when empty, the letters A to J.
        stated: Whether the text is known to state a result, so that a bare letter ahead is enough.

    Returns:
        None when it picks none, or more than one.

    Example:
        >>> choice("B) wet palms, as water carries heat.", {"A": "dry palms", "B": "wet palms"}, stated=False)
        'B'
        >>> choice("A dog is an animal.", {}, stated=False) is None
        True
    """
    letters = frozenset(options or _LETTERS)
    alone = _ALONE.fullmatch(text)
    if alone:
        return _known(alone[1], letters)
    wanted = normal_text(text)
    named = [letter for letter, option in options.items() if option and normal_text(option) == wanted]
    if len(named) == 1:
        return named[0]
    labels = {label for label in _LINE_LABEL.findall(text) if label in letters}
    led = _LED.match(text) or (_NAMED.match(text) if stated else None)
    if led and len(labels | {led[1].upper()}) == 1:
        return _known(led[1], letters)
    bracketed = {one or other for one, other in _BRACKETED.findall(text)} & letters
    if len(bracketed) == 1 and len(labels) <= 1:
        return str(next(iter(bracketed)))
    bare = _BARE.match(text) if stated and not labels else None
    return _known(bare[1], letters) if bare else None


def yes_or_no(text: str) -> str | None:
    """Return `"yes"` or `"no"` when the text leads with it, or with true or false.

    Example:
        >>> yes_or_no("**No**, it is not prime."), yes_or_no("Nothing")
        ('no', None)
    """
    found = _YES_NO.match(text)
    if found is None:
        return None
    word = str(found[1]).lower()
    return {"true": "yes", "false": "no"}.get(word, word)


def _known(letter: str, letters: frozenset[str]) -> str | None:
    return letter.upper() if letter.upper() in letters else None


def _last_run(labelled: list[tuple[str, str]]) -> dict[str, str]:
    """Return the last list of options that begins with A and goes on in order."""
    runs: list[dict[str, str]] = []
    for label, option in labelled:
        if label == "A":
            runs.append({})
        if runs and label == _LETTERS[len(runs[-1]) :][:1]:
            runs[-1][label] = option.strip()
    full = [run for run in runs if len(run) > 1]
    return full[-1] if full else {}
