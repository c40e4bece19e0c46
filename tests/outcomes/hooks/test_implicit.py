"""A user's next message says little of the answer before it, and is heard only if asked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_router import ConfigurationError
from langchain_router.cli.implicit import _messages
from langchain_router.outcomes.hooks.implicit import implicit_feedback, implied_by

ANSWER = AIMessage("An answer.", response_metadata={"router": {"decision_id": "0197"}})


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("No, that's wrong. It was built in 1889.", "correction"),
        ("That is not what I asked for.", "correction"),
        ("Your code doesn't compile", "correction"),
        ("You misread the question.", "correction"),
        ("Sorry, but you didn\u2019t answer my question", "correction"),
        ("Thank you so much!", "thanks"),
        ("Perfect, that works", "thanks"),
        ("please, what is the tallest building in Oslo?", "repeat"),
    ],
)
def test_what_is_said_in_so_many_words_is_heard(said: str, key: str) -> None:
    found = implied_by(said, "What is the tallest building in Oslo?")
    assert found is not None
    assert (found.key, found.score) == (key, 1.0 if key == "thanks" else 0.0)


@pytest.mark.parametrize(
    "said",
    [
        "Perfect, now add a docstring to it.",
        "Thanks, but it still fails on empty lists",
        "how do I cancel all of them?",
        "No problem. What about Bergen?",
        "No, thanks",
        "What is the tallest building in Bergen?",
        "Is this wrong in British English?",
        "Which of these statements is incorrect?",
        "Fix it so that it doesn't work on Sundays",
        "Great Britain",
        "Now make it shorter.",
        "And the second tallest?",
        "",
    ],
)
def test_an_ordinary_follow_up_says_nothing(said: str) -> None:
    assert implied_by(said, "What is the tallest building in Oslo?") is None


def conversation(said: str, *, answer: BaseMessage = ANSWER) -> list[BaseMessage]:
    return [HumanMessage("What is the tallest building in Oslo?"), answer, HumanMessage(said)]


def test_it_is_fed_back_to_the_decision_behind_the_answer_before() -> None:
    [feedback] = implicit_feedback(conversation("That's wrong."), {"correction": 0.25}, source="ann")
    assert (feedback.decision_id, feedback.score, feedback.key) == ("0197", 0.0, "correction")
    assert (feedback.weight, feedback.source, feedback.comment) == (0.25, "ann", None)


@pytest.mark.parametrize(
    "messages",
    [
        conversation("Thank you!"),  # not asked for
        conversation("That's wrong.", answer=AIMessage("Of another model.")),
        conversation("That's wrong.")[-1:],
        [*conversation("That's wrong."), AIMessage("Sorry!")],
        [HumanMessage("Hi"), ToolMessage("7", tool_call_id="1"), HumanMessage("That's wrong.")],
    ],
)
def test_nothing_is_fed_back_without_a_routed_answer_before_or_a_weight(messages: list[BaseMessage]) -> None:
    assert implicit_feedback(messages, {"correction": 0.25, "thanks": None}) == []


def test_a_signal_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="No implicit signal is called 'mood'"):
        implicit_feedback([], {"mood": 1.0})


def test_recorded_messages_are_read_in_the_forms_of_providers(tmp_path: Path) -> None:
    user = [{"role": "user", "content": "One"}, {"role": "assistant", "content": "1"}]
    blocks = [{"role": "user", "content": [{"type": "text", "text": "Two"}, {"type": "image"}]}]
    rows = [
        {"turns": ["One", "Two"]},
        {"request": {"messages": user + blocks}},
        {"request": {"contents": [{"role": "user", "parts": [{"text": "Three"}]}]}},
        {"prompt": "Four"},
        {"request": "text"},
    ]
    file = tmp_path / "recorded.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    assert list(_messages(file)) == [
        ("", "One"),
        ("One", "Two"),
        ("", "One"),
        ("One", "Two"),
        ("", "Three"),
        ("", "Four"),
    ]
