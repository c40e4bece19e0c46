"""What the tests of feedback hooks share: a store that notes what it is told, tools, and routers."""

from __future__ import annotations

from typing import Any

from langchain_core.messages import AIMessage, ToolCall
from langchain_core.tools import ToolException, tool
from pydantic import BaseModel

from langchain_router import Candidate, ChatRouter
from langchain_router.outcomes.feedback import Feedback
from langchain_router.testing.scripted import ScriptedChatModel


class Sure:
    """Expects the same of every candidate, so that tests know what."""

    def curve(self, *_: Any) -> Any:
        return lambda _: 0.9


class NotingStore:
    """Keeps the last feedback of each decision, source and key, and which run belongs to which decision."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str], Feedback] = {}
        self.runs: dict[str, str] = {}
        self.raises: Exception | None = None
        self.asked = 0

    def add_feedback(self, *feedback: Feedback) -> list[Any]:
        self.asked += 1
        if self.raises is not None:
            raise self.raises
        for one in feedback:
            self.kept[one.decision_id, one.source, one.key] = one
        return []

    def linked(self, decision_id: str, run_id: str) -> None:
        self.runs[run_id] = decision_id

    def said(self) -> list[tuple[str, str, float, float]]:
        """Return decision, key, score and weight of all that counts or is noted, but for what was undone."""
        return sorted(
            (one.decision_id, one.key, one.score, one.weight)
            for one in self.kept.values()
            if one.comment != "another attempt was made"
        )


class Point(BaseModel):
    x: int


@tool
def add(a: int) -> int:
    """Add one."""
    return a + 1


@tool
def refuse(a: int) -> int:
    """Refuse."""
    raise ToolException(f"no such thing as {a}")


@tool
def stumble(a: int) -> int:
    """Fail with a validation error of its own."""
    return Point.model_validate({"x": "no", "a": a}).x


def calls(*arguments: dict[str, Any], name: str = "add", first: int = 1) -> AIMessage:
    """Return an answer that calls a tool, once for each of these arguments."""
    return AIMessage(
        "",
        tool_calls=[ToolCall(name=name, args=one, id=f"call-{first + n}") for n, one in enumerate(arguments)],
    )


def routed(*answers: str | AIMessage, **options: Any) -> ChatRouter:
    """Return a router with one candidate that gives these answers in turn."""
    return ChatRouter(
        candidates=[Candidate(model=ScriptedChatModel(answers=list(answers)), name="only", quality=0.9)],
        quality=0.5,
        quality_model=Sure(),
        **options,
    )


def decision_of(message: Any) -> str:
    return str(message.response_metadata["router"]["decision_id"])
