"""Token counts that no provider can mean: they are left out, so that nobody is billed by them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

_logger = logging.getLogger("langchain_router")

MOST_TOKENS = 10_000_000
"""More than any model's context window holds."""

_COUNTS = (
    "prompt_tokens",
    "completion_tokens",
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
)
_DETAILS = {
    "prompt_tokens_details": ("cached_tokens", "cache_creation_tokens"),
    "completion_tokens_details": ("reasoning_tokens",),
}


def is_plausible(usage: Any) -> bool:
    """Return whether a usage, LiteLLM's or a plain mapping, holds only figures that can be meant.

    Example:
        >>> is_plausible({"prompt_tokens": 7, "completion_tokens": 6})
        True
        >>> is_plausible({"prompt_tokens": -7}), is_plausible({"prompt_tokens": 10**12})
        (False, False)
    """
    if not all(_can_be(_get(usage, name)) for name in _COUNTS):
        return False
    if not _can_be(_get(usage, "total_tokens"), most=2 * MOST_TOKENS):
        return False
    for name, counts in _DETAILS.items():
        details = _get(usage, name)
        if details is not None and not all(_can_be(_get(details, count)) for count in counts):
            return False
    return True


def is_told(usage: Any) -> bool:
    """Return whether a usage says anything: LiteLLM writes zeros where the provider wrote none."""
    return any(_get(usage, name) for name in ("prompt_tokens", "completion_tokens"))


def warn_of_usage(model: str) -> None:
    """Say once a process that a provider's counts are left out; later ones are noted at DEBUG."""
    global _is_warned  # noqa: PLW0603 - once a process is what it is for
    level = logging.DEBUG if _is_warned else logging.WARNING
    _is_warned = True
    _logger.log(level, "%s reported token counts that cannot be; its usage is left out", model)


def _get(source: Any, name: str) -> Any:
    return source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)


def _can_be(count: Any, *, most: int = MOST_TOKENS) -> bool:
    if count is None:
        return True
    if isinstance(count, bool) or not isinstance(count, (int, float)):
        return False
    return 0 <= count <= most and count == int(count)


_is_warned = False
