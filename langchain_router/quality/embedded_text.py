"""What an embedding model makes of a request, as a few small whole numbers that learners take."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from langchain_router.exceptions import ConfigurationError
from langchain_router.quality.features import UNIT
from langchain_router.request import RoutingRequest
from langchain_router.signals.embedding import Embedder, EmbeddingUnavailableError

_MOST_DIMENSIONS = 256


class EmbeddedText:
    """An embedding, projected on a few fixed random directions and rounded to -127..127.

    Angles between texts survive the projection within about one part in the root of `dimensions` (Achlioptas
    2003, "Database-friendly random projections", theorem 1.1). Where no embedding comes, all numbers are 0.
    Prefer `HashedText`, which needs no model and costs microseconds, unless the embedding is computed anyway
    for the intent: hand both the same `Embedder`, and it is asked once per request.

    Args:
        embedder: The embedding model, with a deadline and who may see what.
        dimensions: How many numbers, 1 to 256. More tell more apart and take longer to learn from.
        seed: Which directions.

    Raises:
        ConfigurationError: Not 1 to 256 dimensions.

    Example:
        >>> from langchain_core.embeddings import DeterministicFakeEmbedding
        >>> from langchain_core.messages import HumanMessage
        >>> told = EmbeddedText(Embedder(DeterministicFakeEmbedding(size=64), name="fake"), dimensions=8)
        >>> len(told.features(RoutingRequest(messages=(HumanMessage("hello"),))))
        8
    """

    def __init__(self, embedder: Embedder, *, dimensions: int = 32, seed: int = 0) -> None:
        if isinstance(dimensions, bool) or not 1 <= dimensions <= _MOST_DIMENSIONS:
            raise ConfigurationError(f"dimensions must be 1 to {_MOST_DIMENSIONS}, got {dimensions!r}.")
        self._embedder = embedder
        self._dimensions = int(dimensions)
        self._seed = int(seed)
        self._directions: dict[int, NDArray[np.float64]] = {}

    @property
    def fingerprint(self) -> str:
        """Names the map, its parameters and the embedding model."""
        return f"embedded-text-1({self._embedder.name}, {self._dimensions}, seed={self._seed})"

    @property
    def size(self) -> int:
        """How many numbers it gives."""
        return self._dimensions

    def features(self, request: RoutingRequest) -> tuple[int, ...]:
        """Return the numbers of a request; zeros where it could not be embedded."""
        try:
            vector = self._embedder.vector(request)
        except EmbeddingUnavailableError:
            return (0,) * self._dimensions
        sums = self._towards(len(vector)) @ vector
        length = float(np.linalg.norm(sums)) or 1.0
        found: list[int] = np.rint(sums * (UNIT / length)).astype(int).tolist()
        return tuple(found)

    def _towards(self, size: int) -> NDArray[np.float64]:
        """Return the directions, one a row; no other version of numpy would draw other signs."""
        known = self._directions.get(size)
        if known is None:
            rows = [
                np.unpackbits(
                    np.frombuffer(
                        hashlib.shake_128(f"{self._seed}:{row}".encode()).digest((size + 7) // 8), np.uint8
                    )
                )[:size]
                for row in range(self._dimensions)
            ]
            known = self._directions[size] = 1.0 - 2.0 * np.array(rows, np.float64)
        return known
