"""Epsilon-greedy: exact propensities, and the best known otherwise."""

from __future__ import annotations

from collections import Counter

import pytest

from langchain_router import ConfigurationError, EpsilonGreedyPolicy
from langchain_router.policies import make_policy
from tests.policies.exploring import context, model

TRIO = [model("bad", quality=0.5), model("good", quality=0.9), model("fair", quality=0.7)]


def test_the_propensities_are_exact_and_the_choices_follow_them() -> None:
    policy = EpsilonGreedyPolicy(epsilon=0.3, seed=1)
    counts: Counter[str] = Counter()
    for _ in range(6_000):
        decision = policy.select(context(), TRIO)
        counts[decision.chosen.name] += 1
        stated = 0.8 if decision.chosen.name == "good" else 0.1
        assert decision.propensity == pytest.approx(stated, abs=1e-12)
        assert decision.policy_params["propensity_error"] == 0
    assert counts["good"] / 6_000 == pytest.approx(0.8, abs=0.02)
    assert counts["bad"] / 6_000 == pytest.approx(0.1, abs=0.015)


def test_without_exploration_the_best_known_is_chosen_and_the_next_best_follow() -> None:
    decision = EpsilonGreedyPolicy(epsilon=0).select(context(), TRIO)
    assert [step.candidate.name for step in decision.plan] == ["good", "fair", "bad"]
    assert (decision.propensity, decision.reason) == (
        1.0,
        "the best known weighed against cost, with an expected quality of 0.90",
    )


def test_a_choice_at_random_says_so() -> None:
    decision = EpsilonGreedyPolicy(epsilon=1.0, seed=1).select(context(), TRIO)
    assert decision.reason == "drawn at random, as 100% of requests are"
    assert decision.propensity == pytest.approx(1 / 3)


def test_an_epsilon_that_is_no_share_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="epsilon must be from 0 to 1, got 2"):
        EpsilonGreedyPolicy(epsilon=2)


def test_it_is_chosen_by_its_name() -> None:
    assert isinstance(make_policy("epsilon_greedy", quality=None), EpsilonGreedyPolicy)
    with pytest.raises(ConfigurationError, match="Did you mean 'epsilon_greedy'"):
        make_policy("epsilon-greedy", quality=None)
