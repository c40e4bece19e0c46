"""One request on one connection, and every way in which bytes can go back, proper or not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from langchain_router.testing.chat_request import ChatRequest
from langchain_router.testing.openai_api import Answer, completion, events

ANSWER = "The fault server is well today."
"""What a healthy answer says, in JSON and in a stream."""

_KNOWN_STATUSES = frozenset(HTTPStatus)  # Anthropic's 529 is none of them


class ClientGoneError(ConnectionError):
    """The client closed its side while the server was still waiting."""


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request, and the half-open pipe for its reply.

    Attributes:
        model: The model that the request names.
        stream: Whether it asks for server-sent events.
        body: The request's body.
        closing: Whether the connection ends after this reply.
    """

    model: str
    stream: bool
    body: Mapping[str, Any] = field(repr=False)
    reader: asyncio.StreamReader = field(repr=False)
    writer: asyncio.StreamWriter = field(repr=False)
    closing: bool = False

    # --- what a healthy answer consists of --------------------------------------------------------

    def completion(self, text: str = ANSWER) -> bytes:
        """Return the JSON body of a healthy answer."""
        return completion(_answer(text), self._request(), id="chatcmpl-fault")

    def events(self, text: str = ANSWER) -> list[bytes]:
        """Return the events of a healthy stream: role, words, finish reason, usage if asked for, `[DONE]`."""
        return list(events(_answer(text), self._request(), id="chatcmpl-fault"))

    def _request(self) -> ChatRequest:
        usage = bool((self.body.get("stream_options") or {}).get("include_usage"))
        return ChatRequest(model=self.model, messages=(), stream=self.stream, include_usage=usage)

    # --- sending ----------------------------------------------------------------------------------

    async def head(
        self,
        status: int = 200,
        *,
        content_type: str = "application/json",
        length: int | None = None,
        chunked: bool = False,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> None:
        """Send the status line and headers; without length and chunks, the body ends with the connection.

        What is given as `body` goes out in the same segment.
        """
        phrase = HTTPStatus(status).phrase if status in _KNOWN_STATUSES else "Unknown"
        lines = [f"HTTP/1.1 {status} {phrase}", f"content-type: {content_type}"]
        if chunked:
            lines.append("transfer-encoding: chunked")
        elif length is not None:
            lines.append(f"content-length: {length}")
        else:
            lines.append("connection: close")
            self.closing = True
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        await self.send(("\r\n".join(lines) + "\r\n\r\n").encode() + body)

    async def stream_head(self) -> None:
        """Send the headers of a chunked event stream."""
        await self.head(content_type="text/event-stream; charset=utf-8", chunked=True)

    async def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def chunk(self, data: bytes) -> None:
        """Send one chunk of a chunked body; an empty one ends the body."""
        await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    async def whole(
        self,
        body: bytes | Mapping[str, Any],
        *,
        status: int = 200,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send a complete reply."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        await self.head(status, content_type=content_type, length=len(raw), headers=headers)
        await self.send(raw)

    async def whole_stream(self, sent: list[bytes]) -> None:
        """Send a complete event stream, one chunk an event."""
        await self.stream_head()
        for event in sent:
            await self.chunk(event)
        await self.chunk(b"")

    # --- misbehaving ------------------------------------------------------------------------------

    async def pause(self, seconds: float) -> None:
        """Send nothing for so long.

        Raises:
            ClientGoneError: The client hung up meanwhile, so that no hang outlives its caller.
        """
        with contextlib.suppress(TimeoutError):
            if not await asyncio.wait_for(self.reader.read(1), seconds):
                raise ClientGoneError

    def close(self) -> None:
        """Close the connection after this reply, whatever its headers promised."""
        self.closing = True

    def reset(self) -> None:
        """Send a TCP reset: a socket that lingers for 0 seconds is not closed but aborted."""
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        self.closing = True


def _answer(text: str) -> Answer:
    return Answer(text=text, input_tokens=7, output_tokens=6)
