"""What a candidate charges."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Self

from langchain_router.exceptions import ConfigurationError

_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars per token. A model without a known price has no `Price`, never one of zero.

    Providers print dollars per million tokens: `Price.per_million` takes those.

    Args:
        input_usd_per_token: For each prompt token, >= 0 (0 for a model that you host yourself).
        output_usd_per_token: For each token of the answer, hidden reasoning included, >= 0.
        cached_input_usd_per_token: For each prompt token read from the provider's cache; the full input
            price where it is not known.

    Raises:
        ConfigurationError: A price is negative, NaN or infinite.

    Example:
        >>> Price.per_million(input_usd=0.15, output_usd=0.60).cost_usd(input_tokens=1000, output_tokens=500)
        0.00045
    """

    input_usd_per_token: float
    output_usd_per_token: float
    cached_input_usd_per_token: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None or field.default is not None:
                _check(field.name, value)

    @classmethod
    def per_million(
        cls, *, input_usd: float, output_usd: float, cached_input_usd: float | None = None
    ) -> Self:
        """Build a price from dollars per million tokens, as providers print them."""
        given = {"input_usd": input_usd, "output_usd": output_usd, "cached_input_usd": cached_input_usd}
        for what, usd in given.items():
            if usd is not None or what != "cached_input_usd":
                _check(what, usd)
        return cls(
            input_usd_per_token=input_usd / _MILLION,
            output_usd_per_token=output_usd / _MILLION,
            cached_input_usd_per_token=None if cached_input_usd is None else cached_input_usd / _MILLION,
        )

    def cost_usd(self, *, input_tokens: int, output_tokens: int, cached_input_tokens: int = 0) -> float:
        """Return what a call costs, in US dollars.

        Args:
            input_tokens: All prompt tokens, cached ones included.
            output_tokens: All tokens of the answer.
            cached_input_tokens: How many of the prompt tokens came from the cache.
        """
        cached = self.cached_input_usd_per_token
        cached_usd = self.input_usd_per_token if cached is None else cached
        return (
            (input_tokens - cached_input_tokens) * self.input_usd_per_token
            + cached_input_tokens * cached_usd
            + output_tokens * self.output_usd_per_token
        )


def _check(what: str, usd: object) -> None:
    if isinstance(usd, bool) or not isinstance(usd, (int, float)):
        raise ConfigurationError(f"{what} must be a number of US dollars, got {usd!r}.")
    if not 0 <= usd < math.inf:
        raise ConfigurationError(
            f"{what} must be 0 or more and finite, got {usd!r}. "
            "Leave the price out (price=None) when it is not known."
        )
