"""The errors of the providers' clients, by the names that their libraries give them.

None of these libraries need be installed, so classes are known by their names, not by importing them.
"""

from __future__ import annotations

from typing import Any, Final

from langchain_router.execution.kinds import ErrorKind

# LiteLLM's and OpenAI's; they tell more than LangChain's classes that they may also have.
_TELLING: Final = {
    "UnsupportedParamsError": ErrorKind.UNSUPPORTED,
    "ContentPolicyViolationError": ErrorKind.REFUSED,
    "ContentFilterFinishReasonError": ErrorKind.REFUSED,
}

# Whatever the library: the clients of OpenAI, Anthropic, Groq and others are made alike.
_ANYBODYS: Final = {
    "APIConnectionError": ErrorKind.CONNECT,
    "APIError": ErrorKind.SERVER,
    "APIResponseValidationError": ErrorKind.MALFORMED,
    "APITimeoutError": ErrorKind.TIMEOUT,
    "ConnectTimeout": ErrorKind.TIMEOUT,
    "ConnectTimeoutError": ErrorKind.TIMEOUT,
    "ConnectionError": ErrorKind.CONNECT,
    "HTTPClientError": ErrorKind.CONNECT,
    "ReadTimeoutError": ErrorKind.TIMEOUT,
    "SSLError": ErrorKind.CONNECT,
    "Timeout": ErrorKind.TIMEOUT,
    "TimeoutException": ErrorKind.TIMEOUT,
    "TransportError": ErrorKind.CONNECT,
    "gaierror": ErrorKind.CONNECT,
}

# Names that say little by themselves, with the library that they belong to.
_OF_LIBRARIES: Final = {
    "aiohttp.ClientError": ErrorKind.CONNECT,
    "aiohttp.ContentTypeError": ErrorKind.MALFORMED,
    "asyncio.IncompleteReadError": ErrorKind.CONNECT,
    "azure.DecodeError": ErrorKind.MALFORMED,
    "azure.ServiceRequestError": ErrorKind.CONNECT,
    "azure.ServiceRequestTimeoutError": ErrorKind.TIMEOUT,
    "azure.ServiceResponseError": ErrorKind.CONNECT,
    "azure.ServiceResponseTimeoutError": ErrorKind.TIMEOUT,
    "botocore.EventStreamError": ErrorKind.SERVER,
    "botocore.IncompleteReadError": ErrorKind.CONNECT,
    "botocore.NoCredentialsError": ErrorKind.AUTH,
    "botocore.PartialCredentialsError": ErrorKind.AUTH,
    "google.DefaultCredentialsError": ErrorKind.AUTH,
    "google.RefreshError": ErrorKind.AUTH,
    "google.RetryError": ErrorKind.TIMEOUT,
    "grpc.RpcError": ErrorKind.SERVER,
    "http.BadStatusLine": ErrorKind.CONNECT,
    "http.IncompleteRead": ErrorKind.CONNECT,
    "http.LineTooLong": ErrorKind.CONNECT,
    "httpcore.ConnectionNotAvailable": ErrorKind.CONNECT,
    "httpcore.NetworkError": ErrorKind.CONNECT,
    "httpcore.ProtocolError": ErrorKind.CONNECT,
    "httpcore.ProxyError": ErrorKind.CONNECT,
    "httpx.DecodingError": ErrorKind.MALFORMED,
    "httpx.RequestError": ErrorKind.CONNECT,
    "requests.ContentDecodingError": ErrorKind.MALFORMED,
    "requests.InvalidJSONError": ErrorKind.UNKNOWN,  # of the body to send
    "requests.RequestException": ErrorKind.CONNECT,
    "socket.herror": ErrorKind.CONNECT,
    "urllib.URLError": ErrorKind.CONNECT,
    "urllib3.DecodeError": ErrorKind.MALFORMED,
    "urllib3.HTTPError": ErrorKind.CONNECT,
    "urllib3.NewConnectionError": ErrorKind.CONNECT,  # which it also calls a timeout
    "urllib3.TimeoutError": ErrorKind.TIMEOUT,
}

_OF_GRPC: Final = {
    "ABORTED": ErrorKind.SERVER,
    "CANCELLED": ErrorKind.CONNECT,
    "DATA_LOSS": ErrorKind.SERVER,
    "DEADLINE_EXCEEDED": ErrorKind.TIMEOUT,
    "FAILED_PRECONDITION": ErrorKind.BAD_REQUEST,
    "INTERNAL": ErrorKind.SERVER,
    "INVALID_ARGUMENT": ErrorKind.BAD_REQUEST,
    "NOT_FOUND": ErrorKind.NOT_FOUND,
    "OUT_OF_RANGE": ErrorKind.BAD_REQUEST,
    "PERMISSION_DENIED": ErrorKind.AUTH,
    "RESOURCE_EXHAUSTED": ErrorKind.RATE_LIMITED,
    "UNAUTHENTICATED": ErrorKind.AUTH,
    "UNAVAILABLE": ErrorKind.OVERLOADED,
    "UNIMPLEMENTED": ErrorKind.UNSUPPORTED,
}


def telling_kind(error: Exception) -> ErrorKind | None:
    """Return the kind of an error whose name tells more than any other class that it has."""
    return next((_TELLING[cls.__name__] for cls in type(error).__mro__ if cls.__name__ in _TELLING), None)


def kind_by_name(error: Exception) -> ErrorKind | None:
    """Return the kind of an error of a client that is known by its name, the most telling class first."""
    for cls in type(error).__mro__:
        library = _library_of(cls)
        if library == "grpc" and (kind := _by_grpc_code(error)) is not None:
            return kind
        if (kind := _OF_LIBRARIES.get(f"{library}.{cls.__name__}")) is not None:
            return kind
        if library != "builtins" and (kind := _ANYBODYS.get(cls.__name__)) is not None:
            return kind
    return None


def _library_of(cls: type) -> str:
    root = cls.__module__.partition(".")[0]
    return "httpx" if root == "httpx2" else root


def _by_grpc_code(error: Any) -> ErrorKind | None:
    code = getattr(error, "code", None)
    return _OF_GRPC.get(str(getattr(code(), "name", ""))) if callable(code) else None
