"""A cap on what one tenant may spend, whatever its prompts make the router choose.

A prompt can be written so that every router takes it for hard (Shafran et al., "Rerouting LLM Routers",
2025). One tenant who sends only such prompts makes all traffic go to the dearest model. No classifier is safe
from that; a cap in code is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from langchain_router.candidates.candidate import Candidate
from langchain_router.exceptions import ConfigurationError
from langchain_router.forks import give_lock
from langchain_router.request import RoutingRequest

_BUCKETS: Final = 60
_TIDY_EVERY: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendCap:
    """The most that each tenant may spend in a window of time.

    A tenant is named by `config["configurable"]["router_tenant"]`, which your code sets; requests without one
    share a cap of their own. A limit on a single request is the constraint `max_cost_usd`. The cap is kept in
    this process: with several, each allows it once.

    Args:
        usd: US dollars in any window, > 0. Running requests count with their estimate.
        per_s: Length of the window in seconds; it slides in sixty steps.
        then: What happens at the cap: `"cheapest"` leaves only the cheapest candidate that may answer, which
            then goes on costing little; `"refuse"` leaves nobody, and the request raises
            `NoEligibleCandidateError`.

    Raises:
        ConfigurationError: A value is out of range.

    Example:
        >>> SpendCap(usd=5.0, per_s=3600).then
        'cheapest'
    """

    usd: float
    per_s: float = 3_600.0
    then: Literal["cheapest", "refuse"] = "cheapest"

    def __post_init__(self) -> None:
        for name in ("usd", "per_s"):
            value = getattr(self, name)
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not 0 < value < float("inf"):
                raise ConfigurationError(f"{name} of a SpendCap must be a number above 0, got {value!r}.")
        if self.then not in ("cheapest", "refuse"):
            raise ConfigurationError(f"then must be 'cheapest' or 'refuse', got {self.then!r}.")


class Spending:
    """What each tenant has spent, in memory that does not grow with the number of requests.

    Args:
        cap: The cap to hold.
        clock: Monotonic seconds.
    """

    def __init__(self, cap: SpendCap, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._cap = cap
        self._clock = clock
        self._bucket_s = cap.per_s / _BUCKETS
        self._lock: threading.Lock
        give_lock(self, "_lock")
        self._spent: dict[str, dict[int, float]] = {}
        self._reserved: dict[str, dict[str, float]] = {}
        self._calls = 0

    def reasons_against(
        self, candidates: Sequence[tuple[Candidate, float | None]], request: RoutingRequest
    ) -> dict[str, str]:
        """Say for each candidate that the cap excludes why it may not answer.

        Args:
            candidates: Those that may answer otherwise, each with the most that it may cost in US dollars.
            request: Who asks.
        """
        spent_usd = self.spent_usd(request.tenant)
        left_usd = self._cap.usd - spent_usd
        against = {
            candidate.name: self._reason(request.tenant, spent_usd, cost_usd)
            for candidate, cost_usd in candidates
            if cost_usd is None or cost_usd > left_usd
        }
        if self._cap.then == "cheapest":
            priced = [
                (cost_usd, candidate.name) for candidate, cost_usd in candidates if cost_usd is not None
            ]
            if priced:
                against.pop(min(priced)[1], None)
        return against

    def began(self, decision_id: str, request: RoutingRequest, estimated_usd: float) -> None:
        """Count a request that runs with its estimate."""
        with self._lock:
            self._reserved.setdefault(_key(request.tenant), {})[decision_id] = estimated_usd

    def ended(self, decision_id: str, request: RoutingRequest, *, known_usd: float, is_all: bool) -> None:
        """Count a request with what it cost.

        Args:
            decision_id: What `began` was told.
            request: Who asked.
            known_usd: What is known of its cost, in US dollars.
            is_all: Whether that is all of it; else its estimate counts where that is more.
        """
        key = _key(request.tenant)
        with self._lock:
            reserved = self._reserved.get(key, {})
            estimated_usd = reserved.pop(decision_id, 0.0)
            if not reserved:
                self._reserved.pop(key, None)
            usd = known_usd if is_all else max(known_usd, estimated_usd)
            if usd:
                buckets = self._spent.setdefault(key, {})
                now = self._bucket()
                buckets[now] = buckets.get(now, 0.0) + usd
            self._calls += 1
            if self._calls % _TIDY_EVERY == 0:
                self._tidy()

    def spent_usd(self, tenant: str | None) -> float:
        """Return what a tenant has spent within the window, running requests included, in US dollars."""
        key = _key(tenant)
        with self._lock:
            oldest = self._bucket() - _BUCKETS
            buckets = self._spent.get(key, {})
            for bucket in [bucket for bucket in buckets if bucket <= oldest]:
                del buckets[bucket]
            return sum(buckets.values()) + sum(self._reserved.get(key, {}).values())

    def _bucket(self) -> int:
        return int(self._clock() // self._bucket_s)

    def _tidy(self) -> None:
        oldest = self._bucket() - _BUCKETS
        for key in [key for key, buckets in self._spent.items() if all(one <= oldest for one in buckets)]:
            del self._spent[key]

    def _reason(self, tenant: str | None, spent_usd: float, cost_usd: float | None) -> str:
        who = "requests without a tenant" if tenant is None else f"tenant {tenant!r}"
        if cost_usd is None:
            return f"has no known price, and the spending of {who} is capped"
        return (
            f"would take {who} over ${self._cap.usd:g} in {self._cap.per_s:g} s (${spent_usd:.6g} spent or "
            f"reserved by requests under way, and it may cost ${cost_usd:.6g})"
        )


def _key(tenant: str | None) -> str:
    return "" if tenant is None else f"={tenant}"
