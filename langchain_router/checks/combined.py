"""Checks made of checks: all must pass, or any may."""

from __future__ import annotations

from collections.abc import Iterable

from langchain_core.messages import AIMessage

from langchain_router.candidates.candidate import Candidate
from langchain_router.checks.base import Check, as_check
from langchain_router.checks.check import Ask, Review, Verdict
from langchain_router.exceptions import ConfigurationError
from langchain_router.request import RoutingRequest


class _Combined(Check):
    """Several checks, run in order until one of them settles the verdict."""

    checks: tuple[Check, ...]
    _sign: str
    _settles: bool  # the word of one check after which the others need not be asked

    def __init__(self, *checks: object) -> None:
        parts: list[Check] = []
        for check in map(as_check, checks):
            parts.extend(check.checks if isinstance(check, type(self)) else (check,))
        if not parts:
            raise ConfigurationError(f"{type(self).__name__} needs a check, e.g. HeuristicCheck().")
        self.checks = tuple(parts)
        self.name = self._joined(check.name for check in self.checks)

    @property
    def seconds(self) -> tuple[Ask, ...]:
        """What any of the checks would ask side by side with the draft, each once."""
        found: list[Ask] = []
        for check in self.checks:
            found.extend(ask for ask in check.seconds if ask not in found)
        return tuple(found)

    @property
    def models(self) -> tuple[Candidate, ...]:
        """Every model that any of the checks may ask."""
        return tuple(model for check in self.checks for model in check.models)

    def review(self, request: RoutingRequest, response: AIMessage) -> Review:
        """Run the checks in order, and stop at the first that settles it."""
        verdicts: list[Verdict] = []
        for check in self.checks:
            verdict = yield from check.review(request, response)
            verdicts.append(verdict)
            if verdict.passed is self._settles:
                break
        return Verdict(
            passed=verdicts[-1].passed,
            score=self._score([verdict.score for verdict in verdicts if verdict.score is not None]),
            reason="; ".join(verdict.reason for verdict in verdicts if verdict.reason),
        )

    def _score(self, known: list[float]) -> float | None:
        raise NotImplementedError

    def _joined(self, shown: Iterable[str]) -> str:
        return f" {self._sign} ".join(shown)

    def __repr__(self) -> str:
        return self._joined(self._shown(check) for check in self.checks)

    def _shown(self, check: Check) -> str:
        return repr(check)


class AllOf(_Combined):
    """Passes an answer that every check passes; `a & b` is the same as `AllOf(a, b)`.

    The checks run in the order given, and those after the first that fails do not run: put the free ones
    first. The score is the lowest that any of them gave, and the reasons are joined.

    Args:
        *checks: Checks, or functions of request and response; at least one.

    Raises:
        ConfigurationError: None is given, or one is not a check.

    Example:
        >>> from langchain_core.messages import HumanMessage
        >>> check = AllOf(lambda request, response: 0.9, lambda request, response: 0.2)
        >>> verdict = check.check(RoutingRequest(messages=(HumanMessage("Hi"),)), AIMessage("Hello!"))
        >>> verdict.passed, verdict.score
        (False, 0.2)
    """

    _sign = "&"
    _settles = False

    def _score(self, known: list[float]) -> float | None:
        return min(known, default=None)

    def _shown(self, check: Check) -> str:
        return f"({check!r})" if isinstance(check, AnyOf) else repr(check)


class AnyOf(_Combined):
    """Passes an answer that at least one check passes; `a | b` is the same as `AnyOf(a, b)`.

    The checks run in the order given, and those after the first that passes do not run: put the cheap ones
    first. The score is the highest that any of them gave, and the reasons are joined.

    Args:
        *checks: Checks, or functions of request and response; at least one.

    Raises:
        ConfigurationError: None is given, or one is not a check.

    Example:
        >>> from langchain_core.messages import HumanMessage
        >>> check = AnyOf(lambda request, response: 0.2, lambda request, response: 0.9)
        >>> verdict = check.check(RoutingRequest(messages=(HumanMessage("Hi"),)), AIMessage("Hello!"))
        >>> verdict.passed, verdict.score
        (True, 0.9)
    """

    _sign = "|"
    _settles = True

    def _score(self, known: list[float]) -> float | None:
        return max(known, default=None)
