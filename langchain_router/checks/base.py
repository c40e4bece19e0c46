"""The base of every check that ships with the router: reviews, and their composition with `&` and `|`."""

from __future__ import annotations

import asyncio
import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any

from langchain_core.messages import AIMessage

from langchain_router.candidates.candidate import Candidate
from langchain_router.checks.arguments import plain
from langchain_router.checks.asking import aasked, asked, waited
from langchain_router.checks.check import Ask, Review, Run, Verdict
from langchain_router.exceptions import ConfigurationError
from langchain_router.execution.errors import ErrorKind, error_kind
from langchain_router.request import RoutingRequest
from langchain_router.wording import kind_of, shown


class Check(ABC):
    """A check whose `review` may ask other models. Checks compose: `HeuristicCheck() & JudgeCheck(...)`."""

    name: str = "check"

    @abstractmethod
    def review(self, request: RoutingRequest, response: AIMessage) -> Review:
        """Look at an answer; a generator, see `langchain_router.checks.check`."""

    @property
    def seconds(self) -> tuple[Ask, ...]:
        """Second answers that may be asked for side by side with the draft, before there is one."""
        return ()

    @property
    def models(self) -> tuple[Candidate, ...]:
        """Every model that the check may ask; a review must not ask any other."""
        return tuple(ask.candidate for ask in self.seconds)

    def check(self, request: RoutingRequest, response: AIMessage) -> Verdict:
        """Look at an answer outside a router, calling the models that the review asks.

        A model that the request's constraints keep from seeing it is not called. One that is down, too slow
        or not allowed raises nothing: the review goes on without its word.
        """
        review = self.review(request, response)
        try:
            wanted = next(review)
            while True:
                try:
                    came = wanted.call() if isinstance(wanted, Run) else asked(wanted, request)
                except Exception as error:  # noqa: BLE001 - the review knows what to make of it
                    wanted = review.throw(_unless_control_flow(error))
                else:
                    wanted = review.send(came)
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict

    async def acheck(self, request: RoutingRequest, response: AIMessage) -> Verdict:
        """Look at an answer as `check` does, without blocking the event loop."""
        review = self.review(request, response)
        try:
            wanted = next(review)
            while True:
                try:
                    came = await (_arun(wanted) if isinstance(wanted, Run) else aasked(wanted, request))
                except Exception as error:  # noqa: BLE001 - the review knows what to make of it
                    wanted = review.throw(_unless_control_flow(error))
                else:
                    wanted = review.send(came)
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict

    def __and__(self, other: object) -> Check:
        """Return a check that passes what both pass; the second is not run where the first fails."""
        from langchain_router.checks.combined import AllOf

        return AllOf(self, as_check(other))

    def __rand__(self, other: object) -> Check:
        return as_check(other) & self

    def __or__(self, other: object) -> Check:
        """Return a check that passes what either passes; the second is not run where the first passes."""
        from langchain_router.checks.combined import AnyOf

        return AnyOf(self, as_check(other))

    def __ror__(self, other: object) -> Check:
        return as_check(other) | self


class OwnCheck(Check):
    """A check of the user's own: a function of request and response, or an object with a method `check`.

    It returns a `Verdict`, a bool, or a score from 0 to 1 that passes from 0.5 on. A coroutine function, or
    a method `acheck` beside `check`, is awaited where there is an event loop.
    """

    def __init__(self, check: Callable[[RoutingRequest, AIMessage], Any], acheck: Any = None) -> None:
        self._check = check
        self._acheck = check if acheck is None and inspect.iscoroutinefunction(check) else acheck
        self.name = _name_of(check)
        for one in (self._check, self._acheck):
            _refuse_unless_it_takes_two(self.name, one)

    def review(self, request: RoutingRequest, response: AIMessage) -> Review:
        """Have the user's check run, and read what it returns."""
        acheck = self._acheck
        came = yield Run(
            call=lambda: waited(self._check(request, response)),
            acall=None if acheck is None else lambda: acheck(request, response),
        )
        return _read(self.name, came)

    def __repr__(self) -> str:
        return f"OwnCheck({self.name})"


def as_check(given: object) -> Check:
    """Return what a user gave as a check.

    Args:
        given: A check, an object with a method `check(request, response)`, or a function of those two.

    Raises:
        ConfigurationError: It is none of these, or cannot be called with a request and a response.

    Example:
        >>> def is_long(request, response):
        ...     return len(response.text) > 20
        >>> as_check(is_long)
        OwnCheck(is_long)
    """
    if isinstance(given, Check):
        return given
    method = None if isinstance(given, type) else getattr(given, "check", None)
    if callable(method):
        return OwnCheck(method, getattr(given, "acheck", None))
    if callable(given) and not isinstance(given, type):
        return OwnCheck(given)
    raise ConfigurationError(
        "A check must be a check, e.g. HeuristicCheck(), or a function of request and response, "
        f"got {shown(given)}."
    )


def _name_of(check: Callable[..., Any]) -> str:
    """Return what verdicts call a user's check: its own name, or where a lambda stands, which has none."""
    while isinstance(check, functools.partial):
        check = check.func
    name = str(getattr(check, "__qualname__", type(check).__name__)).removesuffix(".check")
    name = name.rpartition("<locals>.")[2]
    code = getattr(check, "__code__", None)
    return name if code is None or name != "<lambda>" else f"the lambda of line {code.co_firstlineno}"


def _refuse_unless_it_takes_two(name: str, check: Callable[..., Any] | None) -> None:
    if check is None:
        return
    try:
        inspect.signature(check).bind(None, None)
    except TypeError:
        raise ConfigurationError(
            f"A check is called with a request and a response, which {name} does not take. "
            "Let it take just these two: def is_good(request, response)."
        ) from None
    except ValueError:  # a built-in that does not tell its signature
        pass


def _read(name: str, came: object) -> Verdict:
    if isinstance(came, Verdict):
        return came
    said = plain(came)
    if isinstance(said, bool):
        return Verdict(passed=said, reason=f"{name} said {'yes' if said else 'no'}")
    if isinstance(said, (int, float)) and 0 <= said <= 1:
        compared = "at least" if said >= _PASSES_FROM else "under"
        reason = f"scored {said:.2f} by {name}, {compared} {_PASSES_FROM:.2f}"
        return Verdict(passed=said >= _PASSES_FROM, score=float(said), reason=reason)
    returned = repr(said) if isinstance(said, (int, float)) else kind_of(said)
    raise ConfigurationError(
        f"{name} returned {returned}. Let it return True or False, a score from 0 to 1, or a Verdict(...)."
    )


_PASSES_FROM = 0.5


def _arun(run: Run) -> Awaitable[Any]:
    return asyncio.to_thread(run.call) if run.acall is None else run.acall()


def _unless_control_flow(error: Exception) -> Exception:
    """Return the error for the review to deal with, unless it is an interrupt, which nobody may swallow."""
    if error_kind(error) is ErrorKind.CONTROL_FLOW:
        raise error
    return error
