"""Layers 1 and 2: what kind of request it is, and how hard."""

from __future__ import annotations

from langchain_router.signals.complexity import HeuristicComplexityScorer
from langchain_router.signals.intent_rules import IntentRule
from langchain_router.signals.keyword_intent import KeywordIntentClassifier
from langchain_router.signals.llm_intent import LLMIntentClassifier
from langchain_router.signals.types import (
    INTENTS,
    ComplexityScore,
    ComplexityScorer,
    Intent,
    IntentClassifier,
    IntentPrediction,
)


def default_intent_classifier() -> IntentClassifier:
    """Return the classifier that a router uses where it is given none, and that calibration goes by."""
    return KeywordIntentClassifier()


__all__ = [
    "INTENTS",
    "ComplexityScore",
    "ComplexityScorer",
    "HeuristicComplexityScorer",
    "Intent",
    "IntentClassifier",
    "IntentPrediction",
    "IntentRule",
    "KeywordIntentClassifier",
    "LLMIntentClassifier",
]
