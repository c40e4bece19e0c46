"""A judge whose verdicts are known beforehand."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_router import Candidate, CascadePolicy, ChatRouter, ConfigurationError, JudgeCheck
from langchain_router.testing import FaultyChatModel, ScriptedJudge


def cascade(*verdicts: Any) -> ChatRouter:
    cheap, dear = (Candidate(model=FaultyChatModel(answers=[name]), name=name) for name in ("cheap", "dear"))
    check = JudgeCheck(ScriptedJudge(verdicts=verdicts))
    return ChatRouter.from_models(cheap, dear, policy=CascadePolicy([("cheap", check), ("dear", None)]))


def verdict_of(answer: AIMessage) -> Any:
    return answer.response_metadata["router_outcome"]["attempts"][0]["verdict"]


async def test_it_judges_in_turn_and_over_and_over() -> None:
    router = cascade(0.9, (0.3, "wrong"))
    first, second = router.invoke("Hello"), await router.ainvoke("Hello")
    assert (first.text, second.text, router.invoke("Hello").text) == ("cheap", "dear", "cheap")
    assert (verdict_of(first)["score"], verdict_of(second)["score"]) == (0.9, 0.3)
    assert verdict_of(second)["reason"].endswith("a fact, a step or the result is wrong")


@pytest.mark.parametrize("wrong", [1.1, "good", True, (0.5, "odd"), (0.5,), None])
def test_what_is_no_verdict_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"A verdict is a score from 0 to 1, or a pair"):
        ScriptedJudge(verdicts=[wrong])


def test_it_needs_a_verdict() -> None:
    with pytest.raises(ConfigurationError, match="at least one"):
        ScriptedJudge(verdicts=[])
