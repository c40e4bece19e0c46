"""Passes an answer that a fitted scorer takes to be right."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Protocol, runtime_checkable

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from langchain_router.candidates.candidate import Candidate, as_candidate
from langchain_router.checks.arguments import check_share, plain
from langchain_router.checks.base import Check
from langchain_router.checks.check import Ask, Review, Run, Verdict
from langchain_router.exceptions import ConfigurationError
from langchain_router.execution.errors import ErrorKind, error_kind
from langchain_router.request import RoutingRequest
from langchain_router.wording import shown

_logger = logging.getLogger("langchain_router")


@runtime_checkable
class AnswerScorer(Protocol):
    """Says how probable it is that an answer is right. The extension point of `LearnedCheck`."""

    def probability(
        self, request: RoutingRequest, response: AIMessage, seconds: Mapping[str, AIMessage]
    ) -> float:
        """Return the probability, 0..1, that the answer is good.

        Args:
            request: What was asked.
            response: The answer.
            seconds: By a candidate's name, what others answered to the same request; empty unless the check
                asks any, and without those that gave no answer.
        """
        ...


class LearnedCheck(Check):
    """Pass an answer whose probability of being right, as a scorer sees it, is at least `threshold`.

    For a scorer fitted on answers whose worth is known: `langchain_router.checks.scoring.fit_scorer` fits
    one. The package ships none, as right answers do not look the same everywhere. Prefer it to `JudgeCheck`
    where such answers are at hand, for it costs no call, unless it compares with second answers.
    Prefer `AgreementCheck` where nothing is fitted yet.

    A scorer that raises, or returns something other than a probability, lets the answer fail.

    Args:
        scorer: An object with `probability(request, response, seconds)`.
        threshold: Least probability that passes, 0..1. Best chosen on answers that the scorer was not
            fitted on.
        seconds: Models to put the same request to, side by side with the draft, for the scorer to compare.

    Raises:
        ConfigurationError: The scorer has no such method, or the threshold is out of range.

    Example:
        >>> class ShowsItsWork:
        ...     def probability(self, request, response, seconds):
        ...         return min(1.0, 0.2 + 0.2 * response.text.count("="))
        >>> check = LearnedCheck(ShowsItsWork(), threshold=0.7)
        >>> from langchain_core.messages import HumanMessage
        >>> request = RoutingRequest(messages=(HumanMessage("Five books at $8 and a pen at $2?"),))
        >>> check.check(request, AIMessage("5 * 8 = 40, 40 + 2 = 42, so x = 42.")).passed
        True
        >>> check.check(request, AIMessage("42")).reason
        'taken to be right with probability 0.20, under 0.70'
    """

    name = "learned"

    def __init__(
        self,
        scorer: AnswerScorer,
        threshold: float = 0.8,
        *,
        seconds: Iterable[Candidate | BaseChatModel | str] = (),
    ) -> None:
        if isinstance(scorer, type) or not callable(getattr(scorer, "probability", None)):
            raise ConfigurationError(
                f"scorer must have a method probability(request, response, seconds), got {shown(scorer)}."
            )
        check_share("threshold", threshold)
        if isinstance(seconds, (str, BaseChatModel, Candidate)):
            raise ConfigurationError("seconds must be a list of models; write seconds=[...].")
        self.scorer = scorer
        self.threshold = float(threshold)
        self._asks = tuple(Ask(candidate=as_candidate(one), role="second") for one in seconds)

    @property
    def seconds(self) -> tuple[Ask, ...]:
        """The second answers that the scorer compares with."""
        return self._asks

    def review(self, request: RoutingRequest, response: AIMessage) -> Review:
        """Gather the second answers, and have the scorer look at them all."""
        seconds: dict[str, AIMessage] = {}
        for ask in self._asks:
            try:
                seconds[ask.candidate.name] = yield ask
            except Exception as error:  # noqa: BLE001 - the scorer does without it
                _pass_on_control_flow(error)
        scorer = self.scorer
        try:
            came = yield Run(call=lambda: scorer.probability(request, response, seconds))
        except Exception as error:  # noqa: BLE001 - whatever it raises, the request goes on
            _pass_on_control_flow(error)
            name = type(error).__name__
            _logger.warning("the scorer of %r raised %s; the answer counts as not passed", self, name)
            return Verdict(passed=False, reason=f"the scorer raised {name}")
        return self._verdict(came)

    def _verdict(self, came: object) -> Verdict:
        value = plain(came)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return Verdict(
                passed=False, reason=f"the scorer gave no probability but a {type(value).__name__}"
            )
        if not 0 <= value <= 1:  # nor is NaN
            return Verdict(passed=False, reason=f"the scorer gave {value!r}, which is no probability")
        compared = "at least" if value >= self.threshold else "under"
        return Verdict(
            passed=value >= self.threshold,
            score=float(value),
            reason=f"taken to be right with probability {value:.2f}, {compared} {self.threshold:.2f}",
        )

    def __repr__(self) -> str:
        return f"LearnedCheck({type(self.scorer).__name__}, {self.threshold:g})"


def _pass_on_control_flow(error: Exception) -> None:
    if error_kind(error) is ErrorKind.CONTROL_FLOW:
        raise error
