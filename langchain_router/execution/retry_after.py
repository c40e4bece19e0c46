"""When a provider wants to be asked again, read from an error of any client."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from langchain_router.exceptions import CircuitOpenError


def told_retry_after_s(error: BaseException, *, now: Callable[[], float] = time.time) -> float | None:
    """Return after how many seconds a provider wants to be asked again, if its error says so.

    Read from `retry-after-ms` and `retry-after` (seconds or an HTTP date), wherever the error or what caused
    it keeps the answer's headers. A figure may be huge: whoever waits sets the limit. Prefer
    `errors.retry_after_s`, which also knows what a group of errors says.

    Args:
        error: What the call raised.
        now: Seconds since the epoch; only for HTTP dates.

    Returns:
        None where nothing is said, or nothing that can be meant: junk, a negative number, a date gone by.

    Example:
        >>> error = ConnectionError("slow down")
        >>> error.litellm_response_headers = {"Retry-After": "2.5"}
        >>> told_retry_after_s(error)
        2.5
    """
    for one in _with_causes(error):
        if isinstance(one, CircuitOpenError):
            return one.retry_after_s
        for headers in _all_headers(one):
            told = {_text(name).lower(): _text(value).strip() for name, value in headers.items()}
            found = _milliseconds(told.get("retry-after-ms"))
            if found is None:
                found = _seconds(told.get("retry-after"), now)
            if found is not None:
                return found
    return None


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it was raised from; a chain that bites its tail ends."""
    for _ in range(_MOST_CAUSES):
        if error is None:
            return
        yield error
        error = error.__cause__


def _all_headers(error: BaseException) -> Iterator[Mapping[Any, Any]]:
    response = getattr(error, "response", None)
    # LiteLLM first: its `response` is one that it made up.
    places = [getattr(error, "litellm_response_headers", None), getattr(response, "headers", None)]
    places.append(getattr(error, "headers", None))
    if isinstance(response, Mapping):
        places.append(_botocore_headers(response))
    return (place for place in places if isinstance(place, Mapping))


def _botocore_headers(response: Mapping[str, Any]) -> Any:
    metadata = response.get("ResponseMetadata")
    return metadata.get("HTTPHeaders") if isinstance(metadata, Mapping) else None


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _milliseconds(text: str | None) -> float | None:
    found = _number(text)
    return None if found is None else found / 1000


def _seconds(text: str | None, now: Callable[[], float]) -> float | None:
    if not text:
        return None
    found = _number(text)
    if found is not None:
        return found
    try:
        date = parsedate_to_datetime(text)
        left_s = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now()
    except (ValueError, OverflowError):
        return None
    return left_s if left_s >= 0 else None


def _number(text: str | None) -> float | None:
    """Read a number as HTTP writes one; Python's own reading knows `nan`, `1_000` and other scripts."""
    if not text or not _NUMBER.fullmatch(text):
        return None
    found = float(text)
    return found if math.isfinite(found) else None


_NUMBER = re.compile(r"[0-9]+(\.[0-9]*)?|\.[0-9]+")
_MOST_CAUSES = 10
