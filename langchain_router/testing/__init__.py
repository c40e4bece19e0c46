"""Public testing kit: a simulated provider over real HTTP, recorded answers, chaos, and their parts.

`FaultyChatModel` and `ScriptedJudge` are imported when first used.
"""

from __future__ import annotations

import importlib
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
    from langchain_router.testing.judge import ScriptedJudge

__all__ = [
    "AnswerSource",
    "FaultyChatModel",
    "ReplayOutcome",
    "ReplayRow",
    "ScriptedJudge",
    "SeenRequest",
    "SimulatedModel",
    "SimulatedPrompt",
    "SimulatedProvider",
    "fit_prices",
    "probability_right",
    "read_replay",
    "schema_instance",
]


_HOME_OF = {"FaultyChatModel": "faults", "ScriptedJudge": "judge"}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'langchain_router.testing' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"langchain_router.testing.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
