"""Numbers as answers write them, in one form: `"$1,200.00"` and `"1200 dollars"` are the same number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

_MOST_DIGITS = 60  # longer ones are not results, and big powers are work without bound
_FEWEST_DECIMALS = 2  # from two decimals on, a shorter number may be the longer one rounded
_MULTIPLIERS = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
NUMBER_WORDS = {
    word: number
    for number, word in enumerate(
        (
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        )
    )
}
_UNITS = "kg|g|mg|t|km|m|cm|mm|mi|ft|in|lbs?|oz|l|ml|h|hrs?|min|s|ms|usd|eur|gbp|km/h|mph|°[cf]|st|nd|rd|th|%"

_TRANSLATED = str.maketrans({"\u066b": ".", "\u066c": ",", "\u2044": "/", "\u2212": "-", "\u2013": "-"})
_VULGAR = {"½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅛": "1/8"}
_VULGAR_SIGN = re.compile(f"[{''.join(_VULGAR)}]")
_LATEX_FRACTION = re.compile(r"\\[dt]?frac\{(-?\d{1,60})\}\{(\d{1,60})\}")
_LATEX_NOISE = re.compile(r"\\(?:text|mathrm|mathbf|textbf)\{([^{}]{0,80})\}|\\[()\[\]!,; ]|\\(?=[%$])")
_MARKUP = re.compile(r"\*\*|__|`")
_NUMBER = re.compile(
    r"(?P<sign>[-+]?)(?:[A-Z]{0,3}[$€£¥₹]\s?(?P<inner>-?))?"
    r"(?P<whole>\d{1,3}(?:[,'\u00a0\u202f]\d{3})+(?!\d)|\d{1,3}(?:\.\d{3})+(?=,\d{1,2}(?!\d))|\d+|(?=\.\d))"
    r"(?P<decimals>\.\d+|,\d{1,2}(?![\d,]))?"
    r"(?:[eE](?P<exponent>[-+]?\d{1,4})(?!\w)|\s?[\u00d7x*]\s?10\^\{?(?P<power>-?\d{1,4})\}?)?"
    r"(?:(?P<mixed>\s\d{1,9})?\s?/\s?(?P<divisor>\d+))?"
    r"(?:\s?(?P<percent>%|percent\b|per cent\b)|\s(?P<times>hundred|thousand|million|billion|trillion)\b)?",
    re.IGNORECASE,
)
_NUMBERED_LINE = re.compile(r"^[ \t]*\d{1,3}[.)](?=[ \t])", re.MULTILINE)
_LEAD = re.compile(
    r"[\s(\[{\"'\u201c\u2018=≈~$€£¥]*(?:(?:about|approximately|approx\.?|around|roughly|exactly|usd|eur|gbp|rs\.?)\s+)?",
    re.IGNORECASE,
)
_STARTS = re.compile(r"[-+]?(?:[A-Z]{0,3}[$€£¥₹]\s?)?-?\.?\d")
_DATE_OR_TIME = re.compile(r"(?<!\d)(?:\d{1,4}([-/.])\d{1,2}\1\d{1,4}|\d{1,2}:\d{2}(?::\d{2})?)(?!\d)")
_GLUED_UNIT = re.compile(rf"(?:{_UNITS})?(?![^\W_])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number that an answer gives.

    Attributes:
        value: Its exact value, a percent sign left out.
        decimals: How many decimals it was written with; None for a fraction, which is exact.
        percent: Whether it was written as a percentage.
    """

    value: Fraction
    decimals: int | None = 0
    percent: bool = False


def same_number(one: Number, other: Number) -> bool:
    """Say whether two answers give the same number.

    `25%`, `25` and `0.25` are the same, and so are two numbers of which one is the other rounded to two or
    more decimals: `3.33` and `10/3`, but not `3` and `3.33`.
    """
    if one.percent != other.percent:
        percentage, plain = (one, other) if one.percent else (other, one)
        if percentage.value / 100 == plain.value:
            return True
    if one.value == other.value:
        return True
    decimals = min((n.decimals for n in (one, other) if n.decimals is not None), default=0)
    return decimals >= _FEWEST_DECIMALS and abs(one.value - other.value) * 2 * 10**decimals <= 1


def stated_number(text: str) -> Number | None:
    """Return the number that a short statement consists of, with at most a unit and a few words after it.

    Args:
        text: What an answer states as its result, e.g. `"198 pages in each chapter"`.

    Returns:
        None when the statement does not begin with a number, or holds further ones.

    Example:
        >>> stated_number("$1,200.00") == Number(value=Fraction(1200), decimals=2)
        True
        >>> stated_number("12 of the 30 apples") is None
        True
    """
    written = _plain(text)
    after_equals = written.rpartition("=")[2]
    lead = _LEAD.match(after_equals)
    start = lead.end() if lead else 0
    word = re.match(r"([a-z]+)[\s.!]*$", after_equals[start:], re.IGNORECASE)
    if word and word[1].lower() in NUMBER_WORDS:
        return Number(value=Fraction(NUMBER_WORDS[word[1].lower()]))
    found = list(_found(after_equals))
    if len(found) != 1 or _STARTS.match(after_equals, start) is None:
        return None
    number, begins, ends = found[0]
    if begins > start + 1:  # a currency sign of several letters may stand between
        return None
    rest = after_equals[ends:]
    return number if _GLUED_UNIT.match(rest) else None


def last_number(text: str) -> Number | None:
    """Return the last number in a text: what it comes to, where nothing in it is marked as its result.

    Numbers of list items, of dates and times, and within words (`B12`) are passed over.

    Example:
        >>> last_number("16 - 3 - 4 leaves 9 eggs, so she makes 9 * $2 = $18 every day.").value
        Fraction(18, 1)
    """
    last = None
    for number, _, _ in _found(_NUMBERED_LINE.sub("", _plain(text))):
        last = number
    return last


def _plain(text: str) -> str:
    text = text.translate(_TRANSLATED)
    text = _VULGAR_SIGN.sub(lambda sign: " " + _VULGAR[sign[0]], text)
    text = _LATEX_FRACTION.sub(r" \1/\2", text)
    text = _DATE_OR_TIME.sub(" : ", text)
    return _MARKUP.sub("", _LATEX_NOISE.sub(lambda noise: noise[1] or "", text))


def _found(text: str) -> Iterator[tuple[Number, int, int]]:
    """Yield every number with where it begins and ends."""
    for match in _NUMBER.finditer(text):
        begins, ends = match.span()
        if _is_part_of_more(text, match):
            continue
        number = _read(match, negative=_is_negative(text, match))
        if number is not None:
            yield number, begins, ends


def _is_part_of_more(text: str, match: re.Match[str]) -> bool:
    """Say whether it belongs to a word, a ratio or a version."""
    before = text[max(0, match.start() - 2) : match.start()]
    after = text[match.end() : match.end() + 2]
    if before and (before[-1].isalpha() or before[-1] == "_" or (before[-1].isdigit() and not match["sign"])):
        return True
    if len(before) == 2 and before[-1] in ":." and before[0].isdigit():
        return True
    return len(after) == 2 and after[0] in ":." and after[1].isdigit()


def _is_negative(text: str, match: re.Match[str]) -> bool:
    if match["inner"] == "-":
        return True
    if match["sign"] != "-":
        return False
    before = text[max(0, match.start() - 3) : match.start()].rstrip()
    return not before or not (before[-1].isdigit() or before[-1] in ")]%")  # else it is a subtraction


def _read(match: re.Match[str], *, negative: bool) -> Number | None:
    whole = re.sub(r"\D", "", match["whole"])
    decimals = (match["decimals"] or "")[1:]
    exponent = int(match["exponent"] or match["power"] or 0) + _MULTIPLIERS.get(
        (match["times"] or "").lower(), 0
    )
    if len(whole) + len(decimals) > _MOST_DIGITS or abs(exponent) > _MOST_DIGITS:
        return None
    value = Fraction(int(whole + decimals or "0"), 10 ** len(decimals)) * Fraction(10) ** exponent
    exact = False
    if match["divisor"] is not None:
        divisor = match["divisor"]
        if len(divisor) > _MOST_DIGITS or not int(divisor):
            return None
        mixed = match["mixed"]
        value = value + Fraction(int(mixed), int(divisor)) if mixed else value / int(divisor)
        exact = True
    return Number(
        value=-value if negative else value,
        decimals=None if exact else max(0, len(decimals) - exponent),
        percent=match["percent"] is not None,
    )
