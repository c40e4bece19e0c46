"""What a router of two candidates makes of each fault of the first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from tenacity import wait_none

from langchain_router import RouterExhaustedError
from langchain_router.execution.resilience import Deadlines, Resilience

if TYPE_CHECKING:
    from tests.faults.routed import Way
    from tests.faults.server import FaultServer

ANSWER = "The fault server is well today."
WAYS = ("invoke", "ainvoke", "stream", "astream")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fault.

    Attributes:
        fault: Name of the behaviour, and of the model.
        invoke: What `invoke` shows; `ainvoke` too, unless given.
        stream: What `stream` shows, if it differs; `astream` too, unless given.
        timeout_s: The candidates' `timeout`, which counts anew whenever something arrives.
        deadlines: The router's own.
        stream_deadlines: Those of the streams, if they differ.
    """

    fault: str
    invoke: str
    stream: str | None = None
    ainvoke: str | None = None
    astream: str | None = None
    timeout_s: float = 1.0
    deadlines: Deadlines | None = None
    stream_deadlines: Deadlines | None = None

    def expected(self, way: Way) -> str:
        stream = self.stream or self.invoke
        ways = {
            "invoke": self.invoke,
            "ainvoke": self.ainvoke or self.invoke,
            "stream": stream,
            "astream": self.astream or stream,
        }
        return ways[way]

    def limits(self, way: Way) -> Deadlines | None:
        return (self.stream_deadlines or self.deadlines) if "stream" in way else self.deadlines


BROKE_OFF = "breaks off after 'The fault'"

TABLE = (
    Row(fault="healthy", invoke="first"),
    # connections
    Row(fault="reset-before-headers", invoke="second after connect"),
    Row(fault="reset-mid-body", invoke="second after connect", stream=BROKE_OFF),
    Row(fault="close-before-headers", invoke="second after connect"),
    Row(fault="hang-before-headers", invoke="second after timeout", timeout_s=0.4),
    Row(fault="hang-after-headers", invoke="second after timeout", timeout_s=0.4),
    Row(fault="hang-mid-body", invoke="second after timeout", stream=BROKE_OFF, timeout_s=0.4),
    Row(
        fault="drip",
        invoke="second after timeout",
        stream="breaks off after",
        deadlines=Deadlines(attempt_s=0.4),
        stream_deadlines=Deadlines(total_s=0.5),
    ),
    Row(
        fault="drip-bytes",
        invoke="second after timeout",
        deadlines=Deadlines(attempt_s=0.4),
        stream_deadlines=Deadlines(first_token_s=0.1),
    ),
    Row(fault="half-chunk", invoke="second after connect", stream="breaks off after 'The fault server'"),
    Row(fault="cut-before-token", invoke="second after connect"),
    Row(fault="cut-stream", invoke="second after connect", stream=BROKE_OFF),
    Row(fault="early-close", invoke="second after malformed", stream=BROKE_OFF),
    Row(fault="early-close-before-token", invoke="second after malformed"),
    Row(fault="early-close-unframed", invoke="second after malformed", stream=BROKE_OFF),
    Row(fault="done-without-finish", invoke="first", stream=BROKE_OFF),
    # bodies
    Row(fault="truncated-json", invoke="second after malformed", stream=BROKE_OFF),
    Row(fault="truncated-json-first", invoke="second after malformed"),
    Row(fault="html", invoke="second after malformed"),
    Row(fault="choices-empty", invoke="second after malformed"),
    Row(fault="choices-null", invoke="second after malformed"),
    Row(fault="error-event", invoke="second after server", stream=BROKE_OFF),
    Row(fault="error-event-first", invoke="second after server"),
    Row(fault="usage-negative", invoke="first"),
    Row(fault="usage-huge", invoke="first"),
    # In a stream the answer is whole before its usage comes; whole answers are read in one go.
    Row(fault="usage-strings", invoke="second after malformed", stream="first"),
    Row(fault="empty-body", invoke="second after malformed"),
    Row(fault="length-too-long", invoke="second after connect", stream="first"),
    # aiohttp, which LiteLLM's async calls use, notices that something follows the body.
    Row(
        fault="length-too-short",
        invoke="second after malformed",
        stream="first",
        ainvoke="second after connect",
        astream="second after connect",
    ),
    Row(fault="huge-body", invoke="first"),
    # status
    Row(fault="400", invoke="raises LiteLLMBadRequestError"),
    Row(fault="401", invoke="second after auth"),
    Row(fault="403", invoke="second after auth"),
    Row(fault="404", invoke="second after not_found"),
    Row(fault="429", invoke="second after rate_limited"),
    Row(fault="429-seconds", invoke="second after rate_limited"),
    Row(fault="429-date", invoke="second after rate_limited"),
    Row(fault="429-junk", invoke="second after rate_limited"),
    Row(fault="429-huge", invoke="second after rate_limited"),
    Row(fault="500", invoke="second after server"),
    Row(fault="503", invoke="second after overloaded"),
    Row(fault="529", invoke="second after overloaded"),
    Row(fault="context-overflow", invoke="second after context_overflow"),
    Row(fault="content-filter", invoke="raises LiteLLMBadRequestError"),
)


@pytest.fixture(scope="module", autouse=True)
def warm(shared_fault_server: FaultServer) -> None:
    from tests.faults.routed import warm_up

    warm_up(shared_fault_server)


def bounded(server: FaultServer, row: Row, way: Way) -> None:
    """Let drips last 0.6 to 0.9 s: longer than the deadline, no longer than a test should take."""
    from tests.faults.behaviours import drip, drip_bytes

    if row.fault == "drip":
        server.script("drip", drip(0.1, at_once=8) if "stream" in way else drip(0.007, at_once=4))
    elif row.fault == "drip-bytes":
        server.script(
            "drip-bytes", drip_bytes(0.03 if "stream" in way else 0.007, at_once=80 if "stream" in way else 4)
        )


def cases() -> list[Any]:
    return [pytest.param(row, way, id=f"{row.fault}-{way}") for row in TABLE for way in WAYS]


@pytest.mark.parametrize(("row", "way"), cases())
def test_what_a_fault_of_the_first_candidate_leads_to(fault_server: FaultServer, row: Row, way: Way) -> None:
    from tests.faults.routed import outcome, router

    limits = row.limits(way)
    resilience = None if limits is None else Resilience(deadlines=limits)
    routed = router(fault_server, row.fault, timeout_s=row.timeout_s, resilience=resilience)
    bounded(fault_server, row, way)
    seen = outcome(routed, way, late_after_s=0.55 if limits else math.inf)
    assert fault_server.requests(row.fault) == 1, "a retry that nobody asked for"
    expected = row.expected(way)
    assert seen.startswith(expected) if expected == "breaks off after" else seen == expected, seen


def test_the_table_knows_every_behaviour() -> None:
    from tests.faults.behaviours import BEHAVIOURS

    assert {row.fault for row in TABLE} == set(BEHAVIOURS)


@pytest.mark.parametrize("way", WAYS)
def test_when_both_candidates_fail_every_error_is_in_one_group(fault_server: FaultServer, way: Way) -> None:
    from tests.faults.routed import answer, router

    routed = router(fault_server, "500", "reset-before-headers", resilience=Resilience(wait=wait_none()))
    with pytest.raises(RouterExhaustedError) as caught:
        answer(routed, way)
    calls = fault_server.requests("500"), fault_server.requests("reset-before-headers")
    assert min(calls) >= 1
    assert len(caught.value.exceptions) == sum(calls)
    assert {"server", "connect"} <= {str(note).split(", ")[-1].strip(".") for note in notes(caught.value)}


def notes(group: RouterExhaustedError) -> list[str]:
    return [note for error in group.exceptions for note in getattr(error, "__notes__", [])]
