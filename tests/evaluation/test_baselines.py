"""The baselines, which a check has to beat."""

from __future__ import annotations

from langchain_core.messages import AIMessage, HumanMessage

from langchain_router.evaluation.baselines import HedgingBaseline, LengthBaseline
from langchain_router.request import RoutingRequest

REQUEST = RoutingRequest(messages=(HumanMessage("Why?"),))


def test_length_scores_longer_answers_higher() -> None:
    scores = [LengthBaseline().check(REQUEST, AIMessage("x" * n)).score or 0.0 for n in (0, 10, 1_000, 9_000)]
    assert scores == sorted(scores)
    assert (scores[0], scores[2]) == (0.0, 0.5)


def test_hedging_fails_what_sounds_unsure() -> None:
    sure = HedgingBaseline().check(REQUEST, AIMessage("Because it rains."))
    unsure = HedgingBaseline().check(REQUEST, AIMessage("Perhaps because it rains, but I'm not sure."))
    assert sure.passed
    assert not unsure.passed
    assert (unsure.score or 0.0) < (sure.score or 0.0)
