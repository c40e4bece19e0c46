"""What the learned signals see of a text: hashed words, runs of words and runs of characters.

Instructions stand at the two ends of a prompt and material in between, so every word is counted three times
over: by the end that it stands at, by standing at either end, and wherever it stands. Hashing keeps no
vocabulary (Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning", section 2).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

BITS: Final = 17
"""Two to this power buckets."""

MAP_NAME: Final = f"ngrams-1({BITS})"
"""Names the map: weights learned through another are of no use here."""

_WORD: Final = (
    r"[^\s\d\x00-/:-@\[-`{-\xbf\u2000-\u206f\u3000-\u30ff\u3400-\u9fff\uff00-\uffef\u0e00-\u0e7f"
    r"\u060c\u061b\u061f\u0964\u0965]+"
)
# Words; each Chinese, Japanese or Thai sign by itself; numbers; line breaks; every other sign.
_TOKEN: Final = re.compile(rf"{_WORD}(?:'{_WORD})*|\d+|\n\n?|\S")
_ALIKE: Final = str.maketrans({"\u2019": "'", **dict.fromkeys("123456789", "0")})
_LONG_NUMBER: Final = re.compile("00000+")
_GAP: Final = re.compile(r"\n\s*\n\s*")

_HEAD: Final = 40  # tokens at the start that may hold the instruction
_TAIL: Final = 30  # and at the end
_MOST: Final = 700
_START: Final = 4
_HEAD_CHARS: Final = 160
_TAIL_CHARS: Final = 120
_RUNS: Final = (3, 4, 5)

_MULTIPLIER: Final = np.uint32(2_654_435_761)
_SHIFT: Final = np.uint32(32 - BITS)

WEIGHTS: Final[Mapping[str, float]] = {
    "start": 0.5,
    "head": 0.7,
    "tail": 0.7,
    "ends": 1.0,
    "all": 0.5,
    "runs": 0.7,
}
"""How long the part of each kind is; each is brought to this length whatever the text's."""

_NONE: Final = np.zeros(0, np.intp)
_SEEDS: Final = {name: np.uint32(zlib.crc32(name.encode())) for name in WEIGHTS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hashed:
    """A text as a sparse vector.

    Attributes:
        places: Buckets, in no order; one may come up twice, and then both values count.
        values: What stands in each.
    """

    places: NDArray[np.intp]
    values: NDArray[np.float32]


def tokens_of(text: str) -> list[str]:
    """Return words in lower case, signs and line breaks; numbers as zeros.

    Example:
        >>> tokens_of("Don't add 12 to 7!")
        ["don't", 'add', '00', 'to', '0', '!']
        >>> tokens_of("翻译成英文")
        ['翻', '译', '成', '英', '文']
    """
    text = _LONG_NUMBER.sub("0000", text.lower().translate(_ALIKE))
    return _TOKEN.findall(_GAP.sub("\n\n", text))


def hashed(text: str) -> Hashed:
    """Hash a text's n-grams into `2**BITS` buckets. Never raises; bounded work.

    Args:
        text: A window of a request; what lies beyond its first and last few hundred words is not read.

    Example:
        >>> vector = hashed("Translate this")
        >>> len(vector.places) == len(vector.values)
        True
    """
    places: list[NDArray[np.intp]] = []
    values: list[NDArray[np.float32]] = []
    for name, grams, counts in _parts(text):
        if not len(grams):
            continue
        sizes = np.sqrt(counts, dtype=np.float32)
        places.append((((grams ^ _SEEDS[name]) * _MULTIPLIER) >> _SHIFT).astype(np.intp))
        values.append(sizes * np.float32(WEIGHTS[name] / np.sqrt(float(counts.sum()))))
    if not places:
        return Hashed(places=np.zeros(0, np.intp), values=np.zeros(0, np.float32))
    return Hashed(places=np.concatenate(places), values=np.concatenate(values))


_Part = tuple[str, NDArray[np.uint32], NDArray[np.float32]]


def _parts(text: str) -> Iterator[_Part]:
    text = text.encode("utf-8", "replace").decode("utf-8")  # half characters are none
    tokens = tokens_of(text)
    if len(tokens) > _MOST:
        tokens = tokens[: _MOST // 2] + tokens[-_MOST // 2 :]
    words = _hashes(tokens)
    yield "start", _anchored(words[:_START]), np.ones(len(words[:_START]), np.float32)
    head, tail = _runs_of(words[:_HEAD]), _runs_of(words[max(_HEAD, len(words) - _TAIL) :])
    yield "head", *_counted(head)
    yield "tail", *_counted(tail)
    yield "ends", *_counted(np.concatenate((head, tail)))
    yield "all", *_counted(words)
    yield "runs", *_counted(_char_runs(text))


def _hashes(tokens: list[str]) -> NDArray[np.uint32]:
    return np.fromiter(map(zlib.crc32, map(str.encode, tokens)), np.uint32, len(tokens))


def _mixed(left: NDArray[np.uint32], right: NDArray[np.uint32]) -> NDArray[np.uint32]:
    mixed: NDArray[np.uint32] = (left * np.uint32(16_777_619)) ^ (right * np.uint32(2_246_822_519))
    return mixed ^ (mixed >> np.uint32(15))


def _runs_of(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return words, pairs and triples."""
    pairs = _mixed(words[:-1], words[1:])
    return np.concatenate((words, pairs, _mixed(pairs[:-1], words[2:])))


def _anchored(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Return the first word, the first two, the first three, ..."""
    runs = words.copy()
    for i in range(1, len(runs)):
        runs[i : i + 1] = _mixed(runs[i - 1 : i], words[i : i + 1])
    return runs


def _char_runs(text: str) -> NDArray[np.uint32]:
    """Return runs of three to five characters at the two ends."""
    ends = text if len(text) <= _HEAD_CHARS + _TAIL_CHARS else f"{text[:_HEAD_CHARS]}\n{text[-_TAIL_CHARS:]}"
    signs = np.frombuffer(f" {ends.lower()} ".encode("utf-32-le"), "<u4").astype(np.uint32)
    runs, found = signs, []
    for length in range(2, _RUNS[-1] + 1):
        runs = _mixed(runs[:-1], signs[length - 1 :])
        if length in _RUNS:
            found.append(runs)
    return np.concatenate(found)


def _counted(grams: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.float32]]:
    ordered = np.sort(grams)
    ends = np.flatnonzero(np.concatenate((ordered[1:] != ordered[:-1], [True]))) if len(ordered) else _NONE
    counts = np.empty(len(ends), np.float32)
    counts[:1], counts[1:] = ends[:1] + 1, ends[1:] - ends[:-1]
    return ordered[ends], counts
