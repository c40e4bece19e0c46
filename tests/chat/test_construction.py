"""What a user is told when a router is built."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from pydantic import Field

from langchain_router import AgreementCheck, HeuristicCheck, JudgeCheck
from langchain_router.chat import construction
from tests.chat.speaking import cascade


class Eager(FakeListChatModel):
    responses: list[str] = Field(default_factory=lambda: ["An answer."])
    max_retries: int | None = 2


@pytest.mark.parametrize(
    "check",
    [
        JudgeCheck(Eager()),
        AgreementCheck(Eager()),
        HeuristicCheck() & (JudgeCheck(Eager()) | JudgeCheck(Eager())),
    ],
)
def test_a_model_in_a_check_that_retries_by_itself_is_warned_about_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, check: Any
) -> None:
    monkeypatch.setattr(construction, "_warned_of", set())
    with caplog.at_level(logging.WARNING, logger="langchain_router"):
        for _ in range(2):
            cascade(check).invoke("Hello")
    assert [
        "an Eager" in record.getMessage() or "a Eager" in record.getMessage() for record in caplog.records
    ] == [True]
