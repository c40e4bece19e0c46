"""Running a step's check on its answer."""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import Any

from langchain_router.checks.base import Check
from langchain_router.checks.check import Review, Run, Verdict, beginning
from langchain_router.exceptions import ConfigurationError
from langchain_router.execution.errors import ErrorKind, error_kind
from langchain_router.execution.moves import Move, Reply, RunCheck
from langchain_router.execution.opinions import Opinions
from langchain_router.request import RoutingRequest

_logger = logging.getLogger("langchain_router")


def reviewed(
    check: Check, request: RoutingRequest, reply: Reply, opinions: Opinions, timeout_s: float | None
) -> Generator[Move, Any, Verdict]:
    """Run a check to its verdict, asking for it what it needs to hear.

    A check that raises counts as not passed: a broken check must not let a bad answer through, and must not
    lose the request.

    Args:
        check: What to run.
        request: What was asked.
        reply: What was answered.
        opinions: Asks other models for it.
        timeout_s: How long each part of the check that is the user's own may take, in seconds.
    """
    if reply.fault is not None:
        return Verdict(passed=False, score=0.0, reason=reply.fault)
    if reply.message is None:
        return Verdict(passed=True, reason="there is no message to look at")
    try:
        message = reply.message if reply.is_complete else beginning(reply.message)
        return (yield from _driven(check.review(request, message), opinions, timeout_s))
    except Exception as error:
        if error_kind(error) is ErrorKind.CONTROL_FLOW:
            raise
        if isinstance(error, TimeoutError):
            _logger.warning("check %s was too slow; its answer counts as not passed", check.name)
            return Verdict(passed=False, reason=f"the check {check.name} was too slow")
        what = type(error).__name__
        if isinstance(error, ConfigurationError):
            what += f": {error}"  # says what to write instead, and quotes no content
        _logger.warning("check %s raised %s; its answer counts as not passed", check.name, what)
        return Verdict(passed=False, reason=f"the check {check.name} raised {what}")


def _driven(review: Review, opinions: Opinions, timeout_s: float | None) -> Generator[Move, Any, Verdict]:
    """Run a review to its end; what fails on the way is thrown into it, but for control flow."""
    try:
        wanted = next(review)
        while True:
            try:
                if isinstance(wanted, Run):
                    came = yield RunCheck(run=wanted, timeout_s=timeout_s)
                else:
                    came = (yield from opinions.ask(wanted)).message
            except Exception as error:
                if error_kind(error) is ErrorKind.CONTROL_FLOW:
                    raise
                wanted = review.throw(error)
            else:
                wanted = review.send(came)
    except StopIteration as end:
        if not isinstance(end.value, Verdict):
            raise TypeError(f"a review must return a Verdict, got {type(end.value).__name__}") from None
        return end.value
