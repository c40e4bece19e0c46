"""Thompson sampling: exact counts, exact probabilities, and the article's rule."""

from __future__ import annotations

import random
import threading
from collections import Counter
from typing import Any

import numpy as np
import pytest
from scipy import stats

from langchain_router import Candidate, ConfigurationError, Router, ThompsonPolicy
from langchain_router.checks import HeuristicCheck
from langchain_router.outcomes.lessons import Labelled
from langchain_router.policies import make_policy
from tests.policies.exploring import REQUEST, arms, context, judged, model

CHEAP, DEAR = model("cheap", 1), model("dear", 10)
DAY_S = 86_400.0


def belief(policy: ThompsonPolicy, candidate: Candidate, **of: Any) -> tuple[float, float]:
    return policy.belief(context(**of), arms(candidate)[0])


def taught(*lessons: Labelled, **params: Any) -> ThompsonPolicy:
    policy = ThompsonPolicy(**params)
    for lesson in lessons:
        policy.learn(lesson)
    return policy


# --- what is believed -------------------------------------------------------------------------------------


def test_an_unknown_model_starts_uniform_as_in_the_article() -> None:
    assert belief(ThompsonPolicy(), model("new")) == (1, 1)


def test_a_known_model_starts_from_its_own_figure() -> None:
    alpha, beta = belief(ThompsonPolicy(prior_strength=20), model("known", quality=0.9))
    assert (alpha, beta) == pytest.approx((1 + 18, 1 + 2))
    assert belief(ThompsonPolicy(prior_strength=0), model("known", quality=0.9)) == (1, 1)


def test_the_posterior_counts_successes_from_085_on_and_failures_below() -> None:
    policy = taught(*[judged("cheap", score) for score in (1.0, 0.85, 0.849, 0.0, 0.9)])
    assert belief(policy, CHEAP) == (1 + 3, 1 + 2)
    strict = taught(judged("cheap", 0.9), success_at=0.95)
    assert belief(strict, CHEAP) == (1, 2)


def test_grades_count_as_shares_of_a_success_when_no_threshold_is_set() -> None:
    assert belief(taught(judged("cheap", 0.75), judged("cheap", 0.5), success_at=None), CHEAP) == (2.25, 1.75)


def test_a_label_counts_by_its_weight() -> None:
    assert belief(taught(judged("cheap", 1.0, weight=0.25)), CHEAP) == (1.25, 1)


def test_what_was_seen_at_other_intents_counts_up_to_the_shrinkage() -> None:
    lessons = [judged("cheap", float(i % 4 > 0), intent="translation") for i in range(40)]
    assert belief(taught(*lessons, shrinkage=8), CHEAP) == pytest.approx((1 + 6, 1 + 2))
    assert belief(taught(*lessons, shrinkage=0), CHEAP) == (1, 1)
    assert belief(taught(*lessons[:4], shrinkage=8), CHEAP) == pytest.approx((1 + 3, 1 + 1))
    assert belief(taught(*lessons, shrinkage=8), CHEAP, intent="translation") == (31, 11)


def test_unlearning_the_old_label_leaves_nothing_of_it() -> None:
    policy = taught(judged("cheap", 0.0), judged("cheap", 1.0, old=0.0), judged("cheap", None, old=1.0))
    assert belief(policy, CHEAP) == (1, 1)
    assert policy.state() != b""


def test_a_judgement_counts_half_after_a_half_life() -> None:
    policy = taught(
        judged("cheap", 1.0, at_s=0), judged("cheap", 0.0, at_s=11 * DAY_S), half_life_s=10 * DAY_S
    )
    assert belief(policy, CHEAP) == (1.5, 2)
    never = taught(judged("cheap", 1.0, at_s=0), judged("cheap", 0.0, at_s=99 * DAY_S), half_life_s=None)
    assert belief(never, CHEAP) == (2, 2)


def test_who_stood_in_is_credited_alone() -> None:
    policy = taught(judged("cheap", 1.0, served_by="dear", plan=[("cheap", None), ("dear", None)]))
    assert belief(policy, CHEAP) == (1, 1)
    assert belief(policy, DEAR) == (2, 1)


def test_the_arm_of_a_cascade_is_credited_whichever_step_answered() -> None:
    plan = [("cheap", HeuristicCheck()), ("dear", None)]
    policy = ThompsonPolicy(plans=[plan, "dear"], seed=1)
    arm = f"cheap if {HeuristicCheck()!r}, else dear"
    shown = [("cheap", repr(HeuristicCheck())), ("dear", None)]
    for served in ("cheap", "dear"):
        policy.learn(judged("cheap", 1.0, arm=arm, plan=shown, served_by=served))
    assert "success rate at reasoning" in policy.select(context(), [CHEAP, DEAR]).reason
    cascade, alone = policy._arms.among([CHEAP, DEAR])
    assert policy.belief(context(), cascade) == (3, 1)
    assert policy.belief(context(), alone) == (1, 1)


def test_any_order_of_the_same_lessons_gives_the_same_state() -> None:
    lessons = [
        judged(
            f"m{i % 3}",
            (i * 37 % 100) / 100,
            old=None if i % 5 else 0.5,
            at_s=i * 3 * DAY_S,
            weight=i % 64 / 64,
            intent="reasoning" if i % 2 else "translation",
        )
        for i in range(300)
    ]
    first = taught(*lessons)
    random.Random(1).shuffle(lessons)
    assert taught(*lessons).state() == first.state()


def test_a_state_is_taken_over_and_one_of_another_kind_is_refused() -> None:
    first = taught(judged("cheap", 1.0))
    second = taught(judged("dear", 1.0))
    second.load(first.state())
    assert belief(second, CHEAP) == (2, 1)
    assert belief(second, DEAR) == (1, 1)
    for state in (b"nonsense", taught(success_at=0.5).state(), first.state()[:-40]):
        with pytest.raises(ValueError, match="state"):
            second.load(state)
    assert belief(second, CHEAP) == (2, 1)
    second.forget()
    assert belief(second, CHEAP) == (1, 1)


def test_parameters_that_only_say_how_to_use_the_counts_do_not_change_what_is_learned() -> None:
    assert ThompsonPolicy(cost_weight=1).fingerprint == ThompsonPolicy(exploration=0).fingerprint
    assert ThompsonPolicy(success_at=0.5).fingerprint != ThompsonPolicy().fingerprint


# --- the choice -------------------------------------------------------------------------------------------


def test_without_exploration_the_best_known_is_chosen_for_certain() -> None:
    policy = taught(judged("cheap", 0.0), judged("dear", 1.0), exploration=0, cost_weight=0)
    decision = policy.select(context(), [CHEAP, DEAR])
    assert decision.chosen.name == "dear"
    assert decision.propensity == 1.0
    assert decision.policy_params["propensity_error"] == 0
    assert decision.reason == "the best known, with an expected success rate at reasoning of 0.67"


def test_of_equals_the_cheaper_is_chosen_and_cost_weighs_as_much_as_it_says() -> None:
    assert ThompsonPolicy(exploration=0).select(context(), [DEAR, CHEAP]).chosen.name == "cheap"
    lessons = [judged("cheap", 0.0), judged("dear", 1.0)]  # 1/3 against 2/3
    for weight, name in ((0.36, "dear"), (0.38, "cheap")):  # 0.9 of it is between them
        policy = taught(*lessons, exploration=0, cost_weight=weight)
        assert policy.select(context(), [CHEAP, DEAR]).chosen.name == name


def test_an_unknown_price_counts_as_the_dearest() -> None:
    unpriced = model("unpriced")
    policy = ThompsonPolicy(exploration=0)
    assert policy.select(context(), [unpriced, CHEAP, DEAR]).chosen.name == "cheap"
    assert policy.select(context(), [unpriced, DEAR]).chosen.name == "unpriced"  # equal: the first


def test_the_frequencies_of_choices_are_the_propensities_stated() -> None:
    """Chi-square over 20,000 seeded draws: a wrong propensity of a percent would be seen."""
    lessons = [judged("cheap", float(i % 3 > 0)) for i in range(9)]
    lessons += [judged("dear", float(i % 5 > 0)) for i in range(10)]
    policy = taught(*lessons, exploration=0.6, seed=3)
    able = [CHEAP, DEAR, model("new", 5)]
    counts: Counter[str] = Counter()
    stated: dict[str, float] = {}
    asked = context()
    for _ in range(20_000):
        decision = policy.select(asked, able)
        counts[decision.chosen.name] += 1
        stated[decision.chosen.name] = decision.propensity
    assert sum(stated.values()) == pytest.approx(1, abs=0.002)
    expected = np.array([stated[one.name] for one in able])
    found = stats.chisquare([counts[one.name] for one in able], 20_000 * expected / expected.sum())
    assert found.pvalue > 0.001


def test_the_same_seed_makes_the_same_choices() -> None:
    def choices(**params: Any) -> list[str]:
        policy = ThompsonPolicy(**params)
        return [policy.select(context(), [CHEAP, DEAR]).chosen.name for _ in range(20)]

    assert choices(seed=5) == choices(seed=5) == choices(rng=np.random.default_rng(5))
    assert choices(seed=5) != choices(seed=6)


def test_a_forked_process_draws_lots_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = ThompsonPolicy()
    with policy._lots as rng:
        before = rng
    monkeypatch.setattr("os.getpid", lambda: -1)
    with policy._lots as rng:
        assert rng is not before


def test_everyone_else_follows_by_what_is_expected_of_them() -> None:
    policy = taught(
        *[judged(name, score) for name, score in (("a", 1.0), ("b", 0.0), ("c", 1.0), ("c", 1.0))],
        exploration=0,
    )
    decision = policy.select(context(), [model("a"), model("b"), model("c")])
    assert [step.candidate.name for step in decision.plan] == ["c", "a", "b"]
    assert "Not b: 0.33 expected" in decision.explain()


def test_a_plan_is_chosen_as_a_whole_and_others_follow_behind_it() -> None:
    plan = [("cheap", HeuristicCheck()), ("dear", None)]
    policy = ThompsonPolicy(plans=[plan], seed=1)
    decision = policy.select(context(), [model("other"), CHEAP, DEAR])
    assert [step.candidate.name for step in decision.plan] == ["cheap", "dear", "other"]
    assert decision.arm == f"cheap if {HeuristicCheck()!r}, else dear"
    assert decision.propensity == 1.0
    assert decision.policy_params["plans"] == [[("cheap", repr(HeuristicCheck())), ("dear", None)]]


def test_plans_that_may_not_run_leave_the_candidates_that_may_answer() -> None:
    policy = ThompsonPolicy(plans=[[("cheap", HeuristicCheck()), ("dear", None)]], seed=1)
    decision = policy.select(context(), [DEAR])
    assert decision.arm == "dear"


def test_it_learns_while_many_threads_decide() -> None:
    policy = ThompsonPolicy(seed=1)
    errors: list[Exception] = []

    def work(name: str) -> None:
        try:
            for _ in range(100):
                policy.select(context(), [CHEAP, DEAR])
                policy.learn(judged(name, 1.0))
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("cheap", "dear") * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert belief(policy, CHEAP) == belief(policy, DEAR) == (401, 1)


# --- what a user may get wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"exploration": 1.5}, "exploration must be from 0 to 1, got 1.5"),
        ({"exploration": True}, "exploration must be"),
        ({"cost_weight": -1}, "cost_weight must be 0 or more, got -1"),
        ({"success_at": float("nan")}, "success_at must be"),
        ({"prior_strength": "10"}, "prior_strength must be"),
        ({"shrinkage": None}, "shrinkage must be"),
        ({"half_life_s": 0}, "half_life_s must be"),
        ({"rng": np.random.default_rng(), "seed": 1}, "not both"),
        ({"rng": random.Random()}, "numpy Generator"),
        ({"seed": -1}, "seed must be"),
        ({"plans": []}, "got an empty one"),
        ({"plans": "cheap"}, "plans must be a list"),
        ({"plans": ["cheap", "cheap"]}, "'cheap' twice"),
    ],
)
def test_a_wrong_parameter_is_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        ThompsonPolicy(**params)


def test_a_plan_that_names_no_candidate_is_refused_when_the_router_is_built() -> None:
    with pytest.raises(ConfigurationError, match="'chaep', which is not a candidate"):
        Router([CHEAP, DEAR], policy=ThompsonPolicy(plans=["chaep"]))


def test_it_is_chosen_by_its_name_and_shows_what_builds_it_again() -> None:
    policy = make_policy("thompson", quality=None)
    assert isinstance(policy, ThompsonPolicy)
    assert repr(eval(repr(policy))) == repr(policy)  # noqa: S307 - its own repr
    assert repr(ThompsonPolicy(plans=["a"])).endswith("plans=['a'])")
    decision = Router([CHEAP, DEAR], policy=policy).decide(REQUEST)
    params = {k: v for k, v in decision.policy_params.items() if k != "propensity_error"}
    assert repr(ThompsonPolicy(**params)) == repr(policy)
