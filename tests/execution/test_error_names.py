"""The errors of the providers' clients, known by their names: one row each."""

from __future__ import annotations

import asyncio
import errno
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel

from langchain_router import Candidate, ChatRouter, Price
from langchain_router.execution.errors import error_kind, retry_after_s

FREE, DEAR = (Price.per_million(input_usd=usd, output_usd=usd) for usd in (0, 9))


def of(path: str, *parents: str, **attributes: Any) -> Exception:
    """An error of a library that need not be installed: `module.Name`, and the classes that it is of."""
    cls: type = Exception
    for one in (*reversed(parents), path):
        module, _, name = one.rpartition(".")
        cls = type(name, (cls,), {"__module__": module})
    error: Exception = cls("x")
    for name, value in attributes.items():
        setattr(cls, name, value)
    return error


def grpc_says(name: str | None) -> Exception:
    code = None if name is None else SimpleNamespace(name=name)
    return of("grpc._channel._InactiveRpcError", "grpc.RpcError", code=lambda _: code)


AIOHTTP, AZURE, BOTOCORE = "aiohttp.client_exceptions", "azure.core.exceptions", "botocore.exceptions"
REQUESTS, URLLIB3 = "requests.exceptions", "urllib3.exceptions"
OF_LIBRARIES: list[tuple[Exception, str]] = [
    (of(f"{AIOHTTP}.ServerDisconnectedError", f"{AIOHTTP}.ClientError"), "connect"),
    (of(f"{AIOHTTP}.ClientPayloadError", f"{AIOHTTP}.ClientError"), "connect"),
    (of(f"{AIOHTTP}.ClientError"), "connect"),
    (of(f"{AIOHTTP}.ClientResponseError", f"{AIOHTTP}.ClientError", status=429), "rate_limited"),
    (of(f"{AIOHTTP}.ContentTypeError", f"{AIOHTTP}.ClientError", status=200), "malformed"),
    (of(f"{AZURE}.ServiceRequestError", f"{AZURE}.AzureError"), "connect"),
    (of(f"{AZURE}.ServiceResponseError", f"{AZURE}.AzureError"), "connect"),
    (of(f"{AZURE}.ServiceResponseTimeoutError", f"{AZURE}.ServiceResponseError"), "timeout"),
    (of(f"{BOTOCORE}.EndpointConnectionError", f"{BOTOCORE}.ConnectionError"), "connect"),
    (of(f"{BOTOCORE}.ReadTimeoutError", f"{BOTOCORE}.HTTPClientError"), "timeout"),
    (of(f"{BOTOCORE}.ConnectTimeoutError", f"{BOTOCORE}.ConnectionError"), "timeout"),
    (of(f"{BOTOCORE}.IncompleteReadError", f"{BOTOCORE}.BotoCoreError"), "connect"),
    (of(f"{BOTOCORE}.EventStreamError", f"{BOTOCORE}.ClientError"), "server"),
    (of(f"{BOTOCORE}.NoCredentialsError", f"{BOTOCORE}.BotoCoreError"), "auth"),
    (of("google.api_core.exceptions.ServiceUnavailable", code=HTTPStatus.SERVICE_UNAVAILABLE), "overloaded"),
    (of("google.api_core.exceptions.DeadlineExceeded", code=HTTPStatus.GATEWAY_TIMEOUT), "timeout"),
    (of("google.api_core.exceptions.RetryError", code=None), "timeout"),
    (of("google.auth.exceptions.DefaultCredentialsError"), "auth"),
    (grpc_says("UNAVAILABLE"), "overloaded"),
    (grpc_says("DEADLINE_EXCEEDED"), "timeout"),
    (grpc_says("RESOURCE_EXHAUSTED"), "rate_limited"),
    (grpc_says("UNAUTHENTICATED"), "auth"),
    (grpc_says("INVALID_ARGUMENT"), "bad_request"),
    (grpc_says("ANEWONE"), "server"),
    (grpc_says(None), "server"),
    (of("httpcore.RemoteProtocolError", "httpcore.ProtocolError"), "connect"),
    (of("httpcore.ConnectError", "httpcore.NetworkError"), "connect"),
    (of("httpcore.ReadTimeout", "httpcore.TimeoutException"), "timeout"),
    (of("httpx.DecodingError", "httpx.RequestError"), "malformed"),
    (of("httpx2.DecodingError", "httpx2.RequestError"), "malformed"),
    (of("httpx.TooManyRedirects", "httpx.RequestError"), "connect"),
    (of(f"{REQUESTS}.ConnectionError", f"{REQUESTS}.RequestException"), "connect"),
    (of(f"{REQUESTS}.ChunkedEncodingError", f"{REQUESTS}.RequestException"), "connect"),
    (of(f"{REQUESTS}.RetryError", f"{REQUESTS}.RequestException"), "connect"),
    (of(f"{REQUESTS}.ConnectTimeout", f"{REQUESTS}.ConnectionError"), "timeout"),
    (of(f"{REQUESTS}.ReadTimeout", f"{REQUESTS}.Timeout"), "timeout"),
    (of(f"{REQUESTS}.ContentDecodingError", f"{REQUESTS}.RequestException"), "malformed"),
    (of(f"{REQUESTS}.InvalidJSONError", f"{REQUESTS}.RequestException"), "unknown"),
    (of(f"{URLLIB3}.ProtocolError", f"{URLLIB3}.HTTPError"), "connect"),
    (of(f"{URLLIB3}.NewConnectionError", f"{URLLIB3}.ConnectTimeoutError"), "connect"),
    (of(f"{URLLIB3}.DecodeError", f"{URLLIB3}.HTTPError"), "malformed"),
    # of the same names, elsewhere
    (of("shop.orders.ClientError"), "unknown"),
    (of("shop.orders.URLError"), "unknown"),
    (of("shop.orders.RpcError", code=lambda _: SimpleNamespace(name="UNAVAILABLE")), "unknown"),
    (of("shop.orders.RequestException"), "unknown"),
]


@pytest.mark.parametrize(
    ("error", "kind"), OF_LIBRARIES, ids=lambda given: f"{type(given).__module__}.{type(given).__name__}"
)
def test_the_errors_of_the_providers_clients_have_their_kinds(error: Exception, kind: str) -> None:
    assert error_kind(error) == kind


@pytest.mark.parametrize(
    "given", [OSError(errno.EHOSTUNREACH, "x"), asyncio.IncompleteReadError(b"", 3), OF_LIBRARIES[0][0]]
)
def test_a_lost_connection_of_any_client_loses_no_request(given: Exception) -> None:
    class Dead(FakeListChatModel):
        def _call(self, *_: Any, **__: Any) -> str:
            raise given

    candidates = [
        Candidate(model=Dead(responses=[""]), name="dead", quality=0.99, price=FREE),
        Candidate(model=FakeListChatModel(responses=["yes"]), name="well", quality=0.98, price=DEAR),
    ]
    answer = ChatRouter(candidates=candidates).invoke("Hello")
    assert answer.text == "yes"
    assert answer.response_metadata["router_outcome"]["attempts"][0]["error_kind"] == "connect"


def test_the_real_classes_of_aiohttp_are_those_meant() -> None:
    aiohttp = pytest.importorskip("aiohttp")
    limited = aiohttp.ClientResponseError(None, (), status=429, headers={"Retry-After": "7"})
    assert (error_kind(limited), retry_after_s(limited)) == ("rate_limited", 7)
    for cls in (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, aiohttp.ClientError):
        assert error_kind(cls()) == "connect"
