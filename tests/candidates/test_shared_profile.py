"""The profile that agents see: what every candidate can do."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_router import Candidate, ChatRouter
from langchain_router.candidates.shared_profile import shared_profile
from langchain_router.constraints import CAPABILITIES


def able(*capabilities: str, **known: Any) -> Candidate:
    return Candidate(model="house/model", capabilities=frozenset(capabilities), **known)


@pytest.mark.parametrize("ability", sorted(CAPABILITIES))
def test_an_ability_is_there_when_every_candidate_has_it(ability: str) -> None:
    assert shared_profile([able(ability), able(ability)])[ability] is True  # type: ignore[literal-required]
    assert shared_profile([able(ability), able()])[ability] is False  # type: ignore[literal-required]


def test_an_ability_that_one_candidate_is_not_known_to_have_is_not_there() -> None:
    profile = shared_profile([able("tool_calling"), Candidate(model="house/unknown")])
    assert profile["tool_calling"] is False


def test_image_urls_go_with_images() -> None:
    assert shared_profile([able("image_inputs")])["image_url_inputs"] is True
    assert shared_profile([able()])["image_url_inputs"] is False


def test_a_limit_is_the_smallest_of_all() -> None:
    profile = shared_profile(
        [able(context_tokens=9, max_output_tokens=3), able(context_tokens=5, max_output_tokens=4)]
    )
    assert (profile["max_input_tokens"], profile["max_output_tokens"]) == (5, 3)


def test_a_limit_that_one_candidate_does_not_state_is_left_out() -> None:
    profile = shared_profile([able(context_tokens=9), able(max_output_tokens=4)])
    assert "max_input_tokens" not in profile
    assert "max_output_tokens" not in profile


def test_the_router_shows_the_shared_profile_to_langchain() -> None:
    router = ChatRouter.from_models(
        able("tool_calling", name="a", context_tokens=9), able(name="b", context_tokens=5)
    )
    assert router.profile is not None
    assert router.profile["max_input_tokens"] == 5
    assert router.profile["tool_calling"] is False
