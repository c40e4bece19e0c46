"""Learning on recorded outcomes: a policy sees what its own choice came to, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from langchain_router import Candidate, ConfigurationError, RoutingDecision, ThompsonPolicy
from langchain_router.evaluation.bandit import as_traffic, order, run_policy, static_choice, table_choice
from langchain_router.evaluation.recorded import Recorded
from langchain_router.outcomes.lessons import Labelled, Lesson
from langchain_router.policies.context import Context
from langchain_router.testing.replay import ReplayOutcome, ReplayRow
from tests.evaluation.recordings import WORD, sums

NAN = float("nan")
DATA = Recorded(name="sums", rows=tuple(sums(120)))


@dataclass
class Watching:
    """A policy that always takes the same model where it may, and keeps what it is told."""

    favourite: str
    offered: list[list[str]] = field(default_factory=list)
    lessons: list[Lesson] = field(default_factory=list)
    fingerprint: str = "watching"

    def select(self, context: Context, candidates: Sequence[Candidate]) -> RoutingDecision:
        self.offered.append([one.name for one in candidates])
        ranked = sorted(candidates, key=lambda one: one.name != self.favourite)
        return context.decision(ranked, reason="", policy="watching", policy_params={})

    def learn(self, lesson: Lesson) -> None:
        self.lessons.append(lesson)


def test_only_the_score_of_the_chosen_model_is_told() -> None:
    traffic = as_traffic(DATA)
    watching = Watching("beta-small")
    chosen = run_policy(traffic, lambda _: watching, seed=1)
    names = [one.name for one in traffic.candidates]
    assert set(chosen) == {names.index("beta-small")}
    labelled = [one for one in watching.lessons if isinstance(one, Labelled)]
    assert len(labelled) == len(DATA.rows) == len(watching.lessons) / 2
    for row, lesson in zip(order(traffic, 1), labelled, strict=True):
        assert lesson.new is not None
        assert lesson.ended.served_by == lesson.ended.situation.arm == "beta-small"
        assert lesson.new.score == traffic.score[row, names.index("beta-small")]
        assert lesson.ended.calls[0].cost_usd == 2e-5
        assert lesson.ended.situation.features


def test_candidates_know_their_price_and_nothing_of_their_quality() -> None:
    for one in as_traffic(DATA).candidates:
        assert one.price is not None
        assert one.quality is None
        assert not one.quality_by_intent


def test_the_same_seed_gives_the_same_choices_and_each_seed_an_order_of_its_own() -> None:
    traffic = as_traffic(DATA)
    runs = [run_policy(traffic, lambda s: ThompsonPolicy(seed=s), seed=seed) for seed in (1, 1, 2)]
    assert (runs[0] == runs[1]).all()
    assert (order(traffic, 1) != order(traffic, 2)).any()
    assert sorted(order(traffic, 3)) == list(range(120))
    assert len(order(traffic, 3, passes=2)) == 240


def test_a_model_that_was_not_asked_is_not_offered() -> None:
    rows = [
        ReplayRow(
            id=str(i),
            dataset="d",
            domain="",
            prompt=f"{WORD} {i}",
            outcomes={
                name: ReplayOutcome(score=1.0, cost_usd=1e-3)
                for place, name in enumerate("abc")
                if (i + place) % 3  # each model was asked two of three prompts
            },
        )
        for i in range(9)
    ]
    traffic = as_traffic(Recorded(name="sparse", rows=tuple(rows)))
    watching = Watching("a")
    run_policy(traffic, lambda _: watching, seed=1)
    assert {len(names) for names in watching.offered} == {2}
    assert sorted(map(tuple, watching.offered)) == [("a", "b")] * 3 + [("a", "c")] * 3 + [("b", "c")] * 3


def test_a_set_with_nothing_to_choose_is_refused() -> None:
    row = ReplayRow(id="1", dataset="d", domain="", prompt="p", outcomes={"m": ReplayOutcome(score=1.0)})
    with pytest.raises(ConfigurationError, match="Fewer than two models"):
        as_traffic(Recorded(name="one", rows=(row,)))


def test_the_best_single_model_is_the_best_on_average_and_gaps_go_to_the_next() -> None:
    value = np.array([[1.0, 0.0, 0.5], [0.9, 1.0, 0.5], [NAN, 0.2, 0.5]])
    assert static_choice(value).tolist() == [0, 0, 2]


def test_a_table_takes_the_best_for_each_intent() -> None:
    value = np.array([[1.0, 0.0], [0.9, 0.5], [0.0, 1.0], [NAN, 0.7]])
    assert table_choice(value, ["x", "x", "y", "y"]).tolist() == [0, 0, 1, 1]


def test_utility_takes_the_share_of_the_dearest_off() -> None:
    traffic = as_traffic(DATA)
    names = [one.name for one in traffic.candidates]
    assert traffic.dearest_usd == pytest.approx(1e-3)
    off = traffic.score - traffic.utility(0.5)
    assert off[:, names.index("gamma-large")] == pytest.approx(0.5)
    assert off[:, names.index("alpha-small")] == pytest.approx(0.005)
