"""What the text of a request looks like, as a few small whole numbers that do not give it away."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from langchain_router.exceptions import ConfigurationError
from langchain_router.request import RoutingRequest, texts

UNIT: Final = 127
"""The largest feature, and the length of the hashed part taken as a vector."""

_HEAD_CHARS: Final = 640
_TAIL_CHARS: Final = 320
_PARTS_SEEN: Final = 8
_MESSAGES_SEEN: Final = 200
_GRAM: Final = 4
_MOST_DIMENSIONS: Final = 256

# On bytes and by tables of our own, so that no newer Unicode tables change what was learned.
_FOLDED: Final = bytes(
    ord("0") if 48 <= one <= 57 else one + 32 if 65 <= one <= 90 else one for one in range(256)
)
_WORD: Final = re.compile(rb"[a-z\x80-\xff]+|0+|[^\sa-z0\x80-\xff]")
_DIGITS: Final = b"0123456789"
_CAPITALS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_OF_CODE: Final = b"{}[]()<>=;_#\\/*&|"
_BEYOND_ASCII: Final = bytes(range(128, 256))
_DENSE: Final = 8


class FeatureMap(Protocol):
    """Turns the text of a request into numbers that learners take."""

    @property
    def fingerprint(self) -> str:
        """Names the map and its parameters: what was learned through one is of no use through another."""
        ...

    @property
    def size(self) -> int:
        """How many numbers it gives."""
        ...

    def features(self, request: RoutingRequest) -> tuple[int, ...]:
        """Return small whole numbers, -127..127; bounded work, and never raises."""
        ...


class HashedText:
    """Words, pairs of words and runs of four characters, hashed into a few signed sums, with eight facts.

    The facts are length, digits, questions, signs of code, lines, capitals, other scripts and the length of
    words. The hashed part has a length of 1 whatever the text (Weinberger et al. 2009, "Feature Hashing for
    Large Scale Multitask Learning"). Numbers count as equal when they have equally many digits.

    Only the start and the end of the last human message are read. Stored features do not hold text, but a
    text can be recognised by them: give each house a `seed` of its own where that matters.

    Args:
        dimensions: How many sums. More tell more texts apart and take longer to learn from.
        seed: Which hash.

    Raises:
        ConfigurationError: Not 1 to 256 dimensions.

    Example:
        >>> from langchain_core.messages import HumanMessage
        >>> asked = RoutingRequest(messages=(HumanMessage("What is 12 * 12?"),))
        >>> len(HashedText(dimensions=16).features(asked))
        24
    """

    def __init__(self, dimensions: int = 32, *, seed: int = 0) -> None:
        if isinstance(dimensions, bool) or not 1 <= dimensions <= _MOST_DIMENSIONS:
            raise ConfigurationError(f"dimensions must be 1 to {_MOST_DIMENSIONS}, got {dimensions!r}.")
        self._dimensions = int(dimensions)
        self._seed = int(seed) & 0xFFFFFFFF

    @property
    def fingerprint(self) -> str:
        """Names the map and its parameters."""
        return f"hashed-text-1({self._dimensions}, seed={self._seed})"

    @property
    def size(self) -> int:
        """How many numbers it gives."""
        return self._dimensions + _DENSE

    def features(self, request: RoutingRequest) -> tuple[int, ...]:
        """Return the facts and the hashed sums of a request's last human message."""
        parts = _last_said(request)
        text = _ends(parts)
        return (*_dense(text, sum(map(len, parts))), *self._hashed(text.translate(_FOLDED)))

    def _hashed(self, text: bytes) -> Sequence[int]:
        words = _WORD.findall(text)
        if not words:
            return [0] * self._dimensions
        hashes = np.fromiter((zlib.crc32(word, self._seed) for word in words), np.uint32, len(words))
        pairs = _mixed(hashes[:-1], hashes[1:])
        every = np.concatenate((hashes, pairs, hashes, pairs, self._grams(text)))  # words count twice
        spread = every * np.uint32(2_654_435_761)
        signs = 1.0 - 2.0 * (spread >> np.uint32(31))
        places = (spread >> np.uint32(7)) % np.uint32(self._dimensions)
        sums = np.bincount(places, signs, minlength=self._dimensions)
        sizes = np.abs(sums)
        length = math.sqrt(float(sizes.sum())) or 1.0
        # Roots, so that what is in every sentence does not drown the rest.
        hashed: list[int] = np.rint(np.copysign(np.sqrt(sizes), sums) * (UNIT / length)).astype(int).tolist()
        return hashed

    def _grams(self, text: bytes) -> NDArray[np.uint32]:
        """Hash every run of four bytes: each is a number as it stands in memory, from four starts."""
        runs = [
            np.frombuffer(text, "<u4", count=(len(text) - at) // _GRAM, offset=at)
            for at in range(min(_GRAM, max(0, len(text) - _GRAM + 1)))
        ]
        joined: NDArray[np.uint32] = np.concatenate(runs or [np.zeros(0, np.uint32)]).astype(
            np.uint32
        ) + np.uint32(self._seed)
        return joined ^ (joined >> np.uint32(15))


def _mixed(left: NDArray[np.uint32], right: NDArray[np.uint32]) -> NDArray[np.uint32]:
    mixed: NDArray[np.uint32] = (left * np.uint32(16_777_619)) ^ (right * np.uint32(2_246_822_519))
    return mixed ^ (mixed >> np.uint32(15))


def _last_said(request: RoutingRequest) -> list[str]:
    for message in reversed(request.messages[-_MESSAGES_SEEN:]):
        if message.type == "human":
            return list(texts(message))
    return []


def _ends(parts: Sequence[str]) -> bytes:
    """Return the start and the end of a text in pieces, without joining all of it."""
    head = "\n".join(part[:_HEAD_CHARS] for part in parts[:_PARTS_SEEN])
    if sum(map(len, parts)) <= _HEAD_CHARS:
        return head.encode("utf-8", "ignore")
    tail = "\n".join(part[-_TAIL_CHARS:] for part in parts[-_PARTS_SEEN:])
    return f"{head[:_HEAD_CHARS]}\n{tail[-_TAIL_CHARS:]}".encode("utf-8", "ignore")


def _dense(text: bytes, chars: int) -> tuple[int, ...]:
    length = len(text) or 1
    words = text.count(b" ") + 1

    def share(kind: bytes, most: float) -> int:
        return _whole((len(text) - len(text.translate(None, kind))) / length / most)

    return (
        _whole((math.log2(1 + chars) - 8) / 8),
        share(_DIGITS, 0.2),
        _whole(text.count(b"?") / 4),
        share(_OF_CODE, 0.2),
        _whole(text.count(b"\n") / 16),
        share(_CAPITALS, 0.2),
        share(_BEYOND_ASCII, 0.5),
        _whole((length / words - 6) / 6),
    )


def _whole(value: float) -> int:
    return round(UNIT * min(max(value, -1.0), 1.0))
