"""Public testing kit: a simulated provider over real HTTP, recorded answers, chaos, and their parts.

`FaultyChatModel` is imported when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_router.testing.answers import (
    AnswerSource,
    SimulatedModel,
    SimulatedPrompt,
    probability_right,
)
from langchain_router.testing.replay import ReplayOutcome, ReplayRow, fit_prices, read_replay
from langchain_router.testing.schema_instance import schema_instance
from langchain_router.testing.simulated import SeenRequest, SimulatedProvider

if TYPE_CHECKING:
    from langchain_router.testing.faults import FaultyChatModel

__all__ = [
    "AnswerSource",
    "FaultyChatModel",
    "ReplayOutcome",
    "ReplayRow",
    "SeenRequest",
    "SimulatedModel",
    "SimulatedPrompt",
    "SimulatedProvider",
    "fit_prices",
    "probability_right",
    "read_replay",
    "schema_instance",
]


def __getattr__(name: str) -> Any:
    if name != "FaultyChatModel":
        raise AttributeError(f"module 'langchain_router.testing' has no attribute {name!r}")
    from langchain_router.testing.faults import FaultyChatModel

    globals()[name] = FaultyChatModel
    return FaultyChatModel


def __dir__() -> list[str]:
    return __all__
