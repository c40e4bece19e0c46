"""Every way to misbehave, by name: the fault server's catalogue.

A behaviour answers one exchange. Those with a figure in them are made by a function, so that a test can
choose the figure: `drip(0.2)`, `status(503)`, `usage(prompt_tokens=-1)`.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import MappingProxyType
from typing import Any

from langchain_router.testing.api_errors import ApiError
from tests.faults.exchange import Exchange

Behaviour = Callable[[Exchange], Awaitable[None]]

EVENTS_BEFORE = 3
"""Events that go out before a stream misbehaves in its middle: the role and two words."""

HUGE_BODY_BYTES = 4_000_000

_DONE = b"data: [DONE]\n\n"
_LONG_S = 30.0
_SETTLE_S = 0.02


async def healthy(exchange: Exchange) -> None:
    """Answer properly."""
    if exchange.stream:
        await exchange.whole_stream(exchange.events())
    else:
        await exchange.whole(exchange.completion())


# --- connections -------------------------------------------------------------------------------------


async def reset_before_headers(exchange: Exchange) -> None:
    """Reset the connection instead of answering."""
    exchange.reset()


async def reset_mid_body(exchange: Exchange) -> None:
    """Reset the connection half-way through the answer."""
    await _first_part(exchange)
    await exchange.pause(_SETTLE_S)  # let the client read the first part: a reset may overtake it
    exchange.reset()


async def close_before_headers(exchange: Exchange) -> None:
    """Close the connection instead of answering."""
    exchange.close()


def hang_before_headers(seconds: float = _LONG_S) -> Behaviour:
    """Read the request, then say nothing for so long and close."""

    async def behave(exchange: Exchange) -> None:
        await exchange.pause(seconds)
        exchange.close()

    return behave


def hang_after_headers(seconds: float = _LONG_S) -> Behaviour:
    """Send the headers, then nothing for so long and close."""

    async def behave(exchange: Exchange) -> None:
        if exchange.stream:
            await exchange.stream_head()
        else:
            await exchange.head(length=len(exchange.completion()))
        await exchange.pause(seconds)
        exchange.close()

    return behave


def hang_mid_body(seconds: float = _LONG_S) -> Behaviour:
    """Send half of the answer, then nothing for so long and close."""

    async def behave(exchange: Exchange) -> None:
        await _first_part(exchange)
        await exchange.pause(seconds)
        exchange.close()

    return behave


def drip(every_s: float, *, at_once: int = 1) -> Behaviour:
    """Send a whole answer slowly: an event of a stream, or so many bytes of JSON, every so many seconds."""

    async def behave(exchange: Exchange) -> None:
        if exchange.stream:
            await exchange.stream_head()
            for event in exchange.events():
                await exchange.chunk(event)
                await exchange.pause(every_s)
            await exchange.chunk(b"")
        else:
            body = exchange.completion()
            await exchange.head(length=len(body))
            await _bytewise(exchange, body, every_s, at_once)

    return behave


def drip_bytes(every_s: float, *, at_once: int = 1) -> Behaviour:
    """Send a complete answer a few bytes at a time, streams too."""

    async def behave(exchange: Exchange) -> None:
        if not exchange.stream:
            await drip(every_s, at_once=at_once)(exchange)
            return
        await exchange.head(content_type="text/event-stream")
        await _bytewise(exchange, b"".join(exchange.events()), every_s, at_once)

    return behave


async def half_chunk(exchange: Exchange) -> None:
    """Announce a chunk, send half of it and close."""
    if exchange.stream:
        await exchange.stream_head()
        data = b"".join(exchange.events())
    else:
        await exchange.head(chunked=True)
        data = exchange.completion()
    await exchange.send(b"%x\r\n%b" % (len(data), data[: len(data) // 2]))
    exchange.close()


def cut_stream(after_events: int = EVENTS_BEFORE) -> Behaviour:
    """Close a chunked answer after so many whole events, without the chunk that ends it."""

    async def behave(exchange: Exchange) -> None:
        if exchange.stream:
            await exchange.stream_head()
            for event in exchange.events()[:after_events]:
                await exchange.chunk(event)
        else:
            await exchange.head(chunked=True)
            await exchange.chunk(_half(exchange.completion()))
        exchange.close()

    return behave


def early_close(after_events: int = EVENTS_BEFORE) -> Behaviour:
    """End a stream cleanly after so many events, without finish reason and `[DONE]`."""

    async def behave(exchange: Exchange) -> None:
        if exchange.stream:
            await exchange.whole_stream(exchange.events()[:after_events])
        else:
            await exchange.whole(_half(exchange.completion()))

    return behave


async def early_close_unframed(exchange: Exchange) -> None:
    """End an answer early that has neither chunks nor a length: only its end of file marks the end."""
    if exchange.stream:
        await exchange.head(content_type="text/event-stream")
        await exchange.send(b"".join(exchange.events()[:EVENTS_BEFORE]))
    else:
        await exchange.head()
        await exchange.send(_half(exchange.completion()))


async def done_without_finish(exchange: Exchange) -> None:
    """Send `[DONE]` though no finish reason came; in JSON, leave the finish reason null."""
    if exchange.stream:
        await exchange.whole_stream([*exchange.events()[:EVENTS_BEFORE], _DONE])
    else:
        body = json.loads(exchange.completion())
        body["choices"][0]["finish_reason"] = None
        await exchange.whole(body)


# --- bodies ------------------------------------------------------------------------------------------


async def truncated_json(exchange: Exchange) -> None:
    """Answer 200 with JSON that breaks off, in a reply that is whole as HTTP."""
    if exchange.stream:
        *before, broken = exchange.events()[: EVENTS_BEFORE + 1]
        await exchange.whole_stream([*before, _half(broken) + b"\n\n", _DONE])
    else:
        await exchange.whole(_half(exchange.completion()))


async def truncated_json_first(exchange: Exchange) -> None:
    """Do so in the first event already, so that no token has gone out."""
    if exchange.stream:
        await exchange.whole_stream([_half(exchange.events()[0]) + b"\n\n", _DONE])
    else:
        await exchange.whole(_half(exchange.completion()))


async def html(exchange: Exchange) -> None:
    """Answer 200 with a web page, as captive portals and proxies do."""
    page = b"<!doctype html><html><body><h1>Please sign in</h1></body></html>"
    await exchange.whole(page, content_type="text/html; charset=utf-8")


def choices(value: Any) -> Behaviour:
    """Answer 200 with these choices; a stream consists of one such event and `[DONE]`."""

    async def behave(exchange: Exchange) -> None:
        body = json.loads(exchange.completion())
        if exchange.stream:
            head = {**body, "object": "chat.completion.chunk", "choices": value}
            await exchange.whole_stream([_event(head), _DONE])
        else:
            await exchange.whole({**body, "choices": value})

    return behave


def error_event(after_events: int = EVENTS_BEFORE) -> Behaviour:
    """Send an error as an event of a stream, after so many others; in JSON, as the body of a 200."""

    async def behave(exchange: Exchange) -> None:
        error = json.loads(ApiError(500).body)
        if exchange.stream:
            await exchange.whole_stream([*exchange.events()[:after_events], _event(error)])
        else:
            await exchange.whole(error)

    return behave


def usage(**counts: Any) -> Behaviour:
    """Answer properly, but with these figures in the usage."""

    async def behave(exchange: Exchange) -> None:
        body = json.loads(exchange.completion())
        absurd = {**body["usage"], **counts}
        if not exchange.stream:
            await exchange.whole({**body, "usage": absurd})
            return
        *answer, done = exchange.events()
        last = {**body, "object": "chat.completion.chunk", "choices": [], "usage": absurd}
        kept = [event for event in answer if b'"usage":{' not in event]
        await exchange.whole_stream([*kept, _event(last), done])

    return behave


async def empty_body(exchange: Exchange) -> None:
    """Answer 200 with nothing at all."""
    await exchange.whole(b"", content_type="text/event-stream" if exchange.stream else "application/json")


def wrong_length(extra: int) -> Behaviour:
    """Announce so many bytes more (or fewer) than are sent, then close."""

    async def behave(exchange: Exchange) -> None:
        kind = "text/event-stream" if exchange.stream else "application/json"
        body = b"".join(exchange.events()) if exchange.stream else exchange.completion()
        await exchange.head(content_type=kind, length=len(body) + extra, body=body)
        exchange.close()

    return behave


def huge_body(size: int = HUGE_BODY_BYTES) -> Behaviour:
    """Answer properly with a text of so many bytes; a stream has it in its second event."""

    async def behave(exchange: Exchange) -> None:
        text = "x" * size
        if not exchange.stream:
            await exchange.whole(exchange.completion(text))
            return
        short = exchange.events("x")
        short[1] = short[1].replace(b'"content":"x"', b'"content":"%b"' % text.encode())
        await exchange.whole_stream(short)

    return behave


# --- status ------------------------------------------------------------------------------------------


def status(
    code: int, *, error_code: str | None = None, headers: Mapping[str, str] | None = None
) -> Behaviour:
    """Answer with an OpenAI error of that status, and of that code where one is given."""

    async def behave(exchange: Exchange) -> None:
        await exchange.whole(ApiError(code, code=error_code).body, status=code, headers=headers)

    return behave


def rate_limited(retry_after: str) -> Behaviour:
    """Answer 429 with that text as `Retry-After`."""
    return status(429, headers={"retry-after": retry_after})


def rate_limited_until(seconds: float) -> Behaviour:
    """Answer 429 with `Retry-After` as an HTTP date so many seconds from the request."""

    async def behave(exchange: Exchange) -> None:
        when = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
        await rate_limited(when)(exchange)

    return behave


async def _first_part(exchange: Exchange) -> None:
    if exchange.stream:
        await exchange.stream_head()
        for event in exchange.events()[:EVENTS_BEFORE]:
            await exchange.chunk(event)
    else:
        body = exchange.completion()
        await exchange.head(length=len(body))
        await exchange.send(_half(body))


async def _bytewise(exchange: Exchange, data: bytes, every_s: float, at_once: int) -> None:
    for position in range(0, len(data), at_once):
        await exchange.send(data[position : position + at_once])
        await exchange.pause(every_s)


def _half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _event(body: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"


BEHAVIOURS: Mapping[str, Behaviour] = MappingProxyType(
    {
        "healthy": healthy,
        "reset-before-headers": reset_before_headers,
        "reset-mid-body": reset_mid_body,
        "close-before-headers": close_before_headers,
        "hang-before-headers": hang_before_headers(),
        "hang-after-headers": hang_after_headers(),
        "hang-mid-body": hang_mid_body(),
        "drip": drip(0.2),
        "drip-bytes": drip_bytes(0.2),
        "half-chunk": half_chunk,
        "cut-before-token": cut_stream(after_events=0),
        "cut-stream": cut_stream(),
        "early-close": early_close(),
        "early-close-before-token": early_close(after_events=0),
        "early-close-unframed": early_close_unframed,
        "done-without-finish": done_without_finish,
        "truncated-json": truncated_json,
        "truncated-json-first": truncated_json_first,
        "html": html,
        "choices-empty": choices([]),
        "choices-null": choices(None),
        "error-event": error_event(),
        "error-event-first": error_event(after_events=0),
        "usage-negative": usage(prompt_tokens=-5, completion_tokens=-7, total_tokens=-12),
        "usage-huge": usage(prompt_tokens=10**12, completion_tokens=10**12, total_tokens=2 * 10**12),
        "usage-strings": usage(prompt_tokens="many", completion_tokens="some", total_tokens="lots"),
        "empty-body": empty_body,
        "length-too-long": wrong_length(100),
        "length-too-short": wrong_length(-20),
        "huge-body": huge_body(),
        "400": status(400),
        "401": status(401),
        "403": status(403),
        "404": status(404),
        "429": status(429),
        "429-seconds": rate_limited("2"),
        "429-date": rate_limited_until(2),
        "429-junk": rate_limited("soon, perhaps"),
        "429-huge": rate_limited("1000000000"),
        "500": status(500),
        "503": status(503),
        "529": status(529),
        "content-filter": status(400, error_code="content_filter"),
        "context-overflow": status(400, error_code="context_length_exceeded"),
    }
)
"""Behaviours by name; a request for the model of that name gets that behaviour."""
