"""Limits hold whatever the call, the policy or the options say; and nothing shows a key."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from uuid import UUID, uuid4

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import ModelRateLimitError
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.tools import tool
from langgraph.errors import GraphInterrupt
from langgraph.graph import START, MessagesState, StateGraph

from langchain_router import (
    Candidate,
    ChatRouter,
    ConfigurationError,
    NoEligibleCandidateError,
    Price,
    RoutingDecision,
    StreamInterruptedError,
)
from langchain_router.policies import Context
from langchain_router.providers.litellm import RouterChatLiteLLM
from langchain_router.testing import SimulatedProvider

CandidatesAt = Callable[..., list[Candidate]]


@tool
def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"rain in {city}"


@pytest.fixture
def placed(provider: SimulatedProvider) -> list[Candidate]:
    """`small` in the EU, `large` in the US; both good enough for anything asked here."""
    options = {"api_base": provider.base_url, "api_key": "key-in-a-test", "timeout": 10}
    return [
        Candidate(
            model=f"openai/{name}",
            name=name,
            options=options,
            region=region,
            quality=0.9,
            price=Price.per_million(input_usd=usd, output_usd=usd),
            capabilities={"tool_calling", "structured_output"},
        )
        for name, region, usd in (("small", "eu", 1), ("large", "us", 2))
    ]


# --- limits -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "named"),
    [
        (lambda _, everyone: everyone, "planned 'large', which may not answer"),
        (lambda *_: [], "at least one"),
        (lambda eligible, _: [eligible[0], eligible[0]], "each once"),
        (lambda *_: ["small"], "a plan is a list of candidates"),
    ],
)
def test_a_policy_cannot_plan_who_may_not_answer(
    placed: list[Candidate], plan: Callable[[Any, Any], Any], named: str
) -> None:
    class Own:
        def select(self, context: Context, candidates: Sequence[Candidate]) -> RoutingDecision:
            chosen = plan(list(candidates), placed)
            return context.decision(chosen, reason="mine", policy="own", policy_params={})

    with pytest.raises(ConfigurationError, match=named):
        ChatRouter(candidates=placed, policy=Own()).invoke("Hello", regions={"eu"})


def test_a_policy_that_returns_something_else_is_told_what_to_return(placed: list[Candidate]) -> None:
    class Own:
        def select(self, context: Context, candidates: Sequence[Candidate]) -> Any:
            return candidates[0]

    with pytest.raises(ConfigurationError, match=r"Own.select returned Candidate; return context.decision"):
        ChatRouter(candidates=placed, policy=Own()).decide("Hello")


def test_bound_limits_cannot_be_undone_by_a_call(placed: list[Candidate]) -> None:
    bound = ChatRouter(candidates=placed, quality=0.5).bind(regions={"eu"})
    assert bound.decide("Hello").chosen.name == "small"
    with pytest.raises(NoEligibleCandidateError):
        bound.invoke("Hello", regions={"us"})


def test_a_binding_decides_about_the_call_as_it_is_bound_and_keeps_its_tools(placed: list[Candidate]) -> None:
    router = ChatRouter(candidates=placed, quality=0.5)
    bound = router.bind_tools([weather], tool_choice="any").constrained(regions={"us"})  # type: ignore[attr-defined]
    answer = bound.invoke("What is the weather in Paris?")
    assert answer.tool_calls[0]["name"] == "weather"
    assert answer.response_metadata["router"]["served_by"] == "large"
    assert bound.decide("Hello").chosen.name == "large"
    structured: Any = router.with_structured_output({"title": "T", "description": "d", "type": "object"})
    assert structured.constrained(regions={"us"}).decide("Hello").chosen.name == "large"


@pytest.mark.parametrize("option", ["api_base", "base_url", "custom_llm_provider", "fallbacks", "api_key"])
def test_a_call_cannot_send_the_request_elsewhere(placed: list[Candidate], option: str) -> None:
    with pytest.raises(ConfigurationError, match=f"'{option}' cannot be given for a call"):
        ChatRouter(candidates=placed).bind(**{option: "http://127.0.0.1:9/v1"}).invoke("Hello")


def test_a_router_as_a_candidate_obeys_the_limits_of_the_call(placed: list[Candidate]) -> None:
    inner = ChatRouter(candidates=placed, quality=0.5)
    outer = ChatRouter(
        candidates=[Candidate(model=inner, name="inner", region="us", quality=0.9)], quality=0.5
    )
    stamped = outer.invoke("Hello", regions={"us"}).response_metadata["router"]
    assert stamped["served_by"] == "inner"
    assert stamped["nested"]["served_by"] == "large"


@pytest.mark.parametrize("slip", [{"region": "eu"}, {"max_cost": 0.1}, {"provider": "openai"}])
def test_a_misspelt_limit_given_to_the_router_is_refused(
    placed: list[Candidate], slip: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError, match="did you mean"):
        ChatRouter(candidates=placed, **slip)


def test_data_tags_given_as_run_tags_are_refused(placed: list[Candidate]) -> None:
    with pytest.raises(ConfigurationError, match="For data tags write constraints="):
        ChatRouter(candidates=placed, tags={"gdpr"})


def test_limits_in_configurable_may_stand_under_a_key_of_their_own(placed: list[Candidate]) -> None:
    router = ChatRouter(candidates=placed, quality=0.5)
    config: Any = {"configurable": {"router_constraints": {"regions": ["us"]}, "region": "eu-central-1"}}
    assert router.decide("Hello", config).chosen.name == "large"
    with pytest.raises(ConfigurationError, match="'region' is not a constraint"):
        router.decide("Hello", {"configurable": {"router_constraints": {"region": ["us"]}}})
    with pytest.raises(ConfigurationError, match="'region' is not a constraint"):
        router.decide("Hello", {"configurable": {"region": ["us"]}})


def test_what_a_router_was_built_from_cannot_be_changed_without_effect(placed: list[Candidate]) -> None:
    router = ChatRouter(candidates=placed, quality=0.5)
    with pytest.raises(ConfigurationError, match="'quality' of a router cannot be changed"):
        router.quality = 0.99
    with pytest.raises(ConfigurationError, match="'candidates' of a router cannot be changed"):
        router.model_copy(update={"candidates": placed[1:]})


def test_max_cost_counts_every_answer_asked_for_and_the_candidates_own_bound() -> None:
    price = Price.per_million(input_usd=0, output_usd=1)
    free_of_bounds = Candidate(model="house/a", price=price, quality=0.9)
    bounded = Candidate(model="house/b", price=price, quality=0.9, options={"max_tokens": 50_000})
    limit = {"max_cost_usd": 0.001}
    ChatRouter(candidates=[free_of_bounds]).decide("Hello", **limit)  # type: ignore[arg-type]
    with pytest.raises(NoEligibleCandidateError, match="over max_cost_usd"):
        ChatRouter(candidates=[free_of_bounds]).decide("Hello", None, n=50, **limit)
    with pytest.raises(NoEligibleCandidateError, match=r"about \$0.05"):
        ChatRouter(candidates=[bounded]).decide("Hello", None, **limit)


# --- one request, one answer ------------------------------------------------------------------------------


@pytest.mark.parametrize("hidden", [{"num_retries": 3}, {"max_retries": 3}])
def test_retries_asked_for_per_call_are_not_made_below_the_router(
    provider: SimulatedProvider, hidden: dict[str, Any]
) -> None:
    provider.fail("small", 500, times=None)
    model = RouterChatLiteLLM(model="openai/small", api_base=provider.base_url, api_key="k")
    before = len(provider.requests)
    with pytest.raises(Exception, match="InternalServerError"):
        model.invoke("Hello", **hidden)
    assert len(provider.requests) - before == 1


async def test_a_stream_that_breaks_before_it_shows_anything_fails_over(
    provider: SimulatedProvider, router: ChatRouter
) -> None:
    provider.cut_stream("small", after_events=1, times=4)  # the first event only names the role
    assert "".join(chunk.text for chunk in router.stream("Hello"))
    chunks = [chunk async for chunk in router.astream("Hello")]
    assert sum("router" in chunk.response_metadata for chunk in chunks) == 1
    assert chunks[0].response_metadata["router"]["served_by"] == "large"
    assert (
        router.stream_events("Hello", version="v3").output.response_metadata["router"]["served_by"] == "large"
    )
    message = await (await router.astream_events("Hello", version="v3"))
    assert message.response_metadata["router"]["served_by"] == "large"


def test_disable_streaming_holds_for_a_message_stream_too(router: ChatRouter) -> None:
    still = ChatRouter(candidates=list(router.candidates), quality=0.75, disable_streaming=True)

    def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [still.invoke(state["messages"])]}

    graph = StateGraph(MessagesState).add_node("answer", answer).add_edge(START, "answer").compile()
    question: Any = {"messages": [HumanMessage("Hello")]}
    parts: list[Any] = list(graph.stream(question, stream_mode="messages"))
    assert len([message for message, _ in parts if isinstance(message, AIMessageChunk)]) == 0
    assert len(parts) == 1


def test_a_handler_given_to_the_router_and_to_the_call_hears_each_run_once(router: ChatRouter) -> None:
    class Counting(BaseCallbackHandler):
        ended = 0

        def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
            self.ended += 1

    counting = Counting()
    mine = ChatRouter(candidates=list(router.candidates), quality=0.75, callbacks=[counting])
    mine.invoke("Hello", {"callbacks": [counting]})
    assert counting.ended == 1


def test_the_run_id_of_a_call_names_its_first_attempt_only(
    provider: SimulatedProvider, router: ChatRouter
) -> None:
    class Ids(BaseCallbackHandler):
        def __init__(self) -> None:
            self.seen: list[UUID] = []

        def on_chat_model_start(self, *args: Any, run_id: UUID, **kwargs: Any) -> None:
            self.seen.append(run_id)

    provider.fail("small", 500)
    ids, run_id = Ids(), uuid4()
    router.invoke("Hello", {"run_id": run_id, "callbacks": [ids]})
    assert ids.seen[0] == run_id
    assert len(set(ids.seen)) == 2


def test_the_message_that_a_model_gave_is_not_changed_by_the_stamp() -> None:
    given = AIMessage("mine", response_metadata={"kept": 1})
    model = GenericFakeChatModel(messages=iter([given]))
    answer = ChatRouter(candidates=[Candidate(model=model, name="one")]).invoke("Hello")
    assert answer.response_metadata["router"]["served_by"] == "one"
    assert given.response_metadata == {"kept": 1}


async def test_giving_up_on_an_event_stream_leaves_no_call_running(
    provider: SimulatedProvider, router: ChatRouter
) -> None:
    provider.hang("small", limit_s=5)
    before = asyncio.all_tasks()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await router.astream_events("Hello", version="v3")
    left = {task for task in asyncio.all_tasks() - before if "_produce" in repr(task.get_coro())}
    assert left == set()


async def test_making_a_model_does_not_block_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def slowly(_: Candidate) -> Any:
        assert released.wait(5)
        return GenericFakeChatModel(messages=iter([AIMessage("made")]))

    monkeypatch.setattr(Candidate, "chat_model", slowly)
    waiting = asyncio.create_task(Candidate(model="house/slow").achat_model())
    await asyncio.sleep(0.005)  # the loop runs on while the model is being made
    assert not waiting.done()
    released.set()
    assert (await waiting).invoke("Hello").content == "made"


def test_a_model_string_that_litellm_cannot_place_does_not_stop_a_healthy_one(
    placed: list[Candidate],
) -> None:
    misspelt = Candidate(
        model="opnai/small", quality=0.99, price=Price.per_million(input_usd=0, output_usd=0)
    )
    stamped = ChatRouter(candidates=[misspelt, placed[0]]).invoke("Hello").response_metadata["router"]
    assert stamped["served_by"] == "small"
    assert stamped["attempts"][0]["error_kind"] == "not_found"


def test_what_is_said_of_a_candidate_counts_for_agents_that_read_its_profile(placed: list[Candidate]) -> None:
    profile = placed[0].chat_model().profile
    assert profile is not None
    assert profile["structured_output"] is True
    assert profile["image_inputs"] is False


def test_importing_the_adapter_keeps_litellm_from_fetching_its_price_map() -> None:
    code = (
        "import os; os.environ.pop('LITELLM_LOCAL_MODEL_COST_MAP', None)\n"
        "import langchain_router.providers.litellm\n"
        "print(os.environ['LITELLM_LOCAL_MODEL_COST_MAP'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "True"


async def test_an_interrupt_of_langgraph_in_the_middle_of_a_stream_passes_as_it_is(
    router: ChatRouter,
) -> None:
    interrupt = GraphInterrupt(())

    class Interrupting(GenericFakeChatModel):
        def _stream(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
            yield ChatGenerationChunk(message=AIMessageChunk(content="half"))
            raise interrupt

    model = Interrupting(messages=iter(()))
    interrupted = ChatRouter(candidates=[Candidate(model=model, name="one"), *router.candidates], quality=0)
    with pytest.raises(GraphInterrupt) as caught:
        list(interrupted.stream("Hello", model="one"))
    with pytest.raises(GraphInterrupt):
        _ = [chunk async for chunk in interrupted.astream("Hello", model="one")]
    assert caught.value is interrupt
    assert caught.value.__cause__ is None


def test_the_interruption_of_a_router_that_is_a_candidate_names_the_model_that_broke_off(
    provider: SimulatedProvider, placed: list[Candidate]
) -> None:
    provider.cut_stream("small", after_events=3)
    inner = ChatRouter(candidates=placed, quality=0.5)
    outer = ChatRouter(candidates=[Candidate(model=inner, name="inner", quality=0.9)], quality=0.5)
    with pytest.raises(StreamInterruptedError) as caught:
        list(outer.stream("Hello"))
    assert caught.value.candidate == "small"


# --- secrets and prompts ----------------------------------------------------------------------------------


def test_no_dump_of_a_router_holds_a_key(router: ChatRouter) -> None:
    router.warm_up()
    models = [candidate.chat_model() for candidate in router.candidates]
    shown = f"{router.model_dump()!r} {models!r} {[model._serialized for model in models]!r}"
    assert "key-in-a-test" not in shown


def test_a_mapped_error_quotes_no_prompt_and_can_be_pickled(
    provider: SimulatedProvider, router: ChatRouter
) -> None:
    canary = "the-canary-sings-at-noon"
    provider.fail("small", 429)
    model = router.candidates[0].chat_model()
    with pytest.raises(ModelRateLimitError) as caught:
        model.invoke(canary)
    seen: list[BaseException] = [caught.value]
    while seen[-1].__cause__ is not None:
        seen.append(seen[-1].__cause__)
    assert canary not in repr([(error.args, error.__dict__) for error in seen])
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert isinstance(again, ModelRateLimitError)
    assert str(again) == str(caught.value)


def test_a_decision_can_be_pickled_copied_and_written_as_json(router: ChatRouter) -> None:
    decision = router.decide("Hello")
    assert pickle.loads(pickle.dumps(decision)) == decision == copy.deepcopy(decision)  # noqa: S301
    assert json.loads(json.dumps(decision.to_dict()))["chosen"] == "small"
