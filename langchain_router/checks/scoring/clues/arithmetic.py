"""Whether the sums that an answer writes down hold: `12 * 4 = 48`, `48 - 3 = 45 = 9 * 5`, `20% of 50 = 10`.

A text is cut into tokens once, from left to right, and every equation is worked out as far as it is made of
figures; words after a figure are its unit. What is not understood is passed over, never counted as wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from langchain_router.checks.scoring.clues.expression import value_of

_MOST_TOKENS = 1_500
_MOST_OPERANDS = 24
_MOST_UNIT_WORDS = 3
_SMALL = 1e-9

_LATEX = (
    (re.compile(r"\\[dt]?frac\s{0,3}\{([^{}]{1,40})\}\s{0,3}\{([^{}]{1,40})\}"), r"((\1)/(\2))"),
    (re.compile(r"\\(?:times|cdot)\b"), "*"),
    (re.compile(r"\\div\b"), "/"),
    (re.compile(r"\\(?:approx|simeq)\b"), "="),
    (re.compile(r"\\(?:text|mathrm)\s?\{([^{}]{0,60})\}"), r" \1 "),
    (re.compile(r"\\(?:left|right)\b|\\[()\[\],;! ]|\\(?=[$%])|\*\*|<<[^<>]{0,80}>>"), ""),
)
_SIGNS = str.maketrans(
    {0xD7: "*", 0xF7: "/", 0x2212: "-", 0x2013: "-", 0xB7: "*", 0x2217: "*", 0x2248: "=", ord("`"): " "}
)
_SPELLED = {
    "plus": "+", "minus": "-", "times": "*", "equals": "=", "x": "*", "X": "*", "over": "/",
}  # fmt: skip
_TOKEN = re.compile(
    r"(?P<number>(?:[$€£]\s?)?(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d{1,16})(?:\.\d{1,12}|(?=\D|$))|\.\d{1,12})"
    r"|(?P<percent>\s?%(?:\s?of\b)?)"
    r"|(?P<sign>==?|[-+*/^()])|(?P<word>[^\W\d_]+)|(?P<line>\n)|(?P<other>\d{17,}|\S)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """An equation that an answer writes down.

    Attributes:
        operands: The figures on its left side.
        left: What that comes to.
        right: What the answer says that it comes to; the first figure of a longer right side.
        holds: Whether these are the same, as far as the right side is rounded.
    """

    operands: tuple[float, ...] = field(repr=False)
    left: float
    right: float
    holds: bool


def sums_in(text: str) -> list[Sum]:
    """Return the sums that a text writes down, in order. Reads at most 1,500 tokens and never raises.

    Example:
        >>> [one.holds for one in sums_in("She sells 16 eggs - 3 eggs = 13 eggs, so 13 * $2 = $27.")]
        [True, False]
        >>> sums_in("Let x + 4 = 12.")
        []
    """
    if "=" not in text and "\u2248" not in text and "equals" not in text and "approx" not in text:
        return []
    text = text.translate(_SIGNS)
    if "\\" in text or "*" in text or "<<" in text:
        for pattern, plain in _LATEX:
            text = pattern.sub(plain, text)
    return list(_equations(list(islice(_TOKEN.finditer(text), _MOST_TOKENS))))


@dataclass(slots=True)
class _Side:
    """One side of an equation as it is read.

    Attributes:
        tokens: Figures and signs.
        decimals: Of the figure read last.
        words: Words since that figure, which may be its unit.
        unsure: Whether something in it may be a variable.
        broken: Whether it cannot be worked out.
    """

    tokens: list[float | str] = field(default_factory=list)
    decimals: int = 0
    words: int = 0
    unsure: bool = False
    broken: bool = False

    def figures(self) -> tuple[float, ...]:
        return tuple(one for one in self.tokens if isinstance(one, float))


def _equations(tokens: Sequence[re.Match[str]]) -> Iterator[Sum]:
    left: _Side | None = None
    side = _Side()
    for place, token in enumerate(tokens):
        kind, text = token.lastgroup, token[0].strip()
        if kind == "word" and text in _SPELLED and _is_between(tokens, place):
            kind, text = "sign", _SPELLED[text]
        if kind == "sign" and text.startswith("="):
            yield from _compared(left, side)
            left, side = side, _Side(unsure=side.unsure)
        elif _goes_on(side, kind, text, glued=_is_glued(tokens, place)):
            continue
        elif kind != "line" or place + 1 >= len(tokens) or not tokens[place + 1][0].startswith("="):
            yield from _compared(left, side)
            left, side = None, _Side()
            _goes_on(side, kind, text, glued=False)
            side.broken |= _is_part_of_more(tokens, place)
    yield from _compared(left, side)


def _goes_on(side: _Side, kind: str | None, text: str, *, glued: bool) -> bool:
    """Take a token into a side; False where the side ends before it."""
    tokens = side.tokens
    after_figure = bool(tokens) and (isinstance(tokens[-1], float) or tokens[-1] in (")", "%"))
    if kind == "number":
        if after_figure or len(tokens) > 2 * _MOST_OPERANDS:
            return not tokens
        digits = text.lstrip("$€£ ").replace(",", "")
        side.decimals, side.words = len(digits.partition(".")[2]), 0
        tokens.append(float(digits))
        return True
    if kind == "percent":
        if after_figure and not side.words:
            tokens.append("%")
            if text.endswith("of"):
                tokens.append("*")
            return True
        return False
    if kind == "sign":
        side.broken |= not after_figure and text in "+*/^)"
        side.words = 0
        tokens.append(text)
        return True
    if kind == "word" and after_figure and side.words < _MOST_UNIT_WORDS:
        side.words += 1
        side.unsure |= glued and len(text) == 1  # 2x may be a product
        return True
    side.broken |= kind == "word" and bool(tokens) and tokens[-1] in ("+", "-", "*", "/", "^", "(")
    return kind == "other" and text in "$€£_~" and not after_figure


def _is_between(tokens: Sequence[re.Match[str]], place: int) -> bool:
    """Say whether a word stands between a figure, with its unit or not, and another."""
    if not 0 < place < len(tokens) - 1 or tokens[place + 1].lastgroup not in ("number", "sign"):
        return False
    before = tokens[place - 1]
    if before.lastgroup == "word" and place > 1:
        before = tokens[place - 2]
    return before[0][-1] in "0123456789)%"


def _is_part_of_more(tokens: Sequence[re.Match[str]], place: int) -> bool:
    """Say whether what stands here goes on what stands before: a time, a version, the name of a variable."""
    if tokens[place][0] in (":", "."):
        return _is_glued(tokens, place + 1)
    before = tokens[place - 1] if place else None
    return before is not None and before.lastgroup in ("number", "word") and _is_glued(tokens, place)


def _is_glued(tokens: Sequence[re.Match[str]], place: int) -> bool:
    return 0 < place < len(tokens) and tokens[place - 1].end() == tokens[place].start()


def _compared(left: _Side | None, right: _Side) -> Iterator[Sum]:
    if left is None or left.broken or right.broken:
        return
    operands = left.figures()
    said = value_of(_stripped(right.tokens))
    if said is None or not operands or len(left.tokens) < 2:
        return
    first = _stripped(left.tokens)
    ways = [value_of(first), value_of(first, percent=1.0)]
    if first and first[0] == "-":  # it may be the mark of a list
        ways.append(value_of(first[1:]))
    came = [one for one in ways if one is not None]
    if not came or len(operands) < 2:
        return
    running = right.figures()[0]  # as in 12 * 4 = 48 - 3 = 45
    given = [said, value_of(_stripped(right.tokens), percent=1.0) or said, running]
    exact = not right.decimals and not any(sign in left.tokens for sign in ("/", "%"))
    slack = _SMALL if exact else 0.5 * 10.0**-right.decimals + _SMALL
    holds = any(abs(a - b) <= slack + _SMALL * abs(a) for a in came for b in given)
    if holds or not (left.unsure or right.unsure):
        yield Sum(operands=operands, left=came[0], right=running, holds=holds)


def _stripped(tokens: list[float | str]) -> list[float | str]:
    """Return a side without signs at its end, as of `= 4 -` before a dash's next clause."""
    end = len(tokens)
    while end and tokens[end - 1] in ("+", "-", "*", "/", "^", "("):
        end -= 1
    return tokens[:end]
