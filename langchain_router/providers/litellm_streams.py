"""LiteLLM's streams, with what it glosses over told: answers cut short, empty or mixed, absurd usage."""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Sequence
from typing import Any

from langchain_core.exceptions import ModelConnectionError, ModelTimeoutError

from langchain_router.exceptions import MalformedResponseError, TruncatedResponseError
from langchain_router.providers.litellm_errors import Asked, as_model_error, ended_cleanly
from langchain_router.providers.litellm_events import Events
from langchain_router.providers.litellm_server_tools import ServerCalls
from langchain_router.providers.litellm_usage import is_plausible, warn_of_usage

_logger = logging.getLogger("langchain_router")

SERVED_KEY = "langchain_router_served"
"""Where a stream's first chunk carries who served it to where the message is made."""


def chunks(stream: Iterator[Any], reader: StreamReader) -> Generator[dict[str, Any], None, None]:
    """Yield what a stream says, and close its connection however this ends."""
    failure = None
    try:
        for chunk in stream:
            yield reader.read(chunk)
    except Exception as error:
        failure = reader.failure(error)
        if failure is error:
            raise
    finally:
        close(stream)
    if failure is not None:
        raise failure  # where LiteLLM's error is handled, that would be its context, and may quote the answer
    reader.check_end()


async def achunks(stream: AsyncIterator[Any], reader: StreamReader) -> AsyncGenerator[dict[str, Any], None]:
    """Do as `chunks` does."""
    failure = None
    try:
        async for chunk in stream:
            yield reader.read(chunk)
    except Exception as error:
        failure = reader.failure(error)
        if failure is error:
            raise
    finally:
        await aclose(stream)
    if failure is not None:
        raise failure
    reader.check_end()


class StreamReader:
    """Reads the chunks of one stream.

    Args:
        stream: LiteLLM's, not yet read.
        model: The model asked for, named in errors.
        asked: What is known of the call.
        answers: How many answers were asked for; only the first is handed on.
        is_mock: Whether LiteLLM itself makes the answer up, finish reason included, as it was told to.
    """

    def __init__(
        self, stream: Any, *, model: str, asked: Asked, answers: int = 1, is_mock: bool = False
    ) -> None:
        self._events = Events(stream)
        self._model = model
        self._outer = asked.outer
        self._answers = answers
        self._is_mock = is_mock
        self._is_tagged = self._has_begun = self._is_finished = False
        self._server_calls = ServerCalls()

    def read(self, chunk: Any) -> dict[str, Any]:
        """Return what to hand on of a chunk, as plain data.

        Raises:
            TruncatedResponseError: LiteLLM made up the finish reason of this chunk.
            MalformedResponseError: It did, and there was no answer before it.
        """
        plain: dict[str, Any] = chunk if isinstance(chunk, dict) else chunk.model_dump()
        choices = plain.get("choices")
        if choices:
            choice = choices[0]
            if choice.get("finish_reason") is not None:
                self._finish(choice)
            if self._answers > 1:
                choice = next((one for one in choices if not one.get("index")), None)
                plain["choices"] = [] if choice is None else [choice]
            if choice is not None:
                self._has_begun = True
                delta = choice.get("delta")
                if delta and delta.get("tool_calls"):
                    delta["tool_calls"] = self._server_calls.left_out_of(delta["tool_calls"]) or None
                if choice.get("finish_reason"):
                    choice["finish_reason"] = self._server_calls.finish(choice["finish_reason"])
        usage = plain.get("usage")
        if usage and not is_plausible(usage):
            warn_of_usage(self._model)
            plain["usage"] = None
        if not self._is_tagged and plain.get("choices"):
            self._is_tagged = True
            fields = {**(plain.get("provider_specific_fields") or {}), SERVED_KEY: served(plain)}
            plain["provider_specific_fields"] = fields
        return plain

    def failure(self, error: Exception) -> Exception | None:
        """Return what to raise for an error, or None where the answer was whole before it."""
        if ended_cleanly(error):
            return self._cut_short()
        known = as_model_error(error, model=self._model, stage="streaming", outer=self._outer)
        if self._is_finished and self._answers == 1 and isinstance(known, _HARMLESS_AT_THE_END):
            if isinstance(known, MalformedResponseError):  # only the usage was still to come
                warn_of_usage(self._model)
            return None
        return known or error

    def check_end(self) -> None:
        """Raise unless the stream has said that its answer is finished."""
        if not self._is_finished:
            raise self._cut_short()

    def _finish(self, choice: dict[str, Any]) -> None:
        if not self._is_mock:
            is_empty = not self._has_begun and choice["finish_reason"] == "stop" and not _says(choice)
            if is_empty or not self._events.has_finish():
                raise self._cut_short()
        self._is_finished = True

    def _cut_short(self) -> MalformedResponseError:
        if self._has_begun:
            return TruncatedResponseError(
                f"{self._model!r} ended its stream without a finish reason, so its answer may be cut short. "
                "Try again, or ask another model."
            )
        return MalformedResponseError(
            f"{self._model!r} ended its stream without an answer. Try again, or ask another model."
        )


def _says(choice: dict[str, Any]) -> bool:
    """Return whether a choice holds anything of an answer."""
    return any(value for name, value in (choice.get("delta") or {}).items() if name != "role")


def served(response: Any) -> dict[str, str]:
    """Return which model really answered and under which request id, where the provider says so."""
    found = {
        "served_model": response.get("model"),
        "id": response.get("id"),
        "system_fingerprint": response.get("system_fingerprint"),
    }
    return {key: value for key, value in found.items() if isinstance(value, str) and value}


# After its finish reason an answer is whole, unless the provider itself reports an error then.
_HARMLESS_AT_THE_END = (MalformedResponseError, ModelConnectionError, ModelTimeoutError)


# --- closing --------------------------------------------------------------------------------------------

# Where the iterators that LiteLLM reads from keep their connection.
_HELD_IN = ("http_response", "_response", "response", "response_iterator", "streaming_response")
_AHELD_IN = ("http_response", "_response", "response", "async_response_iterator", "streaming_response")


def close(stream: Any) -> None:
    """Close a stream's connection; closing twice is fine.

    LiteLLM's own way does so for some providers only, and before 1.110 there is none for a sync stream. The
    legacy text completions of OpenAI cannot be closed: LiteLLM buries theirs in a generator.
    """
    source = getattr(stream, "completion_stream", None)
    _close(stream)
    for part in _parts(source, _HELD_IN):
        _close(part)


async def aclose(stream: Any) -> None:
    """Do as `close` does."""
    source = getattr(stream, "completion_stream", None)
    await _aclose(stream)
    for part in _parts(source, _AHELD_IN):
        await _aclose(part)


def _parts(source: Any, names: Sequence[str], depth: int = 2) -> Iterator[Any]:
    """Yield what may hold the connection, from the outside in."""
    if source is None:
        return
    yield source
    if depth:
        for name in names:
            yield from _parts(getattr(source, name, None), names, depth - 1)


def _close(part: Any) -> None:
    closing = getattr(part, "close", None)
    if not callable(closing):
        return
    try:
        left = closing()
    except Exception as error:  # noqa: BLE001 - the answer is had, or given up: nobody needs to know more
        _logger.debug("closing a stream failed (%s)", type(error).__name__)
        return
    if inspect.iscoroutine(left):  # made to be awaited
        left.close()


async def _aclose(part: Any) -> None:
    closing = getattr(part, "aclose", None)
    if not callable(closing):
        return
    try:
        await closing()
    except Exception as error:  # noqa: BLE001 - as above
        _logger.debug("closing a stream failed (%s)", type(error).__name__)
