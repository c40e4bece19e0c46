"""A router that remembers: what it is told of its answers changes what it decides, for good."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.tracers.context import collect_runs
from pydantic import BaseModel

from langchain_router import (
    Candidate,
    CascadePolicy,
    ChatRouter,
    ConfigurationError,
    Price,
    RoutingCallbackHandler,
    StoreCorruptError,
)
from langchain_router.signals import INTENTS
from langchain_router.testing import FaultyChatModel

QUESTION = "What is six times seven?"


def router(store: Any = None, **options: Any) -> ChatRouter:
    def model(name: str, answer: str, usd: float, quality: float) -> Candidate:
        price = Price.per_million(input_usd=usd, output_usd=usd)
        return Candidate(model=FaultyChatModel(answers=[answer]), name=name, price=price, quality=quality)

    return ChatRouter.from_models(
        model("small", "48", 1.0, 0.7),
        model("large", "42", 9.0, 0.9),
        store=store,
        **{"quality": 0.6, **options},
    )


def judged(routed: ChatRouter, times: int = 1) -> list[str]:
    """Ask and judge; return who answered."""
    who = []
    for _ in range(times):
        answer = routed.invoke(QUESTION)
        routed.record_feedback(answer, score=float(answer.text == "42"))
        who.append(answer.response_metadata["router"]["served_by"])
    return who


def beliefs(routed: ChatRouter) -> Any:
    return routed.decide(QUESTION).explain(), routed.core.quality.state()  # type: ignore[attr-defined]


def test_bad_answers_make_the_next_decision_another() -> None:
    routed = router()
    assert judged(routed, 3)[0] == "small"
    assert routed.decide(QUESTION).chosen.name == "large"
    assert routed.health()["learning"]["feedback"] == 3


def test_a_restart_in_the_middle_changes_no_figure(tmp_path: Path) -> None:
    whole = router(f"sqlite:///{tmp_path / 'whole.db'}")
    judged(whole, 8)
    parts = f"sqlite:///{tmp_path / 'parts.db'}"
    judged(first := router(parts), 4)
    first.flush()
    first.store.close()
    second = router(parts)
    assert second.health()["learning"]["feedback"] == 4
    judged(second, 4)
    assert beliefs(second)[0] == beliefs(whole)[0]


def test_relearning_from_the_log_changes_nothing(tmp_path: Path) -> None:
    routed = router(tmp_path / "router.db")
    judged(routed, 5)
    before = beliefs(routed)
    assert routed.relearn() == 10
    assert beliefs(routed) == before


def test_two_routers_on_one_store_believe_the_same(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    one, other = router(url), router(url)
    judged(one, 3)
    judged(other, 2)
    for routed in (one, other):
        routed.flush()
    assert beliefs(one) == beliefs(other)


def test_what_one_source_has_said_can_be_taken_back() -> None:
    routed = router()
    before = beliefs(routed)[0]
    answer = routed.invoke(QUESTION)
    routed.record_feedback(answer, score=0.0, source="user-17")
    assert beliefs(routed)[0] != before
    assert routed.forget_feedback("user-17") == 1
    assert beliefs(routed)[0] == before


def test_feedback_may_be_given_by_message_id_and_by_decision_id() -> None:
    routed = router()
    answer = routed.invoke(QUESTION)
    decision_id = answer.response_metadata["router"]["decision_id"]
    assert routed.record_feedback(decision_id, score=0.0).status == "new"
    assert routed.record_feedback(answer.id, score=0.0).status == "same"
    assert routed.record_feedback(answer, score=1.0).status == "replaced"


def test_feedback_on_a_stream_and_on_an_unread_one() -> None:
    routed = router()
    whole: Any = None
    for chunk in routed.stream(QUESTION):
        whole = chunk if whole is None else whole + chunk
    assert routed.record_feedback(whole, score=1.0).status == "new"


async def test_feedback_is_given_from_an_event_loop_too() -> None:
    routed = router()
    answer = await routed.ainvoke(QUESTION)
    receipt = await routed.arecord_feedback(answer, score=0.25)
    assert receipt.label is not None
    assert receipt.label.score == 0.25
    assert routed.health()["learning"]["feedback"] == 1


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -0.1, 1.1, "good", None, True])
def test_a_score_that_is_none_is_refused_and_nothing_is_learned(score: Any) -> None:
    routed = router()
    answer = routed.invoke(QUESTION)
    with pytest.raises(ConfigurationError, match="score of a feedback must be a number from 0 to 1"):
        routed.record_feedback(answer, score=score)
    assert routed.health()["learning"]["feedback"] == 0


@pytest.mark.parametrize("about", [None, HumanMessage("Hi"), AIMessage("of another model"), 7])
def test_feedback_on_what_the_router_has_not_answered_is_refused(about: Any) -> None:
    with pytest.raises(ConfigurationError):
        router().record_feedback(about, score=1.0)


def test_an_unknown_id_is_told() -> None:
    assert router().record_feedback("no-such-decision", score=1.0).status == "late_unknown"


def test_no_text_of_prompt_or_answer_is_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "router.db"
    routed = router(path)
    answer = routed.invoke("My password is hunter2-canary.")
    routed.record_feedback(answer, score=1.0)
    routed.flush()
    routed.store.close()
    found = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert answer.response_metadata["router"]["decision_id"].encode() in found
    assert b"hunter2-canary" not in found


def test_text_is_kept_where_it_is_asked_for_after_the_redactor(tmp_path: Path) -> None:
    path = tmp_path / "router.db"
    routed = router(path, capture_content=True, redactor=lambda text: text.replace("hunter2", "***"))
    routed.invoke("My password is hunter2-canary.")
    routed.flush()
    routed.store.close()
    found = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    assert b"***-canary" in found
    assert b"hunter2" not in found


def test_a_store_that_breaks_loses_no_answer(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    routed = router()

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(routed.store, "decided", broken)
    monkeypatch.setattr(routed.store, "ended", broken)
    assert routed.invoke(QUESTION).text == "48"
    assert "a decision was not recorded (RuntimeError)" in caplog.text


def test_a_file_that_is_no_store_is_refused_by_name_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("These are my notes. " * 500)
    with pytest.raises(StoreCorruptError, match=r"notes\.txt"):
        router(path)
    assert path.read_text().startswith("These are my notes.")


def test_the_environment_says_where_the_default_store_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGCHAIN_ROUTER_STORE", f"sqlite:///{tmp_path / 'mine.db'}")
    routed = router("default")
    assert "mine.db" in routed.health()["store"]["url"]
    monkeypatch.setenv("LANGCHAIN_ROUTER_STORE", "none")
    assert router("default").health()["store"]["url"] == "memory"


def test_a_default_file_that_is_damaged_is_warned_of_and_memory_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "langchain_router" / "router.db"
    path.parent.mkdir()
    path.write_text("no database " * 1_000)
    monkeypatch.delenv("LANGCHAIN_ROUTER_STORE")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    routed = router("default")
    assert routed.health()["store"]["url"] == "memory"
    assert "nothing will be remembered" in caplog.text
    assert routed.invoke(QUESTION).text == "48"


def test_where_no_default_file_can_be_made_requests_go_on_and_health_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    monkeypatch.delenv("LANGCHAIN_ROUTER_STORE")
    monkeypatch.setenv("XDG_DATA_HOME", str(blocked))
    routed = router("default")
    assert routed.invoke(QUESTION).text == "48"
    assert routed.flush(timeout_s=0.1)
    assert routed.health()["store"]["status"] == "degraded"
    assert "cannot be made or read" in caplog.text
    routed.store.close(timeout_s=0.0)


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_feedback_by_run_id_finds_the_decision_of_a_chain_and_of_a_model(way: str) -> None:
    routed = router()
    chain = routed | StrOutputParser()
    with collect_runs() as seen:
        if way == "invoke":
            chain.invoke(QUESTION)
        else:
            list(chain.stream(QUESTION))
    root = seen.traced_runs[0]
    model = next(one for one in root.child_runs if one.run_type == "llm")
    assert routed.record_feedback(root.id, score=1.0).status == "new"
    assert routed.record_feedback(model.id, score=0.0).status == "replaced"


async def test_feedback_by_run_id_finds_the_decision_of_a_cascade() -> None:
    policy = CascadePolicy([("small", lambda *_: False), ("large", None)])
    routed = router(policy=policy, quality=None)
    with collect_runs() as seen:
        await routed.ainvoke(QUESTION)
    (root,) = seen.traced_runs
    assert routed.record_feedback(str(root.id), score=1.0).status == "new"


@pytest.mark.parametrize("way", ["invoke", "stream"])
def test_listeners_hear_of_the_decision_each_escalation_and_the_outcome(way: str) -> None:
    heard: list[tuple[str, Any]] = []

    class Listener(BaseCallbackHandler):
        def on_custom_event(self, name: str, data: Any, **_: Any) -> None:
            heard.append((name, data))

    policy = CascadePolicy([("small", lambda *_: False), ("large", None)])
    routed = router(policy=policy, quality=None)
    config: Any = {"callbacks": [Listener()]}
    if way == "invoke":
        routed.invoke(QUESTION, config)
    else:
        list(routed.stream(QUESTION, config))
    assert [name for name, _ in heard] == ["router_decision", "router_escalation", "router_outcome"]
    assert (heard[1][1]["from"], heard[1][1]["to"]) == ("small", "large")
    assert heard[2][1]["served_by"] == "large"
    assert QUESTION not in str(heard)


async def test_listeners_of_an_event_stream_hear_the_same() -> None:
    policy = CascadePolicy([("small", lambda *_: False), ("large", None)])
    routed = router(policy=policy, quality=None)
    heard = [
        event["name"]
        async for event in routed.astream_events(QUESTION, version="v2")
        if event["event"] == "on_custom_event"
    ]
    assert heard == ["router_decision", "router_escalation", "router_outcome"]


@pytest.mark.parametrize("redactor", [True, None, "redact", dict])
def test_what_is_no_redactor_is_refused_where_text_is_to_be_kept(redactor: Any) -> None:
    with pytest.raises(ConfigurationError, match="redactor must be a plain function of a text"):
        router(capture_content=True, redactor=redactor)


def test_a_redactor_that_raises_costs_the_text_and_not_the_record(caplog: pytest.LogCaptureFixture) -> None:
    def broken(text: str) -> str:
        raise ValueError(text)

    routed = router(capture_content=True, redactor=broken)
    assert judged(routed) == ["small"]
    assert routed.health()["learning"]["feedback"] == 1
    assert "the text is not stored" in caplog.text
    assert QUESTION not in caplog.text


def test_what_is_no_source_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="source must be a text"):
        router().forget_feedback(5)  # type: ignore[arg-type]


def test_a_score_of_numpy_is_a_number_too() -> None:
    routed = router()
    score: Any = np.float32(0.5)
    assert routed.record_feedback(routed.invoke(QUESTION), score=score).status == "new"


class Answer(BaseModel):
    n: int


def test_answers_that_could_all_be_used_move_no_success_rate() -> None:
    def answering(name: str, quality: float) -> Candidate:
        call = {"name": "Answer", "args": {"n": 42}, "id": "c1"}
        model = FaultyChatModel(answers=[AIMessage("", tool_calls=[call])])
        return Candidate(model=model, name=name, quality=quality)

    routed = ChatRouter.from_models(answering("lower", 0.70), answering("higher", 0.74), policy="thompson")
    handler = RoutingCallbackHandler(routed)
    asking = routed.with_structured_output(Answer)

    rates: Any = routed.core.policy._rates  # type: ignore[attr-defined]
    for _ in range(60):
        asking.invoke(QUESTION, {"callbacks": [handler]})
    handler.flush()
    routed.relearn()
    judgements = 0.0
    for name, quality in (("lower", 0.70), ("higher", 0.74)):
        counts = [rates.counts(name, intent)[:2] for intent in INTENTS]
        succeeded, failed = (sum(one[place] for one in counts) for place in (0, 1))
        judgements += succeeded + failed
        if succeeded + failed:
            assert succeeded / (succeeded + failed) == pytest.approx(quality, abs=0.1)
    assert judgements == pytest.approx(30), "all sixty count, each for one half"
