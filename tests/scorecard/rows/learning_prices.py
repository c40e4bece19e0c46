"""Prices that are missing or impossible, and a wall clock that jumps."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import zip_longest
from typing import Any

from tenacity import wait_none

from langchain_router import (
    BreakerConfig,
    Candidate,
    ChatRouter,
    ConfigurationError,
    NoEligibleCandidateError,
    Price,
    Resilience,
    RouterError,
    SpendCap,
)
from langchain_router.outcomes.feedback import Feedback
from langchain_router.outcomes.storing.memory_store import MemoryStore
from langchain_router.policies import CostPolicy
from langchain_router.router import Router
from langchain_router.testing.scripted import ScriptedChatModel
from tests.scorecard.parts import Clock, Outcomes, in_memory, records
from tests.scorecard.row import Figures, Scale, row

_HOUR_S = 3_600.0
_CAP_USD = 0.0018
_WRONG: tuple[Any, ...] = (
    math.nan, math.inf, -math.inf, -1e-12, -1, "0.1", "free", "", True, False, [0.1], {"usd": 1}, 1j,
)  # fmt: skip


@row(
    "L8",
    "A price that is NaN, infinite, negative or no number, in each of its fields and in either unit; a "
    "candidate without a price beside one with",
    "Every such price is refused when it is written down. No price is never a price of nothing: the priced "
    "candidate is chosen, a limit on cost excludes the other, and its calls cost an unknown amount.",
    bound_s=60,
    quick_bound_s=30,
)
def no_price_is_never_free(scale: Scale) -> Figures:  # noqa: ARG001 - quick as it is
    figures = Figures()
    tried = refused = 0
    for make, fields in (
        (Price, ("input_usd_per_token", "output_usd_per_token", "cached_input_usd_per_token")),
        (Price.per_million, ("input_usd", "output_usd", "cached_input_usd")),
    ):
        for field in fields:
            for wrong in (*_WRONG, *(() if "cached" in field else (None,))):
                tried += 1
                refused += _is_refused(make, **{**dict.fromkeys(fields, 1e-6), field: wrong})
    for wrong in _WRONG:
        tried += 1
        refused += _is_refused(Candidate, model=_model(), name="one", price=wrong)
    figures.exactly("impossible prices refused", 100 * refused / tried, 100, "%")
    figures.tell("tried", tried)

    outcomes = Outcomes()
    unpriced = Candidate(model=_model(), name="unpriced", quality=0.9, context_tokens=100_000)
    priced = in_memory("priced", rank=1_000)
    both = ChatRouter(candidates=[unpriced, priced], quality=0.5, on_outcome=outcomes, store=MemoryStore())
    chosen = both.decide("Hello").chosen.name
    figures.exactly("the priced one is chosen, however dear", float(chosen == "priced"), 1)
    alone = ChatRouter(candidates=[unpriced], on_outcome=outcomes, store=MemoryStore())
    figures.exactly("its expected cost is unknown", float(alone.decide("Hi").estimated_cost_usd is None), 1)
    alone.invoke("Hello")
    figures.exactly("what its call cost is unknown", float(outcomes.last.cost_usd is None), 1)
    figures.exactly("a limit on cost excludes it", float(_is_excluded(alone, max_cost_usd=1e6)), 1)
    capped = ChatRouter(candidates=[unpriced], spend_cap=SpendCap(usd=1e6, per_s=60.0), store=MemoryStore())
    figures.exactly("a spend cap excludes it", float(_is_excluded(capped)), 1)
    return figures


def _model() -> ScriptedChatModel:
    return ScriptedChatModel(answers=["An answer."])


def _is_refused(make: Callable[..., object], **given: Any) -> bool:
    try:
        make(**given)
    except ConfigurationError:
        return True
    return False


def _is_excluded(chat: ChatRouter, **constraints: Any) -> bool:
    try:
        chat.decide("Hello", **constraints)
    except NoEligibleCandidateError:
        return True
    return False


@row(
    "L9",
    "The wall clock jumps by an hour, back and forth, between requests, while a candidate fails, is left "
    "alone and comes back, and a tenant comes to its cap; the monotonic clock goes on as ever",
    "Breaker, spend cap and choices are those of the same run without jumps. Nothing stored is lost, and "
    "feedback finds its decision.",
    bound_s=60,
    quick_bound_s=30,
)
def a_jumping_wall_clock_moves_nothing(scale: Scale) -> Figures:
    figures = Figures()
    count = scale(2_000, 200)
    steady, jumping = (_run(count, jumps=jumps) for jumps in (False, True))
    pairs = list(zip(steady.told, jumping.told, strict=True))
    transitions = zip_longest(steady.transitions, jumping.transitions)
    figures.none("spurious transitions", sum(one != other for one, other in transitions))
    figures.none("requests that went otherwise", sum(one != other for one, other in pairs))
    figures.at_least("transitions in that time", len(steady.transitions), 3)
    figures.at_least(
        "requests that the cap kept from one", sum(one[1:] == ("sound",) for one in steady.told), 1
    )
    figures.exactly("decisions stored", jumping.counts["decisions"], steady.counts["decisions"])
    figures.exactly("outcomes stored", jumping.counts["outcomes"], steady.counts["outcomes"])
    figures.exactly("feedback that found its decision", jumping.found, steady.found)
    return figures


class _Came:
    """What a run came to."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []
        self.transitions: list[str] = []
        self.counts: dict[str, int] = {}
        self.found = 0


def _run(count: int, *, jumps: bool) -> _Came:
    came, clock, wall = _Came(), Clock(), _Wall()
    store = MemoryStore(wall_clock=wall)
    flaky = in_memory("flaky", script=(["server"] * 4 + ["ok"] * 25) * (count // 29 + 1))
    sound = in_memory("sound", rank=3)
    resilience = Resilience(breaker=BreakerConfig(failures=3, open_s=10.0, jitter=0.0), wait=wait_none())
    router = Router(
        [flaky, sound],
        policy=CostPolicy(quality=0.5),
        resilience=resilience,
        spend_cap=SpendCap(usd=_CAP_USD, per_s=60.0),
        store=store,
        clock=clock,
        wall_clock=wall,
    )
    chat = ChatRouter(candidates=[flaky, sound], quality=0.5, store=store)
    chat._router = router
    logged: list[logging.LogRecord] = []
    with records(logged, logging.INFO), _time_is(wall):
        for number in range(count):
            clock.now += 1.0
            wall.now += 1.0 + ((_HOUR_S, -_HOUR_S)[number % 2] if jumps else 0.0)
            try:
                answer = chat.invoke("Hello")
            except RouterError as error:
                came.told.append((type(error).__name__,))
                continue
            router_says = answer.response_metadata["router"]
            came.told.append((router_says["served_by"], *sorted(router_says["excluded"])))
            id_ = router_says["decision_id"]
            [receipt] = store.add_feedback(Feedback(decision_id=id_, score=0.9, source=f"user-{number}"))
            came.found += receipt.decision_id == id_ and receipt.status == "new"
    came.transitions = [one.getMessage() for one in logged if one.getMessage().startswith("breaker")]
    came.counts = store.counts()
    return came


class _Wall:
    """Seconds since 1970 that go as they are told."""

    def __init__(self) -> None:
        self.now = 1_767_268_800.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def _time_is(wall: _Wall) -> Iterator[None]:
    """Let all code in this process read the wall clock as told."""
    real = time.time
    time.time = wall
    try:
        yield
    finally:
        time.time = real
