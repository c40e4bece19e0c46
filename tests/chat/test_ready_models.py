"""What a call needs is made within its time, once, and never half."""

from __future__ import annotations

import copy
import functools
import pickle
import threading
import time
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.rate_limiters import InMemoryRateLimiter

from langchain_router import Candidate, ChatRouter, Resilience
from langchain_router.chat import ready_models
from langchain_router.chat.ready_models import Copies
from langchain_router.exceptions import DeadlineExceededError
from langchain_router.execution.resilience import Deadlines
from langchain_router.providers import litellm as providers
from langchain_router.providers.litellm import RouterChatLiteLLM
from tests.chat.speaking import WAYS, Way, final, plain

SOON = Resilience(deadlines=Deadlines(total_s=0.05))
MOST_S = 1.0


def from_a_string(**options: Any) -> ChatRouter:
    mock = {"api_key": "k", "mock_response": "An answer."}
    return ChatRouter(candidates=[Candidate(model="openai/gpt-4o-mini", options=mock)], **options)


@pytest.mark.parametrize("way", WAYS)
async def test_the_wait_for_the_rate_limiter_counts_for_the_deadline(way: Way) -> None:
    seldom = InMemoryRateLimiter(requests_per_second=0.5, check_every_n_seconds=0.005)
    router = plain(final(), resilience=SOON, rate_limiter=seldom)
    started_s = time.monotonic()
    with pytest.raises(DeadlineExceededError):
        await way(router, {})
    assert time.monotonic() - started_s < MOST_S


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let a model from a string be made only when this is set."""
    release = threading.Event()

    def slow(**options: Any) -> RouterChatLiteLLM:
        while not release.wait(0.005):
            pass
        return RouterChatLiteLLM(**options)

    monkeypatch.setattr(providers, "RouterChatLiteLLM", slow)
    return release


@pytest.mark.parametrize("way", WAYS)
async def test_the_making_of_the_model_counts_for_the_deadline(way: Way, released: threading.Event) -> None:
    started_s = time.monotonic()
    try:
        with pytest.raises(DeadlineExceededError):
            await way(from_a_string(resilience=SOON), {})
        assert time.monotonic() - started_s < MOST_S
    finally:
        released.set()  # an event loop does not end before its threads


def test_an_import_of_litellm_is_not_interrupted_by_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    release, ended = threading.Event(), threading.Event()

    def slow_import(_: str) -> None:
        while not release.wait(0.005):
            pass
        ended.set()

    anew = functools.cache(ready_models._litellm_import.__wrapped__)
    monkeypatch.setattr(ready_models, "_litellm_import", anew)
    monkeypatch.setattr(ready_models, "import_module", slow_import)
    with pytest.raises(DeadlineExceededError):
        from_a_string(resilience=SOON).invoke("Hello")
    release.set()
    assert ended.wait(MOST_S)
    assert from_a_string().invoke("Hello").text == "An answer."


# --- copies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
async def test_a_model_is_set_up_for_a_timeout_once(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[Any] = []

    def noting(self: RouterChatLiteLLM, *, update: Any, **_: Any) -> RouterChatLiteLLM:
        copied.append(update)
        return super(RouterChatLiteLLM, self).model_copy(update=update)

    monkeypatch.setattr(RouterChatLiteLLM, "model_copy", noting)
    router = from_a_string(resilience=Resilience(deadlines=Deadlines(total_s=20, between_chunks_s=None)))
    for _ in range(3):
        await way(router, {})
    assert copied == [{"request_timeout": 20.0}]


def test_a_copy_is_kept_for_its_changes_and_of_strings_only() -> None:
    copies, first, other = Copies(), FakeListChatModel(responses=["a"]), FakeListChatModel(responses=["a"])
    string, own = Candidate(model="openai/gpt-4o-mini"), Candidate(model=first, name="own")
    once = copies.of(string, first, {"cache": True})
    assert once.cache is True
    assert copies.of(string, first, {"cache": True}) is once
    assert copies.of(string, first, {"cache": False}) is not once
    assert copies.of(string, other, {"cache": True}) is not once
    assert copies.of(own, first, {"cache": True}) is not copies.of(own, first, {"cache": True})
    assert copies.of(string, first, {}) is first


def test_copies_do_not_pile_up_and_do_not_travel() -> None:
    copies, model = Copies(), FakeListChatModel(responses=["a"])
    string = Candidate(model="openai/gpt-4o-mini")
    first = copies.of(string, model, {"sleep": 0.0})
    for seconds in range(1, ready_models._MOST_COPIES + 1):
        copies.of(string, model, {"sleep": float(seconds)})
    assert copies.of(string, model, {"sleep": 0.0}) is not first
    kept = copies.of(string, model, {"sleep": 0.0})
    sent = pickle.dumps(copies)
    for travelled in (pickle.loads(sent), copy.deepcopy(copies)):  # noqa: S301 - our own
        assert travelled.of(string, model, {"sleep": 0.0}) is not kept
