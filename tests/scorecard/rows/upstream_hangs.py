"""Providers that hang or drip, which a client's own timeout does not notice."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import queue
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

from langchain_core.exceptions import ModelTimeoutError

from langchain_router import (
    ChatRouter,
    DeadlineExceededError,
    Deadlines,
    Resilience,
    StreamInterruptedError,
)
from tests.faults.behaviours import drip, hang_after_headers
from tests.scorecard.parts import (
    WAYS,
    FaultServer,
    Way,
    aask,
    ask,
    calling_threads,
    open_sockets,
    routed,
    settles,
    watch,
    wire,
)
from tests.scorecard.row import Figures, Scale, percentile, row

_SLACK_S = 0.1


# --- U4 ----------------------------------------------------------------------------------------------

_HANGS = ("hang-before-headers", "hang-after-headers", "hang-mid-body")


@row(
    "U4",
    "A provider hangs: while connecting, before and after its headers, half-way through the body",
    "A deadline of 1 s holds for every call (+ 100 ms, the slowest counts), sync, async and streamed; no "
    "task, thread or socket is left. Garbage is collected after every 50 calls and not in between: a full "
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
        asked = functools.partial(chat.invoke, "Hello")
        streamed = functools.partial(_read, chat)
        work.put(streamed if number % 3 == 0 else asked)
        time.sleep(0.05)
    for _ in threads:
        work.put(None)
    for thread in threads:
        thread.join()


def _read(chat: ChatRouter) -> None:
    for _ in chat.stream("Hello"):
        pass


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
    "The deadlines for the whole, the first token and the gap between chunks fire, within 100 ms each.",
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
                    watch(chat, way, runner, _Ticking(seen))
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


class _Ticking:
    """Notes the time for each chunk."""

    def __init__(self, seen: list[float]) -> None:
        self._seen = seen

    def __call__(self, _: object) -> None:
        self._seen.append(time.monotonic())


def _deadlines(**limit: float) -> Deadlines:
    far = dict.fromkeys(("total_s", "attempt_s", "first_token_s", "between_chunks_s"), 20.0)
    return Deadlines(**{**far, **limit})
