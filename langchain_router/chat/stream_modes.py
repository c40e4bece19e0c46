"""What `stream` does with a plan whose drafts are checked before they may be shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from langchain_router.decision import RoutingDecision, Step
from langchain_router.exceptions import ConfigurationError

_GOOD_ENOUGH = 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class Buffer:
    """Hold the draft back until its check has passed it, then release it chunk by chunk. The default.

    The whole answer is checked, at the price of a first token that comes when the draft is complete.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdback:
    """Check the beginning of the draft; when it passes, show it and let the rest flow live.

    Catches refusals, empty answers and the wrong language early. What is wrong only later goes out: prefer
    `Buffer` with checks that need the whole answer, such as agreement. Tool calls and structured output
    are always checked whole.

    Args:
        tokens: How much of the draft is looked at, in tokens, >= 1.

    Raises:
        ConfigurationError: `tokens` is not a whole number above 0.
    """

    tokens: int = 40

    def __post_init__(self) -> None:
        if isinstance(self.tokens, bool) or not isinstance(self.tokens, int) or self.tokens < 1:
            raise ConfigurationError(f"tokens must be a whole number above 0, got {self.tokens!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Predecide:
    """Choose one step of the plan by its predicted quality, and stream it at once, unchecked.

    For chats where the first token matters more than the saving. Failover still works before the first token.

    Args:
        quality: The first step that is predicted to reach this answers, 0..1; else the one predicted best.

    Raises:
        ConfigurationError: `quality` is out of range.
    """

    quality: float = _GOOD_ENOUGH

    def __post_init__(self) -> None:
        number = isinstance(self.quality, (int, float)) and not isinstance(self.quality, bool)
        if not number or not 0 <= self.quality <= 1:
            raise ConfigurationError(f"quality must be from 0 to 1, got {self.quality!r}.")

    def decided(self, decision: RoutingDecision) -> RoutingDecision:
        """Return the decision with the step chosen first, the others behind it, and no checks."""
        expected = {one.name: one for one in decision.eligible}

        def quality_of(step: Step) -> float:
            known = expected.get(step.candidate.name)
            return -1.0 if known is None or known.predicted_quality is None else known.predicted_quality

        able = [step for step in decision.plan if step.candidate.name in expected]
        good = [step for step in able if quality_of(step) >= self.quality]
        chosen = good[0] if good else max(reversed(able), key=quality_of)
        why = f"the first tier with predicted quality of at least {self.quality:g}"
        at = decision.plan.index(chosen)
        order = (chosen, *decision.plan[at + 1 :], *reversed(decision.plan[:at]))
        known = expected.get(chosen.candidate.name)
        return replace(
            decision,
            plan=tuple(replace(step, check=None) for step in order),
            reason=f"chosen before it streams: {why if good else 'the tier predicted best'}",
            estimated_cost_usd=None if known is None else known.estimated_cost_usd,
            confidence=None if known is None else known.predicted_quality,
        )


StreamMode = Buffer | Holdback | Predecide

_BY_NAME: dict[str, type[StreamMode]] = {"buffer": Buffer, "holdback": Holdback, "predecide": Predecide}


def as_stream_mode(given: Any) -> StreamMode:
    """Return the mode that a user named or gave.

    Raises:
        ConfigurationError: There is no such mode.

    Example:
        >>> as_stream_mode("holdback")
        Holdback(tokens=40)
    """
    if isinstance(given, (Buffer, Holdback, Predecide)):
        return given
    if isinstance(given, str) and given in _BY_NAME:
        return _BY_NAME[given]()
    raise ConfigurationError(
        f"stream_mode must be {', '.join(map(repr, _BY_NAME))} or e.g. Holdback(tokens=40), got {given!r}."
    )
