"""Layer 1 without a model: an intent from words, structure, tools and schema."""

from __future__ import annotations

import math
from collections.abc import Sequence

from langchain_router.exceptions import ConfigurationError
from langchain_router.frozen import FrozenDict
from langchain_router.request import RoutingRequest
from langchain_router.signals.intent_rules import EVIDENCE, PRIOR, Evidence, IntentRule
from langchain_router.signals.intent_tags import tags
from langchain_router.signals.text import view
from langchain_router.signals.types import Intent, IntentPrediction

_ByTag = dict[str, list[tuple[tuple[str, ...], tuple[str, ...], Evidence]]]


def _by_first_tag() -> _ByTag:
    """Return, by its first tag, each piece of evidence with the other tags needed and those barred."""
    found: _ByTag = {}
    for evidence in EVIDENCE:
        first, *others = (tag for tag in evidence.tags.split() if not tag.startswith("!"))
        barred = tuple(tag[1:] for tag in evidence.tags.split() if tag.startswith("!"))
        found.setdefault(first, []).append((tuple(others), barred, evidence))
    return found


_EVIDENCE_BY_TAG = _by_first_tag()

_OUTRIGHT = 2.5  # log-odds at which the prompt has a task of its own
_TALK_AROUND_A_TASK = 0.5


class KeywordIntentClassifier:
    """Tell the intent from words, structure, system message, tools and schema, without a model.

    Every piece of evidence adds its weight to the score of an intent, as log-odds on top of a prior; a
    softmax over the nine scores gives the probabilities. Words count fully near either end of the
    prompt, where instructions stand, and by less in the middle and in the system message. Small talk
    around an outright task counts half. What it knows best is English; it knows the common instruction
    words of a dozen other languages.

    It takes about a tenth of a millisecond and sends nothing anywhere. Its probabilities err towards
    doubt: on development data, labels held with 55 % confidence were right three times in four. A text
    that gives no evidence, and one whose task is none of the nine (a poem, say), comes out as
    conversation with low confidence. Prefer `LLMIntentClassifier` where requests are worded freely and
    a fast model is at hand.

    Args:
        rules: Rules of your own, added to those shipped. A high weight overrules them.

    Raises:
        ConfigurationError: `rules` holds something other than `IntentRule`.

    Example:
        >>> from langchain_core.messages import HumanMessage
        >>> request = RoutingRequest(messages=(HumanMessage("Translate this letter into German: Dear Ann"),))
        >>> prediction = KeywordIntentClassifier().classify(request)
        >>> prediction.label, prediction.evidence[0]
        ('translation', 'translate')
        >>> escalation = IntentRule(name="escalation", keyword="letter", intent="conversation", weight=9.0)
        >>> KeywordIntentClassifier(rules=[escalation]).classify(request).label
        'conversation'
    """

    def __init__(self, *, rules: Sequence[IntentRule] = ()) -> None:
        wrong = next((rule for rule in rules if not isinstance(rule, IntentRule)), None)
        if wrong is not None:
            raise ConfigurationError(f"rules must hold IntentRule objects, got {type(wrong).__name__}.")
        self._rules = tuple(rules)

    def classify(self, request: RoutingRequest) -> IntentPrediction:
        """Say which of the nine intents the request has. Never raises."""
        seen = view(request)
        found = tags(seen)
        scores = dict(PRIOR)
        fired: dict[str, float] = {}
        for tag, shown in found.items():
            for others, barred, evidence in _EVIDENCE_BY_TAG.get(tag, ()):
                strength = min(shown, *(found.get(other, 0.0) for other in others)) if others else shown
                if not strength or (barred and any(one in found for one in barred)):
                    continue
                scores[evidence.intent] += strength * evidence.weight
                fired[evidence.tags] = max(fired.get(evidence.tags, 0.0), strength * abs(evidence.weight))
        task = max(score for intent, score in scores.items() if intent != "conversation")
        if task >= _OUTRIGHT and scores["conversation"] > 0:
            scores["conversation"] *= _TALK_AROUND_A_TASK
        window = seen.window
        for rule in self._rules:
            if rule.matches(window):
                scores[rule.intent] += rule.weight
                fired[f"rule:{rule.name}"] = abs(rule.weight)
        probabilities = _softmax(scores)
        return IntentPrediction(
            label=max(probabilities, key=probabilities.__getitem__),
            probabilities=FrozenDict(probabilities),
            source="keywords",
            evidence=tuple(sorted(fired, key=lambda name: (-fired[name], name))),
        )


def _softmax(scores: dict[Intent, float]) -> dict[Intent, float]:
    top = max(scores.values())
    weights = {intent: math.exp(score - top) for intent, score in scores.items()}
    total = sum(weights.values())
    return {intent: weight / total for intent, weight in weights.items()}
