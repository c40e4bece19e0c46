"""Layer 1, learned: an intent from hashed n-grams, on top of what the keywords say."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
from langchain_core.messages import HumanMessage

from langchain_router.exceptions import ConfigurationError
from langchain_router.frozen import FrozenDict
from langchain_router.request import RoutingRequest
from langchain_router.signals import fitting
from langchain_router.signals.keyword_intent import KeywordIntentClassifier
from langchain_router.signals.linear_weights import LinearWeights, load_weights, shipped_weights
from langchain_router.signals.ngrams import Hashed, hashed
from langchain_router.signals.text import view
from langchain_router.signals.types import INTENTS, Intent, IntentClassifier, IntentPrediction

KIND: Final = "intent"
SHIPPED: Final = "intent.npz"

L2: Final = 1e-3
"""How strongly `fit` holds the weights to those it starts from."""

_MOST_PROMPTS: Final = 10_000  # their similarities take 800 MB
_SYSTEM: Final = 0.5  # the system message often names more tasks than the one at hand
_RAREST: Final = 1e-6


class LinearIntentClassifier:
    """Tell the intent with shipped weights for hashed words and characters, learned beside the keywords.

    The scores are the keywords' log-probabilities plus a weighted sum over the n-grams of the last human
    message and, at half weight, of the system message; a softmax with a temperature chosen on held-out
    prompts makes probabilities of them. Tools, an answer's schema and a tool's result are not in the prompts
    it was trained on, so they count as the keywords say. Where it stays unsure, the keywords answer alone.

    It knows more than `KeywordIntentClassifier` of how requests are worded, in several languages, for a few
    tenths of a millisecond each; prefer the keywords where each decision has to be read word by word,
    `EmbeddingIntentClassifier` where an embedding model is at hand, and `fit` where you have labelled
    prompts.

    Args:
        weights: File of weights that `save` wrote; those shipped when None.
        fallback: Who answers when it is unsure; the keywords when None.
        unsure_below: It is unsure when no intent is as probable as this, 0..1. The default hardly ever
            applies: on held-out prompts the keywords were right less often even where it was least sure.

    Raises:
        ConfigurationError: The weights cannot be read, or `unsure_below` is not within 0..1.

    Example:
        >>> request = RoutingRequest(messages=(HumanMessage("how do you say 'good luck' in Dutch?"),))
        >>> prediction = LinearIntentClassifier().classify(request)
        >>> prediction.label, prediction.source
        ('translation', 'linear')
    """

    def __init__(
        self,
        weights: str | os.PathLike[str] | LinearWeights | None = None,
        *,
        fallback: IntentClassifier | None = None,
        unsure_below: float = 0.2,
    ) -> None:
        if not 0 <= unsure_below <= 1:
            raise ConfigurationError(f"unsure_below must be within 0..1, got {unsure_below!r}.")
        self._weights = _loaded(weights)
        self._keywords = KeywordIntentClassifier()
        self._fallback = self._keywords if fallback is None else fallback
        self._unsure_below = unsure_below

    @property
    def fingerprint(self) -> str:
        """Names the weights."""
        return self._weights.fingerprint

    def classify(self, request: RoutingRequest) -> IntentPrediction:
        """Say which of the nine intents the request has. Never raises; bounded work."""
        known = self._keywords.classify(request)
        scores = self.scores(request, known)
        raised = np.exp(scores - scores.max())
        shares = (raised / raised.sum()).tolist()
        best = max(shares)
        if best < self._unsure_below:
            said = known if self._fallback is self._keywords else self._fallback.classify(request)
            return IntentPrediction(
                label=said.label,
                probabilities=said.probabilities,
                source=said.source,
                evidence=("linear:unsure", *said.evidence),
            )
        label = INTENTS[shares.index(best)]
        return IntentPrediction(
            label=label,
            probabilities=FrozenDict(zip(INTENTS, shares, strict=True)),
            source="linear",
            evidence=(f"words:{label}", *known.evidence),
        )

    def fit(
        self, prompts: Sequence[str | RoutingRequest], labels: Sequence[Intent], *, l2: float = L2
    ) -> LinearIntentClassifier:
        """Return a classifier that has learned from prompts of yours, starting from this one's weights.

        A few dozen prompts per intent change much where your requests are worded alike; intents without any
        keep what they had. The result is the same every time.

        Args:
            prompts: Texts, or whole requests where a system message or tools matter; at most 10,000.
            labels: The intent of each.
            l2: How strongly the weights are held to those it starts from; more for few or doubtful labels.

        Raises:
            ConfigurationError: Not one label per prompt, an unknown label, no prompts or too many, or an `l2`
                that is not above 0.

        Example:
            >>> mine = ["ticket 4711: printer on fire", "ticket 12: no coffee"]
            >>> fitted = LinearIntentClassifier().fit(mine, ["classification"] * 2, l2=1e-4)
            >>> fitted.classify(RoutingRequest(messages=(HumanMessage("ticket 9: no paper"),))).label
            'classification'
        """
        check_labels(prompts, labels)
        if not l2 > 0:
            raise ConfigurationError(f"l2 must be above 0, got {l2!r}.")
        asked = [request_of(prompt) for prompt in prompts]
        texts = [features(request) for request in asked]
        start = np.array([self.scores(request, self._keywords.classify(request)) for request in asked])
        targets = np.array([[float(intent == label) for intent in INTENTS] for label in labels])
        shares = fitting.fit_softmax(
            fitting.similarities(texts),
            targets,
            offsets=start.astype(np.float64),
            importance=np.full(len(texts), 1 / len(texts)),
            l2=l2,
        )
        about = dict(self._weights.about)
        moved = fitting.weights_of(texts, shares) * about["temperature"]
        about["fitted_on"] = [*about.get("fitted_on", []), {"prompts": len(texts), "from": self.fingerprint}]
        return LinearIntentClassifier(
            LinearWeights.rounded(self._weights.full() + moved, about),
            fallback=self._fallback,
            unsure_below=self._unsure_below,
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the weights to an .npz file, for `LinearIntentClassifier(path)`.

        Raises:
            ConfigurationError: It cannot be written.
        """
        self._weights.save(path)

    def scores(self, request: RoutingRequest, known: IntentPrediction) -> fitting.Floats:
        """Return a score per intent, whose softmax is the probabilities.

        Args:
            request: The request.
            known: What the keywords say of it.
        """
        about = self._weights.about
        learned = self._weights.scores(features(request)).astype(np.float64)
        told = np.array(log_probabilities(known))
        found: fitting.Floats = (learned + about["keywords"] * told) / about["temperature"]
        return found


def _loaded(given: str | os.PathLike[str] | LinearWeights | None) -> LinearWeights:
    if isinstance(given, LinearWeights):
        return given
    return _shipped() if given is None else load_weights(given, kind=KIND, classes=len(INTENTS))


@cache
def _shipped() -> LinearWeights:
    return shipped_weights(SHIPPED, kind=KIND, classes=len(INTENTS))


def log_probabilities(known: IntentPrediction) -> list[float]:
    """Return the logarithm of each intent's probability, in the order of `INTENTS`."""
    return [math.log(max(known.probabilities[intent], _RAREST)) for intent in INTENTS]


def features(request: RoutingRequest) -> Hashed:
    """Return what the weights see: n-grams of the request, and of the system message at half weight."""
    seen = view(request)
    text = hashed(seen.window)
    if not seen.system:
        return text
    told = hashed(seen.system)
    return Hashed(
        places=np.concatenate((text.places, told.places)),
        values=np.concatenate((text.values, told.values * np.float32(_SYSTEM))),
    )


def request_of(prompt: str | RoutingRequest) -> RoutingRequest:
    """Return a request, of a text or as it is."""
    return prompt if isinstance(prompt, RoutingRequest) else RoutingRequest(messages=(HumanMessage(prompt),))


def check_labels(prompts: Sequence[object], labels: Sequence[str]) -> None:
    """Refuse what cannot be learned from.

    Raises:
        ConfigurationError: Not one label per prompt, an unknown label, no prompts or too many.
    """
    if len(prompts) != len(labels):
        raise ConfigurationError(f"Each prompt needs one label: got {len(prompts)} and {len(labels)}.")
    if not 1 <= len(prompts) <= _MOST_PROMPTS:
        raise ConfigurationError(
            f"fit takes 1 to {_MOST_PROMPTS} prompts, got {len(prompts)}. Pass a random part of them."
        )
    wrong = next((label for label in labels if label not in INTENTS), None)
    if wrong is not None:
        raise ConfigurationError(f"{wrong!r} is not an intent. Use one of: {', '.join(INTENTS)}.")
