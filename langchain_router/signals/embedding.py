"""Turns a request into an embedding, within a deadline, and only where it may be sent."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Iterable
from concurrent.futures import Future
from typing import Any, Final

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from langchain_router.constraints import names
from langchain_router.exceptions import ConfigurationError
from langchain_router.request import RoutingRequest
from langchain_router.signals.text import view

MAX_PENDING: Final = 16
"""Calls of one embedder that may run at once in sync code, those given up on included."""

_CHARS: Final = 2_700


class Embedder:
    """Embeds the window of a request that the layers read, once per request.

    Hand the same one to `EmbeddingIntentClassifier` and to `EmbeddedText`, and each request is embedded once
    for both; in async code the classifier's `aclassify` then fetches it without blocking the event loop.

    Args:
        embeddings: Any LangChain embeddings.
        name: Names the model behind it, e.g. `"openai/text-embedding-3-small"`: what was learned through one
            model is of no use through another.
        timeout_s: Longest wait in seconds, > 0.
        provider: Who sees what is embedded. A request whose constraints name providers, regions or tags is
            embedded only if these allow it; what is not stated is not allowed.
        region: Where the model runs.
        tags: Data tags that the model bears.

    Raises:
        ConfigurationError: An argument has the wrong type or is out of range.

    Example:
        >>> from langchain_core.embeddings import DeterministicFakeEmbedding
        >>> from langchain_core.messages import HumanMessage
        >>> embedder = Embedder(DeterministicFakeEmbedding(size=8), name="fake")
        >>> vector = embedder.vector(RoutingRequest(messages=(HumanMessage("hello"),)))
        >>> vector.shape, round(float(vector @ vector), 3)
        ((8,), 1.0)
    """

    def __init__(
        self,
        embeddings: Embeddings,
        *,
        name: str,
        timeout_s: float = 2.0,
        provider: str | None = None,
        region: str | None = None,
        tags: Iterable[str] = (),
    ) -> None:
        if not isinstance(embeddings, Embeddings):
            raise ConfigurationError(
                f"embeddings must be LangChain Embeddings, got {type(embeddings).__name__}."
            )
        if not isinstance(name, str) or not name:
            raise ConfigurationError(f"name must name the embedding model, got {name!r}.")
        if (
            isinstance(timeout_s, bool)
            or not isinstance(timeout_s, (int, float))
            or not 0 < timeout_s < math.inf
        ):
            raise ConfigurationError(f"timeout_s must be above 0 and finite, got {timeout_s!r}.")
        self.name = name
        self._embeddings = embeddings
        self._timeout_s = float(timeout_s)
        self._provider, self._region, self._tags = provider, region, names("tags", tags)
        self._free = threading.BoundedSemaphore(MAX_PENDING)

    def vector(self, request: RoutingRequest) -> NDArray[np.float64]:
        """Return the request's embedding, brought to a length of 1.

        Raises:
            EmbeddingUnavailableError: The request may not be sent there, or no embedding came in time.
        """
        known = self._known(request)
        if known is not None:
            return known
        if not self._free.acquire(blocking=False):
            raise EmbeddingUnavailableError("busy")
        answer: Future[list[float]] = Future()
        worker = threading.Thread(
            target=self._run, args=(_text(request), answer), name="langchain_router-embedding", daemon=True
        )
        try:
            worker.start()
        except RuntimeError:  # the system has no thread left to give
            self._free.release()
            raise EmbeddingUnavailableError("busy") from None
        try:
            said = answer.result(self._timeout_s)
        except Exception as error:  # noqa: BLE001 - whatever the client raises, the request goes on
            late = isinstance(error, TimeoutError) and not answer.done()
            raise EmbeddingUnavailableError("timeout" if late else f"error:{type(error).__name__}") from None
        return self._kept(request, said)

    async def avector(self, request: RoutingRequest) -> NDArray[np.float64]:
        """Do what `vector` does, through `aembed_query`."""
        known = self._known(request)
        if known is not None:
            return known
        try:
            async with asyncio.timeout(self._timeout_s) as deadline:
                said = await self._embeddings.aembed_query(_text(request))
        except Exception as error:  # noqa: BLE001 - whatever the client raises, the request goes on
            late = isinstance(error, TimeoutError) and deadline.expired()
            raise EmbeddingUnavailableError("timeout" if late else f"error:{type(error).__name__}") from None
        return self._kept(request, said)

    def many(self, requests: Iterable[RoutingRequest]) -> NDArray[np.float64]:
        """Return one row per request, for fitting. What the embeddings raise is passed on."""
        rows = self._embeddings.embed_documents([_text(request) for request in requests])
        return np.array([_unit(row) for row in rows])

    @property
    def _key(self) -> str:
        return f"embedding:{id(self)}"

    def _known(self, request: RoutingRequest) -> NDArray[np.float64] | None:
        against = request.constraints.reasons_against_place(
            provider=self._provider, region=self._region, tags=self._tags
        )
        if next(against, None) is not None:
            raise EmbeddingUnavailableError("not_allowed")
        found: NDArray[np.float64] | None = request.memo.get(self._key)
        return found

    def _kept(self, request: RoutingRequest, said: object) -> NDArray[np.float64]:
        try:
            found = _unit(said)
        except (TypeError, ValueError):
            raise EmbeddingUnavailableError("malformed") from None
        request.memo[self._key] = found
        return found

    def _run(self, text: str, answer: Future[Any]) -> None:
        try:
            answer.set_result(self._embeddings.embed_query(text))
        except BaseException as error:  # noqa: BLE001 - carried to the caller's thread, which sorts it
            answer.set_exception(error)
        finally:
            self._free.release()


class EmbeddingUnavailableError(Exception):
    """No embedding for this request; the message is the reason in a word or two, without any text of it."""


def _text(request: RoutingRequest) -> str:
    return view(request).window[:_CHARS].encode("utf-8", "replace").decode("utf-8") or " "


def _unit(said: object) -> NDArray[np.float64]:
    row = np.asarray(said, np.float64)
    if row.ndim != 1 or not row.size or not np.isfinite(row).all():
        raise ValueError("not a vector of finite numbers")
    return row / (float(np.linalg.norm(row)) or 1.0)
