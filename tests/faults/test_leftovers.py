"""What a fault leaves behind: no request that nobody waits for, and nobody asks again who cannot serve."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from langchain_router import ChatRouter

if TYPE_CHECKING:
    from tests.faults.routed import Way
    from tests.faults.server import FaultServer

ANSWER = "The fault server is well today."
WAYS = ("invoke", "ainvoke", "stream", "astream")


@pytest.fixture(scope="module", autouse=True)
def warm(shared_fault_server: FaultServer) -> None:
    from tests.faults.routed import warm_up

    warm_up(shared_fault_server)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", ["hang-before-headers", "hang-after-headers", "hang-mid-body"])
def test_a_hang_leaves_no_request_behind(fault_server: FaultServer, fault: str, way: Way) -> None:
    from tests.faults.routed import in_flight_soon, outcome, router

    outcome(router(fault_server, fault, timeout_s=0.3), way)
    assert in_flight_soon(fault_server, fault) == 0


@pytest.fixture
def without_garbage_collection() -> Iterator[None]:
    """It would close by chance what ought to be closed on purpose."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_garbage_collection")
@pytest.mark.parametrize("way", ["stream", "astream"])
def test_a_stream_that_its_reader_closes_leaves_no_request_behind(
    fault_server: FaultServer, way: Way
) -> None:
    from tests.faults.behaviours import hang_mid_body
    from tests.faults.routed import in_flight_soon, router

    model = f"abandoned-{way}"
    fault_server.script(model, hang_mid_body(5))
    routed = router(fault_server, model, timeout_s=5)

    async def left_after_one_chunk() -> int:
        async with contextlib.aclosing(routed.astream("Hello")) as chunks:
            await anext(chunks)
        return await asyncio.to_thread(in_flight_soon, fault_server, model)  # the loop's end would close it

    if way == "astream":
        assert asyncio.run(left_after_one_chunk()) == 0
    else:
        chunks: Any = routed.stream("Hello")
        next(chunks)
        chunks.close()
        assert in_flight_soon(fault_server, model) == 0


async def test_a_cancelled_call_leaves_no_request_behind(fault_server: FaultServer) -> None:
    from tests.faults.routed import in_flight_soon, router

    routed = router(fault_server, "hang-before-headers", timeout_s=5)
    task = asyncio.create_task(routed.ainvoke("Hello"))
    await asyncio.sleep(0.2)
    assert fault_server.in_flight("hang-before-headers") == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(in_flight_soon, fault_server, "hang-before-headers") == 0
    assert fault_server.requests("healthy") == 0


@pytest.mark.parametrize("fault", ["429-seconds", "429-date", "429-junk", "429-huge", "401", "403", "404"])
def test_a_candidate_that_cannot_serve_is_left_alone_afterwards(
    fault_server: FaultServer, fault: str
) -> None:
    from tests.faults.routed import router

    routed = router(fault_server, fault)
    for _ in range(5):
        assert routed.invoke("Hello").text == ANSWER
    assert fault_server.requests(fault) == 1


def test_a_burst_of_server_errors_opens_a_breaker_within_ten_failures(fault_server: FaultServer) -> None:
    from tests.faults.routed import router

    routed = router(fault_server, "500")
    for _ in range(30):
        assert routed.invoke("Hello").text == ANSWER
    assert fault_server.requests("500") <= 10


def test_a_partial_burst_is_invisible_to_the_user(fault_server: FaultServer) -> None:
    from tests.faults.routed import router

    fault_server.rate("flaky", "500", share=0.5, seed=1)
    routed = router(fault_server, "flaky")
    assert {routed.invoke("Hello").text for _ in range(30)} == {ANSWER}
    assert fault_server.requests("flaky") <= 30


@pytest.mark.parametrize("way", WAYS)
def test_a_refused_connection_fails_over(fault_server: FaultServer, way: Way) -> None:
    from tests.faults.routed import outcome, router

    first, second = router(fault_server, "first").candidates
    nobody = replace(first, options={**first.options, "api_base": "http://127.0.0.1:9/v1"})
    assert outcome(ChatRouter(candidates=[nobody, second], quality=0.5), way) == "second after connect"
