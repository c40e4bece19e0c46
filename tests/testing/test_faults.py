"""`FaultyChatModel`: it fails as told, counts what it did, and otherwise is the model it wraps."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import ModelConnectionError, ModelRateLimitError, ModelTimeoutError
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk
from langchain_core.tools import tool
from pydantic import BaseModel

from langchain_router import Candidate, ChatRouter, ConfigurationError, StreamInterruptedError
from langchain_router.execution.errors import ErrorKind, error_kind
from langchain_router.testing import FaultyChatModel, SimulatedProvider
from langchain_router.testing.fault_plan import FAULTS

CandidatesAt = Callable[..., list[Candidate]]

ANSWER = "One two three."
WAYS = ("invoke", "ainvoke", "stream", "astream")


class Waits:
    """Notes how long it was told to wait, and does not."""

    def __init__(self) -> None:
        self.s: list[float] = []

    def now(self, seconds: float) -> None:
        self.s.append(seconds)

    async def later(self, seconds: float) -> None:
        self.s.append(seconds)


def ask(model: Any, way: str, seen: list[str] | None = None) -> Any:
    """Ask in one of four ways; of a stream, note each chunk's text."""
    seen = [] if seen is None else seen

    async def astreamed() -> AIMessageChunk:
        chunks = []
        async for chunk in model.astream("Hi"):
            seen.append(chunk.text)
            chunks.append(chunk)
        return merged(chunks)

    if way == "invoke":
        return model.invoke("Hi")
    if way == "ainvoke":
        return asyncio.run(model.ainvoke("Hi"))
    if way == "astream":
        return asyncio.run(astreamed())
    chunks = []
    for chunk in model.stream("Hi"):
        seen.append(chunk.text)
        chunks.append(chunk)
    return merged(chunks)


def merged(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return whole


@tool
def population(city: str) -> int:
    """Return the population of a city."""
    return len(city)


class City(BaseModel):
    """A city."""

    name: str


# --- healthy --------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_without_faults_it_gives_the_answers_in_turn(way: str) -> None:
    model = FaultyChatModel(answers=[ANSWER, AIMessage("Other.")])
    answers = [ask(model, way) for _ in range(3)]
    assert [answer.text for answer in answers] == [ANSWER, "Other.", ANSWER]
    assert answers[0].response_metadata["finish_reason"] == "stop"
    assert answers[0].usage_metadata is not None
    assert answers[0].usage_metadata["output_tokens"] > 0
    assert model.counts == {"ok": 3}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("cls", [GenericFakeChatModel, FakeMessagesListChatModel])
def test_it_wraps_models_that_stream_and_models_that_cannot(way: str, cls: Any) -> None:
    said = [AIMessage(ANSWER)]
    inner = (
        cls(messages=iter(said))
        if cls is GenericFakeChatModel
        else FakeMessagesListChatModel(responses=[*said])
    )
    assert ask(FaultyChatModel(model=inner), way).text == ANSWER


@pytest.mark.parametrize("way", WAYS)
def test_a_call_is_one_run_and_each_token_is_reported_once(way: str) -> None:
    class Notes(BaseCallbackHandler):
        def __init__(self) -> None:
            self.events: list[str] = []

        def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
            self.events.append("start")

        def on_llm_new_token(self, token: Any, **kwargs: Any) -> None:
            self.events.append(str(token))

        def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
            self.events.append("end")

    notes = Notes()
    inner = GenericFakeChatModel(messages=iter([ANSWER]))
    ask(FaultyChatModel(model=inner, callbacks=[notes]), way)
    assert (notes.events[0], notes.events[-1]) == ("start", "end")
    assert "".join(notes.events[1:-1]) == ("" if "invoke" in way else ANSWER)


def test_a_wrapped_litellm_model_answers_over_http(
    provider: SimulatedProvider, candidates_at: CandidatesAt
) -> None:
    inner = candidates_at(provider.base_url)[0].chat_model()
    model = FaultyChatModel(model=inner, script=["server"])
    assert model.with_retry(wait_exponential_jitter=False).invoke("Hello").text
    assert [seen.status for seen in provider.requests][-1] == 200
    assert Candidate(model=model).name == Candidate(model=inner).name
    assert model.profile == inner.profile


# --- each fault -------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [kind for kind in FAULTS if kind not in ("hang", "slow", "drip")])
def test_every_kind_of_error_is_raised_as_that_kind(kind: str, way: str) -> None:
    model = FaultyChatModel(answers=[ANSWER], script=[kind])
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - the kind is what matters
        ask(model, way)
    assert error_kind(caught.value) == ("connect" if kind == "interrupted" else kind)
    assert model.counts == {kind: 1}
    assert ask(model, way).text == ANSWER


@pytest.mark.parametrize("way", ["stream", "astream"])
def test_a_stream_fails_after_as_many_chunks_as_told(way: str) -> None:
    for kind, after, expected in (
        ("server", 0, 0),
        ("server", 2, 2),
        ("interrupted", 0, 1),
        ("interrupted", 3, 3),
        ("hang", 2, 2),
        ("connect", 100, 4),
    ):
        waits = Waits()
        model = FaultyChatModel(
            answers=[ANSWER], script=[kind], after_chunks=after, sleep=waits.now, asleep=waits.later
        )
        seen: list[str] = []
        with pytest.raises(Exception, match=f"call 1 fails with '{kind}'"):
            ask(model, way, seen)
        assert len(seen) == expected, (kind, after)


@pytest.mark.parametrize("way", WAYS)
def test_a_hang_waits_and_times_out(way: str) -> None:
    waits = Waits()
    model = FaultyChatModel(answers=[ANSWER], script=["hang"], hang_s=7, sleep=waits.now, asleep=waits.later)
    with pytest.raises(ModelTimeoutError):
        ask(model, way)
    assert waits.s == [7]


@pytest.mark.parametrize("way", WAYS)
def test_a_slow_call_waits_before_the_answer_and_each_chunk(way: str) -> None:
    waits = Waits()
    model = FaultyChatModel(answers=[ANSWER], script=["slow"], slow_s=3, sleep=waits.now, asleep=waits.later)
    assert ask(model, way).text == ANSWER
    assert waits.s == ([3] if "invoke" in way else [3, 3, 3, 3])


@pytest.mark.parametrize("way", WAYS)
def test_a_drip_shows_its_first_chunk_at_once_and_waits_before_the_others(way: str) -> None:
    waits = Waits()
    model = FaultyChatModel(answers=[ANSWER], script=["drip"], slow_s=3, sleep=waits.now, asleep=waits.later)
    assert ask(model, way).text == ANSWER
    assert waits.s == ([3] if "invoke" in way else [3, 3, 3])


async def test_a_hanging_call_can_be_cancelled() -> None:
    model = FaultyChatModel(answers=[ANSWER], rates={"hang": 1})
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(model.ainvoke("Hi"), 0.01)
    assert model.calls == 1


def test_a_rate_limit_says_when_to_come_back() -> None:
    for given, sent in ((2, "2"), ("soon", "soon"), (None, None)):
        with pytest.raises(ModelRateLimitError) as caught:
            FaultyChatModel(answers=[ANSWER], script=["rate_limited"], retry_after=given).invoke("Hi")
        assert caught.value.response.headers.get("retry-after") == sent  # type: ignore[attr-defined]


def test_the_wrapped_model_is_not_called_when_a_call_fails_at_once() -> None:
    inner = FaultyChatModel(answers=[ANSWER])
    outer = FaultyChatModel(model=inner, rates={"server": 1})
    for way in WAYS:
        with pytest.raises(Exception, match="fails with 'server'"):
            ask(outer, way)
    assert (inner.calls, outer.calls) == (0, 4)


# --- rates and scripts --------------------------------------------------------------------------------


def outcomes(model: BaseChatModel, calls: int = 400) -> list[str]:
    found: list[str] = []
    for _ in range(calls):
        try:
            found.append(model.invoke("Hi").text)
        except Exception as error:  # noqa: BLE001 - all are counted
            found.append(str(error_kind(error).value))
    return found


def test_rates_come_out_as_told_and_the_same_in_every_run() -> None:
    rates = {"rate_limited": 0.1, "server": 0.3}
    first, again, other = (
        outcomes(FaultyChatModel(answers=["ok"], rates=rates, seed=seed)) for seed in (1, 1, 2)
    )
    assert first == again != other
    assert 90 <= first.count("server") <= 150
    assert 22 <= first.count("rate_limited") <= 58
    assert set(first) == {"server", "rate_limited", "ok"}


def test_rates_come_out_the_same_from_many_threads() -> None:
    def told(threads: int) -> Any:
        model = FaultyChatModel(answers=["ok"], rates={"server": 0.5})
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda _: outcomes(model, 10), range(20)))
        assert model.calls == 200
        return model.counts

    assert told(8) == told(1)


def test_a_script_comes_before_the_rates() -> None:
    model = FaultyChatModel(answers=["ok"], script=["auth", "ok", "timeout"], rates={"server": 1.0})
    assert outcomes(model, 5) == ["auth", "ok", "timeout", "server", "server"]
    assert model.counts == {"auth": 1, "ok": 1, "timeout": 1, "server": 2}


# --- tools and structured output ----------------------------------------------------------------------


def test_bound_tools_reach_the_wrapped_model_and_calls_still_fail(
    provider: SimulatedProvider, candidates_at: CandidatesAt
) -> None:
    model = FaultyChatModel(model=candidates_at(provider.base_url)[0].chat_model(), script=["server"])
    bound = model.bind_tools([population], tool_choice="any")
    with pytest.raises(Exception, match="fails with 'server'"):
        bound.invoke("How many people live in Rome?")
    answer = bound.invoke("How many people live in Rome?")
    assert [call["name"] for call in answer.tool_calls] == ["population"]
    assert model.counts == {"server": 1, "ok": 1}


def test_structured_output_fails_and_counts_too(
    provider: SimulatedProvider, candidates_at: CandidatesAt
) -> None:
    model = FaultyChatModel(model=candidates_at(provider.base_url)[0].chat_model(), script=["malformed"])
    structured = model.with_structured_output(City)
    with pytest.raises(Exception, match="fails with 'malformed'"):
        structured.invoke("Name a city.")
    assert isinstance(structured.invoke("Name a city."), City)
    assert model.calls == 2


def test_scripted_answers_may_call_tools() -> None:
    call = {"name": "population", "args": {"city": "Rome"}, "id": "1"}
    model = FaultyChatModel(answers=[AIMessage("", tool_calls=[call])]).bind_tools([population])
    for way in WAYS:
        answer = ask(model, way)
        assert [made["args"] for made in answer.tool_calls] == [{"city": "Rome"}]
        assert answer.response_metadata["finish_reason"] == "tool_calls"


def test_a_wrapped_model_without_tools_has_none_here() -> None:
    plain = GenericFakeChatModel(messages=iter([ANSWER]))
    assert "tool_calling" not in (Candidate(model=FaultyChatModel(model=plain)).resolved().capabilities or ())
    able = Candidate(model=FaultyChatModel(answers=[ANSWER])).resolved()
    assert "tool_calling" in (able.capabilities or ())
    with pytest.raises(NotImplementedError):
        FaultyChatModel(model=plain).bind_tools([population])


# --- as a candidate -----------------------------------------------------------------------------------


def routed(first: FaultyChatModel) -> ChatRouter:
    second = FaultyChatModel(answers=["second"])
    return ChatRouter(
        candidates=[
            Candidate(model=first, name="first", quality=0.8),
            Candidate(model=second, name="second", quality=0.9),
        ],
        quality=0.5,
    )


@pytest.mark.parametrize("way", WAYS)
def test_a_router_moves_on_from_a_faulty_candidate(way: str) -> None:
    router = routed(FaultyChatModel(answers=["first"], rates={"server": 1.0}))
    chosen = router.decide("Hi").chosen.name
    assert ask(router, way).text == "second"
    assert chosen == "first"


@pytest.mark.parametrize("way", ["stream", "astream"])
def test_a_router_does_not_splice_a_stream_that_broke_off(way: str) -> None:
    router = routed(FaultyChatModel(answers=[ANSWER], script=["interrupted"], after_chunks=2))
    seen: list[str] = []
    with pytest.raises(StreamInterruptedError) as caught:
        ask(router, way, seen)
    assert caught.value.partial == "".join(seen) == "One two"
    assert isinstance(caught.value.__cause__, ModelConnectionError)


# --- construction -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either model= or answers="),
        ({"answers": ["a"], "model": FakeMessagesListChatModel(responses=[])}, "either model= or answers="),
        ({"model": "openai/gpt-4o"}, "must be a chat model, got a text"),
        ({"model": FakeMessagesListChatModel}, r"the class FakeMessagesListChatModel; write FakeM"),
        ({"answers": "abc"}, r"answers must be a list, got a text\. Write answers=\[\.\.\.\]"),
        ({"answers": AIMessage("abc")}, r"answers must be a list, got an AIMessage\."),
        ({"answers": 3}, "answers must be a list, got an int"),
        ({"answers": [3]}, "answers must be texts or AIMessages, at least one, got an int"),
        ({"answers": ["a"], "rates": "server"}, r"rates must be shares .*, got 'server'"),
        ({"answers": ["a"], "script": 3}, "script must be a list of faults, got 3"),
        ({"answers": ["a"], "rates": {"sever": 0.1}}, "rates holds 'sever'; the faults are rate_limited"),
        ({"answers": ["a"], "rates": {"ok": 0.1}}, "rates holds 'ok'"),
        ({"answers": ["a"], "rates": {"server": 1.5}}, r"rates\['server'\] is 1.5"),
        ({"answers": ["a"], "rates": {"server": True}}, r"rates\['server'\] is True"),
        ({"answers": ["a"], "rates": {"server": float("nan")}}, r"rates\['server'\] is nan"),
        ({"answers": ["a"], "rates": {"server": 0.6, "auth": 0.6}}, "rates add up to 1.2"),
        ({"answers": ["a"], "script": "server"}, r"Write script=\['server'\]"),
        ({"answers": ["a"], "script": ["sever"]}, "script holds 'sever'"),
        ({"answers": ["a"], "after_chunks": -1}, "after_chunks is -1"),
        ({"answers": ["a"], "after_chunks": 1.5}, "after_chunks is 1.5"),
        ({"answers": ["a"], "hang_s": float("inf")}, "hang_s is inf"),
        ({"answers": ["a"], "slow_s": -1}, "slow_s is -1"),
        ({"answers": ["a"], "rate": {"server": 1}}, "takes no 'rate'"),
    ],
)
def test_what_cannot_work_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        FaultyChatModel(**options)


def test_every_kind_of_error_can_be_injected() -> None:
    missing = {kind.value for kind in ErrorKind} - {"cancelled"} - set(FAULTS)
    assert not missing, "write an error of each such kind into langchain_router/testing/fault_plan.py"


def test_the_kit_imports_it_when_it_is_first_used() -> None:
    code = (
        "import sys, langchain_router.testing as kit\n"
        "before = 'langchain_router.testing.faults' in sys.modules\n"
        "kit.FaultyChatModel\n"
        "print(before, {'litellm', 'numpy', 'pytest', 'langchain'} & sys.modules.keys())\n"
        "try: kit.FaultyModel\n"
        "except AttributeError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.splitlines() == [
        "False set()",
        "module 'langchain_router.testing' has no attribute 'FaultyModel'",
    ]
