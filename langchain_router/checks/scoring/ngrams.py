"""Words and pairs of words of a text, hashed into buckets."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

_MOST_WORDS: Final = 900
_EDGE_WORDS: Final = 2
_FOLDED: Final = bytes(one + 32 if 65 <= one <= 90 else one for one in range(256))
_WORD: Final = re.compile(rb"[a-z\x80-\xff]{1,40}|[0-9]+|[^\sa-z0-9\x80-\xff]")
_START, _END = 0x9E3779B1, 0x85EBCA77


def hashed(text: str, buckets: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the buckets that a text's words and pairs of words fall into, and how much each counts.

    Each counts by the root of how often it comes, and all of them together have a length of 1 (Weinberger
    et al. 2009, "Feature Hashing for Large Scale Multitask Learning"). The first and the last two words count
    by their places, too. Capitals do not count; of a long text the first 600 and the last 300 words are read.

    Args:
        text: Any; lone surrogates are left out.
        buckets: How many, a power of two.

    Example:
        >>> places, values = hashed("the cat and the dog", 4096)
        >>> bool(abs(float((values**2).sum()) - 1) < 1e-5)
        True
    """
    words = _WORD.findall(text.encode("utf-8", "ignore").translate(_FOLDED))
    if not words:
        return np.zeros(0, np.int32), np.zeros(0, np.float32)
    if len(words) > _MOST_WORDS:
        words = words[: 2 * _MOST_WORDS // 3] + words[-_MOST_WORDS // 3 :]
    single = _hashes(words)
    edges = np.concatenate(
        (single[:_EDGE_WORDS] ^ np.uint32(_START), single[-_EDGE_WORDS:] ^ np.uint32(_END))
    )
    every = np.concatenate((single, _pairs(single), edges))
    places = (every * np.uint32(2_654_435_761)) >> np.uint32(32 - (buckets.bit_length() - 1))
    unique, counts = np.unique(places.astype(np.int32), return_counts=True)
    values = np.sqrt(counts).astype(np.float32)
    return unique, values / np.float32(np.sqrt(counts.sum()))


def _hashes(words: Sequence[bytes]) -> NDArray[np.uint32]:
    return np.fromiter(map(zlib.crc32, words), np.uint32, len(words))


def _pairs(single: NDArray[np.uint32]) -> NDArray[np.uint32]:
    mixed = (single[:-1] * np.uint32(16_777_619)) ^ (single[1:] * np.uint32(2_246_822_519))
    found: NDArray[np.uint32] = mixed ^ (mixed >> np.uint32(15))
    return found
