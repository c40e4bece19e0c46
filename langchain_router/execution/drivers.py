"""The two drivers of the plan machine: they do what it says, sync or async, and decide nothing."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

from langchain_router.execution.moves import (
    Call,
    Came,
    Hedge,
    Move,
    Reply,
    RunCheck,
    SideBySide,
    Sleep,
    as_reply,
)
from langchain_router.execution.plan import Machine
from langchain_router.execution.served import Served
from langchain_router.execution.workers import Worker, in_worker, within

MakeCall = Callable[[Call], Any]
"""Makes a call and returns a `Reply`, or an answer that needs no further word, or raises."""

AMakeCall = Callable[[Call], Awaitable[Any]]

_GRACE_S: Final = 0.05
"""For how long a cancelled call is waited for, so that in the ordinary case nothing is left running."""


def drive(machine: Machine, call: MakeCall, *, sleep: Callable[[float], None] = time.sleep) -> Served:
    """Run a plan machine to its end, making each call with `call`.

    Args:
        machine: From `walk`.
        call: Makes one call and returns what it came to, or raises.
        sleep: Waits so many seconds.
    """
    try:
        move = next(machine)
        while True:
            try:
                came = _do(move, call, sleep)
            except BaseException as error:  # noqa: BLE001 - the machine decides what to do with it
                move = machine.throw(error)
            else:
                move = machine.send(came)
    except StopIteration as end:
        served: Served = end.value
        return served


async def adrive(
    machine: Machine, call: AMakeCall, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> Served:
    """Run a plan machine to its end, awaiting each call; takes what `drive` takes."""
    try:
        move = next(machine)
        while True:
            try:
                came = await _ado(move, call, sleep)
            except BaseException as error:  # noqa: BLE001 - the machine decides what to do with it
                move = machine.throw(error)
            else:
                move = machine.send(came)
    except StopIteration as end:
        served: Served = end.value
        return served


def _do(move: Move, call: MakeCall, sleep: Callable[[float], None]) -> Any:
    match move:
        case Call():
            return as_reply(call(move))
        case RunCheck(run=run, timeout_s=timeout_s):
            return within(run.call, timeout_s, too_late=TimeoutError)
        case Sleep(seconds=seconds):
            return sleep(seconds)
        case SideBySide(calls=calls):
            return _side_by_side(calls, call)
        case Hedge():
            return _hedged(move, call)


async def _ado(move: Move, call: AMakeCall, sleep: Callable[[float], Awaitable[None]]) -> Any:
    match move:
        case Call():
            return as_reply(await call(move))
        case RunCheck(run=run, timeout_s=timeout_s):
            async with asyncio.timeout(timeout_s):
                return await (in_worker(run.call) if run.acall is None else run.acall())
        case Sleep(seconds=seconds):
            return await sleep(seconds)
        case SideBySide(calls=calls):
            return await _aside_by_side(calls, call)
        case Hedge():
            return await _ahedged(move, call)


# --- several calls at once, sync -----------------------------------------------------------------


def _side_by_side(calls: tuple[Call, ...], call: MakeCall) -> Came:
    others = [Worker(functools.partial(_reply, call, one)) for one in calls[1:]]
    first: Reply | Exception | None = None
    try:
        first = _caught(functools.partial(call, calls[0]))
        if isinstance(first, Reply):
            return [first, *(other.outcome() for other in others)]
        return [first, *(None for _ in others)]
    finally:
        for other in others:
            other.abandon()  # does nothing to those that have ended


def _hedged(hedge: Hedge, call: MakeCall) -> Came:
    ended = threading.Event()
    workers = [Worker(functools.partial(_reply, call, hedge.first), on_done=ended.set)]
    came: Came = []
    try:
        came = _came_of_hedge(hedge, call, workers, ended)
        return came
    finally:
        for number, worker in enumerate(workers):
            if number >= len(came) or not isinstance(came[number], Reply):
                worker.abandon()  # but not who answers: a live stream is read on in a call of its own


def _came_of_hedge(
    hedge: Hedge, call: MakeCall, workers: list[Worker[Reply]], ended: threading.Event
) -> Came:
    first = workers[0]
    if first.wait(hedge.after_s) or not hedge.may_begin():
        return [first.outcome(), None]
    second = Worker(functools.partial(_reply, call, hedge.second), on_done=ended.set)
    workers.append(second)
    ended.wait()
    winner = first if first.wait(0) else second
    if isinstance(winner.outcome(), Exception):  # the other is all hope that is left
        return [first.outcome(), second.outcome()]
    return [winner.outcome(), None] if winner is first else [None, winner.outcome()]


def _reply(call: MakeCall, one: Call) -> Reply:
    return as_reply(call(one))


def _caught(made: Callable[[], Any]) -> Reply | Exception:
    try:
        return as_reply(made())
    except Exception as error:  # noqa: BLE001 - sent to the machine
        return error


# --- several calls at once, async ----------------------------------------------------------------


async def _aside_by_side(calls: tuple[Call, ...], call: AMakeCall) -> Came:
    first, *others = [asyncio.ensure_future(_acaught(call, one)) for one in calls]
    try:
        came = await first
        if isinstance(came, Reply):
            return [came, *(await asyncio.gather(*others))]
    finally:
        await _cancelled(first, *others)
    return [came, *(None for _ in others)]


async def _ahedged(hedge: Hedge, call: AMakeCall) -> Came:
    first = asyncio.ensure_future(_acaught(call, hedge.first))
    second: asyncio.Future[Reply | Exception] | None = None
    try:
        done, _ = await asyncio.wait({first}, timeout=hedge.after_s)
        if done or not hedge.may_begin():
            return [await first, None]
        second = asyncio.ensure_future(_acaught(call, hedge.second))
        await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
        winner = first if first.done() else second
        if isinstance(winner.result(), Exception):  # the other is all hope that is left
            return [await first, await second]
        return [winner.result(), None] if winner is first else [None, winner.result()]
    finally:
        await _cancelled(first, *(() if second is None else (second,)))


async def _acaught(call: AMakeCall, one: Call) -> Reply | Exception:
    try:
        return as_reply(await call(one))
    except Exception as error:  # noqa: BLE001 - sent to the machine
        return error


async def _cancelled(*tasks: asyncio.Future[Any]) -> None:
    """Cancel what still runs; a client that takes its time over that is not waited for."""
    left = [task for task in tasks if not task.done()]
    for task in left:
        task.cancel()
        task.add_done_callback(_nobody_waits)
    if left:
        await asyncio.wait(left, timeout=_GRACE_S)


def _nobody_waits(task: asyncio.Future[Any]) -> None:
    """Take note of what came too late, so that asyncio does not complain of it."""
    if not task.cancelled():
        task.exception()
