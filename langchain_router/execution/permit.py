"""The right to make one call, as a breaker grants it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from langchain_router.execution.errors import ErrorKind

PermitRole = Literal["call", "trial", "forced"]
"""An ordinary call, the one trial call of a half-open breaker, or a last hope although it is open."""


class Permit:
    """The right to make one call. Say once what came of it; saying it again does nothing.

    Attributes:
        role: What kind of call it is for.
        period: The breaker's period in which the call began; what comes after the period is old news.
        cooldown: The number of rate limits that the breaker had met when the call began.
        is_settled: Whether it has been said what came of it.
    """

    __slots__ = ("_settle", "cooldown", "is_settled", "period", "role")

    def __init__(
        self,
        settle: Callable[..., None],
        *,
        role: PermitRole,
        period: int,
        cooldown: int,
    ) -> None:
        self._settle = settle
        self.role = role
        self.period = period
        self.cooldown = cooldown
        self.is_settled = False

    def begun(self) -> None:
        """The candidate has begun to answer, and goes on: an open breaker need not wait for the end."""
        self._settle(self, "begun")

    def succeeded(self) -> None:
        """The candidate answered."""
        self._settle(self, "ok")

    def failed(self, kind: ErrorKind, retry_after_s: float | None = None) -> None:
        """The call failed.

        Args:
            kind: Decides what it means; kinds that say nothing of the candidate's health are neutral.
            retry_after_s: When the provider wants to be asked again, in seconds from now. None, or what
                cannot be meant (not above 0, not a number), is as if it said nothing.
        """
        self._settle(self, kind, retry_after_s)

    def neutral(self) -> None:
        """The call was cancelled, never made, or failed by the caller's own fault."""
        self._settle(self, "neutral")
