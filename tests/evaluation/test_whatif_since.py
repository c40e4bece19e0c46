"""Lengths of time as one writes them."""

from __future__ import annotations

import pytest

from langchain_router.evaluation.whatif_since import seconds_from
from langchain_router.exceptions import ConfigurationError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("45m", 2_700), ("12h", 43_200), ("1.5d", 129_600), (" 2W ", 1_209_600)],
)
def test_a_number_with_a_unit_is_a_length_of_time(text: str, seconds: float) -> None:
    assert seconds_from(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "d", "0d", "-3d", "3 days", "1e3d", "yesterday"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ConfigurationError, match="such as 30d"):
        seconds_from(text)
