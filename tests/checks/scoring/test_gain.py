"""A scorer of what escalating would gain: live it says what it says in a batch."""

from __future__ import annotations

import numpy as np
import pytest
from langchain_core.messages import AIMessage, HumanMessage

from langchain_router import Candidate, CascadePolicy, ChatRouter, RoutingRequest
from langchain_router.checks import AnswerScorer, LearnedCheck
from langchain_router.checks.scoring import Answered
from langchain_router.checks.scoring.columns import AGREEMENT_START, NAMED_START, Columns
from langchain_router.checks.scoring.features import CLUE_NAMES, FeatureCache
from langchain_router.checks.scoring.gain import GainScorer
from langchain_router.testing import FaultyChatModel

PROMPT = "How much is 40 + 2?"
REQUEST = RoutingRequest(messages=(HumanMessage(PROMPT),))
RIGHT, WRONG = "40 + 2 = 42", "40 + 2 = 45"


def scorer(*, seconds: tuple[str, ...] = (), constant: float = 0.1, wrong_sum: float = 0.6) -> GainScorer:
    """Expects a gain where a sum does not hold, and less of it where seconds agree."""
    columns = Columns(seconds=seconds)
    weights = np.zeros(columns.width, np.float32)
    weights[CLUE_NAMES.index("sums.last_sum_wrong")] = wrong_sum
    weights[AGREEMENT_START:NAMED_START] = -0.02
    weights[NAMED_START:] = 0.01 * np.arange(columns.width - NAMED_START) ** 2
    return GainScorer(columns=columns, weights=weights, constant=constant)


def batch(made: GainScorer, answer: str, seconds: dict[str, str] | None = None) -> float:
    one = Answered(prompt=PROMPT, answer=answer, seconds=seconds or {})
    return float(made.gains([one], FeatureCache())[0])


def live(made: GainScorer, answer: str, seconds: dict[str, str] | None = None) -> float:
    said = {name: AIMessage(text) for name, text in (seconds or {}).items()}
    return made.probability(REQUEST, AIMessage(answer), said)


@pytest.mark.parametrize("answer", [RIGHT, WRONG, ""])
def test_the_live_probability_is_one_less_the_gain_of_a_batch(answer: str) -> None:
    assert live(scorer(), answer) == pytest.approx(1 - batch(scorer(), answer), abs=1e-6)


def test_a_wrong_sum_makes_a_gain_expected() -> None:
    assert batch(scorer(), RIGHT) == pytest.approx(0.1)
    assert batch(scorer(), WRONG) == pytest.approx(0.7)


@pytest.mark.parametrize("names", [("one",), ("one", "two")])
@pytest.mark.parametrize("others", [RIGHT, WRONG])
def test_what_seconds_answered_counts_live_as_in_a_batch(names: tuple[str, ...], others: str) -> None:
    made = scorer(seconds=names if len(names) > 1 else ())
    seconds = dict.fromkeys(names, others)
    assert live(made, RIGHT, seconds) == pytest.approx(1 - batch(made, RIGHT, seconds), abs=1e-6)
    assert batch(made, RIGHT, seconds) != pytest.approx(batch(made, RIGHT), abs=1e-3)


def test_which_of_two_seconds_disagrees_makes_a_difference_and_their_order_none() -> None:
    made = scorer(seconds=("one", "two"))
    first = batch(made, RIGHT, {"one": RIGHT, "two": WRONG})
    assert first != pytest.approx(batch(made, RIGHT, {"one": WRONG, "two": RIGHT}), abs=1e-4)
    assert first == pytest.approx(batch(made, RIGHT, {"two": WRONG, "one": RIGHT}))


@pytest.mark.parametrize(("constant", "probability"), [(3.0, 0.0), (-3.0, 1.0)])
def test_a_probability_is_no_less_than_0_and_no_more_than_1(constant: float, probability: float) -> None:
    assert live(scorer(constant=constant), RIGHT) == probability
    assert batch(scorer(constant=constant), RIGHT) == pytest.approx(constant)


def test_a_batch_gives_each_answer_what_it_gets_alone() -> None:
    made = scorer()
    answers = [Answered(prompt=PROMPT, answer=text) for text in (RIGHT, WRONG, "")]
    together = made.gains(answers, FeatureCache()).tolist()
    assert together == pytest.approx([batch(made, text) for text in (RIGHT, WRONG, "")])
    assert made.gains([], FeatureCache()).shape == (0,)


def test_a_cascade_escalates_what_it_expects_to_gain_from() -> None:
    assert isinstance(scorer(), AnswerScorer)
    small = Candidate(model=FaultyChatModel(answers=[WRONG]), name="small")
    large = Candidate(model=FaultyChatModel(answers=[RIGHT]), name="large")
    for most_gain, told in ((0.5, RIGHT), (0.8, WRONG)):
        check = LearnedCheck(scorer(), threshold=1 - most_gain)
        policy = CascadePolicy([("small", check), ("large", None)])
        router = ChatRouter.from_models(small, large, policy=policy, store=None)
        assert router.invoke(PROMPT).text == told


def test_its_repr_is_short() -> None:
    assert len(repr(scorer())) < 150
