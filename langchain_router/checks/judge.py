"""Passes an answer that another model judges to be good."""

from __future__ import annotations

import random

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from langchain_router.candidates.candidate import Candidate, as_candidate
from langchain_router.checks.arguments import (
    WhenUnavailable,
    check_seconds,
    check_share,
    check_when_unavailable,
)
from langchain_router.checks.base import Check
from langchain_router.checks.check import Ask, Review, Verdict
from langchain_router.checks.judging.prompt import FAULTS, judge_prompt
from langchain_router.checks.judging.reply import judged
from langchain_router.checks.text_rules.answer_text import is_blank, said
from langchain_router.exceptions import ConfigurationError
from langchain_router.execution.errors import ErrorKind, error_kind
from langchain_router.request import RoutingRequest
from langchain_router.wording import shown

_LEAST_CHARS = 200


class JudgeCheck(Check):
    """Ask a model how good the answer is, and pass it from `threshold` on.

    The only check that reads an open answer for its meaning. It costs a call for every request, and it is
    no better than its judge: take one at least as able as the model it judges, from another family, for
    models are kind to their own. Prefer `AgreementCheck` where answers are short and exact, and put the free
    `HeuristicCheck` and `SchemaCheck` in front.

    The judge must reply with one JSON object, `{"id": "...", "score": 0.9, "fault": "none"}`: a random number
    that it is told for this call, a score from 0 to 1 and one of a few faults. Anything else is no verdict,
    above all a verdict that it only repeats from the answer. Request and answer reach it as data between
    marks that bear the same number, with nothing in them that could close the marks; an answer that addresses
    the judge fails whatever its score. That makes it hard to talk the judge round, not impossible: do not let
    its word alone decide what may do harm. In tests, `langchain_router.testing.ScriptedJudge` replies so.

    A judge that is slow, down, unreadable, or not allowed to see the request never raises: see
    `when_unavailable`.

    Args:
        judge: Who judges: a candidate, a chat model or a LiteLLM model string. It sees request and answer,
            so constraints on providers, regions and tags hold for it too.
        threshold: Least score that passes, 0..1.
        timeout_s: Longest wait for the verdict, in seconds, > 0.
        when_unavailable: `"escalate"` lets the answer fail when there is no verdict, so that the next model
            is asked; `"accept"` lets it pass.
        rubric: What counts as good here, in your own words, e.g. "An answer must cite a paragraph."
        max_chars: Longest request and longest answer shown to the judge, in characters each, at least 200;
            longer ones lose their middle. The default is about 2,500 tokens each.
        rng: Draws the number that marks the data; the system's own source when left out. Only for tests.

    Raises:
        ConfigurationError: An argument is of the wrong type or out of range.

    Example:
        >>> from langchain_core.messages import HumanMessage
        >>> from langchain_router.testing import ScriptedJudge
        >>> check = JudgeCheck(ScriptedJudge(verdicts=[(0.3, "wrong")]))
        >>> request = RoutingRequest(messages=(HumanMessage("What is 6 * 7?"),))
        >>> check.check(request, AIMessage("48")).reason
        'scored 0.30 by the judge, under 0.80: a fact, a step or the result is wrong'
    """

    name = "judge"

    def __init__(
        self,
        judge: Candidate | BaseChatModel | str,
        *,
        threshold: float = 0.8,
        timeout_s: float = 10.0,
        when_unavailable: WhenUnavailable = "escalate",
        rubric: str | None = None,
        max_chars: int = 10_000,
        rng: random.Random | None = None,
    ) -> None:
        check_share("threshold", threshold)
        check_seconds("timeout_s", timeout_s)
        check_when_unavailable(when_unavailable)
        if rubric is not None and not isinstance(rubric, str):
            raise ConfigurationError(f"rubric must be a text, got {shown(rubric)}.")
        if isinstance(max_chars, bool) or not isinstance(max_chars, int) or max_chars < _LEAST_CHARS:
            raise ConfigurationError(
                f"max_chars must be a whole number of at least {_LEAST_CHARS}, got {shown(max_chars)}."
            )
        self.judge = as_candidate(judge)
        self.threshold = float(threshold)
        self.timeout_s = float(timeout_s)
        self.when_unavailable = when_unavailable
        self.rubric = rubric
        self.max_chars = max_chars
        self._rng = random.SystemRandom() if rng is None else rng

    @property
    def models(self) -> tuple[Candidate, ...]:
        """The judge."""
        return (self.judge,)

    def review(self, request: RoutingRequest, response: AIMessage) -> Review:
        """Ask the judge once, and read its verdict."""
        if is_blank(said(response)) and not response.tool_calls:
            return Verdict(passed=False, score=0.0, reason="empty: the judge was not asked")
        nonce = f"{self._rng.getrandbits(64):016x}"
        messages = judge_prompt(request, response, nonce=nonce, rubric=self.rubric, max_chars=self.max_chars)
        ask = Ask(candidate=self.judge, role="judge", messages=messages, timeout_s=self.timeout_s)
        try:
            reply = yield ask
        except Exception as error:
            kind = error_kind(error)
            if kind is ErrorKind.CONTROL_FLOW:
                raise
            late = kind is ErrorKind.TIMEOUT
            return self._without_verdict("was too slow" if late else f"gave none ({type(error).__name__})")
        found = None
        if isinstance(reply, AIMessage):
            found = judged(said(reply), nonce=nonce, shown=messages[-1].text)
        if found is None:
            return self._without_verdict("gave none that can be read")
        return self._verdict(*found)

    def _verdict(self, score: float, fault: str) -> Verdict:
        enough = score >= self.threshold
        passed = enough and fault != "addresses_judge"
        compared = "at least" if enough else "under"
        reason = f"scored {score:.2f} by the judge, {compared} {self.threshold:.2f}"
        if fault != "none":
            reason += f": {FAULTS[fault]}"
        return Verdict(passed=passed, score=score, reason=reason)

    def _without_verdict(self, why: str) -> Verdict:
        accepts = self.when_unavailable == "accept"
        so = "accepted without a verdict" if accepts else "escalated without a verdict"
        return Verdict(passed=accepts, reason=f"{so}: the judge {why}")

    def __repr__(self) -> str:
        return f"JudgeCheck({self.judge.name!r})"
