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
    from langchain_router.chat_model import ChatRouter
    from langchain_router.constraints import Constraints
    from langchain_router.decision import RoutingDecision
    from langchain_router.exceptions import (
        ConfigurationError,
        MalformedResponseError,
        NoEligibleCandidateError,
        RouterError,
        RouterExhaustedError,
        StreamInterruptedError,
    )
    from langchain_router.policies import CostPolicy, Policy, ThresholdPolicy, Tier
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

__version__ = "0.1.0"

__all__ = [
    "INTENTS",
    "Candidate",
    "ChatRouter",
    "ComplexityScore",
    "ComplexityScorer",
    "ConfigurationError",
    "Constraints",
    "CostPolicy",
    "HeuristicComplexityScorer",
    "Intent",
    "IntentClassifier",
    "IntentPrediction",
    "KeywordIntentClassifier",
    "LLMIntentClassifier",
    "MalformedResponseError",
    "NoEligibleCandidateError",
    "Policy",
    "Price",
    "Router",
    "RouterError",
    "RouterExhaustedError",
    "RoutingDecision",
    "RoutingRequest",
    "StreamInterruptedError",
    "ThresholdPolicy",
    "Tier",
    "__version__",
]

_HOMES = {
    "candidates.candidate": ("Candidate",),
    "candidates.price": ("Price",),
    "chat_model": ("ChatRouter",),
    "constraints": ("Constraints",),
    "decision": ("RoutingDecision",),
    "exceptions": (
        "ConfigurationError",
        "MalformedResponseError",
        "NoEligibleCandidateError",
        "RouterError",
        "RouterExhaustedError",
        "StreamInterruptedError",
    ),
    "policies": ("CostPolicy", "Policy", "ThresholdPolicy", "Tier"),
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
