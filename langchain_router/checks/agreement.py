"""Passes an answer when a second model, asked the same, comes to the same."""

from __future__ import annotations

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from langchain_router.candidates.candidate import Candidate, as_candidate
from langchain_router.checks.arguments import (
    WhenUnavailable,
    check_seconds,
    check_share,
    check_switch,
    check_when_unavailable,
)
from langchain_router.checks.base import Check
from langchain_router.checks.check import Ask, Review, Verdict
from langchain_router.checks.final_answers.comparison import KINDS, Kind, compare
from langchain_router.checks.final_answers.cues import cues
from langchain_router.exceptions import ConfigurationError
from langchain_router.request import RoutingRequest
from langchain_router.wording import shown


class AgreementCheck(Check):
    """Ask a second cheap model the same, and pass the draft when both come to the same answer.

    Two models that err, err differently; so agreement on a number, a choice, a value or a tool call says
    much. Agreement of two essays says little: long free texts are compared by the words they share, which
    measures style more than truth, and two good ones seldom pass. Prefer `JudgeCheck` for open questions,
    and `SchemaCheck` where only the form of the answer counts.

    The second model costs a call for every request, so the check pays where two cheap answers together
    cost a small part of the premium model's, and where the second comes from another family than the first:
    kin share their errors. A candidate that must not see the request is not asked; see `when_unavailable`.

    Args:
        second: Who answers too: a candidate, a chat model or a LiteLLM model string. It need not be as good
            as the draft's model, but where it is often wrong, most requests are escalated.
        side_by_side: Ask it at the same time as the draft's model, so that it adds cost but hardly any
            time. False asks it only when there is a draft, and not at all when a check before it failed.
        kind: What the answers are compared as: `"number"`, `"choice"` (of lettered options, or yes and no),
            `"json"` (parsed, irrespective of key order and number formatting) or `"text"`. `"auto"` takes
            the kind that the request and the answers show; both must be of it. Tool calls are always
            compared by name and arguments.
        when_unavailable: Whether the draft passes or is escalated when the second model is down, too slow
            or not allowed to see the request.
        similarity: From which similarity on, 0..1, two long texts agree: the share of words in common.
        timeout_s: Longest wait for the second answer, in seconds; None leaves it to the request's deadlines.

    Raises:
        ConfigurationError: A value is not one of those named.

    Example:
        >>> from langchain_core.language_models import FakeListChatModel
        >>> from langchain_core.messages import HumanMessage
        >>> check = AgreementCheck(FakeListChatModel(responses=["6 * 8 = 48. The answer is $48."]))
        >>> request = RoutingRequest(messages=(HumanMessage("How much are 6 books at $8?"),))
        >>> check.check(request, AIMessage("They cost 48 dollars.")).reason
        'both answers give the same number'
    """

    name = "agreement"

    def __init__(
        self,
        second: Candidate | BaseChatModel | str,
        *,
        side_by_side: bool = True,
        kind: Kind = "auto",
        when_unavailable: WhenUnavailable = "escalate",
        similarity: float = 0.6,
        timeout_s: float | None = None,
    ) -> None:
        if kind not in KINDS:
            raise ConfigurationError(f"kind must be one of {', '.join(KINDS)}, got {shown(kind)}.")
        check_switch("side_by_side", side_by_side)
        check_when_unavailable(when_unavailable)
        check_share("similarity", similarity)
        if timeout_s is not None:
            check_seconds("timeout_s", timeout_s)
        self.second = as_candidate(second)
        self.kind = kind
        self.side_by_side = side_by_side
        self.when_unavailable = when_unavailable
        self.similarity = similarity
        self._ask = Ask(candidate=self.second, role="second", timeout_s=timeout_s)

    @property
    def seconds(self) -> tuple[Ask, ...]:
        """The second answer, when it may be asked for side by side with the draft."""
        return (self._ask,) if self.side_by_side else ()

    @property
    def models(self) -> tuple[Candidate, ...]:
        """The second model."""
        return (self.second,)

    def review(self, request: RoutingRequest, response: AIMessage) -> Review:
        """Ask the second model, and compare what both answers come to."""
        try:
            second = yield self._ask
        except Exception as error:  # noqa: BLE001 - whatever kept it from answering
            return self._unchecked(type(error).__name__)
        if not isinstance(second, AIMessage):
            return self._unchecked("no message")
        found = compare(cues(request), response, second, self.kind)
        passed = found.score >= (1.0 if found.exact else self.similarity)
        if found.problem:
            reason = f"cannot agree: {found.problem}"
        elif not found.exact:
            reason = f"the words of both answers are {found.score:.0%} alike"
        else:
            reason = f"both answers give {'the same' if passed else 'a different'} {found.kind}"
        return Verdict(passed=passed, score=found.score, reason=reason)

    def _unchecked(self, why: str) -> Verdict:
        passed = self.when_unavailable == "accept"
        what = "passes unchecked" if passed else "is not taken"
        reason = f"{self.second.name} gave no second answer ({why}), so the draft {what}"
        return Verdict(passed=passed, reason=reason)

    def __repr__(self) -> str:
        return f"AgreementCheck({self.second.name!r}, kind={self.kind!r})"
