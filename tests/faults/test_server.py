"""The fault server really does on the wire what its catalogue says."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from langchain_router.testing import SimulatedModel, SimulatedProvider

if TYPE_CHECKING:
    from tests.faults.server import FaultServer

PAUSE_S = 0.15
ANSWER = "The fault server is well today."


class Wire:
    """One raw connection to the server."""

    def __init__(self, server: FaultServer) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=2)

    def ask(self, model: str, *, stream: bool = False) -> None:
        body = json.dumps({"model": model, "messages": [], "stream": stream}).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
        self.socket.sendall(head.encode() + body)

    def until_end(self, into: bytearray | None = None) -> bytes:
        """Read until the server closes the connection."""
        received = bytearray() if into is None else into
        while piece := self.socket.recv(65_536):
            received += piece
        return bytes(received)

    def for_a_while(self) -> bytes:
        """Read what comes before a pause."""
        received = b""
        self.socket.settimeout(PAUSE_S)
        try:
            while piece := self.socket.recv(65_536):
                received += piece
        except TimeoutError:
            return received
        raise AssertionError("The connection was closed.")


@contextmanager
def wire(server: FaultServer, model: str, *, stream: bool = False) -> Iterator[Wire]:
    opened = Wire(server)
    try:
        opened.ask(model, stream=stream)
        yield opened
    finally:
        opened.socket.close()


def post(server: FaultServer, model: str, **body: Any) -> httpx.Response:
    return httpx.post(f"{server.base_url}/chat/completions", json={"model": model, "messages": [], **body})


def data_of(text: str) -> list[Any]:
    """Return the decoded events of a stream; what is no JSON stays text."""
    events = [event.removeprefix("data: ") for event in text.split("\n\n") if event]
    return [json.loads(event) if event.endswith("}") else event for event in events]


def settled(server: FaultServer, *, kept: int, within_s: float = 1.0) -> bool:
    """Return whether no more connections are open than a client of an earlier test keeps."""
    end = time.monotonic() + within_s
    while server.open_connections > kept and time.monotonic() < end:
        time.sleep(0.005)
    return server.open_connections <= kept


# --- a healthy server -----------------------------------------------------------------------------------


def test_a_healthy_answer_is_the_one_that_the_simulated_provider_would_give(
    fault_server: FaultServer,
) -> None:
    model = SimulatedModel(name="healthy", input_usd_per_million=0, output_usd_per_million=0)
    asked = {"model": "healthy", "messages": [{"role": "user", "content": "Hello"}]}
    with SimulatedProvider([model]) as provider:
        theirs = httpx.post(f"{provider.base_url}/chat/completions", json=asked).json()
    ours = post(fault_server, "healthy").json()
    assert ours.keys() == theirs.keys()
    assert ours["choices"][0]["message"]["content"] == ANSWER
    assert ours["choices"][0]["finish_reason"] == "stop"
    assert ours["usage"]["total_tokens"] == 13


def test_a_healthy_stream_ends_with_finish_reason_usage_and_done(fault_server: FaultServer) -> None:
    sent = post(fault_server, "healthy", stream=True, stream_options={"include_usage": True})
    *words, finish, usage, done = data_of(sent.text)
    assert "".join(word["choices"][0]["delta"]["content"] for word in words) == ANSWER
    assert finish["choices"][0]["finish_reason"] == "stop"
    assert (usage["choices"], usage["usage"]["total_tokens"], done) == ([], 13, "[DONE]")
    assert sent.headers["content-type"].startswith("text/event-stream")


def test_requests_and_connections_are_counted_by_model(fault_server: FaultServer) -> None:
    with httpx.Client(base_url=fault_server.base_url) as client:
        for model in ("a", "a", "b"):
            client.post("/chat/completions", json={"model": model, "messages": []})
    post(fault_server, "a")
    assert [fault_server.requests(model) for model in ("a", "b", "c")] == [3, 1, 0]
    assert [fault_server.connections(model) for model in ("a", "b", "c")] == [2, 1, 0]
    at = [request.at_s for request in fault_server.seen]
    assert at == sorted(at)


def test_a_script_comes_before_the_name_and_ends(fault_server: FaultServer) -> None:
    fault_server.script("a", "500", "429-seconds", "healthy")
    assert [post(fault_server, "a").status_code for _ in range(4)] == [500, 429, 200, 200]
    fault_server.script("503", "healthy")
    assert [post(fault_server, "503").status_code for _ in range(2)] == [200, 503]
    with pytest.raises(ValueError, match="No behaviour 'resset'"):
        fault_server.script("a", "resset")


def test_a_rate_gives_a_burst_that_is_the_same_in_every_run(fault_server: FaultServer) -> None:
    bursts = []
    for _ in range(2):
        fault_server.rate("a", "500", share=0.5, seed=7)
        with httpx.Client(base_url=fault_server.base_url) as client:
            asked = {"model": "a", "messages": []}
            bursts.append([client.post("/chat/completions", json=asked).status_code for _ in range(100)])
    assert bursts[0] == bursts[1]
    assert 35 <= bursts[0].count(500) <= 65


async def test_the_most_requests_in_flight_are_noted(fault_server: FaultServer) -> None:
    async with httpx.AsyncClient(base_url=fault_server.base_url) as client:
        asked = {"model": "drip", "messages": [], "stream": True}
        await asyncio.gather(
            *(client.post("/chat/completions", json=asked, timeout=0.1) for _ in range(3)),
            return_exceptions=True,
        )
    assert fault_server.most_in_flight("drip") == 3


def test_nothing_is_left_after_close() -> None:
    from tests.faults.server import FaultServer

    threads = threading.active_count()
    for served in (False, True):
        server = FaultServer()
        with wire(server, "hang-before-headers") as hanging:
            while served and not server.in_flight("hang-before-headers"):
                time.sleep(0.005)
            server.close()
            with contextlib.suppress(ConnectionResetError):
                assert hanging.until_end() == b""
    server.close()
    assert threading.active_count() == threads
    assert server.open_connections == 0
    with pytest.raises(ConnectionError):
        socket.create_connection(("127.0.0.1", server.port), timeout=1)
    gc.collect()  # a task destroyed while pending would warn here, and warnings are errors


def test_no_hang_outlives_its_caller(fault_server: FaultServer) -> None:
    kept = fault_server.open_connections
    for model in ("hang-before-headers", "hang-after-headers", "hang-mid-body", "drip"):
        with wire(fault_server, model) as hanging:
            hanging.for_a_while()
    assert settled(fault_server, kept=kept)


# --- connections ----------------------------------------------------------------------------------------


def test_a_reset_before_headers_is_a_reset(fault_server: FaultServer) -> None:
    with wire(fault_server, "reset-before-headers") as reset, pytest.raises(ConnectionResetError):
        reset.socket.recv(1)


@pytest.mark.parametrize("stream", [False, True])
def test_a_reset_mid_body_comes_after_the_first_part(fault_server: FaultServer, stream: bool) -> None:
    with wire(fault_server, "reset-mid-body", stream=stream) as reset:
        into = bytearray()
        with pytest.raises(ConnectionResetError):
            reset.until_end(into)
    received = bytes(into)
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert (b'"content":"The"' in received) is stream
    assert b"finish_reason" not in received.replace(b'"finish_reason":null', b"")


def test_a_close_before_headers_is_no_reset(fault_server: FaultServer) -> None:
    with wire(fault_server, "close-before-headers") as closed:
        assert closed.until_end() == b""


@pytest.mark.parametrize("stream", [False, True])
def test_hangs_hang_where_they_say(fault_server: FaultServer, stream: bool) -> None:
    received = {}
    for model in ("hang-before-headers", "hang-after-headers", "hang-mid-body"):
        with wire(fault_server, model, stream=stream) as hanging:
            received[model] = hanging.for_a_while()
    assert received["hang-before-headers"] == b""
    assert received["hang-after-headers"].endswith(b"\r\n\r\n")
    part = received["hang-mid-body"].partition(b"\r\n\r\n")[2]
    assert part
    assert b"[DONE]" not in part


def test_a_drip_sends_a_byte_at_a_time(fault_server: FaultServer) -> None:
    from tests.faults.behaviours import drip

    fault_server.script("a", drip(0.01))
    with wire(fault_server, "a") as dripping:
        dripping.socket.settimeout(1)
        while b"\r\n\r\n" not in dripping.socket.recv(65_536):
            pass
        assert [len(dripping.socket.recv(65_536)) for _ in range(10)] == [1] * 10


def test_a_drip_sends_a_whole_answer_in_the_end(fault_server: FaultServer) -> None:
    from tests.faults.behaviours import drip, drip_bytes

    for behaviour in (drip(0.01, at_once=20), drip_bytes(0.002, at_once=20)):
        fault_server.script("a", behaviour, behaviour)
        assert post(fault_server, "a").json()["choices"][0]["message"]["content"] == ANSWER
        assert data_of(post(fault_server, "a", stream=True).text)[-1] == "[DONE]"


def test_a_stream_drips_an_event_at_a_time(fault_server: FaultServer) -> None:
    from tests.faults.behaviours import drip

    fault_server.script("a", drip(0.03))
    asked = {"model": "a", "messages": [], "stream": True}
    with httpx.stream("POST", f"{fault_server.base_url}/chat/completions", json=asked) as response:
        arrived = [time.monotonic() for piece in response.iter_raw()]
    assert len(arrived) >= 8
    assert arrived[-1] - arrived[0] > 0.2


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", ["half-chunk", "cut-stream", "cut-before-token"])
def test_cut_chunked_bodies_are_incomplete(fault_server: FaultServer, model: str, stream: bool) -> None:
    with wire(fault_server, model, stream=stream) as cut:
        received = cut.until_end()
    assert b"transfer-encoding: chunked" in received
    assert not received.endswith(b"0\r\n\r\n")
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        post(fault_server, model, stream=stream)


def test_half_a_chunk_is_shorter_than_it_says(fault_server: FaultServer) -> None:
    with wire(fault_server, "half-chunk") as cut:
        size, _, rest = cut.until_end().partition(b"\r\n\r\n")[2].partition(b"\r\n")
    assert len(rest) == int(size, 16) // 2


@pytest.mark.parametrize("model", ["early-close", "early-close-unframed", "early-close-before-token"])
def test_an_early_close_is_whole_as_http_and_half_as_an_answer(fault_server: FaultServer, model: str) -> None:
    sent = post(fault_server, model, stream=True)
    assert "[DONE]" not in sent.text
    assert '"finish_reason": "stop"' not in sent.text
    assert len(data_of(sent.text)) == (0 if model.endswith("token") else 3)
    with pytest.raises(json.JSONDecodeError):
        post(fault_server, model).json()


def test_done_may_come_without_a_finish_reason(fault_server: FaultServer) -> None:
    *events, done = data_of(post(fault_server, "done-without-finish", stream=True).text)
    assert done == "[DONE]"
    assert {event["choices"][0]["finish_reason"] for event in events} == {None}
    assert post(fault_server, "done-without-finish").json()["choices"][0]["finish_reason"] is None


# --- bodies ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["truncated-json", "truncated-json-first"])
def test_truncated_json_is_a_whole_reply(fault_server: FaultServer, model: str) -> None:
    sent = post(fault_server, model)
    assert int(sent.headers["content-length"]) == len(sent.content)
    with pytest.raises(json.JSONDecodeError):
        sent.json()
    events = data_of(post(fault_server, model, stream=True).text)
    assert [isinstance(event, dict) for event in events] == [True] * (len(events) - 2) + [False, False]


def test_html_is_a_page_with_status_200(fault_server: FaultServer) -> None:
    for stream in (False, True):
        sent = post(fault_server, "html", stream=stream)
        assert (sent.status_code, sent.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert sent.text.startswith("<!doctype html>")


@pytest.mark.parametrize(("model", "value"), [("choices-empty", []), ("choices-null", None)])
def test_choices_may_be_missing(fault_server: FaultServer, model: str, value: Any) -> None:
    assert post(fault_server, model).json()["choices"] == value
    event, done = data_of(post(fault_server, model, stream=True).text)
    assert (event["choices"], done) == (value, "[DONE]")


@pytest.mark.parametrize(("model", "before"), [("error-event", 3), ("error-event-first", 0)])
def test_an_error_may_be_an_event(fault_server: FaultServer, model: str, before: int) -> None:
    *events, error = data_of(post(fault_server, model, stream=True).text)
    assert len(events) == before
    assert error["error"]["type"] == "server_error"
    sent = post(fault_server, model)
    assert (sent.status_code, list(sent.json())) == (200, ["error"])


@pytest.mark.parametrize(
    ("model", "prompt_tokens"),
    [("usage-negative", -5), ("usage-huge", 10**12), ("usage-strings", "many")],
)
def test_usage_may_be_absurd(fault_server: FaultServer, model: str, prompt_tokens: Any) -> None:
    assert post(fault_server, model).json()["usage"]["prompt_tokens"] == prompt_tokens
    sent = post(fault_server, model, stream=True, stream_options={"include_usage": True})
    *_, last, done = data_of(sent.text)
    assert (last["usage"]["prompt_tokens"], done) == (prompt_tokens, "[DONE]")
    assert sum(1 for event in data_of(sent.text) if isinstance(event, dict) and event.get("usage")) == 1


def test_bodies_may_be_empty_or_of_the_wrong_length(fault_server: FaultServer) -> None:
    empty = post(fault_server, "empty-body")
    assert (empty.status_code, empty.content) == (200, b"")
    for stream in (False, True):
        with pytest.raises(httpx.RemoteProtocolError, match="without sending complete message body"):
            post(fault_server, "length-too-long", stream=stream)
        with wire(fault_server, "length-too-short", stream=stream) as short:
            head, _, body = short.until_end().partition(b"\r\n\r\n")
        assert f"content-length: {len(body) - 20}".encode() in head


def test_a_huge_body_is_huge_and_well_formed(fault_server: FaultServer) -> None:
    text = post(fault_server, "huge-body").json()["choices"][0]["message"]["content"]
    events = data_of(post(fault_server, "huge-body", stream=True).text)
    assert len(text) == len(events[1]["choices"][0]["delta"]["content"]) == 4_000_000
    assert events[-1] == "[DONE]"


# --- status ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_a_status_is_an_openai_error(fault_server: FaultServer, status: int) -> None:
    sent = post(fault_server, str(status))
    assert sent.status_code == status
    assert sent.json()["error"].keys() == {"message", "type", "param", "code"}


def test_rate_limits_say_when_to_come_back_in_every_way(fault_server: FaultServer) -> None:
    said = {kind: post(fault_server, f"429-{kind}").headers["retry-after"] for kind in ("seconds", "date")}
    assert said["seconds"] == "2"
    assert 0 < parsedate_to_datetime(said["date"]).timestamp() - time.time() <= 2
    assert post(fault_server, "429-junk").headers["retry-after"] == "soon, perhaps"
    assert post(fault_server, "429-huge").headers["retry-after"] == "1000000000"
    assert "retry-after" not in post(fault_server, "429").headers


def test_a_context_overflow_says_so_in_its_code(fault_server: FaultServer) -> None:
    sent = post(fault_server, "context-overflow")
    assert (sent.status_code, sent.json()["error"]["code"]) == (400, "context_length_exceeded")
