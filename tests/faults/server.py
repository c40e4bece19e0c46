"""A raw HTTP server that misbehaves on the wire, as ordinary mocks cannot.

It runs on the loopback interface in an event loop and thread of its own. The model named in a request
chooses what happens: `openai/reset-mid-body` is reset half-way, an unknown name is answered properly.
Tests can also set a script or a rate for any model name.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.faults.behaviours import BEHAVIOURS, Behaviour, healthy
from tests.faults.exchange import Exchange

_START_S = 5.0
_SETTLE_S = 0.01
_MOST_BODY_BYTES = 64_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request that arrived.

    Attributes:
        model: The model it named.
        stream: Whether it asked for a stream.
        connection: Serial number of its connection.
        at_s: When, on `time.monotonic`.
    """

    model: str
    stream: bool
    connection: int
    at_s: float


class FaultServer:
    """Serves `/v1/chat/completions`, badly.

    Use it as a context manager; after `close` no thread, task or socket is left.

    Example:
        with FaultServer() as server:
            server.script("gpt", "500", "429-seconds", "healthy")
            server.rate("claude", "500", share=0.2)
            httpx.post(f"{server.base_url}/chat/completions", json={"model": "gpt", "messages": []})
            assert server.requests("gpt") == 1
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scripts: dict[str, deque[Behaviour]] = {}
        self._rates: dict[str, tuple[Behaviour, float, random.Random]] = {}
        self._seen: list[Seen] = []
        self._connections = 0
        self._in_flight: Counter[str] = Counter()
        self._peak: Counter[str] = Counter()
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="fault-server")
        self._thread.daemon = True
        self._thread.start()
        if not self._started.wait(_START_S):
            raise RuntimeError(f"The fault server did not start within {_START_S} s.")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop every connection and stop; closing twice is fine."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()

    # --- what tests set ---------------------------------------------------------------------------

    def script(self, model: str, *behaviours: str | Behaviour) -> None:
        """Let the model's next requests get these, one each; afterwards its rate or its name decides."""
        with self._lock:
            self._scripts[model] = deque(_behaviour(given) for given in behaviours)

    def rate(self, model: str, behaviour: str | Behaviour, *, share: float, seed: int = 0) -> None:
        """Let that share of the model's requests get this behaviour, drawn from a seed; others are fine."""
        with self._lock:
            self._rates[model] = (_behaviour(behaviour), share, random.Random(seed))

    def forget(self) -> None:
        """Drop scripts, rates and counts."""
        with self._lock:
            self._scripts.clear()
            self._rates.clear()
            self._seen.clear()
            self._peak.clear()

    # --- what tests read --------------------------------------------------------------------------

    @property
    def base_url(self) -> str:
        """Where clients send their requests."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def seen(self) -> tuple[Seen, ...]:
        """Every request, in the order of arrival."""
        with self._lock:
            return tuple(self._seen)

    @property
    def open_connections(self) -> int:
        """Connections open now."""
        return len(self._open)

    def requests(self, model: str) -> int:
        """Return how many requests named that model."""
        return sum(request.model == model for request in self.seen)

    def connections(self, model: str) -> int:
        """Return how many connections carried a request for that model."""
        return len({request.connection for request in self.seen if request.model == model})

    def in_flight(self, model: str) -> int:
        """Return how many requests for that model are under way."""
        with self._lock:
            return self._in_flight[model]

    def most_in_flight(self, model: str) -> int:
        """Return the most requests for that model that were under way at once."""
        with self._lock:
            return self._peak[model]

    # --- the event loop's side --------------------------------------------------------------------

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=1024, limit=2**20)
        self.port: int = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        for listening in server.sockets:
            self._loop.remove_reader(listening.fileno())  # closing now would lose connections half accepted
        await asyncio.sleep(_SETTLE_S)
        server.close()
        tasks = list(self._open)
        for task, writer in self._open.items():
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        task = asyncio.ensure_future(self._converse(self._connections, reader, writer))
        self._open[task] = writer
        task.add_done_callback(self._open.pop)

    async def _converse(
        self, connection: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while await self._answer(connection, reader, writer):
                    pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _answer(
        self, connection: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer one request; say whether the connection stays open."""
        body = await _read_body(reader)
        model, stream = str(body.get("model", "")), bool(body.get("stream"))
        exchange = Exchange(model=model, stream=stream, body=body, reader=reader, writer=writer)
        with self._lock:
            at_s = time.monotonic()
            self._seen.append(Seen(model=model, stream=stream, connection=connection, at_s=at_s))
            self._in_flight[model] += 1
            self._peak[model] = max(self._peak[model], self._in_flight[model])
            behave = self._next(model)
        try:
            await behave(exchange)
        finally:
            with self._lock:
                self._in_flight[model] -= 1
        return not exchange.closing

    def _next(self, model: str) -> Behaviour:
        scripted = self._scripts.get(model)
        if scripted:
            return scripted.popleft()
        if model in self._rates:
            behaviour, share, drawn = self._rates[model]
            return behaviour if drawn.random() < share else healthy
        return BEHAVIOURS.get(model, healthy)


async def _read_body(reader: asyncio.StreamReader) -> dict[str, Any]:
    """Read one request; its path does not matter."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
    headers = dict(line.split(":", 1) for line in head.split("\r\n")[1:] if ":" in line)
    length = int(headers.get("content-length", "0"))
    if length > _MOST_BODY_BYTES:
        raise ConnectionError(f"{length} bytes are more than the fault server reads.")
    raw = await reader.readexactly(length)
    body = json.loads(raw) if raw else {}
    return body if isinstance(body, dict) else {}


def _behaviour(given: str | Behaviour) -> Behaviour:
    if not isinstance(given, str):
        return given
    if given not in BEHAVIOURS:
        raise ValueError(f"No behaviour {given!r}; there are {', '.join(BEHAVIOURS)}.")
    return BEHAVIOURS[given]
