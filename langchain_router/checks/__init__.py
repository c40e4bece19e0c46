"""Is this answer good enough: checks of an answer, one file each.

Names are imported when first used, so that importing one check does not load the others.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_router.checks.agreement import AgreementCheck
    from langchain_router.checks.base import Check, OwnCheck, as_check
    from langchain_router.checks.check import Ask, QualityCheck, Review, Run, Verdict
    from langchain_router.checks.combined import AllOf, AnyOf
    from langchain_router.checks.heuristic import HeuristicCheck
    from langchain_router.checks.judge import JudgeCheck
    from langchain_router.checks.learned import AnswerScorer, LearnedCheck
    from langchain_router.checks.schema import SchemaCheck

__all__ = [
    "AgreementCheck",
    "AllOf",
    "AnswerScorer",
    "AnyOf",
    "Ask",
    "Check",
    "HeuristicCheck",
    "JudgeCheck",
    "LearnedCheck",
    "OwnCheck",
    "QualityCheck",
    "Review",
    "Run",
    "SchemaCheck",
    "Verdict",
    "as_check",
]

_HOMES = {
    "agreement": ("AgreementCheck",),
    "base": ("Check", "OwnCheck", "as_check"),
    "check": ("Ask", "QualityCheck", "Review", "Run", "Verdict"),
    "combined": ("AllOf", "AnyOf"),
    "heuristic": ("HeuristicCheck",),
    "judge": ("JudgeCheck",),
    "learned": ("AnswerScorer", "LearnedCheck"),
    "schema": ("SchemaCheck",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'langchain_router.checks' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"langchain_router.checks.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
