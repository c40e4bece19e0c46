"""A LangChain chat model that decides, for every step, which LLM should answer it.

Names are imported when first used, so that `import langchain_router` costs next to nothing.
"""

from __future__ import annotations

import importlib
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_router.candidates.candidate import Candidate
    from langchain_router.candidates.price import Price
    from langchain_router.candidates.spend_cap import SpendCap
    from langchain_router.chat_model import ChatRouter
    from langchain_router.checks import (
        AgreementCheck,
        HeuristicCheck,
        JudgeCheck,
        LearnedCheck,
        QualityCheck,
        SchemaCheck,
        Verdict,
    )
    from langchain_router.constraints import Constraints
    from langchain_router.decision import RoutingDecision
    from langchain_router.evaluation.calibration.calibration import Calibration
    from langchain_router.evaluation.calibration.certificate import Certificate
    from langchain_router.exceptions import (
        CircuitOpenError,
        ConfigurationError,
        DeadlineExceededError,
        InsufficientEvidenceError,
        MalformedResponseError,
        NoEligibleCandidateError,
        RouterError,
        RouterExhaustedError,
        StoreBusyError,
        StoreCorruptError,
        StoreError,
        StoreFullError,
        StoreSchemaError,
        StreamInterruptedError,
        TruncatedResponseError,
    )
    from langchain_router.execution.breaker import BreakerConfig
    from langchain_router.execution.resilience import Deadlines, Hedging, Resilience
    from langchain_router.execution.retrying import (
        retry_if_another_may_serve,
        retry_if_insufficient,
        stop_after_cost,
    )
    from langchain_router.outcomes.feedback import Feedback
    from langchain_router.outcomes.hooks.callbacks import RoutingCallbackHandler
    from langchain_router.outcomes.judgements import Receipt
    from langchain_router.outcomes.records import Attempt, Outcome
    from langchain_router.outcomes.store import OutcomeStore, open_store
    from langchain_router.policies import (
        AdaptivePolicy,
        CascadePolicy,
        CostPolicy,
        EpsilonGreedyPolicy,
        LinThompsonPolicy,
        Policy,
        ThompsonPolicy,
        ThresholdPolicy,
        Tier,
    )
    from langchain_router.policies.fitted_plans import FittedPlans
    from langchain_router.quality.embedded_text import EmbeddedText
    from langchain_router.quality.learned import LearnedQuality
    from langchain_router.request import RoutingRequest
    from langchain_router.router import Router
    from langchain_router.signals import (
        INTENTS,
        ComplexityScore,
        ComplexityScorer,
        HeuristicComplexityScorer,
        Intent,
        IntentClassifier,
        IntentPrediction,
        KeywordIntentClassifier,
        LLMIntentClassifier,
    )
    from langchain_router.signals.embedding import Embedder
    from langchain_router.signals.embedding_intent import EmbeddingIntentClassifier
    from langchain_router.signals.learned_complexity import LearnedComplexityScorer
    from langchain_router.signals.linear_intent import LinearIntentClassifier

__version__ = "0.1.0"

__all__ = [
    "INTENTS",
    "AdaptivePolicy",
    "AgreementCheck",
    "Attempt",
    "BreakerConfig",
    "Calibration",
    "Candidate",
    "CascadePolicy",
    "Certificate",
    "ChatRouter",
    "CircuitOpenError",
    "ComplexityScore",
    "ComplexityScorer",
    "ConfigurationError",
    "Constraints",
    "CostPolicy",
    "DeadlineExceededError",
    "Deadlines",
    "EmbeddedText",
    "Embedder",
    "EmbeddingIntentClassifier",
    "EpsilonGreedyPolicy",
    "Feedback",
    "FittedPlans",
    "Hedging",
    "HeuristicCheck",
    "HeuristicComplexityScorer",
    "InsufficientEvidenceError",
    "Intent",
    "IntentClassifier",
    "IntentPrediction",
    "JudgeCheck",
    "KeywordIntentClassifier",
    "LLMIntentClassifier",
    "LearnedCheck",
    "LearnedComplexityScorer",
    "LearnedQuality",
    "LinThompsonPolicy",
    "LinearIntentClassifier",
    "MalformedResponseError",
    "NoEligibleCandidateError",
    "Outcome",
    "OutcomeStore",
    "Policy",
    "Price",
    "QualityCheck",
    "Receipt",
    "Resilience",
    "Router",
    "RouterError",
    "RouterExhaustedError",
    "RoutingCallbackHandler",
    "RoutingDecision",
    "RoutingRequest",
    "SchemaCheck",
    "SpendCap",
    "StoreBusyError",
    "StoreCorruptError",
    "StoreError",
    "StoreFullError",
    "StoreSchemaError",
    "StreamInterruptedError",
    "ThompsonPolicy",
    "ThresholdPolicy",
    "Tier",
    "TruncatedResponseError",
    "Verdict",
    "__version__",
    "open_store",
    "retry_if_another_may_serve",
    "retry_if_insufficient",
    "stop_after_cost",
]

_HOMES = {
    "candidates.candidate": ("Candidate",),
    "candidates.price": ("Price",),
    "candidates.spend_cap": ("SpendCap",),
    "chat_model": ("ChatRouter",),
    "checks": (
        "AgreementCheck",
        "HeuristicCheck",
        "JudgeCheck",
        "LearnedCheck",
        "QualityCheck",
        "SchemaCheck",
        "Verdict",
    ),
    "constraints": ("Constraints",),
    "decision": ("RoutingDecision",),
    "exceptions": (
        "CircuitOpenError",
        "ConfigurationError",
        "DeadlineExceededError",
        "InsufficientEvidenceError",
        "MalformedResponseError",
        "NoEligibleCandidateError",
        "RouterError",
        "RouterExhaustedError",
        "StoreBusyError",
        "StoreCorruptError",
        "StoreError",
        "StoreFullError",
        "StoreSchemaError",
        "StreamInterruptedError",
        "TruncatedResponseError",
    ),
    "execution.breaker": ("BreakerConfig",),
    "execution.resilience": ("Deadlines", "Hedging", "Resilience"),
    "execution.retrying": ("retry_if_another_may_serve", "retry_if_insufficient", "stop_after_cost"),
    "outcomes.hooks.callbacks": ("RoutingCallbackHandler",),
    "outcomes.feedback": ("Feedback",),
    "outcomes.judgements": ("Receipt",),
    "outcomes.records": ("Attempt", "Outcome"),
    "outcomes.store": ("OutcomeStore", "open_store"),
    "policies": (
        "AdaptivePolicy",
        "CascadePolicy",
        "CostPolicy",
        "EpsilonGreedyPolicy",
        "LinThompsonPolicy",
        "Policy",
        "ThompsonPolicy",
        "ThresholdPolicy",
        "Tier",
    ),
    "quality.learned": ("LearnedQuality",),
    "request": ("RoutingRequest",),
    "router": ("Router",),
    "signals": (
        "INTENTS",
        "ComplexityScore",
        "ComplexityScorer",
        "HeuristicComplexityScorer",
        "Intent",
        "IntentClassifier",
        "IntentPrediction",
        "KeywordIntentClassifier",
        "LLMIntentClassifier",
    ),
    "evaluation.calibration.calibration": ("Calibration",),
    "evaluation.calibration.certificate": ("Certificate",),
    "policies.fitted_plans": ("FittedPlans",),
    "quality.embedded_text": ("EmbeddedText",),
    "signals.embedding": ("Embedder",),
    "signals.embedding_intent": ("EmbeddingIntentClassifier",),
    "signals.learned_complexity": ("LearnedComplexityScorer",),
    "signals.linear_intent": ("LinearIntentClassifier",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

logging.getLogger("langchain_router").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'langchain_router' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"langchain_router.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
