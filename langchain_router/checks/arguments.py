"""What the arguments of several checks have in common: each is refused where it is written."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

from langchain_router.exceptions import ConfigurationError
from langchain_router.wording import shown

WhenUnavailable = Literal["escalate", "accept"]
"""What becomes of the answer when the model asked gives no word."""


def is_share(value: object) -> bool:
    """Return whether it is a number from 0 to 1."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


def check_share(what: str, value: object) -> None:
    """Refuse what is not a number from 0 to 1."""
    if not is_share(value):
        raise ConfigurationError(f"{what} must be from 0 to 1, got {shown(value)}.")


def check_seconds(what: str, value: object) -> None:
    """Refuse what is not a time to wait."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise ConfigurationError(f"{what} must be seconds above 0, got {shown(value)}.")


def check_switch(what: str, value: object) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(value, bool):
        raise ConfigurationError(f"{what} must be True or False, got {shown(value)}.")


def check_when_unavailable(value: object) -> None:
    """Refuse what is not one of the ways to do without a model."""
    if value not in get_args(WhenUnavailable):
        raise ConfigurationError(f"when_unavailable must be 'escalate' or 'accept', got {shown(value)}.")


def plain(value: Any) -> Any:
    """Return a number of numpy's as Python's own."""
    return value.item() if hasattr(value, "item") else value
