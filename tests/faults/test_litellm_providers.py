"""The same faults through LiteLLM's ways to different providers: each is told for what it is, everywhere."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from langchain_router.execution.errors import error_kind, retry_after_s
from langchain_router.providers.litellm import RouterChatLiteLLM

if TYPE_CHECKING:
    from tests.faults.behaviours import Behaviour
    from tests.faults.exchange import Exchange
    from tests.faults.server import FaultServer

# Model string and the path that LiteLLM wants in `api_base`.
PROVIDERS = {
    "openai": ("openai/x", "/v1"),
    "responses": ("openai/responses/gpt-4o-mini", "/v1"),  # of models unknown to it LiteLLM asks no streams
    "text": ("text-completion-openai/x", "/v1"),
    "azure": ("azure/x", ""),
    "anthropic": ("anthropic/x", ""),
    "gemini": ("gemini/x", "/v1"),
    "bedrock": ("bedrock/anthropic.x", ""),
    "mistral": ("mistral/x", "/v1"),
    "groq": ("groq/x", "/v1"),
    "openrouter": ("openrouter/x", "/v1"),
    "cohere": ("cohere_chat/x", "/v2/chat"),
    "ollama": ("ollama_chat/x", ""),
}
OPTIONS: dict[str, dict[str, Any]] = {
    "azure": {"api_version": "2024-10-21"},
    "bedrock": {
        "aws_access_key_id": "key-in-a-test",
        "aws_secret_access_key": "key-in-a-test",
        "aws_region_name": "eu-west-1",
    },
}

NAMES = ("", "x", "gpt-4o-mini")

FAULTS = {
    "reset-before-headers": "connect",
    "close-before-headers": "connect",
    "html": "malformed",
    "choices-null": "malformed",
    "empty-body": "malformed",
    "truncated-json": "malformed",
    "early-close-before-token": "malformed",
    "error-event-first": "malformed",
    "400": "bad_request",
    "401": "auth",
    "402": "auth",
    "403": "auth",
    "404": "not_found",
    "413": "context_overflow",
    "429": "rate_limited",
    "500": "server",
    "502": "server",
    "503": "overloaded",
    "529": "overloaded",
}

# What is told otherwise, in all ways or in one.
EXCEPT: dict[tuple[str, ...], str] = {
    # They know `{"error": ...}` in an answer that began with success for the error it is.
    ("error-event-first", "openai"): "server",
    ("error-event-first", "azure"): "server",
    ("error-event-first", "mistral"): "server",
    ("error-event-first", "openrouter"): "server",
    ("error-event-first", "gemini", "astream"): "server",
    ("error-event-first", "groq", "astream"): "server",
    ("error-event-first", "text", "astream"): "server",
    ("error-event-first", "responses", "astream"): "server or malformed",  # since LiteLLM 1.110, before
    # LiteLLM reports a bad gateway.
    ("empty-body", "bedrock", "astream"): "server",
    # LiteLLM makes an empty answer of it, which cannot be told from one that is meant so.
    ("choices-null", "groq", "invoke"): "nothing",
    ("choices-null", "text", "invoke"): "nothing",
    ("error-event-first", "text", "invoke"): "nothing",
}


def model_at(server: FaultServer, provider_name: str, *, timeout_s: float = 2.0) -> RouterChatLiteLLM:
    model, path = PROVIDERS[provider_name]
    return RouterChatLiteLLM(
        model=model,
        api_base=server.base_url.removesuffix("/v1") + path,
        api_key="key-in-a-test",
        timeout=timeout_s,
        **OPTIONS.get(provider_name, {}),
    )


def always(server: FaultServer, behaviour: str | Behaviour) -> None:
    """Misbehave whatever the model is called; some ways name it in the address only."""
    for name in NAMES:
        server.rate(name, behaviour, share=1)


def under_way(server: FaultServer) -> int:
    return sum(server.in_flight(name) for name in NAMES)


def ask(model: RouterChatLiteLLM, way: str) -> None:
    async def astreamed() -> None:
        async for _ in model.astream("Hello"):
            pass

    if way == "invoke":
        model.invoke("Hello")
    else:
        asyncio.run(astreamed())


def expected(fault: str, provider_name: str, way: str) -> list[str]:
    case = (fault, provider_name, way)
    return EXCEPT.get(case, EXCEPT.get(case[:2], FAULTS[fault])).split(" or ")


def kind_of(model: RouterChatLiteLLM, way: str) -> str:
    try:
        ask(model, way)
    except Exception as error:  # noqa: BLE001 - its kind is what matters
        return str(error_kind(error).value)
    return "nothing"


@pytest.mark.parametrize("provider_name", PROVIDERS)
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("way", ["invoke", "astream"])
def test_a_fault_is_what_it_is_at_every_provider(
    fault_server: FaultServer, provider_name: str, fault: str, way: str
) -> None:
    from tests.faults.behaviours import status

    always(fault_server, status(int(fault)) if fault.isdigit() else fault)
    seen = kind_of(model_at(fault_server, provider_name), way)
    assert seen in expected(fault, provider_name, way)
    if fault != "reset-before-headers":  # before 1.110, LiteLLM's async calls try a reset connection again
        assert len(fault_server.seen) == 1


@pytest.mark.parametrize("provider_name", PROVIDERS)
@pytest.mark.parametrize("way", ["invoke", "astream"])
def test_when_to_come_back_is_known_of_every_provider(
    fault_server: FaultServer, provider_name: str, way: str
) -> None:
    from tests.faults.behaviours import rate_limited

    always(fault_server, rate_limited("7"))
    with pytest.raises(Exception) as caught:  # noqa: PT011 - as above
        ask(model_at(fault_server, provider_name), way)
    assert (error_kind(caught.value), retry_after_s(caught.value)) == ("rate_limited", 7)


@pytest.mark.parametrize("provider_name", PROVIDERS)
@pytest.mark.parametrize("fault", ["hang-before-headers", "hang-after-headers"])
def test_the_timeout_holds_at_every_provider(
    fault_server: FaultServer, provider_name: str, fault: str
) -> None:
    always(fault_server, fault)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - as above
        ask(model_at(fault_server, provider_name, timeout_s=0.1), "invoke")
    assert error_kind(caught.value) == "timeout"


# --- closing --------------------------------------------------------------------------------------------


def data(body: Any) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def anthropic_events() -> list[bytes]:
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "x", "content": []}
    usage = {"input_tokens": 1, "output_tokens": 1}
    delta = {"type": "text_delta", "text": "Hello"}
    return [
        data({"type": "message_start", "message": {**message, "stop_reason": None, "usage": usage}}),
        data({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        data({"type": "content_block_delta", "index": 0, "delta": delta}),
    ]


def gemini_events() -> list[bytes]:
    return [data({"candidates": [{"index": 0, "content": {"role": "model", "parts": [{"text": "Hello"}]}}]})]


def responses_events() -> list[bytes]:
    said = {"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0, "content_index": 0}
    return [data({**said, "sequence_number": 1, "delta": "Hello"})]


STREAMS = {"anthropic": anthropic_events, "gemini": gemini_events, "responses": responses_events}


@pytest.mark.parametrize("provider_name", ["openai", "azure", "mistral", "groq", "openrouter", *STREAMS])
@pytest.mark.parametrize("way", ["stream", "astream"])
def test_closing_a_stream_closes_its_connection_at_every_provider(
    fault_server: FaultServer, provider_name: str, way: str
) -> None:
    from tests.faults.behaviours import hang_mid_body
    from tests.faults.routed import in_flight_soon

    async def first_event_only(exchange: Exchange) -> None:
        await exchange.stream_head()
        for event in STREAMS[provider_name]():
            await exchange.chunk(event)
        await exchange.pause(5)
        exchange.close()

    always(fault_server, first_event_only if provider_name in STREAMS else hang_mid_body(5))
    model = model_at(fault_server, provider_name, timeout_s=5)

    async def left_after_one_chunk() -> int:
        chunks: Any = model.astream("Hello")
        async with contextlib.aclosing(chunks):
            await anext(chunks)
        return await asyncio.to_thread(left)

    def left() -> int:
        return sum(in_flight_soon(fault_server, name) for name in NAMES)

    if way == "astream":
        assert asyncio.run(left_after_one_chunk()) == 0
        return
    chunks: Any = model.stream("Hello")
    next(chunks)
    assert under_way(fault_server) == 1
    chunks.close()
    assert left() == 0
