"""vcrpy cassettes of provider traffic: readable, free of secrets, and never silently missed.

For use with pytest-recording. In a `conftest.py`:

    from langchain_router.testing import cassettes

    @pytest.fixture
    def vcr_config():
        return cassettes.options()

    def pytest_recording_configure(config, vcr):
        cassettes.register(vcr)

    @pytest.fixture(autouse=True)
    def no_cassette_miss(vcr):
        with cassettes.fail_on_miss(vcr):
            yield

Needs vcrpy and PyYAML, which are not dependencies of the library itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import yaml
from vcr.errors import CannotOverwriteExistingCassetteException

FORMAT = "yaml"
MATCHER = "json-body"

_REQUEST_HEADERS = frozenset({"accept", "content-type"})
_RESPONSE_HEADERS = frozenset({"content-type", "retry-after", "x-request-id"})
_LOOPBACK_PORT = re.compile(r"^(https?://(?:127\.0\.0\.1|localhost|\[::1\])):\d+(?=/|$)")
_UUID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b", re.IGNORECASE
)


def options() -> dict[str, Any]:
    """Return the keyword arguments for `use_cassette`, as pytest-recording's `vcr_config` fixture takes them.

    Only listed headers are kept, so no key or organisation can be recorded; ports of loopback servers are
    dropped, so a server that takes a free port matches; JSON bodies are compared as data with random ids
    (UUIDs) taken as equal.
    """
    return {
        "match_on": ["method", "uri", MATCHER],
        "serializer": FORMAT,
        "decode_compressed_response": True,
        "before_record_request": _clean_request,
        "before_record_response": _clean_response,
    }


def register(vcr: Any) -> None:
    """Teach a `vcr.VCR` the format and the matcher that `options` names."""
    vcr.register_serializer(FORMAT, _ReadableYaml)
    vcr.register_matcher(MATCHER, _same_body)


@contextmanager
def fail_on_miss(cassette: Any | None) -> Iterator[None]:
    """Fail when a request was not on the cassette, even if someone caught the error.

    A miss surfaces inside LiteLLM as a connection error, and a router that fails over would answer from
    another candidate: the test would pass for the wrong reason. So misses are noted where they are raised.
    In replay, interactions that were recorded but not asked for fail too.

    Args:
        cassette: The cassette in use, or None where the test has none.

    Raises:
        AssertionError: A request was missing from the cassette, or a recorded one was not made.
    """
    misses: list[str] = []
    original = CannotOverwriteExistingCassetteException.__init__

    def noted(self: Any, *args: Any, **kwargs: Any) -> None:
        request = kwargs["failed_request"]
        misses.append(f"{request.method} {request.uri}")
        original(self, *args, **kwargs)

    with patch.object(CannotOverwriteExistingCassetteException, "__init__", noted):
        yield
    if misses:
        raise AssertionError(
            f"{len(misses)} request(s) were not on the cassette, first {misses[0]}. "
            "If the change is meant, record again; otherwise the request differs from the recorded one."
        )
    if cassette is not None and not cassette.dirty and not cassette.all_played:
        raise AssertionError(
            f"Only {cassette.play_count} of {len(cassette)} recorded requests were made; record again."
        )


class _ReadableYaml:
    """YAML with JSON bodies as data, so that a diff of a cassette can be read."""

    @staticmethod
    def serialize(cassette: dict[str, Any]) -> str:
        interactions = [
            {
                "request": _with_parsed_body(one["request"], one["request"].get("body")),
                "response": _with_parsed_body(one["response"], one["response"]["body"].get("string")),
            }
            for one in cassette["interactions"]
        ]
        written: str = yaml.dump(
            {"version": cassette["version"], "interactions": interactions},
            Dumper=_LiteralDumper,
            sort_keys=False,
            allow_unicode=True,
            width=110,
        )
        return written

    @staticmethod
    def deserialize(text: str) -> dict[str, Any]:
        cassette: dict[str, Any] = yaml.safe_load(text)
        for one in cassette["interactions"]:
            one["request"]["body"] = _body_text(one["request"])
            one["response"]["body"] = {"string": _body_text(one["response"])}
        return cassette


class _LiteralDumper(yaml.SafeDumper):
    """Writes text of several lines, such as a stream of events, as a block of lines."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_LiteralDumper.add_representer(str, _represent_text)


def _with_parsed_body(message: Mapping[str, Any], body: Any) -> dict[str, Any]:
    rest = {key: value for key, value in message.items() if key != "body"}
    try:
        return {**rest, "parsed_body": json.loads(body)}
    except (TypeError, ValueError):
        return {**rest, "body": body}


def _body_text(message: dict[str, Any]) -> Any:
    if "parsed_body" in message:
        return json.dumps(message.pop("parsed_body"), ensure_ascii=False)
    return message.pop("body", None)


def _clean_request(request: Any) -> Any:
    request.headers = {k: v for k, v in request.headers.items() if k.lower() in _REQUEST_HEADERS}
    request.uri = _LOOPBACK_PORT.sub(r"\1", request.uri)
    return request


def _clean_response(response: dict[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in response["headers"].items() if k.lower() in _RESPONSE_HEADERS}
    return {**response, "headers": kept}


def _same_body(one: Any, other: Any) -> None:
    if _comparable(one.body) != _comparable(other.body):
        raise AssertionError("the JSON bodies differ")


def _comparable(body: Any) -> Any:
    if body is None:
        return None
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else str(body)
    text = _UUID.sub("uuid", text)
    try:
        return json.loads(text)
    except ValueError:
        return text
