"""What a call costs, and that an unknown price is never zero."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_router import ConfigurationError, Price

MINI = Price.per_million(input_usd=0.15, output_usd=0.60, cached_input_usd=0.075)
counts = st.integers(0, 1_000_000)


def test_input_output_and_cached_tokens_have_prices_of_their_own() -> None:
    assert MINI.cost_usd(input_tokens=1_000_000, output_tokens=0) == pytest.approx(0.15)
    assert MINI.cost_usd(input_tokens=0, output_tokens=1_000_000) == pytest.approx(0.60)
    cached = MINI.cost_usd(input_tokens=1_000_000, output_tokens=0, cached_input_tokens=1_000_000)
    assert cached == pytest.approx(0.075)
    assert MINI.cost_usd(input_tokens=1_000, output_tokens=500, cached_input_tokens=400) == pytest.approx(
        (600 * 0.15 + 400 * 0.075 + 500 * 0.60) / 1e6
    )


def test_cached_tokens_cost_the_full_input_price_where_their_own_is_unknown() -> None:
    full = Price.per_million(input_usd=3, output_usd=15)
    assert full.cached_input_usd_per_token is None
    assert full.cost_usd(input_tokens=10, output_tokens=0, cached_input_tokens=10) == pytest.approx(30e-6)


def test_per_million_and_per_token_say_the_same() -> None:
    same = Price(input_usd_per_token=3e-6, output_usd_per_token=15e-6)
    assert same == Price.per_million(input_usd=3, output_usd=15)


def test_a_model_that_one_hosts_may_cost_nothing() -> None:
    assert Price.per_million(input_usd=0, output_usd=0).cost_usd(input_tokens=9, output_tokens=9) == 0


@given(counts, counts, st.floats(0, 1))
def test_a_cost_is_never_negative_and_a_cache_never_makes_it_dearer(
    input_tokens: int, output_tokens: int, share: float
) -> None:
    cached = int(share * input_tokens)
    plain = MINI.cost_usd(input_tokens=input_tokens, output_tokens=output_tokens)
    with_cache = MINI.cost_usd(
        input_tokens=input_tokens, output_tokens=output_tokens, cached_input_tokens=cached
    )
    assert 0 <= with_cache <= plain + 1e-12


@pytest.mark.parametrize("wrong", [-1, -1e-9, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("side", ["input_usd", "output_usd", "cached_input_usd"])
def test_negative_and_infinite_prices_are_refused_with_the_value_as_written(side: str, wrong: float) -> None:
    prices = {"input_usd": 1.0, "output_usd": 1.0, side: wrong}
    with pytest.raises(ConfigurationError, match=f"{side} must be 0 or more and finite, got {wrong}. Leave"):
        Price.per_million(**prices)
    per_token = {f"{name}_per_token": usd for name, usd in prices.items()}
    with pytest.raises(ConfigurationError, match=f"{side}_per_token must be 0 or more and finite"):
        Price(**per_token)


@pytest.mark.parametrize("wrong", ["0.15", True, [1], {}])
@pytest.mark.parametrize("side", ["input_usd", "output_usd", "cached_input_usd"])
def test_a_price_that_is_no_number_is_refused(side: str, wrong: Any) -> None:
    prices = {"input_usd": 1.0, "output_usd": 1.0, side: wrong}
    with pytest.raises(ConfigurationError, match=f"{side} must be a number of US dollars"):
        Price.per_million(**prices)
    with pytest.raises(ConfigurationError, match=f"{side}_per_token must be a number of US dollars"):
        Price(**{f"{name}_per_token": usd for name, usd in prices.items()})


def test_half_a_price_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="output_usd must be a number of US dollars, got None"):
        Price.per_million(input_usd=1, output_usd=None)  # type: ignore[arg-type]
