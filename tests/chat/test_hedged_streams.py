"""Two models race for the first token: only the winner's are ever seen."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from tenacity import stop_after_attempt

from langchain_router import Resilience
from langchain_router.execution.resilience import Hedging
from tests.chat.speaking import (
    FINAL,
    FINAL_TOKENS,
    WAYS,
    Tokens,
    Tracer,
    Way,
    by_astream,
    by_stream,
    draft,
    final,
    plain,
)

SLOW_S = 0.2
HEDGED = Resilience(hedging=Hedging(after_s=0.02, share=1.0), stop=stop_after_attempt(2))


@pytest.fixture(autouse=True)
def _no_call_is_left_behind() -> Iterator[None]:
    yield
    ends_s = time.monotonic() + 2 * SLOW_S
    while any(thread.name == "langchain-router-call" for thread in threading.enumerate()):
        assert time.monotonic() < ends_s
        time.sleep(0.005)


@pytest.mark.parametrize("way", WAYS)
async def test_a_slow_model_loses_unseen(way: Way) -> None:
    shown, tracer = Tokens(), Tracer()
    router = plain(draft(pauses_s={0: SLOW_S}), final(), resilience=HEDGED)
    answer = await way(router, {"callbacks": [shown, tracer]})
    assert answer.text == FINAL
    assert shown.tokens == (FINAL_TOKENS if way in (by_stream, by_astream) else [])
    attempts = answer.response_metadata["router_outcome"]["attempts"]
    assert [(one["role"], one["error_kind"]) for one in attempts] == [
        ("answer", "cancelled"),
        ("hedge", None),
    ]


@pytest.mark.parametrize("way", WAYS)
async def test_a_quick_model_is_not_hedged(way: Way) -> None:
    shown = Tokens()
    answer = await way(plain(final(), draft(), resilience=HEDGED), {"callbacks": [shown]})
    assert answer.response_metadata["router_outcome"]["served_by"] in {"final", "draft"}
    assert len(answer.response_metadata["router_outcome"]["attempts"]) == 1
