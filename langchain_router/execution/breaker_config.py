"""When a candidate is left alone, and for how long."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from langchain_router.exceptions import ConfigurationError

_COUNTS = frozenset({"failures", "window", "min_calls"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerConfig:
    """When a candidate is left alone, and for how long.

    Args:
        failures: Failures in a row that open the breaker.
        window: Calls over which the share of failures is taken.
        min_calls: Calls within the window before the share says anything, at most `window`.
        failure_share: Share of failures that opens the breaker, above 0, at most 1.
        open_s: How long it stays open the first time, in seconds. Twice as long after each failed trial.
        max_open_s: Longest that doubling may come to, in seconds.
        auth_open_s: How long a rejected key or an unknown model opens it at once, in seconds: a person must
            mend that.
        rate_limit_s: How long a rate limit cools that names no time, in seconds. Doubles while limits
            repeat, up to `retry_after_cap_s`.
        retry_after_cap_s: Longest that a rate limit may cool, in seconds, whatever the provider asks for.
        jitter: Share by which an opening may be shortened at random, so that several processes do not try
            at the same moment, 0 to 0.5. A time that the provider named is never shortened: those who wait
            for its end wait up to this share longer.

    Raises:
        ConfigurationError: A value is out of range.

    Example:
        >>> BreakerConfig(failures=3, open_s=10).max_open_s
        300.0
    """

    failures: int = 5
    window: int = 20
    min_calls: int = 10
    failure_share: float = 0.5
    open_s: float = 30.0
    max_open_s: float = 300.0
    auth_open_s: float = 300.0
    rate_limit_s: float = 1.0
    retry_after_cap_s: float = 60.0
    jitter: float = 0.1

    def __post_init__(self) -> None:
        for field in fields(self):
            _check(field.name, getattr(self, field.name))
        for least, most in (("min_calls", "window"), ("open_s", "max_open_s")):
            low, high = getattr(self, least), getattr(self, most)
            if low > high:
                raise ConfigurationError(
                    f"{least} must be at most {most}, got {low!r} and {high!r}: change one of the two."
                )


def _check(name: str, value: object) -> None:
    allowed = int if name in _COUNTS else (int, float)
    number = value if isinstance(value, allowed) and not isinstance(value, bool) else math.nan
    if name in _COUNTS:
        wanted, is_right = "a whole number above 0", number >= 1
    elif name == "failure_share":
        wanted, is_right = "a share above 0 and at most 1", 0 < number <= 1
    elif name == "jitter":
        wanted, is_right = "a share from 0 to 0.5", 0 <= number <= 0.5
    else:
        wanted, is_right = "seconds above 0", 0 < number < math.inf
    if not is_right:
        raise ConfigurationError(f"{name} must be {wanted}, got {value!r}.")
