"""Checks joined with `&` and `|`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage

from langchain_router import Candidate, ConfigurationError, RoutingRequest
from langchain_router.checks import (
    AllOf,
    AnyOf,
    Ask,
    Check,
    HeuristicCheck,
    JudgeCheck,
    Review,
    SchemaCheck,
    Verdict,
)
from langchain_router.testing.scripted import ScriptedChatModel

REQUEST = RoutingRequest(messages=(HumanMessage("Hello?"),))
ANSWER = AIMessage("Hello!")


class Says(Check):
    """Gives the verdict that it was made with, and remembers how often it was asked."""

    def __init__(
        self, passed: bool, score: float | None = None, reason: str = "", seconds: Sequence[Ask] = ()
    ) -> None:
        self.verdict = Verdict(passed=passed, score=score, reason=reason)
        self.asked = 0
        self._seconds = tuple(seconds)

    @property
    def seconds(self) -> tuple[Ask, ...]:
        return self._seconds

    def review(self, request: RoutingRequest, response: AIMessage) -> Review:
        self.asked += 1
        for ask in self._seconds:
            _ = yield ask
        return self.verdict


def candidate(name: str) -> Candidate:
    return Candidate(model=ScriptedChatModel(answers=["Hello!"]), name=name)


def test_and_passes_only_what_both_pass() -> None:
    for one in (True, False):
        for other in (True, False):
            assert (Says(one) & Says(other)).check(REQUEST, ANSWER).passed is (one and other)
            assert (Says(one) | Says(other)).check(REQUEST, ANSWER).passed is (one or other)


def test_the_second_check_does_not_run_where_the_first_settles_it() -> None:
    second = Says(True)
    (Says(False) & second).check(REQUEST, ANSWER)
    (Says(True) | second).check(REQUEST, ANSWER)
    assert second.asked == 0
    (Says(True) & second).check(REQUEST, ANSWER)
    (Says(False) | second).check(REQUEST, ANSWER)
    assert second.asked == 2


def test_all_gives_the_lowest_known_score_and_any_the_highest() -> None:
    known = [Says(True, 0.9), Says(True, None), Says(True, 0.6)]
    assert AllOf(*known).check(REQUEST, ANSWER).score == 0.6
    assert AnyOf(Says(False, 0.2), Says(False, None), Says(False, 0.4)).check(REQUEST, ANSWER).score == 0.4
    assert AllOf(Says(True), Says(True)).check(REQUEST, ANSWER).score is None


def test_the_reasons_of_all_that_ran_are_joined() -> None:
    checks = [
        Says(True, reason="fine"),
        Says(True),
        Says(False, reason="wrong"),
        Says(True, reason="not reached"),
    ]
    assert AllOf(*checks).check(REQUEST, ANSWER).reason == "fine; wrong"


def test_nested_ones_of_a_kind_are_one() -> None:
    a, b, c = Says(True), Says(True), Says(True)
    joined = a & b & c
    assert isinstance(joined, AllOf)
    assert joined.checks == (a, b, c)
    either = (a & b) | c
    assert isinstance(either, AnyOf)
    assert [type(check) for check in either.checks] == [AllOf, Says]


def test_its_repr_reads_as_it_was_written() -> None:
    judge = JudgeCheck(candidate("small"))
    assert repr(HeuristicCheck() & judge) == "HeuristicCheck() & JudgeCheck('small')"
    assert (
        repr((HeuristicCheck() | judge) & SchemaCheck())
        == "(HeuristicCheck() | JudgeCheck('small')) & SchemaCheck()"
    )
    assert (
        repr(HeuristicCheck() & judge | SchemaCheck())
        == "HeuristicCheck() & JudgeCheck('small') | SchemaCheck()"
    )


def test_its_name_names_its_parts() -> None:
    assert (HeuristicCheck() & SchemaCheck()).name == "heuristic & schema"


def test_a_function_on_either_side_is_a_check() -> None:
    def is_polite(_: RoutingRequest, response: AIMessage) -> bool:
        return "Hello" in response.text

    for check in (HeuristicCheck() & is_polite, is_polite & HeuristicCheck()):
        assert isinstance(check, AllOf)
        assert check.check(REQUEST, ANSWER).passed
        assert not check.check(REQUEST, AIMessage("Go away.")).passed
    for check in (HeuristicCheck() | is_polite, is_polite | HeuristicCheck()):
        assert isinstance(check, AnyOf)
        assert check.check(REQUEST, AIMessage("Go away.")).passed


def test_what_is_no_check_cannot_be_joined() -> None:
    with pytest.raises(ConfigurationError, match="A check must be a check"):
        HeuristicCheck() & 0.8
    with pytest.raises(ConfigurationError, match="AllOf needs a check"):
        AllOf()


def test_seconds_are_those_of_every_part_each_once() -> None:
    one, other = (Ask(candidate=candidate(name), role="second") for name in ("one", "other"))
    joined = AllOf(Says(True, seconds=[one]), Says(True, seconds=[other]) | Says(True, seconds=[one]))
    assert joined.seconds == (one, other)


def test_asks_of_the_parts_go_through_in_order() -> None:
    one, other = (Ask(candidate=candidate(name), role="second") for name in ("one", "other"))
    review = AllOf(Says(True, seconds=[one]), Says(False, 0.3, seconds=[other])).review(REQUEST, ANSWER)
    assert next(review) is one
    assert review.send(AIMessage("Hello!")) is other
    with pytest.raises(StopIteration) as end:
        review.send(AIMessage("Hello!"))
    assert end.value.value == Verdict(passed=False, score=0.3)


def test_an_error_is_thrown_into_the_part_that_asked() -> None:
    judge = JudgeCheck(candidate("judge"), when_unavailable="accept")
    review = (HeuristicCheck() & judge).review(REQUEST, ANSWER)
    next(review)
    with pytest.raises(StopIteration) as end:
        review.throw(TimeoutError())
    assert end.value.value.passed


async def test_sync_and_async_agree() -> None:
    for check in (Says(True, 0.9) & Says(False, 0.1, "no"), Says(False, 0.2, "no") | Says(True, 0.7, "yes")):
        assert await check.acheck(REQUEST, ANSWER) == check.check(REQUEST, ANSWER)


_VERDICTS = st.lists(st.tuples(st.booleans(), st.none() | st.floats(0, 1)), min_size=1, max_size=6)


@given(_VERDICTS, st.sampled_from([AllOf, AnyOf]))
def test_the_truth_table_holds_for_any_number_of_checks(
    verdicts: list[Any], kind: type[AllOf | AnyOf]
) -> None:
    checks = [Says(*verdict) for verdict in verdicts]
    said = kind(*checks).check(REQUEST, ANSWER)
    settles = kind is AnyOf
    ran = next((i + 1 for i, (passed, _) in enumerate(verdicts) if passed is settles), len(verdicts))
    scores = [score for _, score in verdicts[:ran] if score is not None]
    best: Callable[..., float | None] = max if settles else min
    assert said.passed is (any if settles else all)(passed for passed, _ in verdicts)
    assert said.score == best(scores, default=None)
    assert [check.asked for check in checks] == [1] * ran + [0] * (len(checks) - ran)


@given(_VERDICTS)
def test_joining_one_by_one_is_the_same_as_at_once(verdicts: list[Any]) -> None:
    for sign, kind in ((lambda a, b: a & b, AllOf), (lambda a, b: a | b, AnyOf)):
        joined = functools.reduce(sign, [Says(*verdict) for verdict in verdicts])
        at_once = kind(*[Says(*verdict) for verdict in verdicts])
        assert joined.check(REQUEST, ANSWER) == at_once.check(REQUEST, ANSWER)
