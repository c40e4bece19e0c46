"""What a provider's package raises over an answer: unreadable, unless the error says what it is."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from tenacity import stop_after_attempt

from langchain_router import Candidate, ChatRouter, MalformedResponseError, Resilience

ONCE = Resilience(stop=stop_after_attempt(1))


def raised_in(module: str, error: Exception) -> Callable[[], None]:
    """A function of that module which raises the error."""
    space: dict[str, Any] = {"__name__": module, "error": error}
    exec("def call(): raise error", space)  # noqa: S102 - the module's name is what matters
    call: Callable[[], None] = space["call"]
    return call


def failing(module: str, error: Exception) -> BaseException:
    call = raised_in(module, error)

    class Fails(FakeListChatModel):
        def _call(self, *_: Any, **__: Any) -> str:
            call()
            raise AssertionError

    with pytest.raises(Exception) as caught:  # noqa: PT011 - each test looks at what it is
        ChatRouter(candidates=[Candidate(model=Fails(responses=[""]), name="a")], resilience=ONCE).invoke(
            "Hi"
        )
    return caught.value


@pytest.mark.parametrize(
    "error", [IndexError("x"), TypeError("x"), json.JSONDecodeError("x", "the answer", 0)], ids=repr
)
def test_a_bare_error_of_a_providers_package_is_an_unreadable_answer(error: Exception) -> None:
    assert isinstance(failing("langchain_acme.chat", error), MalformedResponseError)


def test_the_same_error_of_the_users_own_code_surfaces() -> None:
    error = IndexError("x")
    assert failing("shop.callbacks", error) is error


def test_a_certificate_that_is_refused_is_a_failed_connection_though_python_calls_it_a_value_error() -> None:
    error = ssl.SSLCertVerificationError("expired")
    assert failing("langchain_acme.chat", error) is error
