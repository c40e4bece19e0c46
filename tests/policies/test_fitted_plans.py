"""Fitted plans: their rules, and the file they are kept in."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_router import ConfigurationError, RoutingRequest
from langchain_router.checks.scoring.columns import Columns
from langchain_router.checks.scoring.gain import GainScorer
from langchain_router.policies.fitted_plans import FittedArm, FittedPlans, chosen_by
from langchain_router.quality.prompt_inputs import BUCKETS, SIZE

PROMPTS = ["How much is 2 + 2?", "Write a long poem about the sea,\nwith rhymes,\nplease.", "", "7 8 9?"]
QUALITY = np.array([[0.60, 0.90, 0.88], [0.89, 0.90, 0.91], [0.20, 0.30, 0.95]])
COST = np.array([[0.10, 1.00, 0.40], [0.10, 1.00, 0.40], [0.10, 1.00, 0.40]])


def scorer(constant: float, seconds: tuple[str, ...] = ()) -> GainScorer:
    columns = Columns(seconds=seconds)
    weights = np.random.default_rng(int(100 * constant)).normal(0, 0.1, columns.width).astype(np.float32)
    return GainScorer(columns=columns, weights=weights, constant=constant)


ONE_SECOND, TWO_SECONDS = scorer(0.2), scorer(0.3, ("mid", "other"))


def plans(**changed: Any) -> FittedPlans:
    """Three arms, then two more that share a scorer and one with two seconds."""
    arms = (
        FittedArm(draft="small"),
        FittedArm(draft="large"),
        FittedArm(draft="small", seconds=("mid",), last="large", most_gain=0.125, scorer=ONE_SECOND),
        FittedArm(draft="small", seconds=("mid",), last="large", most_gain=0.25, scorer=ONE_SECOND),
        FittedArm(draft="mid", seconds=("mid", "other"), last="large", most_gain=0.1, scorer=TWO_SECONDS),
    )
    rng = np.random.default_rng(3)
    values: dict[str, Any] = {
        "arms": arms,
        "reference": 1,
        "quality_weights": rng.normal(0, 0.3, (SIZE, 5)).astype(np.float32),
        "quality_constants": np.array([0.6, 0.9, 0.85, 0.8, 0.87]),
        "cost_weights": rng.normal(0, 0.1, (SIZE, 5)).astype(np.float32),
        "cost_constants": np.array([0.1, 1.0, 0.4, 0.3, 0.5]),
        "rule": "slack",
        "dial": 0.02,
        "evidence": {"fit_rows": 300.0, "fit_cost_saved": 1 / 3},
    }
    return FittedPlans(**{**values, **changed})


def three(**changed: Any) -> FittedPlans:
    whole = plans()
    values = {
        "arms": whole.arms[:3],
        "quality_weights": whole.quality_weights[:, :3],
        "quality_constants": whole.quality_constants[:3],
        "cost_weights": whole.cost_weights[:, :3],
        "cost_constants": whole.cost_constants[:3],
    }
    return plans(**{**values, **changed})


# --- the rules ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("slack", "chosen"), [(0.0, [1, 2, 2]), (0.02, [2, 0, 2]), (0.31, [0, 0, 0])])
def test_slack_takes_the_cheapest_that_is_not_too_far_under_the_reference(
    slack: float, chosen: list[int]
) -> None:
    assert three(rule="slack", dial=slack).choose(QUALITY, COST).tolist() == chosen
    assert three(rule="cost_weight", dial=0.0).choose(QUALITY, COST, slack=slack).tolist() == chosen


def test_slack_below_0_asks_for_more_than_the_reference_or_takes_the_best() -> None:
    assert three(rule="slack", dial=-0.1).choose(QUALITY, COST).tolist() == [1, 2, 2]
    assert three(rule="slack", dial=-0.005).choose(QUALITY, COST)[1] == 2


@pytest.mark.parametrize(("weight", "chosen"), [(0.0, [1, 2, 2]), (0.1, [2, 0, 2]), (10.0, [0, 0, 0])])
def test_cost_weight_takes_the_best_of_quality_less_its_cost(weight: float, chosen: list[int]) -> None:
    assert three(rule="cost_weight", dial=weight).choose(QUALITY, COST).tolist() == chosen


def test_a_cost_predicted_below_0_counts_as_0() -> None:
    quality, cost = np.array([[0.5, 0.6]]), np.array([[-5.0, 0.0]])
    assert chosen_by("cost_weight", 1.0, quality, cost, quality[:, 0]).tolist() == [1]


def test_of_equals_the_first_is_taken() -> None:
    same = np.full((2, 3), 0.5)
    for rule in ("cost_weight", "slack"):
        assert three(rule=rule, dial=0.1).choose(same, same).tolist() == [0, 0]


def test_fixed_takes_its_arm_whatever_is_expected() -> None:
    assert three(rule="fixed", dial=2.0).choose(QUALITY, COST).tolist() == [2, 2, 2]


def test_what_is_expected_of_a_fixed_plan_are_its_constants() -> None:
    quality, cost = three(rule="fixed", dial=2.0).predict(PROMPTS)
    assert quality.tolist() == [[0.6, 0.9, 0.85]] * len(PROMPTS)
    assert cost.tolist() == [[0.1, 1.0, 0.4]] * len(PROMPTS)


def test_what_is_expected_follows_the_prompt() -> None:
    weights = np.zeros((SIZE, 3), np.float32)
    weights[BUCKETS, 1] = 1.0  # of the length
    quality, cost = three(quality_weights=weights, cost_weights=2 * weights).predict(["short", "long " * 200])
    assert quality[0, 0] == quality[1, 0] == 0.6
    assert quality[0, 1] < 0.9 < quality[1, 1]
    assert cost[1, 1] - 1.0 == pytest.approx(2 * (quality[1, 1] - 0.9), abs=1e-6)


def test_a_request_is_predicted_as_its_text() -> None:
    requests = [RoutingRequest(messages=(HumanMessage(text),)) for text in PROMPTS]
    for of_requests, of_texts in zip(plans().predict(requests), plans().predict(PROMPTS), strict=True):
        np.testing.assert_array_equal(of_requests, of_texts)


# --- when some models cannot answer -------------------------------------------------------------


@pytest.mark.parametrize("rule", ["slack", "cost_weight"])
def test_an_arm_that_is_not_able_is_never_chosen(rule: str) -> None:
    for able in ([0, 1], [1, 2], [2], [0, 2]):
        for dial in (0.0, 0.05, 5.0):
            assert set(three(rule=rule, dial=dial).choose(QUALITY, COST, able=able).tolist()) <= set(able)


def test_the_others_are_chosen_among_as_before() -> None:
    assert three(rule="slack", dial=0.02).choose(QUALITY, COST, able=[0, 1]).tolist() == [1, 0, 1]


def test_without_the_reference_the_best_of_each_prompt_stands_for_it() -> None:
    found = three(rule="slack", dial=0.02)
    together = found.choose(QUALITY, COST, able=[0, 2])
    assert together.tolist() == [2, 0, 2]
    alone = [int(found.choose(QUALITY[[row]], COST[[row]], able=[0, 2])[0]) for row in range(len(QUALITY))]
    assert together.tolist() == alone, "what else is asked makes no difference"
    far = np.array([[0.80, 0.99, 0.95]])
    assert found.choose(far, COST[:1], able=[0, 2], slack=0.1).tolist() == [2]


def test_a_fixed_arm_that_is_not_able_gives_way_to_the_reference_or_to_the_best() -> None:
    fixed = three(rule="fixed", dial=2.0)
    assert fixed.choose(QUALITY, COST, able=[0, 1]).tolist() == [1, 1, 1]
    assert three(rule="fixed", dial=1.0).choose(QUALITY, COST, able=[0, 2]).tolist() == [2, 2, 2]


def test_a_plan_names_all_models_it_may_call() -> None:
    assert [arm.models for arm in plans().arms[:3]] == [("small",), ("large",), ("small", "mid", "large")]
    assert str(plans().arms[2]) == "small, checked beside mid, else large"


# --- the file -----------------------------------------------------------------------------------


def test_what_was_saved_and_loaded_chooses_and_checks_alike(tmp_path: Path) -> None:
    path = tmp_path / "plans.npz"
    for made in (plans(), plans(rule="cost_weight", dial=0.07), plans(rule="fixed", dial=3.0)):
        made.save(path)
        loaded = FittedPlans.load(path)
        for ours, theirs in zip(made.predict(PROMPTS), loaded.predict(PROMPTS), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert made.choose(*made.predict(PROMPTS)).tolist() == loaded.choose(*made.predict(PROMPTS)).tolist()
        assert (loaded.fingerprint, loaded.evidence) == (made.fingerprint, made.evidence)
        assert (loaded.rule, loaded.dial, loaded.reference) == (made.rule, made.dial, made.reference)
        request, answer = RoutingRequest(messages=(HumanMessage("2 + 2?"),)), AIMessage("It is 5.")
        for before, after in zip(made.arms, loaded.arms, strict=True):
            assert replace(before, scorer=None) == replace(after, scorer=None)
            if before.scorer is not None and after.scorer is not None:
                said = {name: AIMessage("4") for name in before.seconds}
                probability = before.scorer.probability(request, answer, said)
                assert probability == after.scorer.probability(request, answer, said)
        assert loaded.arms[2].scorer is loaded.arms[3].scorer, "a scorer that several share is kept once"


def test_the_file_holds_no_pickle_and_stays_small(tmp_path: Path) -> None:
    plans().save(tmp_path / "plans.npz")
    assert (tmp_path / "plans.npz").stat().st_size < 400_000
    with np.load(tmp_path / "plans.npz", allow_pickle=False) as file:
        assert all(file[name].dtype != object for name in file.files)


CHANGES: dict[str, Callable[[FittedPlans], FittedPlans]] = {
    "dial": lambda one: replace(one, dial=0.03),
    "rule": lambda one: replace(one, rule="cost_weight"),
    "reference": lambda one: replace(one, reference=0),
    "quality": lambda one: replace(one, quality_constants=one.quality_constants + 1e-9),
    "cost": lambda one: replace(one, cost_weights=one.cost_weights * np.float32(1.0001)),
    "threshold": lambda one: with_arm(one, most_gain=0.13),
    "scorer's constant": lambda one: with_arm(one, scorer=replace(ONE_SECOND, constant=0.21)),
    "scorer's weights": lambda one: with_arm(one, scorer=replace(ONE_SECOND, weights=-ONE_SECOND.weights)),
    "second": lambda one: with_arm(one, seconds=("other",)),
}


def with_arm(made: FittedPlans, **changed: Any) -> FittedPlans:
    return replace(made, arms=(*made.arms[:2], replace(made.arms[2], **changed), *made.arms[3:]))


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_whatever_changes_a_choice_changes_the_fingerprint(
    change: Callable[[FittedPlans], FittedPlans],
) -> None:
    assert change(plans()).fingerprint != plans().fingerprint == plans().fingerprint


def rewritten(path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]) -> Path:
    """Save plans, and change what the file says: its words, its arrays."""
    plans().save(path)
    with np.load(path) as file:
        arrays: dict[str, Any] = {name: file[name] for name in file.files}
    about = json.loads(arrays["about"].tobytes())
    change(about, arrays)
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    with path.open("wb") as written:
        np.savez(written, **arrays)
    return path


@pytest.mark.parametrize("version", ["version", "answer_version"])
def test_a_file_of_another_version_is_refused_with_that_reason(tmp_path: Path, version: str) -> None:
    path = rewritten(tmp_path / "plans.npz", lambda about, _: about.update({version: 999}))
    with pytest.raises(ConfigurationError, match="another version of langchain_router: fit it again"):
        FittedPlans.load(path)


TAMPERED: dict[str, Callable[[dict[str, Any], dict[str, Any]], None]] = {
    "another dial": lambda about, _: about.update(dial=0.5),
    "another rule": lambda about, _: about.update(rule="best"),
    "another reference": lambda about, _: about.update(reference=9),
    "another scorer": lambda about, _: about["scorers"][0].update(constant=0.9),
    "swapped scorers": lambda about, _: about.update(scorer_of_arm=[None, None, 1, 1, 0]),
    "fewer arms": lambda about, _: about["arms"].pop(),
    "a word for a number": lambda about, _: about.update(dial="high"),
    "evidence in a list": lambda about, _: about.update(evidence=[1]),
    "no scorers": lambda about, _: about.pop("scorers"),
    "other weights": lambda _, arrays: arrays.update(quality_weights=arrays["cost_weights"]),
    "short weights": lambda _, arrays: arrays.update(cost_weights=arrays["cost_weights"][:7]),
    "no constants": lambda _, arrays: arrays.pop("cost_constants"),
    "short constants": lambda _, arrays: arrays.update(cost_constants=arrays["cost_constants"][:1]),
    "short scorer": lambda _, arrays: arrays.update(scorer_0=arrays["scorer_0"][:7]),
}


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED.keys())
def test_a_file_that_was_changed_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any], dict[str, Any]], None]
) -> None:
    with pytest.raises(ConfigurationError, match=r"plans\.npz.* (damaged|no fitted plans)"):
        FittedPlans.load(rewritten(tmp_path / "plans.npz", change))


def test_bytes_damaged_anywhere_are_refused_or_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "plans.npz"
    made = three(quality_weights=np.zeros((SIZE, 3), np.float32))
    made.save(path)
    good, rng = path.read_bytes(), random.Random(5)
    refused = 0
    for trial in range(120):
        bad = bytearray(good)
        if trial % 4 == 0:
            bad = bad[: rng.randrange(len(bad))]
        else:
            for _ in range(3):
                ends = rng.choice([rng.randrange(400), len(bad) - 1 - rng.randrange(400)])
                bad[rng.choice([ends, rng.randrange(len(bad))])] = rng.randrange(256)
        path.write_bytes(bytes(bad))
        try:
            assert FittedPlans.load(path).fingerprint == made.fingerprint
        except ConfigurationError:
            refused += 1
    assert refused > 80


def foreign() -> dict[str, bytes]:
    array, table = io.BytesIO(), io.BytesIO()
    np.save(array, np.arange(3))
    np.savez(table, weights=np.arange(3))
    return {
        "nothing": b"",
        "text": b"not a file of plans",
        "an array": array.getvalue(),
        "others": table.getvalue(),
    }


@pytest.mark.parametrize("held", foreign().values(), ids=foreign().keys())
def test_a_file_of_something_else_is_refused(tmp_path: Path, held: bytes) -> None:
    (tmp_path / "plans.npz").write_bytes(held)
    with pytest.raises(ConfigurationError, match="holds no fitted plans"):
        FittedPlans.load(tmp_path / "plans.npz")


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    with (tmp_path / "plans.npz").open("wb") as written:
        np.savez(written, about=np.array([{"version": 1}], dtype=object))
    with pytest.raises(ConfigurationError, match="holds no fitted plans"):
        FittedPlans.load(tmp_path / "plans.npz")


def test_no_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="There is no file"):
        FittedPlans.load(tmp_path / "none.npz")
    with pytest.raises(ConfigurationError, match="holds no fitted plans"):
        FittedPlans.load(tmp_path)
