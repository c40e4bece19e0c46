"""What a text offers to someone who has to fill in a form: its numbers and its names."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(?<![\w.])-?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\w)|(?<![\w.])-?\d+(?:\.\d+)?(?!\w)")
_QUOTED = re.compile(
    r"\"([^\"\n]{1,80})\"|(?<!\w)'([^'\n]{1,80})'(?!\w)|`([^`\n]{1,80})`|“([^”\n]{1,80})”|「([^」\n]{1,80})」"
)
_PROPER_NAME = re.compile(r"[A-Z][\w-]*(?:,? [A-Z][\w-]*)*")
_SENTENCE_START = re.compile(r"(?:^|[.!?:\n]\s*)$")


class Hints:
    """The numbers and names of a text, each handed out once and in the text's own order.

    Quoted words are taken before proper names: whoever quotes a word means it. A capital letter at the
    start of a sentence says nothing, so the word there is not taken for a name.

    Args:
        text: What the user wrote; may be empty.

    Example:
        >>> hints = Hints("Book 2 seats to San Francisco, CA for 'Ada'")
        >>> hints.names, hints.numbers
        (['Ada', 'San Francisco, CA'], [2])
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.numbers: list[int | float] = [_number(found) for found in _NUMBER.findall(text)]
        self.names = quoted(text) + _proper_names(_QUOTED.sub(" ", text))

    def take_name(self) -> str | None:
        """Return the next name, or None when there is none left."""
        return self.names.pop(0) if self.names else None

    def take_number(self) -> int | float | None:
        """Return the next number, or None when there is none left."""
        return self.numbers.pop(0) if self.numbers else None


def quoted(text: str) -> list[str]:
    """Return what stands in quotation marks (straight, curly, Japanese or back ticks), in order."""
    return [next(filter(None, groups)) for groups in _QUOTED.findall(text)]


def _number(text: str) -> int | float:
    plain = text.replace(",", "")
    return float(plain) if "." in plain else int(plain)


def _proper_names(text: str) -> list[str]:
    matches = _PROPER_NAME.finditer(text)
    return [
        match.group()
        for match in matches
        if match.group() != "I" and not _SENTENCE_START.search(text, max(0, match.start() - 8), match.start())
    ]
