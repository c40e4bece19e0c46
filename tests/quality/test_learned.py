"""Learned quality: the prior at first, then what was seen; shared by plans, and the same in any order."""

from __future__ import annotations

import dataclasses
import random
import threading
import zipfile
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage

from langchain_router import Candidate, IntentPrediction
from langchain_router.exceptions import ConfigurationError
from langchain_router.outcomes.lessons import Call, Label, Labelled, Lesson, Situation
from langchain_router.policies.context import Context
from langchain_router.policies.cost import CostPolicy
from langchain_router.quality.features import HashedText
from langchain_router.quality.inputs import Shrinkage
from langchain_router.quality.learned import LearnedQuality
from langchain_router.quality.lesson_facts import as_intent
from langchain_router.quality.prior import PriorQuality
from langchain_router.request import RoutingRequest
from langchain_router.signals.types import ComplexityScore
from tests.quality.lessons import CHECK, DAY_S, candidates, ended, judged, situation

MINI, MAX = ("mini", None), ("max", None)
CASCADE = (("mini", CHECK), MAX)
REQUEST = RoutingRequest(messages=(HumanMessage("How many apples are left?"),))


def model(half_life_s: float | None = None, **quality: float | None) -> LearnedQuality:
    quality = quality or {"mini": 0.8, "max": 0.95}
    return LearnedQuality(candidates(**quality), feature_map=HashedText(4), half_life_s=half_life_s)


def success(learned: LearnedQuality, asked: Situation) -> float:
    return learned.expect(asked, [asked.plan])[0].success


def told(learned: LearnedQuality) -> bytes:
    return learned.state()


lesson = st.builds(
    lambda plan, intent, complexity, features, at_s, score, passed, cost: judged(
        situation(
            *plan,
            intent=intent,
            complexity=complexity,
            features=tuple(features),
            at_s=at_s * DAY_S,
            cost_usd={"mini": 0.01, "max": 0.1},
        ),
        score,
        *(
            Call(candidate=name, role="draft", passed=passed, cost_usd=cost)
            for name, _ in (plan[:1] if passed else plan)
        ),
    ),
    st.sampled_from([(MINI,), (MAX,), CASCADE]),
    st.sampled_from(["reasoning", "extraction"]),
    st.floats(0, 1),
    st.lists(st.integers(-127, 127), min_size=12, max_size=12),
    st.floats(0, 500),
    st.floats(0, 1),
    st.booleans(),
    st.floats(0, 1),
)


@settings(max_examples=25)
@given(st.lists(lesson, max_size=8), st.lists(lesson, max_size=4), st.randoms(use_true_random=False))
def test_any_order_of_lessons_gives_the_same_beliefs_bit_for_bit(
    kept: list[Labelled], revised: list[Labelled], rng: random.Random
) -> None:
    lessons: list[Lesson] = [*kept, *(one.ended for one in kept)]
    for one in revised:
        lessons += [one, dataclasses.replace(one, old=one.new, new=Label(score=0.25, weight=0.5))]
        lessons.append(dataclasses.replace(one, old=Label(score=0.25, weight=0.5), new=None))
    first, second = model(30 * DAY_S), model(30 * DAY_S)
    first.learn_all(lessons)
    rng.shuffle(lessons)
    for one_lesson in lessons:
        second.learn(one_lesson)
        second.expect(situation(MINI), [CASCADE])
    assert told(first) == told(second)
    asked = situation(*CASCADE, features=(5,) * 12, cost_usd={"mini": 0.01, "max": 0.1})
    assert first.expect(asked, [CASCADE, (MINI,)]) == second.expect(asked, [CASCADE, (MINI,)])


@settings(max_examples=25)
@given(st.lists(lesson, max_size=6), st.lists(lesson, min_size=1, max_size=4))
def test_feedback_taken_back_leaves_no_trace(kept: list[Labelled], undone: list[Labelled]) -> None:
    with_it, without = model(), model()
    with_it.learn_all([*undone, *kept, *(dataclasses.replace(one, old=one.new, new=None) for one in undone)])
    without.learn_all(kept)
    asked = situation(*CASCADE)
    assert with_it.expect(asked, [CASCADE]) == without.expect(asked, [CASCADE])
    if {one.ended.served_by for one in undone} <= {one.ended.served_by for one in kept}:
        assert told(with_it) == told(without)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_with_no_data_it_predicts_what_the_prior_does(
    quality: float, complexity: float, other: float
) -> None:
    learned = model(mini=quality)
    asked = situation(MINI, complexity=complexity)
    candidate = learned.candidates["mini"]
    prior = PriorQuality().curve(candidate, as_intent(asked))
    curve = learned.for_situation(asked).curve(candidate, as_intent(asked))
    assert prior is not None
    assert curve is not None
    assert curve(other) == prior(other)
    assert success(learned, asked) == prior(complexity)


def test_a_candidate_that_states_nothing_is_unknown_until_something_is_seen_of_it() -> None:
    learned = model(mini=None, max=0.9)
    asked = situation(MINI)
    intent, mini = as_intent(asked), learned.candidates["mini"]
    assert learned.for_situation(asked).curve(mini, intent) is None
    unsure, sure = (learned.for_situation(asked).success(one)[1] for one in learned.candidates.values())
    assert unsure > 1.5 * sure
    for _ in range(4):
        learned.learn(judged(asked, 1.0))
    curve = learned.for_situation(asked).curve(mini, intent)
    assert curve is not None
    assert 0.75 < curve(0.3) < 1


def test_with_little_data_all_requests_move_and_those_of_the_intent_more() -> None:
    learned = model()
    for _ in range(20):
        learned.learn(judged(situation(MINI, intent="extraction"), 0.0))
    same, other = success(learned, situation(MINI, intent="extraction")), success(learned, situation(MINI))
    assert same < other < 0.75
    assert success(learned, situation(MAX)) == pytest.approx(0.95)


def test_with_much_data_each_intent_has_its_own_rate() -> None:
    learned = model()
    for number in range(400):
        learned.learn(judged(situation(MINI, intent="extraction"), 1.0))
        learned.learn(judged(situation(MINI), float(number % 10 < 3)))
    assert success(learned, situation(MINI, intent="extraction")) == pytest.approx(1.0, abs=0.03)
    assert success(learned, situation(MINI)) == pytest.approx(0.3, abs=0.03)


def test_more_data_makes_surer_and_half_a_weight_half_as_sure() -> None:
    deviations = []
    for count, weight in ((0, 1.0), (40, 0.5), (40, 1.0), (400, 1.0)):
        learned = model()
        for number in range(count):
            learned.learn(judged(situation(MINI), float(number % 5 > 0), weight=weight))
        deviations.append(learned.expect(situation(MINI), [(MINI,)])[0].success_sd)
    assert deviations == sorted(deviations, reverse=True)


def test_what_kind_of_text_it_is_comes_to_count() -> None:
    learned = model()
    hard, easy = (127, *[0] * 11), (-127, *[0] * 11)
    for _ in range(100):
        learned.learn(judged(situation(MINI, features=hard), 0.2))
        learned.learn(judged(situation(MINI, features=easy), 0.9))
    assert success(learned, situation(MINI, features=hard)) < 0.4
    assert success(learned, situation(MINI, features=easy)) > 0.75


def test_a_candidate_that_turns_bad_is_noticed_and_without_a_half_life_is_averaged() -> None:
    fading, averaging = model(30 * DAY_S), model(None)
    for learned in (fading, averaging):
        for _ in range(200):
            learned.learn(judged(situation(MINI, at_s=DAY_S), 1.0))
        for _ in range(60):
            learned.learn(judged(situation(MINI, at_s=181 * DAY_S), 0.0))
    assert success(fading, situation(MINI)) < 0.25
    assert success(averaging, situation(MINI)) == pytest.approx(200 / 260, abs=0.04)


def test_nine_intervals_of_ten_hold_the_true_rate() -> None:
    rng, held = random.Random(11), []
    for _ in range(250):
        learned = model(mini=0.7)
        truth = min(max(rng.gauss(0.7, 0.15), 0.05), 0.95)
        for _ in range(rng.randint(5, 60)):
            learned.learn(judged(situation(MINI), float(rng.random() < truth)))
        expected = learned.expect(situation(MINI), [(MINI,)])[0]
        held.append(abs(expected.success - truth) < 1.645 * expected.success_sd)
    assert 0.84 < np.mean(held) < 0.96


def test_what_is_learned_of_a_candidate_serves_every_plan_that_holds_it() -> None:
    learned = model()
    before = learned.expect(situation(*CASCADE), [CASCADE])[0].success
    for _ in range(60):
        learned.learn(judged(situation(MAX), 0.2))
    after = learned.expect(situation(*CASCADE), [CASCADE, (MAX,)])
    assert after[0].success < before - 0.05
    assert after[1].success < after[0].success


def test_how_often_a_check_passes_is_learned_for_each_pair() -> None:
    learned = model()
    costs: dict[str, float | None] = {"mini": 0.01, "max": 0.1}
    other = (("mini", "SchemaCheck()"), MAX)
    asked = situation(*CASCADE, cost_usd=costs)
    before = learned.expect(asked, [CASCADE])[0]
    for _ in range(100):
        rejected = Call(candidate="mini", role="draft", passed=False, cost_usd=0.01)
        learned.learn(ended(asked, rejected, Call(candidate="max", role="answer", cost_usd=0.1)))
    after, untouched = learned.expect(asked, [CASCADE, other])
    assert before.cost_usd == pytest.approx(0.01 + 0.2 * 0.1)
    assert after.cost_usd == pytest.approx(0.11, rel=0.06)
    assert untouched.cost_usd == pytest.approx(0.03)


def test_a_passed_draft_may_turn_out_better_than_the_candidate_alone() -> None:
    learned = model()
    passed = Call(candidate="mini", role="draft", passed=True)
    for number in range(100):
        learned.learn(judged(situation(*CASCADE), 1.0, passed))
        learned.learn(judged(situation(MINI), float(number % 2)))
    cascade, alone = learned.expect(situation(*CASCADE), [CASCADE, (MINI,)])
    assert alone.success < 0.65
    assert cascade.success > 0.85


def test_an_answer_after_a_rejected_draft_may_turn_out_worse_than_that_candidate_alone() -> None:
    learned = model()
    rejected = Call(candidate="mini", role="draft", passed=False)
    for _ in range(100):
        calls = (rejected, Call(candidate="max", role="answer"))
        learned.learn(judged(situation(*CASCADE), 0.3, *calls))
        learned.learn(ended(situation(*CASCADE), *calls))
        learned.learn(judged(situation(MAX), 1.0))
    cascade, alone = learned.expect(situation(*CASCADE), [CASCADE, (MAX,)])
    assert alone.success > 0.9
    assert cascade.success < 0.5


def test_costs_are_those_expected_until_bills_say_otherwise_by_intent() -> None:
    learned = model()
    costs: dict[str, float | None] = {"mini": 0.01}
    asked = situation(MINI, cost_usd=costs)
    first = learned.expect(asked, [(MINI,)])[0]
    for _ in range(100):
        learned.learn(ended(asked, Call(candidate="mini", role="answer", cost_usd=0.03)))
    dear, other = (
        learned.expect(situation(MINI, intent=intent, cost_usd=costs), [(MINI,)])[0]
        for intent in ("reasoning", "translation")
    )
    assert first.cost_usd == pytest.approx(0.01)
    assert dear.cost_usd == pytest.approx(0.03, rel=0.05)
    assert other.cost_usd == pytest.approx(0.03, rel=0.05)  # nothing else is known of that intent
    assert dear.cost_sd is not None
    assert first.cost_sd is not None
    assert dear.cost_sd < first.cost_sd


def test_bills_that_are_estimates_or_of_failed_calls_teach_nothing() -> None:
    learned = model()
    asked = situation(MINI, cost_usd={"mini": 0.01})
    before = learned.expect(asked, [(MINI,)])
    for extra in ({"estimated": True}, {"failed": True}):
        learned.learn(ended(asked, Call(candidate="mini", role="answer", cost_usd=0.09, **extra)))
    learned.learn(ended(asked, Call(candidate="mini", role="answer", cost_usd=None)))
    assert learned.expect(asked, [(MINI,)]) == before


def test_what_checks_ask_is_part_of_what_a_plan_costs() -> None:
    learned = model()
    costs: dict[str, float | None] = {"mini": 0.01, "max": 0.1}
    asked = situation(*CASCADE, cost_usd=costs)
    told_before = learned.for_situation(asked).expect(
        [CASCADE], cost_usd=costs, asked_usd={("mini", CHECK): 0.05}
    )
    assert told_before[0].cost_usd == pytest.approx(0.01 + 0.05 + 0.02)
    for _ in range(200):
        calls = (
            Call(candidate="mini", role="draft", passed=True, cost_usd=0.01),
            Call(candidate="judge", role="judge", cost_usd=0.02),
        )
        learned.learn(dataclasses.replace(ended(asked, *calls), served_by="mini"))
    assert learned.expect(asked, [CASCADE])[0].cost_usd == pytest.approx(0.03, rel=0.15)


def test_a_price_that_is_unknown_makes_the_cost_of_the_plan_unknown() -> None:
    asked = situation(*CASCADE, cost_usd={"mini": 0.01, "max": None})
    cascade, alone = model().expect(asked, [CASCADE, (MINI,)])
    assert cascade.cost_usd is None
    assert cascade.cost_sd is None
    assert alone.cost_usd == pytest.approx(0.01)


@settings(max_examples=30)
@given(st.lists(lesson, max_size=10), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_curve_never_rises_with_complexity_nor_leaves_its_range(
    lessons: list[Labelled], own: float, a: float, b: float
) -> None:
    learned = model(mini=0.8, max=None)
    learned.learn_all(lessons)
    asked = situation(MINI, complexity=own)
    easy, hard = sorted((a, b))
    for candidate in learned.candidates.values():
        curve = learned.for_situation(asked).curve(candidate, as_intent(asked))
        if curve is not None:
            assert 0 <= curve(hard) <= curve(easy) <= 1


def test_the_cost_policy_goes_by_what_was_learned() -> None:
    learned = model(mini=0.9, max=0.95)
    asked = situation(MINI)

    def choice() -> str:
        view = learned.for_request(REQUEST, as_intent(asked), 0.35)
        context = Context(
            request=REQUEST, intent=as_intent(asked), complexity=ComplexityScore(value=0.35), quality=view
        )
        return CostPolicy(0.85).select(context, list(learned.candidates.values())).chosen.name

    assert choice() == "mini"
    for _ in range(10):
        learned.learn(judged(asked, 0.0))
    assert choice() == "max"


def test_the_view_of_a_request_carries_the_features_to_store() -> None:
    learned = model()
    view = learned.for_request(REQUEST, as_intent(situation(MINI)))
    assert view.features == learned.feature_map.features(REQUEST)


def test_memory_does_not_grow_with_what_is_learned() -> None:
    learned = LearnedQuality(candidates(mini=0.8), feature_map=HashedText(4), half_life_s=DAY_S)
    sizes = []
    for turn in range(2):
        for number in range(turn * 300, turn * 300 + 300):
            draft = Call(candidate="mini", role="draft", passed=True, cost_usd=0.1)
            plan = ("mini", f"Check({number})")
            learned.learn(judged(situation(plan, at_s=number * DAY_S), 1.0, draft))
            learned.learn(ended(situation(plan, at_s=number * DAY_S, cost_usd={"mini": 0.1}), draft))
        arrays = [part.arrays() for part in learned._parts.values()]
        sizes.append(sum(len(held["sums"]) + len(held["owners"]) for held in arrays))
        assert len(learned._passes.arrays()["sums"]) <= 64
    assert sizes[1] <= sizes[0] + 2 * (64 + 13)


@settings(max_examples=20)
@given(st.lists(lesson, max_size=6), st.lists(lesson, max_size=3))
def test_a_loaded_state_goes_on_as_the_saved_one(made: list[Labelled], more: list[Labelled]) -> None:
    saved, loaded = model(30 * DAY_S), model(30 * DAY_S)
    saved.learn_all([*made, *(one.ended for one in made)])
    loaded.learn(judged(situation(MINI), 0.0))
    loaded.load(saved.state())
    for learned in (saved, loaded):
        learned.learn_all(more)
    assert told(saved) == told(loaded)
    assert saved.expect(situation(MINI), [CASCADE]) == loaded.expect(situation(MINI), [CASCADE])


def test_forgetting_is_as_if_nothing_had_been_learned() -> None:
    learned = model()
    learned.learn(judged(situation(MINI), 0.0))
    learned.forget()
    assert told(learned) == told(model())
    assert success(learned, situation(MINI)) == success(model(), situation(MINI))


def broken_states() -> dict[str, bytes]:
    whole = model()
    whole.learn(judged(situation(MINI), 0.0))
    state = whole.state()
    with np.load(BytesIO(state)) as file:
        arrays = {name: file[name] for name in file.files}

    def with_(**changed: np.ndarray) -> bytes:
        out = BytesIO()
        np.savez_compressed(out, allow_pickle=True, **{**arrays, **changed})
        return out.getvalue()

    empty = BytesIO()
    with zipfile.ZipFile(empty, "w"):
        pass
    return {
        "nothing": b"",
        "noise": b"\x00\x01" * 50,
        "half": state[: len(state) // 2],
        "an empty archive": empty.getvalue(),
        "pickled": with_(answers_sums=np.array([object()], dtype=object)),
        "real numbers": with_(answers_sums=arrays["answers_sums"] * 1.0),
        "another size": with_(answers_sums=arrays["answers_sums"][:, :-1]),
        "squares below 0": with_(answers_sums=-arrays["answers_sums"]),
        "counts below 0": with_(costs_sums=np.full((1, 9, 3), -1)),
        "of another": LearnedQuality(candidates(mini=0.8, other=0.95), half_life_s=None).state(),
    }


@pytest.mark.parametrize("what", broken_states())
def test_a_broken_state_is_refused_and_changes_nothing(what: str) -> None:
    learned = model()
    learned.learn(judged(situation(MAX), 0.0))
    before = told(learned)
    with pytest.raises(ValueError, match="state"):
        learned.load(broken_states()[what])
    assert told(learned) == before


def test_a_flipped_bit_is_noticed_wherever_it_would_matter() -> None:
    whole, learned = model(), model()
    whole.learn(judged(situation(MINI), 0.0))
    state, before = whole.state(), told(learned)
    for place in range(0, len(state), 7):
        spoilt = state[:place] + bytes([state[place] ^ 4]) + state[place + 1 :]
        try:
            learned.load(spoilt)
        except ValueError:
            assert told(learned) == before
        else:
            assert told(learned) == state
            learned.forget()


def test_the_fingerprint_tells_apart_all_that_beliefs_depend_on() -> None:
    by_intent = Candidate(model="house/model", name="mini", quality=0.8, quality_by_intent={"reasoning": 0.5})
    models = [
        model(mini=0.8),
        model(mini=0.7),
        model(mini=0.8, max=0.9),
        model(max=0.8),
        model(DAY_S, mini=0.8),
        LearnedQuality([by_intent], feature_map=HashedText(4), half_life_s=None),
        LearnedQuality(candidates(mini=0.8), feature_map=HashedText(8), half_life_s=None),
        LearnedQuality(
            candidates(mini=0.8), feature_map=HashedText(4), half_life_s=None, shrinkage=Shrinkage(text=50)
        ),
    ]
    assert len({one.fingerprint for one in models}) == len(models)
    assert model(mini=0.8, max=0.9).fingerprint == model(max=0.9, mini=0.8).fingerprint


def test_lessons_that_a_log_of_other_times_may_hold_do_no_harm() -> None:
    learned = model()
    before = told(learned)
    learned.learn(judged(situation(("gone", None)), 0.0))
    learned.learn(judged(situation(MINI, at_s=float("nan")), 0.0))
    assert told(learned) == before
    learned.learn(judged(situation(MINI, complexity=float("nan"), features=(1, 2, 3)), 0.0))
    unheard_of = dataclasses.replace(situation(MINI), intent_probabilities={"poetry": 1.0})  # type: ignore[dict-item]
    learned.learn(judged(unheard_of, 0.0))
    assert success(learned, situation(MINI)) < 0.8


def test_many_threads_lose_no_lesson() -> None:
    together, alone = model(), model()
    lessons = [judged(situation(MINI, complexity=number / 100), number % 2) for number in range(100)]

    def work(mine: list[Labelled]) -> None:
        for one in mine:
            together.learn(one)
            together.expect(situation(MINI), [CASCADE])

    threads = [threading.Thread(target=work, args=(lessons[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone.learn_all(lessons)
    assert told(together) == told(alone)


def test_the_plain_curve_knows_the_intent_and_nothing_of_the_text() -> None:
    learned = model()
    for _ in range(50):
        learned.learn(judged(situation(MINI), 0.0))
    intent = IntentPrediction(label="reasoning", probabilities={"reasoning": 1.0}, source="test")
    curve = learned.curve(learned.candidates["mini"], intent)
    assert curve is not None
    assert curve(0.35) < 0.3


def test_candidates_of_one_name_or_none_at_all_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="name"):
        LearnedQuality(candidates(mini=0.8) * 2)
    with pytest.raises(ConfigurationError, match="candidates"):
        LearnedQuality([])


@pytest.mark.parametrize("value", [0, -1, float("nan"), True])
def test_shrinkage_is_counted_in_observations_above_none(value: float) -> None:
    with pytest.raises(ConfigurationError, match="shrinkage"):
        Shrinkage(text=value)
