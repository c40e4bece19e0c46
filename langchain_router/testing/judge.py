"""A judge whose verdicts are known beforehand, for tests of a cascade with `JudgeCheck`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage

from langchain_router.checks.judging.prompt import FAULTS
from langchain_router.exceptions import ConfigurationError
from langchain_router.testing.scripted import ScriptedChatModel

_ID = re.compile(r'\{"id": "([0-9a-f]+)"')


class ScriptedJudge(ScriptedChatModel):
    """Gives its verdicts in turn, over and over, in the form that `JudgeCheck` asks for.

    A verdict bears a number that is drawn for the call, so a model with fixed texts cannot give one.

    Args:
        verdicts: Scores from 0 to 1, or pairs of a score and a fault, e.g. `(0.3, "wrong")`; at least one.

    Raises:
        ConfigurationError: A verdict is neither.

    Example:
        >>> from langchain_core.messages import HumanMessage
        >>> from langchain_router import JudgeCheck, RoutingRequest
        >>> check = JudgeCheck(ScriptedJudge(verdicts=[0.9, (0.3, "wrong")]))
        >>> request = RoutingRequest(messages=(HumanMessage("What is 6 * 7?"),))
        >>> [check.check(request, AIMessage(one)).passed for one in ("42", "48")]
        [True, False]
    """

    def __init__(self, *, verdicts: Sequence[float | tuple[float, str]]) -> None:
        super().__init__(answers=[json.dumps(_verdict(one)) for one in verdicts])

    def _next(self, messages: list[BaseMessage]) -> AIMessage:
        answer = super()._next(messages)
        told = _ID.search(messages[0].text)
        verdict = {"id": "" if told is None else told[1], **json.loads(answer.text)}
        return answer.model_copy(update={"content": json.dumps(verdict)})

    @property
    def _llm_type(self) -> str:
        return "scripted-judge"


def _verdict(given: object) -> dict[str, object]:
    score, fault = given if isinstance(given, tuple) and len(given) == 2 else (given, "none")
    is_score = isinstance(score, (int, float)) and not isinstance(score, bool) and 0 <= score <= 1
    if not is_score or fault not in FAULTS:
        raise ConfigurationError(
            f"A verdict is a score from 0 to 1, or a pair of one and a fault ({', '.join(FAULTS)}), "
            f'got {given!r}. Write verdicts=[0.9, (0.3, "wrong")].'
        )
    return {"score": score, "fault": fault}
