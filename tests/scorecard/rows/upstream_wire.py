"""Providers that misbehave on the wire: hangs, drips, cuts, unreadable bodies, failed connections."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import queue
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from unittest.mock import patch

from langchain_core.exceptions import ModelError, ModelTimeoutError
from tenacity import wait_none

from langchain_router import (
    Candidate,
    ChatRouter,
    DeadlineExceededError,
    Deadlines,
    Resilience,
    StreamInterruptedError,
)
from tests.faults.behaviours import drip, hang_after_headers
from tests.scorecard.parts import (
    ANSWER,
    WAYS,
    FaultServer,
    Outcomes,
    Way,
    aask,
    ask,
    calling_threads,
    in_memory,
    open_sockets,
    routed,
    settles,
    timed,
    wire,
)
from tests.scorecard.row import Figures, Scale, percentile, row

_PATIENT = Resilience(breaker=None)
"""So that every call of a row meets its fault, instead of an open breaker."""

_AT_ONCE = Resilience(breaker=None, wait=wait_none())
_SLACK_S = 0.1


# --- U4 ----------------------------------------------------------------------------------------------

_HANGS = ("hang-before-headers", "hang-after-headers", "hang-mid-body")


@row(
    "U4",
    "A provider hangs: while connecting, before and after its headers, half-way through the body",
    "A deadline of 1 s holds for every call (+ 100 ms, the slowest counts), sync and async, streamed and not; "
    "no task, thread or socket is left. Garbage is collected after every 50 calls and not in between: a full "
    "collection stops everything in a process, deadlines too, here for 0.1 to 0.3 s with LiteLLM in it.",
    p0=True,
    bound_s=120,
    quick_bound_s=30,
)
def hangs_are_given_up(scale: Scale) -> Figures:
    limit_s = 1.0
    late: list[float] = []
    raised: Counter[str] = Counter()
    limits = Deadlines(total_s=limit_s, attempt_s=limit_s, first_token_s=limit_s, between_chunks_s=limit_s)
    resilience = Resilience(breaker=None, deadlines=limits)
    with FaultServer() as server, _deaf() as deaf_url, asyncio.Runner() as runner:
        chats = [routed(wire(server, name), resilience=resilience) for name in _HANGS]
        chats.append(routed(wire(server, "deaf", base_url=deaf_url), resilience=resilience))
        for way in WAYS:  # the first call of all imports, and opens what is kept
            ask(routed(wire(server, "healthy")), way, runner)
        _hung(lambda: chats[0].invoke("Hello"), [], Counter(), limit_s)
        tasks_before = runner.run(_tasks())
        gc.collect()
        gc.disable()
        sockets = open_sockets()
        for _ in range(scale(6, 1)):
            runner.run(_many_hung(chats, scale(50, 16), late, raised, limit_s))
            gc.collect()
        tasks = runner.run(_tasks()) - tasks_before
        for _ in range(scale(4, 1)):
            _threads_hung(chats, scale(50, 12), late, raised, limit_s)
            settles(calling_threads)
            gc.collect()  # a socket that was being connected goes with the frames of the thread left behind
        gc.enable()
        left = {
            "threads": settles(calling_threads),
            "sockets": settles(open_sockets, at=sockets),
            "connections at the server": settles(lambda: sum(server.in_flight(name) for name in _HANGS)),
        }
    figures = Figures()
    hangs = scale(500, 28)
    figures.exactly("given up at the deadline", raised["ok"], hangs)
    figures.none(f"that ended otherwise{_kinds(raised)}", hangs - raised["ok"])
    figures.at_most("later than the deadline, slowest", max(late) * 1e3, _SLACK_S * 1e3, "ms")
    figures.tell("99 of 100", percentile(late, 0.99) * 1e3, "ms")
    figures.none("tasks left", tasks)
    for what, count in left.items():
        figures.none(f"{what} left", count)
    return figures


async def _tasks() -> int:
    await asyncio.sleep(0.3)
    return len(asyncio.all_tasks())


async def _many_hung(
    chats: list[ChatRouter], count: int, late: list[float], raised: Counter[str], limit_s: float
) -> None:
    async def one(chat: ChatRouter, way: Way) -> None:
        started_s = time.monotonic()
        try:
            await aask(chat, way)
        except Exception as error:  # noqa: BLE001 - counted
            _note(error, time.monotonic() - started_s, late, raised, limit_s)

    tasks = []
    for number in range(count):
        way: Way = "astream" if number % 3 == 0 else "ainvoke"
        tasks.append(asyncio.create_task(one(chats[number % len(chats)], way)))
        await asyncio.sleep(0.05)  # so that it is not this process that is slow
    await asyncio.gather(*tasks)


def _threads_hung(
    chats: list[ChatRouter], count: int, late: list[float], raised: Counter[str], limit_s: float
) -> None:
    """Make blocking calls from twenty threads, a twentieth of a second apart."""
    work: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()

    def worker() -> None:
        while (call := work.get()) is not None:
            _hung(call, late, raised, limit_s)

    threads = [threading.Thread(target=worker) for _ in range(20)]
    for thread in threads:
        thread.start()
    for number in range(count):
        chat = chats[number % len(chats)]
        work.put(lambda chat=chat: list(chat.stream("Hello")) if number % 3 == 0 else chat.invoke("Hello"))
        time.sleep(0.05)
    for _ in threads:
        work.put(None)
    for thread in threads:
        thread.join()


def _hung(call: Callable[[], object], late: list[float], raised: Counter[str], limit_s: float) -> None:
    started_s = time.monotonic()
    try:
        call()
    except BaseException as error:  # noqa: BLE001 - counted
        _note(error, time.monotonic() - started_s, late, raised, limit_s)


def _note(
    error: BaseException, seconds: float, late: list[float], raised: Counter[str], limit_s: float
) -> None:
    cause = error.__cause__ if isinstance(error, StreamInterruptedError) else error
    raised["ok" if isinstance(cause, ModelTimeoutError) else type(cause).__name__] += 1
    late.append(max(0.0, seconds - limit_s))


def _kinds(raised: Counter[str]) -> str:
    others = sorted(raised.keys() - {"ok"})
    return f" ({', '.join(others)})" if others else ""


@contextlib.contextmanager
def _deaf() -> Iterator[str]:
    """Listen, but accept nobody: once its queue is full, connecting hangs."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            filling = stack.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex(listening.getsockname())
        time.sleep(0.05)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"


# --- U5 ----------------------------------------------------------------------------------------------


@row(
    "U5",
    "Answers that drip, in JSON and as a stream: the client's own timeout never fires",
    "The deadlines for the whole, the first token and the gap between chunks each fire within limit + 100 ms.",
    p0=True,
)
def drips_are_given_up(scale: Scale) -> Figures:
    limit_s = scale.seconds(0.5, 0.3)
    late: dict[str, list[float]] = {"whole answer": [], "first token": [], "gap": [], "whole stream": []}
    wrong = 0
    cases: list[tuple[str, str, tuple[Way, ...], Deadlines]] = [
        ("whole answer", "drip-json", ("invoke", "ainvoke"), _deadlines(attempt_s=limit_s)),
        ("first token", "no-token", ("stream", "astream"), _deadlines(first_token_s=limit_s)),
        ("first token", "drip-bytes", ("stream", "astream"), _deadlines(first_token_s=limit_s)),
        ("gap", "hang-mid-body", ("stream", "astream"), _deadlines(between_chunks_s=limit_s)),
        ("whole stream", "drip-events", ("stream", "astream"), _deadlines(total_s=limit_s)),
    ]
    with FaultServer() as server, asyncio.Runner() as runner:
        server.rate("drip-json", drip(0.05), share=1.0)
        server.rate("drip-events", drip(0.15), share=1.0)
        server.rate("no-token", hang_after_headers(), share=1.0)
        for way in WAYS:
            ask(routed(wire(server, "healthy")), way, runner)
        for what, model, ways, deadlines in cases:
            chat = routed(wire(server, model), resilience=Resilience(breaker=None, deadlines=deadlines))
            for way in ways * scale(5, 1):
                seen: list[float] = [time.monotonic()]
                try:
                    _watch(chat, way, runner, seen)
                    wrong += 1
                except DeadlineExceededError:
                    wrong += what in ("gap", "whole stream")
                except StreamInterruptedError as error:
                    wrong += what in ("whole answer", "first token")
                    wrong += not isinstance(error.__cause__, DeadlineExceededError)
                since_s = seen[-1] if what == "gap" else seen[0]
                late[what].append(time.monotonic() - since_s - limit_s)
    figures = Figures()
    for what, seconds in late.items():
        figures.at_most(f"{what}: later than its limit, slowest", max(seconds) * 1e3, _SLACK_S * 1e3, "ms")
    figures.tell("calls", sum(len(seconds) for seconds in late.values()))
    figures.none("that ended otherwise", wrong)
    return figures


def _deadlines(**limit: float) -> Deadlines:
    far = dict.fromkeys(("total_s", "attempt_s", "first_token_s", "between_chunks_s"), 20.0)
    return Deadlines(**{**far, **limit})


def _watch(chat: ChatRouter, way: Way, runner: asyncio.Runner, seen: list[float]) -> None:
    """Ask, noting when each chunk of a stream came."""

    async def astreamed() -> None:
        async for _ in chat.astream("Hello"):
            seen.append(time.monotonic())

    if way == "astream":
        runner.run(astreamed())
    elif way == "stream":
        for _ in chat.stream("Hello"):
            seen.append(time.monotonic())
    else:
        ask(chat, way, runner)


# --- U6, U7, U8 --------------------------------------------------------------------------------------

_BEFORE_A_TOKEN = (
    "reset-before-headers",
    "close-before-headers",
    "cut-before-token",
    "early-close-before-token",
    "error-event-first",
    "truncated-json-first",
    "empty-body",
)
_AFTER_A_TOKEN = (
    "reset-mid-body",
    "cut-stream",
    "early-close",
    "early-close-unframed",
    "done-without-finish",
    "error-event",
)
_UNREADABLE = (
    "truncated-json-first",
    "html",
    "choices-empty",
    "choices-null",
    "error-event-first",
    "error-event",
    "truncated-json",
    "empty-body",
    "length-too-long",
)
_WHOLE_AS_A_STREAM = frozenset({"length-too-long"})  # all of it came, `[DONE]` too
_ABSURD_USAGE = ("usage-negative", "usage-huge", "usage-strings")


@row(
    "U6",
    "The connection is cut, or the answer ends, before the first token",
    "The sibling serves, and nothing of it shows but the attempt.",
    p0=True,
)
def cuts_before_a_token_do_not_show(scale: Scale) -> Figures:
    served, recorded, asked = 0, 0, 0
    with FaultServer() as server, asyncio.Runner() as runner:
        for fault in _BEFORE_A_TOKEN:
            chat = routed(wire(server, fault), wire(server, "sibling", rank=2), resilience=_PATIENT)
            for way in WAYS * scale(10, 1):
                asked += 1
                answer = ask(chat, way, runner)
                served += answer.text == ANSWER
                attempts = answer.response_metadata["router"]["attempts"]
                recorded += [one["candidate"] for one in attempts] == [fault, "sibling"]
    figures = Figures()
    figures.exactly("served", 100 * served / asked, 100, "%")
    figures.exactly("with both attempts recorded", 100 * recorded / asked, 100, "%")
    figures.tell("calls", asked)
    return figures


@row(
    "U7",
    "A stream is cut after a token, or ends cleanly without a finish reason",
    "StreamInterruptedError with the text that had arrived; the outcome says truncated; the sibling is not "
    "called, so nothing is spliced.",
    p0=True,
)
def cuts_after_a_token_are_told(scale: Scale) -> Figures:
    told, truncated, cuts = 0, 0, 0
    with FaultServer() as server, asyncio.Runner() as runner:
        for number in range(scale(200, 24)):
            fault = _AFTER_A_TOKEN[number % len(_AFTER_A_TOKEN)]
            outcomes = Outcomes()
            chat = routed(
                wire(server, fault),
                wire(server, "sibling", rank=2),
                resilience=_PATIENT,
                on_outcome=outcomes,
            )
            seen: list[str] = []
            cuts += 1
            error = _interrupted(chat, ("stream", "astream")[number // 2 % 2], runner, seen)
            told += error is not None and "".join(seen) == error.partial != "" and _is_part(error.partial)
            truncated += outcomes.last.status == "truncated"
        spliced = server.requests("sibling")
    figures = Figures()
    figures.exactly("StreamInterruptedError with what was shown", 100 * told / cuts, 100, "%")
    figures.exactly("outcomes truncated", 100 * truncated / cuts, 100, "%")
    figures.none("calls to the sibling", spliced)
    figures.tell("cuts", cuts)
    return figures


def _is_part(text: str) -> bool:
    return ANSWER.startswith(text) and text != ANSWER


def _interrupted(
    chat: ChatRouter, way: str, runner: asyncio.Runner, seen: list[str]
) -> StreamInterruptedError | None:
    async def astreamed() -> None:
        async for chunk in chat.astream("Hello"):
            seen.append(chunk.text)

    try:
        if way == "astream":
            runner.run(astreamed())
        else:
            for chunk in chat.stream("Hello"):
                seen.append(chunk.text)
    except StreamInterruptedError as error:
        return error
    return None


@row(
    "U8",
    "A 200 that is no answer: half a JSON document, a web page, no choices, an error inside the stream; "
    "and absurd usage figures",
    "Every error is a ModelError (none is bare) and recorded; a sibling serves what no token was shown of; "
    "absurd figures are not billed.",
    p0=True,
)
def unreadable_answers_are_errors(scale: Scale) -> Figures:
    bare, served, must_serve, unrecorded, billed, calls = 0, 0, 0, 0, 0, 0
    with FaultServer() as server, asyncio.Runner() as runner:
        for fault in _UNREADABLE:
            ways = ("invoke", "ainvoke") if fault in _WHOLE_AS_A_STREAM else WAYS
            for way in ways * scale(5, 1):
                calls += 1
                outcomes = Outcomes()
                alone = routed(wire(server, fault), resilience=_AT_ONCE, on_outcome=outcomes)
                shown = False
                try:
                    ask(alone, way, runner)
                except StreamInterruptedError:
                    shown = True
                except Exception as error:  # noqa: BLE001 - counted
                    bare += not isinstance(error, ModelError)
                else:
                    bare += 1
                unrecorded += outcomes.last.attempts[0].error_kind is None
                if shown:
                    continue
                must_serve += 1
                beside = routed(wire(server, fault), wire(server, "sibling", rank=2), resilience=_PATIENT)
                served += ask(beside, way, runner).text == ANSWER
        for fault in _ABSURD_USAGE:
            for way in WAYS * scale(5, 1):
                calls += 1
                outcomes = Outcomes()
                chat = routed(wire(server, fault), wire(server, "sibling", rank=2), on_outcome=outcomes)
                answer = ask(chat, way, runner)
                cost = outcomes.last.cost_usd
                must_serve += 1
                served += answer.text == ANSWER
                billed += cost is not None and not 0 <= cost <= 1e-3
    figures = Figures()
    figures.none("bare exceptions or silent answers", bare)
    figures.exactly("served by a sibling", 100 * served / must_serve, 100, "%")
    figures.none("faults not recorded", unrecorded)
    figures.none("absurd bills", billed)
    figures.tell("calls", calls)
    return figures


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
