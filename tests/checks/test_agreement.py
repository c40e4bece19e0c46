"""A second model's word on an answer: what agrees, what does not, and what becomes of silence."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.exceptions import ModelTimeoutError
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage

from langchain_router.candidates.candidate import Candidate
from langchain_router.checks.agreement import AgreementCheck
from langchain_router.checks.check import Verdict
from langchain_router.checks.final_answers.comparison import KINDS, Kind
from langchain_router.exceptions import ConfigurationError
from langchain_router.request import RoutingRequest

SECOND = Candidate(model=FakeListChatModel(responses=["unused"]), name="second")
OPTIONS = "\nA) the Moon\nB) the Sun\nC) Mars\n"
ESSAY = "Rivers carry sand and stones downhill, and over many years they cut deep valleys into the land. "


def asked(text: str = "Tell me.", **given: Any) -> RoutingRequest:
    return RoutingRequest(messages=(HumanMessage(text),), **given)


def calls(*made: tuple[str, dict[str, Any]]) -> AIMessage:
    return AIMessage(
        "", tool_calls=[{"name": n, "args": a, "id": f"call-{i}"} for i, (n, a) in enumerate(made)]
    )


def verdict(
    draft: str | AIMessage,
    second: str | AIMessage | Exception,
    request: RoutingRequest | None = None,
    **options: Any,
) -> Verdict:
    """Drive a review by hand, as the plan machine does."""
    request = asked() if request is None else request
    messages = [AIMessage(said) if isinstance(said, str) else said for said in (draft, second)]
    review = AgreementCheck(SECOND, **options).review(request, messages[0])  # type: ignore[arg-type]
    next(review)
    with pytest.raises(StopIteration) as end:
        review.throw(messages[1]) if isinstance(messages[1], Exception) else review.send(messages[1])
    found: Verdict = end.value.value
    return found


@pytest.mark.parametrize(
    ("request_text", "draft", "second", "passed"),
    [
        (
            "How much is it?",
            "The answer is 48.",
            '```json\n{"reasoning": "x", "answer": "$48.00"}\n```',
            True,
        ),
        ("How much is it?", "6 books at $8 each. That makes $48 in all.", "It costs 48 dollars.", True),
        ("How much is it?", "The answer is 48.", "The answer is 84.", False),
        ("How much is it?", "The answer is 48.", "I cannot say without the price.", False),
        ("Name a number.", "7", "The answer is 7.", True),
        ("Which is a star?" + OPTIONS, "B", "Answer: (B)", True),
        ("Which is a star?" + OPTIONS, "B) the Sun", "The Sun.", True),
        ("Which is a star?" + OPTIONS, "B", "A", False),
        ("Which is a star?" + OPTIONS, "B", "I do not know.", False),
        ("Is it prime? Answer yes or no.", "Yes.", "yes, as nothing divides it", True),
        ("Is it prime? Answer yes or no.", "Yes.", "No.", False),
        ("Is it prime?", "True", "Yes", True),
        ("Give the point.", '{"x": 1, "y": 2.0}', '```json\n{"y": 2, "x": 1}\n```', True),
        ("Give the point.", '{"x": 1}', '{"x": 2}', False),
        ("Give the point.", '{"x": 1}', "x is one, I think, but it may be more than that.", False),
        ("What is the capital?", "Paris.", "**paris**", True),
        ("What is the capital?", "Paris", "Lyon", False),
        ("```\nprint('A')\n``` What does it print?", '{"answer": "A"}', '{"answer": "\'A\'"}', True),
        ("```\nprint('A')\n``` What does it print?", '{"answer": "A"}', '{"answer": "a"}', False),
        ("```\nprint(1, 'a')\n``` What does it print?", "1 a", "1 b", False),
        ("```\nprint('')\n``` What does it print?", '{"answer": ""}', '{"answer": "\'\'"}', True),
        ("Tell me of rivers.", ESSAY, ESSAY.replace("Rivers", "Streams"), True),
        (
            "Tell me of rivers.",
            ESSAY,
            "Cats sleep most of the day and hunt at dusk, alone and in silence. ",
            False,
        ),
        ("Tell me of rivers.", "They flow.", ESSAY, False),
        ("Compare." + OPTIONS, "A) is cold.\nB) is hot, and far away.", "A) is near us.\nC) is red.", False),
    ],
)
def test_auto_passes_what_comes_to_the_same_and_nothing_else(
    request_text: str, draft: str, second: str, passed: bool
) -> None:
    one, other = verdict(draft, second, asked(request_text)), verdict(second, draft, asked(request_text))
    assert one.passed is passed
    assert other == one


def test_a_structured_answer_is_compared_as_json() -> None:
    request = asked(response_schema={"type": "object", "properties": {"city": {"type": "string"}}})
    assert verdict('{"city": "Ulm", "n": 1}', '{"n": 1.0, "city": "Ulm"}', request).passed
    assert not verdict('{"city": "Ulm"}', "Ulm", request).passed
    assert not verdict("Ulm", "Ulm", request).passed


def test_tool_calls_are_compared_by_name_and_arguments_whatever_the_kind() -> None:
    draft = calls(("find", {"city": "Ulm", "days": 2}), ("now", {}))
    for kind in KINDS:
        assert verdict(draft, calls(("now", {}), ("find", {"days": 2.0, "city": "Ulm"})), kind=kind).passed
        assert not verdict(draft, calls(("find", {"city": "Ulm", "days": 2})), kind=kind).passed
        assert not verdict(draft, "It is 3 o'clock in Ulm.", kind=kind).passed


def test_calls_that_could_not_be_parsed_agree_with_nothing() -> None:
    broken = AIMessage("", invalid_tool_calls=[{"name": "f", "args": "{", "id": "1", "error": None}])
    assert not verdict(broken, broken).passed


@pytest.mark.parametrize(
    ("kind", "draft", "second", "passed"),
    [
        ("number", "It has 8 legs.", "Eight of them, that is 8.", True),
        ("number", "many", "many", False),
        ("choice", "(C)", "C.", True),
        ("choice", "Yes", "true", True),
        ("choice", "7", "7", False),
        ("json", "[1, 2]", "[1,2.0]", True),
        ("json", "Ulm", "Ulm", False),
        ("text", "Ulm", "ulm.", True),
        ("text", "48", "$48", False),
    ],
)
def test_a_kind_that_is_given_is_the_only_one_tried(
    kind: Kind, draft: str, second: str, passed: bool
) -> None:
    assert verdict(draft, second, kind=kind).passed is passed


def test_exact_kinds_score_one_or_zero_and_long_texts_their_similarity() -> None:
    assert [verdict("48", said).score for said in ("48", "49")] == [1.0, 0.0]
    other = ESSAY.replace("Rivers carry sand", "Streams move clay")
    found = verdict(ESSAY, other)
    assert found.score is not None
    assert 0.6 < found.score < 1
    assert found.passed
    assert not verdict(ESSAY, other, similarity=0.99).passed


@pytest.mark.parametrize("text", ["", "  \n"])
def test_two_empty_answers_do_not_agree(text: str) -> None:
    assert not verdict(text, text).passed
    assert not verdict(text, text, asked("```\nprint()\n```")).passed


@pytest.mark.parametrize(("when", "passed"), [("escalate", False), ("accept", True)])
def test_a_second_model_that_gives_no_answer_is_a_configured_verdict(when: str, passed: bool) -> None:
    found = verdict("48", ModelTimeoutError("slow: secret prompt"), when_unavailable=when)
    assert found.passed is passed
    assert found.score is None
    assert "ModelTimeoutError" in found.reason
    assert "secret" not in found.reason


def test_an_interrupt_is_never_swallowed() -> None:
    review = AgreementCheck(SECOND, when_unavailable="accept").review(asked(), AIMessage("48"))
    next(review)
    with pytest.raises(KeyboardInterrupt):
        review.throw(KeyboardInterrupt())


def test_the_second_model_is_asked_the_request_itself() -> None:
    check = AgreementCheck(SECOND, timeout_s=3)
    ask = next(check.review(asked(), AIMessage("48")))
    assert (ask.role, ask.messages, ask.timeout_s, ask.candidate.name) == ("second", None, 3, "second")  # type: ignore[union-attr]
    assert check.seconds == (ask,)
    assert AgreementCheck(SECOND, side_by_side=False).seconds == ()


def test_outside_a_router_the_check_calls_the_second_model_itself() -> None:
    check = AgreementCheck(FakeListChatModel(responses=["The answer is 8."]))
    assert check.check(asked("How many legs?"), AIMessage("8 legs")).passed
    assert not check.check(asked("How many legs?"), AIMessage("6 legs")).passed


def test_a_second_model_may_be_a_model_string() -> None:
    assert AgreementCheck("openai/gpt-4o-mini").second.name == "openai/gpt-4o-mini"


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "numbers"},
        {"when_unavailable": "ignore"},
        {"similarity": 1.5},
        {"similarity": True},
        {"similarity": float("nan")},
    ],
)
def test_a_wrong_option_is_refused_at_construction(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        AgreementCheck(SECOND, **options)


def test_a_switch_that_is_none_is_refused_with_what_it_may_be() -> None:
    with pytest.raises(ConfigurationError, match="side_by_side must be True or False, got 'no'"):
        AgreementCheck(SECOND, side_by_side="no")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match=r"timeout_s must be seconds above 0, got -1\."):
        AgreementCheck(SECOND, timeout_s=-1)


def test_neither_the_reason_nor_the_repr_shows_an_answer() -> None:
    for draft, second in (("Quokka", "Quokka"), ("Quokka", "Numbat"), (ESSAY, ESSAY), ("Quokka", ESSAY)):
        reason = verdict(draft, second).reason
        assert not any(word in reason for word in ("Quokka", "Numbat", "Rivers"))
    assert repr(AgreementCheck(SECOND)) == "AgreementCheck('second', kind='auto')"


ANSWERS = st.one_of(
    st.text(max_size=300),
    st.sampled_from(
        ["48", "The answer is 48.", "B", "(B)", "yes", '{"answer": 1}', "[1]", "\\boxed{2}", ESSAY * 9]
    ),
    st.recursive(st.none() | st.booleans() | st.floats() | st.text(max_size=9), st.lists, max_leaves=5).map(
        str
    ),
)


@given(request=ANSWERS, draft=ANSWERS, second=ANSWERS, kind=st.sampled_from(KINDS))
def test_no_text_breaks_the_comparison_and_order_does_not_matter(
    request: str, draft: str, second: str, kind: Kind
) -> None:
    found = verdict(draft, second, asked(request), kind=kind)
    assert found == verdict(second, draft, asked(request), kind=kind)
    assert found.score is not None
    assert 0.0 <= found.score <= 1.0


@given(ANSWERS)
def test_an_answer_that_is_not_empty_agrees_with_itself(text: str) -> None:
    found = verdict(text, text, kind="text")
    assert found.passed or not any(character.isalnum() for character in text)
