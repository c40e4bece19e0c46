"""Layer 1 on an embedding model: an intent from prompts that you labelled."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from langchain_router.exceptions import ConfigurationError
from langchain_router.frozen import FrozenDict
from langchain_router.request import RoutingRequest
from langchain_router.signals.choosing import Labelled, try_all
from langchain_router.signals.embedding import Embedder, EmbeddingUnavailableError
from langchain_router.signals.fitting import Floats, softmax
from langchain_router.signals.keyword_intent import KeywordIntentClassifier
from langchain_router.signals.linear_intent import check_labels, log_probabilities, request_of
from langchain_router.signals.types import INTENTS, Intent, IntentClassifier, IntentPrediction

_KEYWORDS: Final = (0.0, 0.5)
_L2: Final = (1e-1, 1e-2, 1e-3, 1e-4)
_FOLDS: Final = 5
_KIND: Final = "embedding-intent-1"


class EmbeddingIntentClassifier:
    """Tell the intent from an embedding of the request, by weights fitted on prompts of yours.

    Reads meaning in every language that the embedding model knows, and learns from a few dozen labelled
    prompts per intent, for one call of the embedding model per decision. Prefer `LinearIntentClassifier`
    where that call costs too much time, or where there are no labelled prompts: nothing comes fitted. Where
    no embedding comes in time, where the request may not be sent to the model, and before `fit`, the fallback
    answers.

    Args:
        embedder: The embedding model, with a deadline and who may see what.
        fallback: Who answers without an embedding; keywords when None. Its evidence then starts with
            `embedding:timeout`, `embedding:not_allowed`, `embedding:busy`, `embedding:malformed`,
            `embedding:not_fitted` or `embedding:error:<class>`.

    Example:
        >>> from langchain_core.embeddings import DeterministicFakeEmbedding
        >>> from langchain_core.messages import HumanMessage
        >>> embedder = Embedder(DeterministicFakeEmbedding(size=16), name="fake")
        >>> prompts = ["Bonjour!", "Fix this loop", "hi there", "Why does it crash?"]
        >>> labels = ["conversation", "code_review", "conversation", "code_review"]
        >>> fitted = EmbeddingIntentClassifier(embedder).fit(prompts, labels)
        >>> fitted.classify(RoutingRequest(messages=(HumanMessage("Fix this loop"),))).source
        'embedding'
    """

    def __init__(
        self,
        embedder: Embedder,
        *,
        fallback: IntentClassifier | None = None,
        weights: EmbeddingWeights | None = None,
    ) -> None:
        if not isinstance(embedder, Embedder):
            raise ConfigurationError(
                f"embedder must be an Embedder, got {type(embedder).__name__}. "
                "Write Embedder(embeddings, name=...)."
            )
        if weights is not None and weights.name != embedder.name:
            raise ConfigurationError(
                f"The weights were fitted on {weights.name!r}, not on {embedder.name!r}. Fit them anew."
            )
        self._embedder = embedder
        self._keywords = KeywordIntentClassifier()
        self._fallback = self._keywords if fallback is None else fallback
        self._weights = weights

    def fit(
        self, prompts: Sequence[str | RoutingRequest], labels: Sequence[Intent]
    ) -> EmbeddingIntentClassifier:
        """Return a fitted classifier; this one stays as it is.

        How strongly weights are held, how much the keywords count beside them and the temperature are chosen
        by cross-validation. All prompts are embedded in one call of `embed_documents`.

        Args:
            prompts: Texts or requests, at most 10,000; a few dozen per intent do.
            labels: The intent of each. An intent without prompts is left to the keywords, and so seldom
            chosen.

        Raises:
            ConfigurationError: Not one label per prompt, an unknown label, no prompts or too many.
        """
        check_labels(prompts, labels)
        requests = [request_of(prompt) for prompt in prompts]
        rows = _with_constant(self._embedder.many(requests))
        data = Labelled(
            gram=rows @ rows.T,
            told=np.array([log_probabilities(self._keywords.classify(request)) for request in requests]),
            truth=np.array([INTENTS.index(label) for label in labels]),
            importance=np.full(len(rows), 1 / len(rows)),
            folds=np.arange(len(rows)) % min(_FOLDS, len(rows)),
        )
        if len(rows) > 1:
            best = try_all(data, keywords=_KEYWORDS, l2=_L2)[0]
        else:
            raise ConfigurationError("fit needs at least two prompts: one part of them is held out.")
        weights = EmbeddingWeights(
            name=self._embedder.name,
            table=rows.T @ data.fit(best.choice),
            keywords=best.choice.keywords,
            temperature=best.temperature,
        )
        return EmbeddingIntentClassifier(self._embedder, fallback=self._fallback, weights=weights)

    def classify(self, request: RoutingRequest) -> IntentPrediction:
        """Say which of the nine intents the request has, after the embedder's `timeout_s` at the latest."""
        if self._weights is None:
            return self._instead(request, "not_fitted")
        try:
            vector = self._embedder.vector(request)
        except EmbeddingUnavailableError as error:
            return self._instead(request, str(error))
        return self._prediction(request, vector, self._weights)

    async def aclassify(self, request: RoutingRequest) -> IntentPrediction:
        """Do what `classify` does, through `aembed_query`."""
        if self._weights is None:
            return self._instead(request, "not_fitted")
        try:
            vector = await self._embedder.avector(request)
        except EmbeddingUnavailableError as error:
            return self._instead(request, str(error))
        return self._prediction(request, vector, self._weights)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the fitted weights to an .npz file; `EmbeddingWeights.load` reads them.

        Raises:
            ConfigurationError: It was not fitted, or the file cannot be written.
        """
        if self._weights is None:
            raise ConfigurationError("There are no weights to save: call fit(prompts, labels) first.")
        self._weights.save(path)

    def _prediction(
        self, request: RoutingRequest, vector: Floats, weights: EmbeddingWeights
    ) -> IntentPrediction:
        if len(vector) + 1 != len(weights.table):
            return self._instead(request, "malformed")
        scores = _with_constant(vector[None, :])[0] @ weights.table
        if weights.keywords:
            scores = scores + weights.keywords * np.array(log_probabilities(self._keywords.classify(request)))
        shares = softmax(scores / weights.temperature).tolist()
        label = INTENTS[shares.index(max(shares))]
        return IntentPrediction(
            label=label,
            probabilities=FrozenDict(zip(INTENTS, shares, strict=True)),
            source="embedding",
            evidence=(f"embedding:{label}",),
        )

    def _instead(self, request: RoutingRequest, why: str) -> IntentPrediction:
        other = self._fallback.classify(request)
        return replace(other, evidence=(f"embedding:{why}", *other.evidence))


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingWeights:
    """What `EmbeddingIntentClassifier.fit` found.

    Attributes:
        name: The embedding model that they belong to.
        table: Numbers of an embedding, and a constant, by intents.
        keywords: How much the keywords' log-probabilities count.
        temperature: Calibrates the probabilities.
    """

    name: str
    table: Floats
    keywords: float
    temperature: float

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write an .npz file without pickle.

        Raises:
            ConfigurationError: It cannot be written.
        """
        about = json.dumps({"kind": _KIND, "name": self.name, "intents": INTENTS}).encode()
        try:
            with Path(path).open("wb") as file:
                np.savez_compressed(
                    file,
                    table=self.table,
                    numbers=np.array([self.keywords, self.temperature]),
                    about=np.frombuffer(about, np.uint8),
                )
        except OSError as error:
            raise ConfigurationError(f"The weights cannot be written to {str(path)!r}: {error}") from error

    @staticmethod
    def load(path: str | os.PathLike[str]) -> EmbeddingWeights:
        """Read weights that `save` wrote. Nothing in the file is ever executed.

        Raises:
            ConfigurationError: No such file, or it holds something else.
        """
        try:
            with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                table, numbers = arrays["table"].astype(np.float64), arrays["numbers"].astype(np.float64)
                about = json.loads(arrays["about"].tobytes())
            fits = about["kind"] == _KIND and about["intents"] == list(INTENTS)
            fits = fits and table.ndim == 2 and table.shape[1] == len(INTENTS) and numbers.shape == (2,)
            if not fits or not np.isfinite(table).all() or not numbers[1] > 0:
                raise ValueError("other weights")
            return EmbeddingWeights(
                name=str(about["name"]),
                table=table,
                keywords=float(numbers[0]),
                temperature=float(numbers[1]),
            )
        except OSError as error:
            raise ConfigurationError(f"The weights cannot be read from {str(path)!r}: {error}") from error
        except (ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ConfigurationError(
                f"{str(path)!r} holds no weights of this classifier ({type(error).__name__}). Fit and save."
            ) from None


def _with_constant(rows: Floats) -> Floats:
    return np.concatenate((rows, np.ones((len(rows), 1))), axis=1)
