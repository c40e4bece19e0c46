"""How long an answer to expect: half of the bill, and unknown until the answer is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from langchain_router.request import RoutingRequest
from langchain_router.signals.types import Intent, IntentPrediction

_TYPICAL_TOKENS: Final[Mapping[Intent, int]] = {
    "code_generation": 400,
    "code_review": 400,
    "summarization": 150,
    "classification": 15,
    "extraction": 100,
    "reasoning": 400,
    "translation": 0,  # as long as the prompt: see _AS_LONG_AS_PROMPT
    "formatting": 0,
    "conversation": 200,
}
_AS_LONG_AS_PROMPT: Final = frozenset({"translation", "formatting"})
_LEAST_TOKENS: Final = 8
_MOST_TOKENS: Final = 4_096


def expected_answer_tokens(request: RoutingRequest, intent: IntentPrediction) -> int:
    """Guess how many tokens the answer has, from the kind of request and the length of the prompt.

    The figures are round numbers, not measurements: they only have to put candidates with different ratios
    of input to output price in the right order. The caller's own `max_tokens` bounds the guess.
    """
    prompt_tokens = request.prompt_tokens
    expected = sum(
        probability * (prompt_tokens if label in _AS_LONG_AS_PROMPT else _TYPICAL_TOKENS[label])
        for label, probability in intent.probabilities.items()
    )
    bounded = min(max(round(expected), _LEAST_TOKENS), _MOST_TOKENS)
    return bounded if request.max_output_tokens is None else min(bounded, request.max_output_tokens)
