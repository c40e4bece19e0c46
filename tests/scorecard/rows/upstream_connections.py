"""Connections that do not come about: no such name, a reset, no TLS."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from unittest.mock import patch

from langchain_router import (
    Candidate,
)
from tests.scorecard.parts import (
    ANSWER,
    WAYS,
    FaultServer,
    Outcomes,
    ask,
    in_memory,
    routed,
    wire,
)
from tests.scorecard.row import Figures, Scale, row

# --- U9 ----------------------------------------------------------------------------------------------


@row(
    "U9",
    "The name does not resolve, the connection is reset, TLS fails",
    "The sibling serves; recorded as a failed connection, unlike a provider's 500; the breaker opens within "
    "5 failures.",
)
def failed_connections_are_told_from_errors(scale: Scale) -> Figures:
    served, asked, most, kinds = 0, 0, 0, Counter[str]()
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(FaultServer())
        stack.enter_context(_no_such_host("provider.invalid"))
        runner = stack.enter_context(asyncio.Runner())
        secure = stack.enter_context(_plain())
        faults: dict[str, Callable[[], Candidate]] = {
            "dns": lambda: wire(server, "dns", base_url="http://provider.invalid/v1"),
            "reset-before-headers": lambda: wire(server, "reset-before-headers"),
            "tls": lambda: wire(server, "tls", base_url=secure),
            "500": lambda: wire(server, "500"),
        }
        for make in faults.values():
            outcomes = Outcomes()
            chat = routed(make(), in_memory("sibling", rank=2), on_outcome=outcomes)
            for number in range(scale(40, 12)):
                asked += 1
                served += ask(chat, WAYS[number % 4], runner).text == ANSWER
            failures = [one for _, outcome in outcomes.all for one in outcome.attempts if one.error_kind]
            most = max(most, len(failures))
            kinds.update({f"{one.candidate}: {one.error_kind}" for one in failures})
    figures = Figures()
    figures.exactly("served", 100 * served / asked, 100, "%")
    figures.at_most("failures before the breaker opened, most", most, 5)
    expected = {"dns: connect", "reset-before-headers: connect", "tls: connect", "500: server"}
    figures.none("of the four recorded otherwise", len(kinds.keys() ^ expected))
    figures.tell("calls", asked)
    return figures


@contextlib.contextmanager
def _no_such_host(name: str) -> Iterator[None]:
    """Let a name not resolve, without asking a name server for it."""
    original = socket.getaddrinfo

    def resolve(host: object, *args: object, **kwargs: object) -> object:
        if host in (name, name.encode()):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return original(host, *args, **kwargs)  # type: ignore[arg-type]

    with patch.object(socket, "getaddrinfo", resolve):
        yield


@contextlib.contextmanager
def _plain() -> Iterator[str]:
    """Answer whoever connects in plain text at once, which is no TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection:
                        connection.recv(1)
                        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}/v1"
