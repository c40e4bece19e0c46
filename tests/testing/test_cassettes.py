"""Cassettes: readable, without secrets, and a miss can never look like a provider's error."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import vcr
import yaml

from langchain_router import Candidate, ChatRouter
from langchain_router.testing import SimulatedProvider, cassettes

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def no_cassette_miss() -> None:
    """These tests miss on purpose, under a guard of their own."""


@pytest.fixture
def tape(tmp_path: Path) -> Callable[..., Any]:
    recorder = vcr.VCR()
    cassettes.register(recorder)

    def use(mode: str) -> Any:
        return recorder.use_cassette(str(tmp_path / "tape.yaml"), record_mode=mode, **cassettes.options())

    return use


def test_recorded_traffic_replays_with_nobody_listening(
    router: ChatRouter,
    candidates_at: Callable[..., list[Candidate]],
    tape: Callable[..., Any],
    provider: SimulatedProvider,
) -> None:
    with tape("once"):
        recorded = router.invoke("Hello").content
    elsewhere = ChatRouter(candidates=candidates_at("http://127.0.0.1:9/v1"), quality=0.75)
    before = len(provider.requests)
    with tape("none") as cassette, cassettes.fail_on_miss(cassette):
        assert elsewhere.invoke("Hello").content == recorded
    assert len(provider.requests) == before


def test_a_miss_fails_the_test_even_when_the_router_survives_it(
    router: ChatRouter, tape: Callable[..., Any]
) -> None:
    with tape("once"):
        router.invoke("Hello", model="large")
    with (
        pytest.raises(AssertionError, match=r"1 request\(s\) were not on the cassette"),
        tape("none") as cassette,
        cassettes.fail_on_miss(cassette),
    ):
        assert router.invoke("Hello").response_metadata["router"]["served_by"] == "large"


def test_a_recorded_request_that_is_no_longer_made_fails_the_test(
    router: ChatRouter, tape: Callable[..., Any]
) -> None:
    with tape("once"):
        router.invoke("Hello")
        router.invoke("Bye")
    with (
        pytest.raises(AssertionError, match="Only 1 of 2"),
        tape("none") as cassette,
        cassettes.fail_on_miss(cassette),
    ):
        router.invoke("Hello")


def test_random_ids_do_not_matter_and_everything_else_does(
    router: ChatRouter, tape: Callable[..., Any]
) -> None:
    with tape("once"):
        router.invoke("Ticket 0b9f2f63-35b5-4a5f-9a86-2e6c2a1f7d11")
    with tape("none") as cassette, cassettes.fail_on_miss(cassette):
        router.invoke("Ticket 7f1dcb11-8a55-4f7e-8c1a-3b8f6f0f9c22")
    with (
        pytest.raises(AssertionError, match="not on the cassette"),
        tape("none") as cassette,
        cassettes.fail_on_miss(cassette),
        pytest.raises(Exception, match=r"."),
    ):
        router.invoke("Another question")


def test_a_cassette_is_readable_and_holds_no_key(
    router: ChatRouter, tape: Callable[..., Any], tmp_path: Path
) -> None:
    with tape("once"):
        router.invoke("Hello")
    text = (tmp_path / "tape.yaml").read_text()
    assert "key-in-a-test" not in text
    assert "authorization" not in text.lower()
    (interaction,) = yaml.safe_load(text)["interactions"]
    assert interaction["request"]["parsed_body"]["messages"] == [{"content": "Hello", "role": "user"}]
    assert interaction["response"]["parsed_body"]["choices"][0]["message"]["role"] == "assistant"
    assert interaction["request"]["uri"] == "http://127.0.0.1/v1/chat/completions"


def test_no_cassette_of_the_project_holds_a_secret() -> None:
    shapes = re.compile(
        r"authorization|x-api-key|x-goog|set-cookie|organization|bearer|\bsk-[A-Za-z0-9]|AKIA[0-9A-Z]{12}|key-in-a-test",
        re.IGNORECASE,
    )
    files = sorted((ROOT / "cassettes").rglob("*.yaml"))
    assert files
    found = {path.name: match.group() for path in files if (match := shapes.search(path.read_text()))}
    assert found == {}
