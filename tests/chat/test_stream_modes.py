"""What `stream` does with a draft: holds it whole, looks at its beginning, or chooses before."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage

from langchain_router import Candidate, ChatRouter, ConfigurationError, HeuristicCheck, Price
from langchain_router.chat.stream_modes import Buffer, Holdback, Predecide, as_stream_mode
from langchain_router.outcomes.records import Outcome
from langchain_router.policies.cascade import CascadePolicy
from langchain_router.testing import FaultyChatModel
from tests.chat.speaking import (
    FINAL,
    STREAMED,
    WHOLE,
    Speaker,
    Tokens,
    Tracer,
    Way,
    by_aevents,
    by_astream,
    by_events,
    by_stream,
    cascade,
    draft,
    final,
    merged,
    seen_of,
    texts,
)

LONG = " ".join(f"word{number:02}" for number in range(40))


def noting(passes: bool) -> tuple[Any, list[str]]:
    looked_at: list[str] = []

    def check(_: Any, response: AIMessage) -> bool:
        looked_at.append(response.text)
        return passes

    return check, looked_at


def model_of(candidate: Any) -> Speaker:
    assert isinstance(candidate.model, Speaker)
    return candidate.model


# --- buffer --------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", STREAMED)
async def test_buffer_looks_at_the_whole_draft(way: Way) -> None:
    check, looked_at = noting(passes=True)
    answer = await way(cascade(check, draft(LONG), final()), {})
    assert answer.text == LONG
    assert looked_at == [LONG]


def test_buffer_releases_an_accepted_draft_chunk_by_chunk_and_nothing_before() -> None:
    order: list[str] = []

    def check(*_: Any) -> bool:
        order.append("checked")
        return True

    for chunk in cascade(check, draft(LONG), final()).stream("Hello"):
        order += ["shown"] * bool(chunk.text)
    assert order == ["checked", *["shown"] * 40]


# --- holdback ------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", STREAMED)
async def test_holdback_looks_at_the_beginning_and_lets_the_rest_flow(way: Way) -> None:
    check, looked_at = noting(passes=True)
    slow = draft(LONG, pauses_s={38: 0.05})
    answer = await way(cascade(check, slow, final(), stream_mode=Holdback(tokens=8)), {})
    assert answer.text == LONG
    assert len(looked_at) == 1
    assert LONG.startswith(looked_at[0])
    assert 0 < len(looked_at[0]) < len(LONG) / 2
    outcome = answer.response_metadata["router_outcome"]
    assert outcome["first_token_s"] < outcome["latency_s"] - 0.04
    assert outcome["attempts"][0]["output_tokens"] == 40
    assert outcome["attempts"][0]["verdict"]["passed"] is True


@pytest.mark.parametrize("way", STREAMED)
async def test_holdback_shows_nothing_of_a_draft_that_begins_badly(way: Way) -> None:
    check, looked_at = noting(passes=False)
    shown, tracer = Tokens(), Tracer()
    router = cascade(check, draft(LONG), final(), stream_mode=Holdback(tokens=8))
    answer = await way(router, {"callbacks": [shown, tracer]})
    assert answer.text == FINAL
    assert len(looked_at) == 1
    assert "word" not in "".join(shown.tokens)
    attempt = answer.response_metadata["router_outcome"]["attempts"][0]
    assert attempt["cost_usd"] > 0
    assert attempt["estimated"] is True
    assert answer.response_metadata["router_outcome"]["cost_usd"] > 0
    if way is not by_events:  # LangChain's sync event streams cannot be closed, so their run stays open
        assert all(run.end_time for run in tracer.roots[0].child_runs)


@pytest.mark.parametrize("way", STREAMED)
async def test_holdback_looks_at_a_short_draft_whole(way: Way) -> None:
    check, looked_at = noting(passes=True)
    answer = await way(cascade(check, draft("short"), final(), stream_mode="holdback"), {})
    assert (answer.text, looked_at) == ("short", ["short"])


def test_a_fault_that_comes_later_goes_out() -> None:
    router = cascade(
        lambda _, answer: "word39" not in answer.text,
        draft(LONG),
        final(),
        stream_mode=Holdback(tokens=8),
    )
    assert merged(list(router.stream("Hello"))).text == LONG


@pytest.mark.parametrize("way", STREAMED)
async def test_the_first_token_of_a_buffered_draft_comes_when_it_is_complete(way: Way) -> None:
    outcome = (await way(cascade(True, draft(pauses_s={3: 0.01}), final()), {})).response_metadata[
        "router_outcome"
    ]
    assert outcome["latency_s"] - 0.01 < outcome["first_token_s"] <= outcome["latency_s"]
    assert outcome["first_token_s"] > 0.01


@pytest.mark.parametrize("is_sync", [True, False])
async def test_a_reader_that_leaves_a_buffered_draft_leaves_an_answer_that_was_whole(
    *, is_sync: bool
) -> None:
    """It was complete, checked and paid before its first chunk went out; nobody cancelled anything."""
    outcomes: list[Outcome] = []
    router = cascade(True, on_outcome=lambda _, outcome: outcomes.append(outcome))
    if is_sync:
        chunks: Any = router.stream("Hello")
        next(chunks)
        chunks.close()
    else:
        parts = router.astream("Hello")
        await anext(parts)
        await parts.aclose()
    (outcome,) = outcomes
    assert (outcome.status, outcome.passed) == ("ok", True)
    assert [(one.error_kind, one.output_tokens, one.estimated) for one in outcome.attempts] == [
        (None, 4, False)
    ]
    assert outcome.first_token_s is not None


@pytest.mark.parametrize("way", STREAMED)
async def test_holdback_looks_at_each_part_once(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []

    def counting(text: str) -> int:
        looked_at.append(text)
        return 1

    monkeypatch.setattr("langchain_router.chat.reading.estimate_tokens", counting)
    long = " ".join(["word"] * 200)
    await way(cascade(True, draft(long), final(), stream_mode=Holdback(tokens=190)), {})
    assert 190 <= len(looked_at) <= 200


@pytest.mark.parametrize("way", WHOLE)
async def test_holdback_changes_nothing_for_whole_answers(way: Way) -> None:
    check, looked_at = noting(passes=True)
    await way(cascade(check, draft(LONG), final(), stream_mode=Holdback(tokens=8)), {})
    assert looked_at == [LONG]


# --- predecide -----------------------------------------------------------------------------------


def predeciding(*, quality: float, check: Any) -> tuple[ChatRouter, Speaker, Speaker]:
    from dataclasses import replace

    first, last = replace(draft(), quality=0.6), replace(final(), quality=0.95)
    router = cascade(check, first, last, stream_mode=Predecide(quality=quality))
    return router, model_of(first), model_of(last)


@pytest.mark.parametrize("way", STREAMED)
@pytest.mark.parametrize(("quality", "chosen"), [(0.2, "draft"), (0.9, "final"), (1.0, "final")])
async def test_predecide_calls_one_model_and_checks_nothing(way: Way, quality: float, chosen: str) -> None:
    check, looked_at = noting(passes=False)
    router, first, last = predeciding(quality=quality, check=check)
    answer = await way(router, {})
    assert answer.response_metadata["router_outcome"]["served_by"] == chosen
    assert len(first.asked) + len(last.asked) == 1
    assert looked_at == []


@pytest.mark.parametrize(("quality", "why"), [(0.9, "the tier predicted best"), (0.0, "the first tier with")])
def test_predecide_says_why_it_chose_and_what_that_costs(quality: float, why: str) -> None:
    candidates = [
        Candidate(
            model=FaultyChatModel(answers=["yes"]),
            name=name,
            price=Price.per_million(input_usd=usd, output_usd=usd),
            quality=predicted,
        )
        for name, usd, predicted in (("first", 1.0, 0.4), ("last", 9.0, 0.6))
    ]
    policy = CascadePolicy([("first", HeuristicCheck()), ("last", None)])
    router = ChatRouter.from_models(*candidates, policy=policy, stream_mode=Predecide(quality=quality))
    (chunk, *_) = router.stream("Hello")
    told = chunk.response_metadata["router"]
    assert told["chosen"] == told["served_by"] == ("last" if quality else "first")
    assert why in told["reason"]
    (entry,) = [one for one in told["eligible"] if one["name"] == told["chosen"]]
    assert told["estimated_cost_usd"] == pytest.approx(entry["estimated_cost_usd"])
    assert told["confidence"] == pytest.approx(entry["predicted_quality"])


@pytest.mark.parametrize("way", [by_stream, by_astream, by_events, by_aevents])
async def test_predecide_streams_live_and_opens_no_run(way: Way) -> None:
    tracer = Tracer()
    slow = draft(pauses_s={3: 0.05})
    router = cascade(False, slow, final(), stream_mode=Predecide(quality=0.0))
    answer = await way(router, {"callbacks": [tracer]})
    outcome = answer.response_metadata["router_outcome"]
    assert outcome["first_token_s"] < outcome["latency_s"] - 0.04
    assert [run.run_type for run in tracer.roots] == ["llm"]


@pytest.mark.parametrize("way", STREAMED)
async def test_predecide_still_fails_over_before_the_first_token(way: Way) -> None:
    router = cascade(False, draft(ConnectionResetError("down")), final(), stream_mode=Predecide(quality=0.0))
    answer = await way(router, {})
    assert answer.text == FINAL


# --- the setting ---------------------------------------------------------------------------------


def test_modes_are_given_by_name_or_with_their_figure() -> None:
    assert as_stream_mode("buffer") == Buffer()
    assert as_stream_mode("predecide") == Predecide()
    assert as_stream_mode(Holdback(tokens=3)) == Holdback(tokens=3)


@pytest.mark.parametrize(
    "make",
    [
        lambda: as_stream_mode("live"),
        lambda: as_stream_mode(None),
        lambda: Holdback(tokens=0),
        lambda: Holdback(tokens=True),
        lambda: Predecide(quality=1.5),
        lambda: cascade(True, stream_mode="eager"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(make: Any) -> None:
    with pytest.raises(ConfigurationError, match="must be"):
        make()


def test_a_plan_without_checks_streams_live_in_every_mode() -> None:
    for mode in ("buffer", "holdback", "predecide"):
        router = ChatRouter(candidates=[final()], policy=CascadePolicy([("final", None)]), stream_mode=mode)
        chunks = list(router.stream("Hello"))
        assert "".join(texts(chunks)) == FINAL
        assert seen_of(chunks) <= {"final"}
