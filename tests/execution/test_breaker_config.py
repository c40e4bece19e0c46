"""How a breaker is set up."""

from __future__ import annotations

from typing import Any

import pytest

from langchain_router.exceptions import ConfigurationError
from langchain_router.execution.breaker import BreakerConfig


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"failures": 0}, "failures must be a whole number above 0, got 0"),
        ({"failures": 2.0}, "failures must be a whole number above 0, got 2.0"),
        ({"failures": True}, "failures must be a whole number above 0, got True"),
        ({"window": "20"}, "window must be a whole number above 0, got '20'"),
        ({"min_calls": 21}, "min_calls must be at most window, got 21 and 20"),
        ({"failure_share": 0}, "failure_share must be a share above 0 and at most 1, got 0"),
        ({"failure_share": 50}, "failure_share must be a share above 0 and at most 1, got 50"),
        ({"open_s": 0}, "open_s must be seconds above 0, got 0"),
        ({"open_s": float("nan")}, "open_s must be seconds above 0, got nan"),
        ({"open_s": 301}, "open_s must be at most max_open_s, got 301 and 300.0"),
        ({"max_open_s": float("inf")}, "max_open_s must be seconds above 0, got inf"),
        ({"auth_open_s": -1}, "auth_open_s must be seconds above 0, got -1"),
        ({"rate_limit_s": None}, "rate_limit_s must be seconds above 0, got None"),
        ({"retry_after_cap_s": 0}, "retry_after_cap_s must be seconds above 0, got 0"),
        ({"jitter": 0.6}, "jitter must be a share from 0 to 0.5, got 0.6"),
        ({"jitter": -0.1}, "jitter must be a share from 0 to 0.5, got -0.1"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_with_its_value(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        BreakerConfig(**options)


def test_the_defaults_can_be_read_off_it_and_not_changed() -> None:
    config = BreakerConfig()
    assert (config.failures, config.open_s, config.rate_limit_s, config.retry_after_cap_s) == (5, 30, 1, 60)
    with pytest.raises(AttributeError):
        config.failures = 3  # type: ignore[misc]
