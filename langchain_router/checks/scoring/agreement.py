"""What second answers to the same request say about a first one."""

from __future__ import annotations

from collections.abc import Mapping

from langchain_core.messages import AIMessage

from langchain_router.checks.final_answers.comparison import compare
from langchain_router.checks.final_answers.cues import Cues

NAMES = ("same", "different", "not_comparable", "alike", "unlike")
"""What is told of each second answer, and in the mean of all."""

_ALIKE_FROM = 0.5


def agreement_with(asked: Cues, answer: AIMessage | str, second: AIMessage | str) -> tuple[float, ...]:
    """Return how a second answer compares with an answer. Never raises.

    Results that can be compared exactly are the same or different; long texts are alike by the words that
    they share.

    Example:
        >>> agreement_with(Cues(number=True), "It is 42.", "6 * 7 = 42")
        (1.0, 0.0, 0.0, 0.0, 0.0)
    """
    found = compare(asked, _message(answer), _message(second))
    if found.problem:
        return (0.0, 0.0, 1.0, 0.0, 0.0)
    if found.exact:
        return (found.score, 1.0 - found.score, 0.0, 0.0, 0.0)
    return (0.0, 0.0, 0.0, max(0.0, found.score - _ALIKE_FROM), max(0.0, _ALIKE_FROM - found.score))


def mean_agreement(each: Mapping[str, tuple[float, ...]]) -> tuple[float, ...]:
    """Return the mean over all second answers; zeros where there are none."""
    if not each:
        return (0.0,) * len(NAMES)
    return tuple(sum(column) / len(each) for column in zip(*each.values(), strict=True))


def _message(answer: AIMessage | str) -> AIMessage:
    return AIMessage(answer) if isinstance(answer, str) else answer
