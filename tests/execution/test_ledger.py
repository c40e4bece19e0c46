"""What one request has cost and tried: sums, estimates, and what is not known."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from langchain_router.checks.check import Verdict
from langchain_router.execution.errors import ErrorKind
from langchain_router.execution.ledger import Ledger
from langchain_router.execution.moves import Call, Reply
from tests.execution.breakers import Clock
from tests.execution.walks import as_step, asking, decision, message, priced, unpriced


def ledger(*, total_s: float | None = 60.0, clock: Clock | None = None, **constraints: Any) -> Ledger:
    return Ledger(decision("a"), asking(**constraints), total_s=total_s, clock=clock or Clock())


def call(who: Any = "a", role: Any = "answer") -> Call:
    return Call(step=as_step(who), number=1, role=role)


def answered(book: Ledger, who: Any = "a", said: Any = None, role: Any = "answer", **known: Any) -> int:
    reply = Reply(answer=None, message=said or message(), **known)
    return book.note_reply(call(who, role), reply, started_s=book.clock())


# --- time -----------------------------------------------------------------------------------------


def test_the_shortest_limit_counts_and_what_is_left_is_one() -> None:
    clock = Clock()
    book = ledger(total_s=60, clock=clock)
    assert book.within(10, None, 20) == 10
    assert book.within(100) == 60
    clock.now += 55
    assert book.within(10) == 5
    assert book.left_s() == 5


def test_a_call_made_after_the_time_is_over_has_a_moment_and_no_negative_time() -> None:
    clock = Clock()
    book = ledger(total_s=60, clock=clock)
    clock.now += 61
    assert book.left_s() == -1
    assert book.within(10) == 0.001


def test_without_any_limit_there_is_none() -> None:
    book = ledger(total_s=None)
    assert book.within(None) is None
    assert book.left_s() == math.inf


# --- money ----------------------------------------------------------------------------------------


def test_what_was_spent_is_the_sum_and_what_has_no_price_counts_as_nothing_in_it() -> None:
    book = ledger()
    answered(book)
    answered(book, unpriced("b"))
    assert book.spent_usd == pytest.approx(110e-6)
    assert book.outcome("ok").cost_usd is None, "an unknown cost makes the sum unknown"


def test_a_call_that_providers_bill_is_estimated_by_its_prompt_and_others_are_free() -> None:
    book = ledger()
    billed = book.note_failure(call(), ErrorKind.TIMEOUT, started_s=book.clock())
    free = book.note_failure(call(), ErrorKind.RATE_LIMITED, started_s=book.clock())
    unknown = book.note_failure(call(unpriced("b")), ErrorKind.TIMEOUT, started_s=book.clock())
    told = [(book.attempts[one].cost_usd, book.attempts[one].estimated) for one in (billed, free, unknown)]
    assert told == [(pytest.approx(book.request.prompt_tokens * 1e-6), True), (0.0, False), (None, False)]


def test_a_further_call_must_fit_beside_what_was_spent() -> None:
    book = ledger(max_cost_usd=0.0003)  # a call is expected to cost 100 answer tokens and the prompt
    assert book.affords(priced("a"))
    assert book.affords(priced("a"), priced("b"))
    assert not book.affords(priced("a"), priced("b"), priced("c"))
    answered(book)
    assert book.affords(priced("a"))
    answered(book)
    assert not book.affords(priced("a"))


def test_an_answer_that_reports_no_usage_counts_as_the_most_that_it_may_have_cost() -> None:
    book = ledger(max_cost_usd=0.0003)
    answered(book, said=message(tokens=None))
    assert book.attempts[0].cost_usd is None
    assert book.spent_usd == pytest.approx((book.request.prompt_tokens + 100) * 1e-6)
    answered(book, said=message(tokens=None))
    assert not book.affords(priced("b"))


def test_a_limit_is_held_against_the_longest_answer_that_the_call_allows() -> None:
    plan = decision("a", answer_tokens=100)
    request = dataclasses.replace(asking(max_cost_usd=0.0005), max_output_tokens=400)
    book = Ledger(plan, request, total_s=None, clock=Clock())
    assert book.affords(priced("a"))
    assert not book.affords(priced("a"), priced("b"))


def test_a_judge_is_priced_by_what_it_is_asked() -> None:
    book = ledger(max_cost_usd=0.002)
    long = (HumanMessage("an answer to judge " * 1_000),)
    assert book.affords(priced("judge"), messages=(HumanMessage("short"),))
    assert not book.affords(priced("judge"), messages=long)
    asked = Call(step=as_step("judge"), number=1, role="judge", messages=long)
    book.note_failure(asked, ErrorKind.TIMEOUT, started_s=book.clock())
    assert book.spent_usd > 0.002


def test_where_there_is_a_limit_an_unknown_price_does_not_fit_it() -> None:
    assert not ledger(max_cost_usd=100).affords(unpriced("a"))
    assert ledger().affords(unpriced("a"))


def test_a_live_stream_costs_nothing_known_until_it_is_complete() -> None:
    book = ledger()
    index = answered(book, said=message(), is_complete=False)
    assert book.attempts[index].cost_usd is None
    assert book.attempts[index].output_tokens is None
    book.complete(index, priced("a"), Reply(answer=None, message=message()), None)
    assert book.attempts[index].cost_usd == pytest.approx(110e-6)
    assert book.attempts[index].output_tokens == 100


def test_a_stream_that_is_given_up_is_estimated_and_counts_as_spent() -> None:
    book = ledger()
    index = answered(book, is_complete=False)
    book.estimate(index, priced("a"))
    assert book.attempts[index].estimated
    assert book.spent_usd == pytest.approx(book.request.prompt_tokens * 1e-6)


# --- attempts -------------------------------------------------------------------------------------


def test_only_calls_for_the_answer_itself_are_counted_as_made() -> None:
    book = ledger()
    for role in ("draft", "second", "judge", "hedge", "answer"):
        answered(book, role=role)
    assert book.calls_made == 3
    assert [book.calls_made_until(index) for index in range(5)] == [1, 1, 1, 2, 3]


def test_a_verdict_stays_when_the_stream_that_it_is_about_is_complete() -> None:
    book, verdict = ledger(), Verdict(passed=True, score=0.9)
    index = answered(book, is_complete=False)
    book.note_verdict(index, verdict)
    book.complete(index, priced("a"), Reply(answer=None, message=message()), None)
    assert book.attempts[index].verdict is verdict


def test_an_outcome_is_as_of_now_and_does_not_change_afterwards() -> None:
    clock = Clock()
    book = ledger(clock=clock)
    answered(book)
    clock.now += 3
    outcome = book.outcome("ok", served_by="a", first_token_s=1.0)
    answered(book)
    assert (outcome.latency_s, outcome.first_token_s, len(outcome.attempts)) == (3, 1.0, 1)
