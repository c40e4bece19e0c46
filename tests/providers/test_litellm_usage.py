"""Token counts that can be meant, and those that cannot."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from langchain_router.providers.litellm import RouterChatLiteLLM
from langchain_router.providers.litellm_usage import MOST_TOKENS, is_plausible, is_told

if TYPE_CHECKING:
    from tests.providers.conftest import Ask, Upstream


@pytest.mark.parametrize(
    ("usage", "plausible"),
    [
        ({}, True),
        ({"prompt_tokens": 7, "completion_tokens": 6, "total_tokens": 13}, True),
        ({"prompt_tokens": 7.0}, True),
        ({"prompt_tokens": 0, "completion_tokens": None}, True),
        ({"prompt_tokens": MOST_TOKENS, "total_tokens": 2 * MOST_TOKENS}, True),
        ({"prompt_tokens": 7, "prompt_tokens_details": {"cached_tokens": 3}}, True),
        ({"prompt_tokens": 7, "cost": 0.25}, True),
        ({"prompt_tokens": -1}, False),
        ({"completion_tokens": 1.5}, False),
        ({"completion_tokens": float("nan")}, False),
        ({"completion_tokens": float("inf")}, False),
        ({"prompt_tokens": MOST_TOKENS + 1}, False),
        ({"total_tokens": 2 * MOST_TOKENS + 1}, False),
        ({"prompt_tokens": "7"}, False),
        ({"prompt_tokens": True}, False),
        ({"prompt_tokens": [7]}, False),
        ({"cache_read_input_tokens": -1}, False),
        ({"completion_tokens_details": {"reasoning_tokens": -1}}, False),
        ({"prompt_tokens_details": SimpleNamespace(cached_tokens=10**12)}, False),
    ],
)
def test_counts_are_whole_not_negative_and_within_any_context_window(
    usage: dict[str, Any], plausible: bool
) -> None:
    assert is_plausible(usage) is plausible
    assert is_plausible(SimpleNamespace(**usage)) is plausible


def test_zeros_are_what_litellm_writes_where_nothing_was_said() -> None:
    assert not is_told({"prompt_tokens": 0, "completion_tokens": 0})
    assert not is_told(None)
    assert is_told({"prompt_tokens": 7, "completion_tokens": 0})


COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "served",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
}


@pytest.mark.parametrize("way", ["invoke", "ainvoke"])
@pytest.mark.parametrize(
    "usage", [None, {"prompt_tokens": -7, "completion_tokens": 6, "total_tokens": -1}], ids=["none", "absurd"]
)
def test_usage_that_was_not_told_is_unknown_not_zero(
    upstream: Upstream, ask: Ask, way: str, usage: dict[str, int] | None
) -> None:
    upstream.says({**COMPLETION, "usage": usage})
    model = RouterChatLiteLLM(model="openai/gpt-4o-mini", api_base=upstream.url, api_key="key-in-a-test")
    answer = ask(model, way)
    assert answer.text == "Hello"
    assert answer.usage_metadata is None
    assert "response_cost" not in answer.response_metadata
