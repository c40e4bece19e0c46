"""What a router makes of faults of a provider's own LangChain package, beneath which there is no LiteLLM.

Such packages raise bare errors over answers that they cannot read, and do not notice that a stream ends
early.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import pytest
from langchain_core.exceptions import ModelInvalidRequestError
from langchain_core.messages import AIMessage
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from langchain_router import (
    Candidate,
    ChatRouter,
    Deadlines,
    Price,
    Resilience,
    StreamInterruptedError,
)
from langchain_router.chat import construction

if TYPE_CHECKING:
    from tests.faults.server import FaultServer

Way = Literal["invoke", "ainvoke", "stream", "astream"]
WAYS: tuple[Way, ...] = ("invoke", "ainvoke", "stream", "astream")
ANSWER = "The fault server is well today."
LOOP = asyncio.Runner()  # one for all: the package shares its async client among models
QUICK = Resilience(deadlines=Deadlines(attempt_s=1, first_token_s=1, between_chunks_s=0.5, total_s=20))
PATIENT = Resilience(deadlines=Deadlines(total_s=20))

# For each fault: the error kind with which `invoke` fails over, and `stream`; `partial` where the stream has
# shown something by then, so that it breaks off.
FAULTS = {
    "reset-before-headers": ("connect", "connect"),
    "reset-mid-body": ("connect", "partial"),
    "hang-before-headers": ("timeout", "timeout"),
    "hang-mid-body": ("timeout", "partial"),
    "drip-bytes": ("timeout", "timeout"),
    "half-chunk": ("connect", "partial"),
    "cut-before-token": ("connect", "connect"),
    "cut-stream": ("connect", "partial"),
    "early-close": ("malformed", "partial"),
    "early-close-before-token": ("malformed", "malformed"),
    "done-without-finish": ("truncated", "partial"),
    "truncated-json": ("malformed", "partial"),
    "truncated-json-first": ("malformed", "malformed"),
    "html": ("malformed", "malformed"),
    "choices-empty": ("malformed", "malformed"),
    "choices-null": ("malformed", "malformed"),
    "error-event": ("malformed", "partial"),
    "error-event-first": ("malformed", "server"),
    "empty-body": ("malformed", "malformed"),
    "401": ("auth", "auth"),
    "404": ("not_found", "not_found"),
    "429-seconds": ("rate_limited", "rate_limited"),
    "500": ("server", "server"),
    "503": ("overloaded", "overloaded"),
}


@pytest.fixture(scope="module", autouse=True)
def loop() -> Iterator[None]:
    yield
    LOOP.close()


def candidate(
    server: FaultServer, name: str, model: str, *, rank: int = 1, retries: int | None = 0
) -> Candidate:
    client = ChatOpenAI(
        model=model, base_url=server.base_url, api_key=SecretStr("key-in-a-test"), max_retries=retries
    )
    return Candidate(
        model=client, name=name, quality=0.9, price=Price.per_million(input_usd=rank, output_usd=rank)
    )


def router(server: FaultServer, fault: str) -> ChatRouter:
    return ChatRouter(
        candidates=[candidate(server, "first", fault), candidate(server, "second", "healthy", rank=2)],
        quality=0.5,
        resilience=QUICK if fault.startswith(("hang", "drip")) else PATIENT,
    )


def answer(routed: ChatRouter, way: Way) -> AIMessage:
    async def astreamed() -> Any:
        whole: Any = None
        async for chunk in routed.astream("Hello"):
            whole = chunk if whole is None else whole + chunk
        return whole

    if way == "invoke":
        return routed.invoke("Hello")
    if way == "ainvoke":
        return LOOP.run(routed.ainvoke("Hello"))
    if way == "astream":
        return LOOP.run(astreamed())  # type: ignore[no-any-return]
    whole: Any = None
    for chunk in routed.stream("Hello"):
        whole = chunk if whole is None else whole + chunk
    return whole  # type: ignore[no-any-return]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_fails_over_or_breaks_off_but_is_never_counted_as_an_answer(
    fault_server: FaultServer, fault: str, way: Way
) -> None:
    routed, kind = router(fault_server, fault), FAULTS[fault]["stream" in way]
    if kind == "partial":
        with pytest.raises(StreamInterruptedError) as caught:
            answer(routed, way)
        assert ANSWER.startswith(caught.value.partial)
        return
    message = answer(routed, way)
    assert message.text == ANSWER
    attempts = message.response_metadata["router"]["attempts"]
    assert [(one["candidate"], one["error_kind"]) for one in attempts] == [("first", kind), ("second", None)]


@pytest.mark.parametrize("way", WAYS)
def test_the_callers_own_bad_request_is_neither_retried_nor_failed_over(
    fault_server: FaultServer, way: Way
) -> None:
    with pytest.raises(ModelInvalidRequestError):
        answer(router(fault_server, "400"), way)
    assert (fault_server.requests("400"), fault_server.requests("healthy")) == (1, 0)


def test_a_call_that_is_given_up_leaves_no_thread_behind(fault_server: FaultServer) -> None:
    # The client's own timeout is ten minutes; the router shuts the socket that the thread waits on.
    assert answer(router(fault_server, "hang-before-headers"), "invoke").text == ANSWER
    end = time.monotonic() + 2
    while (left := _calls_under_way()) and time.monotonic() < end:
        time.sleep(0.01)
    assert left == []
    assert fault_server.in_flight("hang-before-headers") == 0


def _calls_under_way() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "langchain-router-call"]


@pytest.mark.parametrize("retries", [None, 2])
def test_a_client_that_retries_by_itself_is_warned_about_once(
    fault_server: FaultServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    retries: int | None,
) -> None:
    monkeypatch.setattr(construction, "_warned_of", set())
    with caplog.at_level(logging.WARNING, logger="langchain_router"):
        for _ in range(2):
            ChatRouter.from_models(candidate(fault_server, "eager", "healthy", retries=retries))
    (record,) = caplog.records
    assert record.getMessage() == (
        f"candidate 'eager', a ChatOpenAI, retries by itself (max_retries={retries}; None is its client's "
        "default), and so does the router: one request may become several times as many. Set max_retries=0 "
        "on it."
    )
