"""A small HTTP/1.1 server on the loopback interface that leaves nothing running."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from langchain_router.exceptions import ConfigurationError

_POLL_S = 0.02
_JOIN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to send, and when.

    Attributes:
        status: HTTP status.
        body: The whole body, unless `events` is given.
        events: The body piece by piece, sent as server-sent events.
        headers: Sent besides content type and length.
        wait_s: Seconds before the first byte.
        pause_s: Seconds before each event but the first.
        dropped: Close the connection instead of ending the reply properly.
    """

    status: int = 200
    body: bytes = field(default=b"", repr=False)
    events: Iterable[bytes] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    pause_s: float = 0.0
    dropped: bool = False


Respond = Callable[[str, str, bytes], Reply]
"""Takes method, path (without query) and body; called in a thread of its own for each connection."""


class LoopbackServer(ThreadingHTTPServer):
    """Serves `respond` on 127.0.0.1 from construction until `close`.

    Args:
        respond: Answers each request.
        port: 0 takes a free one.

    Raises:
        ConfigurationError: If the port is taken.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, respond: Respond, *, port: int = 0) -> None:
        self.respond = respond
        self.closing = threading.Event()
        self._connections: dict[threading.Thread, socket.socket] = {}
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise ConfigurationError(
                f"Port {port} of 127.0.0.1 cannot be served ({error.strerror}); write port=0 for a free one."
            ) from error
        self._acceptor = threading.Thread(
            target=self.serve_forever, args=(_POLL_S,), name="simulated-provider", daemon=True
        )
        self._acceptor.start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    def close(self) -> None:
        """Stop at once: waits are cut short, connections closed and threads joined."""
        self.closing.set()
        self.shutdown()
        self._acceptor.join(_JOIN_S)
        self.server_close()
        for thread, connection in list(self._connections.items()):
            self._hang_up(connection)
            thread.join(_JOIN_S)

    def server_bind(self) -> None:
        """Bind without the reverse name look-up of `HTTPServer`, which can take seconds."""
        TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread that `close` knows of."""
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            name="simulated-provider",
            daemon=True,
        )
        self._connections[thread] = request
        thread.start()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection until either side closes it."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.pop(threading.current_thread(), None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away; they may."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    @staticmethod
    def _hang_up(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):  # closed meanwhile
            connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._send(self.server.respond("GET", self._path(), b""))

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not length.isdigit():
            self.close_connection = True
            self._send(Reply(status=411))
            return
        self._send(self.server.respond("POST", self._path(), self.rfile.read(int(length))))

    def log_message(self, format: str, *args: Any) -> None:
        """Keep standard error clean."""

    def _path(self) -> str:
        return self.path.partition("?")[0]

    def _send(self, reply: Reply) -> None:
        if not self._wait(reply.wait_s) or (reply.dropped and reply.events is None):
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.events is None:
            self._send_whole(reply.body)
        else:
            self._send_events(reply, reply.events)

    def _send_whole(self, body: bytes) -> None:
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _send_events(self, reply: Reply, events: Iterable[bytes]) -> None:
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for index, event in enumerate(events):
            if index and reply.pause_s:
                self.wfile.flush()
                if not self._wait(reply.pause_s):
                    self.close_connection = True
                    return
            self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))
        if reply.dropped:
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _wait(self, seconds: float) -> bool:
        """Wait, unless the server is closing; say whether to go on."""
        return seconds <= 0 or not self.server.closing.wait(seconds)
