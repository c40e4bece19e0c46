"""Features of a text: small, stable, bounded."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from langchain_router.exceptions import ConfigurationError
from langchain_router.quality.features import HashedText
from langchain_router.request import RoutingRequest


def asked(text: str) -> RoutingRequest:
    return RoutingRequest(messages=(HumanMessage(text),))


def distance(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    return math.dist(one, other)


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=300), st.integers(1, 80))
def test_whatever_the_text_there_are_as_many_small_whole_numbers(text: str, dimensions: int) -> None:
    feature_map = HashedText(dimensions)
    found = feature_map.features(asked(text))
    assert len(found) == feature_map.size
    assert all(type(one) is int and -127 <= one <= 127 for one in found)


def test_they_are_the_same_in_another_process() -> None:
    text = "Wie viele Äpfel bleiben, wenn 3 von 12 faul sind?"
    code = (
        "from langchain_core.messages import HumanMessage\n"
        "from langchain_router.quality.features import HashedText\n"
        "from langchain_router.request import RoutingRequest\n"
        f"print(HashedText().features(RoutingRequest(messages=(HumanMessage({text!r}),))))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert told.stdout.strip() == str(HashedText().features(asked(text)))


def test_they_are_what_they_were_when_lessons_were_stored() -> None:
    found = HashedText(8).features(asked("What is 12 * 12?"))
    assert found == PINNED, "stored lessons would be misread: give the map another name and size"


def test_alike_texts_are_nearer_than_others() -> None:
    feature_map = HashedText(64)
    one, like, other = (
        feature_map.features(asked(text))
        for text in (
            "Tom buys 12 apples for 3 dollars each. How much does he pay?",
            "Ann buys 45 apples for 7 dollars each. How much does she pay?",
            "Translate this letter from the tax office into polite French.",
        )
    )
    assert distance(one, like) < distance(one, other)


def test_another_seed_is_another_map() -> None:
    one, other = HashedText(seed=1), HashedText(seed=2)
    assert one.fingerprint != other.fingerprint
    assert one.features(asked("the same text")) != other.features(asked("the same text"))


def test_a_huge_prompt_is_read_at_its_ends_only() -> None:
    start, end = "Read this. " + "a" * 700, "b" * 400 + " Now summarise it."
    feature_map = HashedText()
    one = feature_map.features(asked(f"{start}{'x ' * 500_000}{end}"))
    other = feature_map.features(asked(f"{start}{'y ' * 500_000}{end}"))
    assert one == other


def test_only_the_last_human_message_counts() -> None:
    alone = asked("What is left?")
    messages = (SystemMessage("Be brief."), HumanMessage("Hello"), AIMessage("Hi"), *alone.messages)
    found = HashedText().features(RoutingRequest(messages=(*messages, AIMessage("Let me see."))))
    assert found == HashedText().features(alone)


def test_no_text_at_all_is_no_reason_to_raise() -> None:
    image = HumanMessage([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}])
    for messages in ((), (AIMessage("Hi"),), (image,)):
        assert not any(HashedText().features(RoutingRequest(messages=messages))[8:])


@pytest.mark.parametrize("dimensions", [0, -1, 257, True])
def test_dimensions_out_of_range_are_refused(dimensions: int) -> None:
    with pytest.raises(ConfigurationError, match="dimensions"):
        HashedText(dimensions)


PINNED = (-62, 127, 32, 40, 0, 40, 0, -59, -62, 0, 31, 0, 0, -69, 44, 69)
