"""How an answer ended, whatever word its provider has for it."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_router.finish import finish_of


@pytest.mark.parametrize(
    ("metadata", "finish"),
    [
        ({"finish_reason": "stop"}, "stop"),  # OpenAI, LiteLLM
        ({"finish_reason": "tool_calls"}, "stop"),
        ({"finish_reason": "length"}, "length"),
        ({"finish_reason": "content_filter"}, "refused"),
        ({"stop_reason": "end_turn"}, "stop"),  # Anthropic
        ({"stop_reason": "tool_use"}, "stop"),
        ({"stop_reason": "max_tokens"}, "length"),
        ({"stop_reason": "refusal"}, "refused"),
        ({"finish_reason": "STOP"}, "stop"),  # Google
        ({"finish_reason": "MAX_TOKENS"}, "length"),
        ({"finish_reason": "PROHIBITED_CONTENT"}, "refused"),
        ({"finishReason": "SAFETY"}, "refused"),
        ({"stopReason": "guardrail_intervened"}, "refused"),  # Bedrock
        ({"done_reason": "stop"}, "stop"),  # Ollama
        (
            {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
            "length",
        ),  # OpenAI's
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "refused"),
        ({"finish_reason": "FinishReason.MAX_TOKENS"}, "length"),
        ({"status": "completed"}, "stop"),
        ({"finish_reason": "something_new"}, "other"),
    ],
    ids=str,
)
def test_every_providers_word_is_understood(metadata: dict[str, Any], finish: str) -> None:
    assert finish_of(AIMessage("x", response_metadata=metadata)) == finish


@pytest.mark.parametrize("metadata", [{}, {"finish_reason": None}, {"finish_reason": ""}, {"status": 200}])
def test_an_answer_that_does_not_say_is_not_guessed_at(metadata: dict[str, Any]) -> None:
    assert finish_of(AIMessage("x", response_metadata=metadata)) is None


def test_a_key_without_a_word_does_not_hide_one_that_has_it() -> None:
    message = AIMessage("x", response_metadata={"finish_reason": None, "stop_reason": "max_tokens"})
    assert finish_of(message) == "length"
