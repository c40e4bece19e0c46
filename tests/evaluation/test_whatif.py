"""What another policy would have come to: the truth of simulated traffic, and refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from langchain_router import Candidate, ChatRouter, Price
from langchain_router.checks import HeuristicCheck
from langchain_router.decision import RoutingDecision
from langchain_router.evaluation.whatif import WhatIf, whatif
from langchain_router.exceptions import ConfigurationError, InsufficientEvidenceError, StoreError
from langchain_router.outcomes.feedback import Feedback
from langchain_router.outcomes.lessons import Ended, Lesson
from langchain_router.outcomes.store import OutcomeStore, open_store
from langchain_router.policies import CascadePolicy, Context, EpsilonGreedyPolicy
from langchain_router.testing.scripted import ScriptedChatModel
from tests.evaluation.logged_traffic import COSTS_USD, NOW_S, log_traffic

SURE = 0.999
"""Confidence for tests on one log, which must not fail one time in twenty. How often intervals of 95 % hold
the truth is tested over a thousand logs, in `offpolicy/test_coverage.py`."""


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OutcomeStore]:
    opened = open_store(None if request.param == "memory" else tmp_path / "router.db")
    yield opened
    opened.close()


@pytest.fixture
def memory() -> OutcomeStore:
    return open_store()


def test_the_cost_and_quality_that_another_policy_would_have_had_are_found(store: OutcomeStore) -> None:
    log_traffic(store, 1_000)
    for arm, truth in (("large", 0.95), ("small", 0.55)):
        found = whatif(store, f"single:{arm}", confidence=SURE)
        assert found.quality is not None
        for estimate in (found.quality.doubly_robust, found.quality.snips, found.quality.ips):
            assert estimate.low <= truth <= estimate.high
        cost = found.cost_usd.doubly_robust
        assert cost.low <= COSTS_USD[arm] <= cost.high
        assert found.shares[arm][1] == 1
        assert found.elsewhere == pytest.approx(1 - found.shares[arm][0])
        assert found.mean_weight.low <= 1 <= found.mean_weight.high


def test_beside_it_stands_what_was_recorded_and_the_difference(memory: OutcomeStore) -> None:
    log_traffic(memory, 1_000)
    requests = {
        lesson.situation.decision_id: lesson.calls[0].cost_usd or 0.0
        for _, lesson in memory.lessons(limit=5_000)
        if isinstance(lesson, Ended)
    }
    found = whatif(memory, "single:large")
    assert found.requests == len(requests) == 1_000
    assert found.cost_usd.recorded.value == pytest.approx(sum(requests.values()) / 1_000)
    assert found.quality is not None
    assert found.quality.difference.value == pytest.approx(
        found.quality.doubly_robust.value - found.quality.recorded.value
    )
    assert found.quality.difference.side == 1
    assert json.loads(json.dumps(found.to_dict()))["quality"]["snips"]["effective_sample"] > 100


def test_a_policy_that_does_as_recorded_comes_to_the_same_for_certain(memory: OutcomeStore) -> None:
    log_traffic(memory, 200, certain=True)
    found = whatif(memory, "single:small")
    assert found.elsewhere == 0
    assert found.quality is not None
    assert found.quality.doubly_robust.value == pytest.approx(found.quality.recorded.value)
    assert found.quality.difference.low == found.quality.difference.high == 0


def test_a_recorded_policy_that_left_nothing_to_chance_tells_nothing_of_others(
    memory: OutcomeStore,
) -> None:
    log_traffic(memory, 500, certain=True)
    with pytest.raises(InsufficientEvidenceError, match="left nothing to chance") as raised:
        whatif(memory, "single:large")
    assert "500 choices was certain" in str(raised.value)
    assert "thompson" in str(raised.value)


def test_what_only_part_of_the_log_could_have_shown_is_refused(memory: OutcomeStore) -> None:
    log_traffic(memory, 1_000, large=lambda hardness: 0.5 if hardness > 0.5 else 0.0)
    with pytest.raises(InsufficientEvidenceError, match=r"Only about \d\d% .* could have come up"):
        whatif(memory, "single:large")
    assert whatif(memory, "single:small").elsewhere > 0.1  # the other way round it can be told


def test_a_way_of_answering_that_was_never_recorded_is_refused(memory: OutcomeStore) -> None:
    log_traffic(memory, 300)
    cascade = CascadePolicy([("small", HeuristicCheck()), ("large", None)])
    with pytest.raises(InsufficientEvidenceError, match=r"never recorded, most often 'small if Heuristic"):
        whatif(memory, cascade)


def test_too_few_requests_are_refused_with_how_many_are_needed(memory: OutcomeStore) -> None:
    log_traffic(memory, 60)
    with pytest.raises(InsufficientEvidenceError, match="the effective sample is") as raised:
        whatif(memory, "single:large")
    assert raised.value.effective_sample is not None
    assert 0 < raised.value.effective_sample < 60
    needed = 60 * 100 / raised.value.effective_sample
    assert f"About {needed:,.0f} requests like these are needed" in str(raised.value)
    assert "epsilon_greedy" in str(raised.value)


def test_too_little_feedback_is_refused_and_the_cost_alone_is_not(memory: OutcomeStore) -> None:
    log_traffic(memory, 800, judged=0.05)
    with pytest.raises(InsufficientEvidenceError, match="what the quality would be"):
        whatif(memory, "single:large")
    found = whatif(memory, "single:large", cost_only=True, confidence=SURE)
    assert found.quality is None
    assert found.cost_usd.doubly_robust.low <= 0.01 <= found.cost_usd.doubly_robust.high


def test_answers_that_nobody_judged_are_made_up_for_by_those_of_the_same_arm(memory: OutcomeStore) -> None:
    log_traffic(memory, 1_000, judged=0.4)
    found = whatif(memory, "single:small", confidence=SURE)
    assert found.quality is not None
    assert found.quality.known < 500
    assert found.quality.doubly_robust.low <= 0.55 <= found.quality.doubly_robust.high


def test_a_request_that_nobody_answered_is_worth_nothing(memory: OutcomeStore) -> None:
    log_traffic(memory, 1_000, judged=0.5, lost=0.5)
    found = whatif(memory, "single:small", confidence=SURE)
    assert found.quality is not None
    assert found.quality.doubly_robust.low <= 0.55 / 2 <= found.quality.doubly_robust.high


def test_only_requests_since_then_count(memory: OutcomeStore) -> None:
    log_traffic(memory, 1_000, every_s=60)
    found = whatif(memory, "single:large", since_s=600 * 60 - 1, wall_clock=lambda: NOW_S)
    assert found.requests == 600
    with pytest.raises(ConfigurationError, match="since then; it holds 1000 older ones"):
        whatif(memory, "single:large", since_s=60, wall_clock=lambda: NOW_S + 999)


@dataclass
class Watching:
    """A policy that learns, and notes what it had learned from when it was asked."""

    fingerprint: str = "watching"
    taught: set[str] = field(default_factory=set)
    own: list[bool] = field(default_factory=list)
    known: list[int] = field(default_factory=list)

    def select(self, context: Context, candidates: Sequence[Candidate]) -> RoutingDecision:
        self.own.append(str(context.complexity.value) in self.taught)
        self.known.append(len(self.taught))
        return context.decision(candidates[:1], reason="", policy="watching", policy_params={})

    def learn(self, lesson: Lesson) -> None:
        ended = lesson if isinstance(lesson, Ended) else lesson.ended
        self.taught.add(str(ended.situation.complexity))


def test_no_policy_is_judged_on_what_it_learned_from(memory: OutcomeStore) -> None:
    log_traffic(memory, 400)
    watching = Watching()
    whatif(memory, watching)
    assert not any(watching.own)
    assert watching.known == sorted(watching.known)
    assert max(watching.known) > 300


def test_the_figures_are_the_same_each_time(memory: OutcomeStore) -> None:
    log_traffic(memory, 400)
    spec = "epsilon_greedy:epsilon=0.5,cost_weight=0.2"
    assert whatif(memory, spec) == whatif(memory, spec)


def test_a_log_that_cannot_be_read_to_its_end_gives_no_figures(
    memory: OutcomeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_traffic(memory, 300)
    read = memory.lessons
    monkeypatch.setattr(memory, "lessons", lambda after, _: read(after, 100) if after < 200 else [])
    with pytest.raises(StoreError, match="to the end of its log"):
        whatif(memory, "single:large")


def test_what_a_router_wrote_can_be_asked(store: OutcomeStore) -> None:
    policy = EpsilonGreedyPolicy(epsilon=0.8, seed=1)
    router = ChatRouter(candidates=_scripted(), policy=policy, store=store)
    answers = [router.invoke(f"What is {number} and {number}?") for number in range(300)]
    store.flush()
    store.add_feedback(
        *(
            Feedback(
                decision_id=one.response_metadata["router"]["decision_id"], score=float(one.text == "right")
            )
            for one in answers
        )
    )
    found: WhatIf = whatif(store, "epsilon_greedy:epsilon=1.0", candidates=router.candidates, confidence=SURE)
    assert found.requests == 300
    assert found.shares["small"][1] == pytest.approx(0.5)
    assert found.quality is not None
    assert found.quality.doubly_robust.low <= 0.7 <= found.quality.doubly_robust.high
    assert found.cost_usd.known == 300


def _scripted() -> list[Candidate]:
    """Two models, right in one of two and in nine of ten."""
    scripts = {"small": ["right", "wrong"], "large": ["right"] * 9 + ["wrong"]}
    return [
        Candidate(
            model=ScriptedChatModel(answers=answers),
            name=name,
            quality=0.6,
            price=Price.per_million(input_usd=price, output_usd=price),
        )
        for (name, answers), price in zip(scripts.items(), (0.1, 0.2), strict=True)
    ]
