"""What came of a request: each call that was made for it, and the whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from langchain_router.checks.check import Verdict
from langchain_router.execution.errors import ErrorKind

Role = Literal["answer", "draft", "second", "judge", "hedge"]
"""What a call was for: the answer itself, a draft that a check looks at, a second model's answer to compare
with, a judge's verdict, or a hedge against a slow first token."""

Status = Literal["ok", "error", "timeout", "truncated", "refused", "cancelled", "unknown"]
"""How a request ended; `unknown` when nobody can say: a stream whose model never gives a finish reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One call to one model.

    Attributes:
        candidate: Name of the candidate.
        latency_s: Until the answer, the first chunk of a live stream, or the error, in seconds.
        role: What the call was for.
        error_kind: What went wrong, or None when it answered.
        verdict: What the check said of the answer, if one looked at it.
        input_tokens: Prompt tokens billed, or None when unknown (a live stream knows only at its end).
        output_tokens: Tokens of the answer billed, or None when unknown.
        cost_usd: What it cost in US dollars, or None when unknown; 0 where the provider refused the call.
        estimated: Whether the cost is an estimate, as for a call that was cancelled half-way.
    """

    candidate: str
    latency_s: float
    role: Role = "answer"
    error_kind: ErrorKind | None = None
    verdict: Verdict | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    estimated: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable data."""
        found: dict[str, Any] = {
            "candidate": self.candidate,
            "role": self.role,
            "latency_s": round(self.latency_s, 4),
            "error_kind": None if self.error_kind is None else self.error_kind.value,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": self.cost_usd,
        }
        if self.verdict is not None:
            found["verdict"] = self.verdict.to_dict()
        if self.estimated:
            found["estimated"] = True
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a request came to. Holds no text.

    Attributes:
        decision_id: The decision that it belongs to.
        status: How it ended.
        served_by: Name of the candidate whose answer was returned, or None.
        latency_s: From the decision to the end, in seconds.
        first_token_s: From the decision to the first token that was shown, or None when not streamed.
        attempts: Every call made, in order.
        message_id: Of the answer, by which feedback on it may come, or None.
    """

    decision_id: str
    status: Status
    served_by: str | None
    latency_s: float
    first_token_s: float | None = None
    attempts: tuple[Attempt, ...] = field(default=())
    message_id: str | None = None

    @property
    def cost_usd(self) -> float | None:
        """What all calls cost together, in US dollars; None when that of any is unknown.

        Prefer `known_cost_usd` for a sum that one call without a price does not make unknown.
        """
        is_known = all(attempt.cost_usd is not None for attempt in self.attempts)
        return self.known_cost_usd if is_known else None

    @property
    def known_cost_usd(self) -> float:
        """What those calls cost together whose cost is known, in US dollars: all of it or the least of it."""
        return sum(attempt.cost_usd or 0.0 for attempt in self.attempts)

    @property
    def passed(self) -> bool | None:
        """Whether the answer returned has passed its check; None where nobody checked it.

        False says that no better one could be had: the best draft was returned all the same.
        """
        served = [one for one in self.attempts if one.candidate == self.served_by and one.error_kind is None]
        verdicts = [one.verdict for one in served if one.verdict is not None]
        return verdicts[-1].passed if verdicts else None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-serialisable data: what `response_metadata["router_outcome"]` carries."""
        return {
            "decision_id": self.decision_id,
            "status": self.status,
            "passed": self.passed,
            "served_by": self.served_by,
            "latency_s": round(self.latency_s, 4),
            "first_token_s": None if self.first_token_s is None else round(self.first_token_s, 4),
            "cost_usd": self.cost_usd,
            "known_cost_usd": self.known_cost_usd,
            "attempts": [attempt.to_dict() for attempt in self.attempts],
        }
