"""Find many words and phrases in one pass over the words of a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from langchain_router.signals.text import words


def listed(text: str) -> list[str]:
    r"""Return the entries of a list that commas separate, wherever its lines break.

    Example:
        >>> listed(" at most,\n at least")
        ['at most', 'at least']
    """
    return [entry.strip() for entry in text.split(",") if entry.strip()]


class Lexicon:
    """Words and phrases, each standing for a tag; one pass finds them all.

    The cost of a pass grows with the text and hardly with the size of the lexicon, which a regular
    expression of several hundred alternatives cannot offer.

    Args:
        vocabularies: Each maps a tag to its words and phrases.

    Example:
        >>> lexicon = Lexicon({"limit": ["only", "at most"]})
        >>> list(lexicon.find(["say", "at", "most", "one", "word", "only"]))
        [(1, 'limit'), (5, 'limit')]
    """

    def __init__(self, *vocabularies: Mapping[str, Iterable[str]]) -> None:
        self._single: dict[str, list[str]] = {}
        self._phrases: dict[str, dict[str, list[tuple[list[str], str]]]] = {}
        for vocabulary in vocabularies:
            for tag, entries in vocabulary.items():
                for entry in entries:
                    self._add(tag, words(entry))

    def find(self, tokens: Sequence[str]) -> Iterator[tuple[int, str]]:
        """Yield the place and the tag of every word and phrase found, from left to right."""
        single, phrases = self._single, self._phrases
        for i, token in enumerate(tokens):
            for tag in single.get(token, ()):
                yield i, tag
            after = phrases.get(token)
            if after is not None and i + 1 < len(tokens):
                for rest, tag in after.get(tokens[i + 1], ()):
                    if tokens[i + 1 : i + 1 + len(rest)] == rest:
                        yield i, tag

    def _add(self, tag: str, parts: list[str]) -> None:
        first, *rest = parts
        if rest:
            self._phrases.setdefault(first, {}).setdefault(rest[0], []).append((rest, tag))
        else:
            self._single.setdefault(first, []).append(tag)
