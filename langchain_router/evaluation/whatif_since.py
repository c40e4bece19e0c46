"""How far back to look, as one writes it: `30d`, `12h`, `45m`."""

from __future__ import annotations

import re
from typing import Final

from langchain_router.exceptions import ConfigurationError

_UNITS_S: Final = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_WRITTEN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")


def seconds_from(text: str) -> float:
    """Return a length of time in seconds.

    Raises:
        ConfigurationError: It is not a number above 0 with a unit.

    Example:
        >>> seconds_from("30d")
        2592000.0
    """
    found = _WRITTEN.fullmatch(text.strip().lower())
    length_s = float(found.group(1)) * _UNITS_S[found.group(2)] if found else 0.0
    if length_s <= 0:
        raise ConfigurationError(
            f"A length of time is a number above 0 with s, m, h, d or w, such as 30d or 12h; got {text!r}."
        )
    return length_s
