"""Public testing kit: a simulated provider over real HTTP, recorded answers, and what they are made of."""

from langchain_router.testing.answers import (
    AnswerSource,
    SimulatedModel,
    SimulatedPrompt,
    probability_right,
)
from langchain_router.testing.replay import ReplayOutcome, ReplayRow, fit_prices, read_replay
from langchain_router.testing.schema_instance import schema_instance
from langchain_router.testing.simulated import SeenRequest, SimulatedProvider

__all__ = [
    "AnswerSource",
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
