"""`ChatRouter` as LangChain sees it: runs, callbacks, streams, agents, configuration."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from langchain_core.callbacks import (
    BaseCallbackHandler,
    UsageMetadataCallbackHandler,
    get_usage_metadata_callback,
)
from langchain_core.exceptions import ModelInvalidRequestError, ModelRateLimitError
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.rate_limiters import BaseRateLimiter
from langchain_core.runnables import ConfigurableField, RunnableBinding, RunnableConfig
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from pydantic import BaseModel

from langchain_router import (
    Candidate,
    ChatRouter,
    ConfigurationError,
    Constraints,
    NoEligibleCandidateError,
    Price,
    RouterExhaustedError,
    StreamInterruptedError,
)
from langchain_router.testing import SimulatedProvider

CandidatesAt = Callable[..., list[Candidate]]

CANARY = "the-canary-sings-at-noon"


class Runs(BaseCallbackHandler):
    """Notes every run: its kind, its id, its parent, its tags and metadata, and how it ended."""

    def __init__(self) -> None:
        self.kinds: dict[UUID, str] = {}
        self.parents: dict[UUID, UUID | None] = {}
        self.details: dict[UUID, dict[str, Any]] = {}
        self.ended: Counter[str] = Counter()

    def on_chat_model_start(
        self, *args: Any, run_id: UUID, parent_run_id: UUID | None = None, **kw: Any
    ) -> None:
        self._started("llm", run_id, parent_run_id, kw)

    def on_chain_start(self, *args: Any, run_id: UUID, parent_run_id: UUID | None = None, **kw: Any) -> None:
        self._started("chain", run_id, parent_run_id, kw)

    def on_llm_end(self, *args: Any, **kwargs: Any) -> None:
        self.ended["ok"] += 1

    def on_llm_error(self, *args: Any, **kwargs: Any) -> None:
        self.ended["error"] += 1

    def _started(self, kind: str, run_id: UUID, parent: UUID | None, details: dict[str, Any]) -> None:
        self.kinds[run_id] = kind
        self.parents[run_id] = parent
        self.details[run_id] = details

    def llm_details(self) -> list[dict[str, Any]]:
        return [self.details[run] for run, kind in self.kinds.items() if kind == "llm"]


class City(BaseModel):
    """A city."""

    name: str


@tool
def population(city: str) -> int:
    """Return the population of a city."""
    return len(city) * 100_000


def merged(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    whole = chunks[0]
    for chunk in chunks[1:]:
        whole += chunk
    return whole


# --- it is a chat model ---------------------------------------------------------------------------


def test_a_router_is_a_chat_model_that_composes_with_the_pipe(router: ChatRouter) -> None:
    chain = ChatPromptTemplate.from_messages([("human", "{question}")]) | router | StrOutputParser()
    assert isinstance(router, BaseChatModel)
    assert isinstance(chain.invoke({"question": "What is the capital of France?"}), str)


def test_candidates_may_be_any_chat_models_beside_litellm_strings(candidates_at: CandidatesAt) -> None:
    fake = GenericFakeChatModel(messages=iter([AIMessage("from the fake")]))
    mine = Candidate(model=fake, name="fake", quality=0.9, price=Price.per_million(input_usd=0, output_usd=0))
    router = ChatRouter(candidates=[mine, *candidates_at("http://127.0.0.1:9/v1")], quality=0.75)
    assert router.invoke("Hello").content == "from the fake"


# --- only real model calls are LLM runs -------------------------------------------------------------


def test_a_plain_choice_adds_no_run_of_its_own(router: ChatRouter) -> None:
    runs = Runs()
    router.invoke("Hello", {"callbacks": [runs]})
    list(router.stream("Hello", {"callbacks": [runs]}))
    assert list(runs.kinds.values()) == ["llm", "llm"]
    assert set(runs.parents.values()) == {None}


async def test_a_plain_choice_adds_no_run_of_its_own_async(router: ChatRouter) -> None:
    runs = Runs()
    await router.ainvoke("Hello", {"callbacks": [runs]})
    assert [chunk async for chunk in router.astream("Hello", {"callbacks": [runs]})]
    assert list(runs.kinds.values()) == ["llm", "llm"]


async def test_trace_chain_puts_each_call_under_one_chain_run(
    provider: SimulatedProvider, router: ChatRouter
) -> None:
    chained = ChatRouter(candidates=list(router.candidates), quality=0.75, trace="chain")
    for call in ("invoke", "stream", "ainvoke", "astream"):
        provider.fail("small", 500)
        runs = Runs()
        config: RunnableConfig = {"callbacks": [runs]}
        if call == "invoke":
            chained.invoke("Hello", config)
        elif call == "stream":
            list(chained.stream("Hello", config))
        elif call == "ainvoke":
            await chained.ainvoke("Hello", config)
        else:
            assert [chunk async for chunk in chained.astream("Hello", config)]
        assert sorted(runs.kinds.values()) == ["chain", "llm", "llm"], call
        (chain,) = (run for run, kind in runs.kinds.items() if kind == "chain")
        assert all(runs.parents[run] == chain for run, kind in runs.kinds.items() if kind == "llm"), call


def test_the_decision_travels_in_the_metadata_and_tags_of_the_models_run(router: ChatRouter) -> None:
    runs = Runs()
    answer = router.invoke("Hello", {"callbacks": [runs], "tags": ["mine"], "metadata": {"user": "u1"}})
    (details,) = runs.llm_details()
    assert details["metadata"]["router_decision_id"] == answer.response_metadata["router"]["decision_id"]
    assert details["metadata"]["router_candidate"] == "small"
    assert details["metadata"]["user"] == "u1"
    assert {"mine", "langchain_router"} <= set(details["tags"])


def test_a_run_id_names_the_models_run(router: ChatRouter) -> None:
    runs, run_id = Runs(), uuid4()
    answer = router.invoke("Hello", {"callbacks": [runs], "run_id": run_id})
    assert list(runs.kinds) == [run_id]
    assert answer.id == f"lc_run--{run_id}-0"


async def test_usage_is_counted_once(router: ChatRouter) -> None:
    handler = UsageMetadataCallbackHandler()
    answer = router.invoke("Hello", {"callbacks": [handler]})
    assert answer.usage_metadata is not None
    (counted,) = handler.usage_metadata.values()
    assert counted["total_tokens"] == answer.usage_metadata["total_tokens"]
    with get_usage_metadata_callback() as context:
        router.invoke("Hello")
        merged(list(router.stream("Hello")))
        await router.ainvoke("Hello")
    (counted,) = context.usage_metadata.values()
    assert counted["total_tokens"] == 3 * answer.usage_metadata["total_tokens"]


# --- the decision on the answer ---------------------------------------------------------------------


def test_the_answer_carries_the_decision_as_json_without_prompt_text(router: ChatRouter) -> None:
    answer = router.invoke(f"Translate to French: {CANARY}")
    stamped = json.dumps(answer.response_metadata["router"])
    assert CANARY not in stamped
    found = json.loads(stamped)
    assert found["served_by"] == found["chosen"] == "small"
    assert found["intent"] == "translation"
    assert [attempt["candidate"] for attempt in found["attempts"]] == ["small"]


def test_exactly_one_chunk_carries_the_decision(router: ChatRouter) -> None:
    chunks = list(router.stream("Hello"))
    assert sum("router" in chunk.response_metadata for chunk in chunks) == 1
    assert merged(chunks).response_metadata["router"]["served_by"] == "small"
    assert merged(chunks).chunk_position == "last"


async def test_exactly_one_chunk_carries_the_decision_async(router: ChatRouter) -> None:
    chunks = [chunk async for chunk in router.astream("Hello")]
    assert sum("router" in chunk.response_metadata for chunk in chunks) == 1
    assert merged(chunks).response_metadata["router"]["served_by"] == "small"


# --- streams and events -----------------------------------------------------------------------------


async def test_events_v2_show_one_model_and_its_tokens(router: ChatRouter) -> None:
    events = [event async for event in router.astream_events("Hello", version="v2")]
    kinds = Counter(event["event"] for event in events)
    assert kinds["on_chat_model_start"] == kinds["on_chat_model_end"] == 1
    streamed = "".join(e["data"]["chunk"].content for e in events if e["event"] == "on_chat_model_stream")
    assert streamed == router.invoke("Hello").content


def test_events_v3_stream_one_message_with_the_decision(router: ChatRouter) -> None:
    stream = router.stream_events("Hello", version="v3")
    text = "".join(stream.text)
    assert text == router.invoke("Hello").content
    assert stream.output.response_metadata["router"]["served_by"] == "small"


async def test_events_v3_stream_one_message_with_the_decision_async(router: ChatRouter) -> None:
    stream = await router.astream_events("Hello", version="v3")
    text = "".join([part async for part in stream.text])
    message = await stream
    assert text == router.invoke("Hello").content
    assert message.response_metadata["router"]["served_by"] == "small"


def test_events_v3_fail_over_before_the_first_event(provider: SimulatedProvider, router: ChatRouter) -> None:
    provider.fail("small", 500)
    stream = router.stream_events("Hello", version="v3")
    assert stream.output.response_metadata["router"]["served_by"] == "large"


async def test_events_v3_fail_over_before_the_first_event_async(
    provider: SimulatedProvider, router: ChatRouter
) -> None:
    provider.fail("small", 500)
    message = await (await router.astream_events("Hello", version="v3"))
    assert message.response_metadata["router"]["served_by"] == "large"


async def test_langgraph_shows_each_token_once(router: ChatRouter) -> None:
    def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [router.invoke(state["messages"])]}

    graph = StateGraph(MessagesState).add_node("answer", answer).add_edge(START, "answer").compile()
    question: Any = {"messages": [HumanMessage("Hello")]}
    expected = router.invoke("Hello").content
    parts: list[Any] = list(graph.stream(question, stream_mode="messages"))
    assert "".join(message.text for message, _ in parts if isinstance(message, AIMessageChunk)) == expected
    aparts: list[Any] = [part async for part in graph.astream(question, stream_mode="messages")]
    assert "".join(message.text for message, _ in aparts if isinstance(message, AIMessageChunk)) == expected


# --- failover ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 503])
def test_an_error_that_another_candidate_could_survive_goes_to_the_next(
    provider: SimulatedProvider, router: ChatRouter, status: int
) -> None:
    provider.fail("small", status)
    answer = router.invoke("Hello")
    assert answer.response_metadata["router"]["chosen"] == "small"
    assert answer.response_metadata["router"]["served_by"] == "large"
    assert [a["error_kind"] is None for a in answer.response_metadata["router"]["attempts"]] == [False, True]


def test_a_callers_own_bad_request_does_not_go_to_the_next(
    provider: SimulatedProvider, router: ChatRouter
) -> None:
    provider.fail("small", 400)
    before = len(provider.requests)
    with pytest.raises(ModelInvalidRequestError):
        router.invoke("Hello")
    assert len(provider.requests) - before == 1


async def test_failover_works_in_every_way_of_calling(
    provider: SimulatedProvider, router: ChatRouter
) -> None:
    provider.fail("small", 500, times=None)
    assert router.invoke("Hello").response_metadata["router"]["served_by"] == "large"
    assert (await router.ainvoke("Hello")).response_metadata["router"]["served_by"] == "large"
    assert merged(list(router.stream("Hello"))).response_metadata["router"]["served_by"] == "large"
    chunks = [chunk async for chunk in router.astream("Hello")]
    assert merged(chunks).response_metadata["router"]["served_by"] == "large"
    assert isinstance(router.with_structured_output(City).invoke("Name a city."), City)
    assert router.batch(["Hello", "Hello"])[1].response_metadata["router"]["served_by"] == "large"


def test_when_every_candidate_fails_the_error_holds_every_attempt(
    provider: SimulatedProvider, router: ChatRouter
) -> None:
    provider.fail("small", 429, times=None)
    provider.fail("large", 503, times=None)
    runs = Runs()
    with pytest.raises(
        RouterExhaustedError,
        match=r"'small' rate_limited, 'large' overloaded, '(small' rate_limited|large' overloaded)",
    ) as caught:
        router.invoke("Hello", {"callbacks": [runs]})
    assert isinstance(caught.value.exceptions[0], ModelRateLimitError)
    assert len(caught.value.exceptions) == 3  # who failed in passing was asked once more
    assert runs.ended == {"error": 3}


async def test_a_stream_that_breaks_after_its_first_token_is_not_continued_by_another_model(
    provider: SimulatedProvider, router: ChatRouter
) -> None:
    provider.cut_stream("small", after_events=3, times=2)
    before = len(provider.requests)
    got: list[AIMessageChunk] = []
    with pytest.raises(StreamInterruptedError) as caught:
        got.extend(router.stream("Hello"))
    with pytest.raises(StreamInterruptedError) as acaught:
        _ = [chunk async for chunk in router.astream("Hello")]
    for error in (caught.value, acaught.value):
        assert error.partial
        assert error.partial == acaught.value.partial
        assert error.partial not in str(error)
        assert error.candidate == "small"
    assert merged(got).text == caught.value.partial
    assert [request.model for request in provider.requests[before:]] == ["small", "small"]


@pytest.mark.parametrize("answer_async", [False, True])
async def test_a_message_stream_never_shows_two_models_in_one_answer(
    provider: SimulatedProvider, router: ChatRouter, answer_async: bool
) -> None:
    # LangGraph shows the tokens of `invoke` as they come: a failover after the first would mix two answers.

    def answer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [router.invoke(state["messages"])]}

    async def aanswer(state: MessagesState) -> dict[str, Any]:
        return {"messages": [await router.ainvoke(state["messages"])]}

    node: Any = aanswer if answer_async else answer
    graph = StateGraph(MessagesState).add_node("answer", node).add_edge(START, "answer").compile()
    provider.cut_stream("small", after_events=3)
    shown: list[Any] = []

    async def watch() -> None:
        async for part in graph.astream({"messages": [HumanMessage("Hello")]}, stream_mode="messages"):
            shown.append(part)  # noqa: PERF401 - what came before an error must be kept

    with pytest.raises(StreamInterruptedError):
        await watch()
    assert shown
    provider.fail("small", 500)
    shown.clear()
    await watch()
    assert len({message.id for message, _ in shown}) == 1


# --- tools and structured output --------------------------------------------------------------------


def test_bound_tools_are_dicts_in_a_runnable_binding(router: ChatRouter) -> None:
    bound = router.bind_tools([population], tool_choice="any")
    assert isinstance(bound, RunnableBinding)
    assert bound.kwargs["tools"][0]["function"]["name"] == "population"
    answer = bound.invoke("What is the population of Paris? Use the tool.")
    assert isinstance(answer, AIMessage)
    assert answer.tool_calls[0]["name"] == "population"
    assert answer.response_metadata["router"]["served_by"] == "small"


def test_a_tool_may_be_forced_by_its_name(router: ChatRouter) -> None:
    answer = router.bind_tools([population], tool_choice="population").invoke("Paris")
    assert isinstance(answer, AIMessage)
    assert answer.tool_calls[0]["name"] == "population"


def test_each_candidate_is_asked_for_structure_in_its_own_way(
    provider: SimulatedProvider, candidates_at: CandidatesAt
) -> None:
    small, large = candidates_at(provider.base_url)
    only_tools = Candidate(
        model="openai/small",
        name="only tools",
        options=small.options,
        quality=0.8,
        price=small.price,
        capabilities=frozenset({"tool_calling"}),
    )
    for candidate, through_tools in ((only_tools, True), (large, False)):
        before = len(provider.requests)
        chain = ChatRouter(candidates=[candidate], quality=0.5).with_structured_output(City)
        assert isinstance(chain.invoke("Name a city."), City)
        assert provider.requests[before].tools is through_tools


def test_structured_output_with_the_raw_message_carries_the_decision(router: ChatRouter) -> None:
    found: Any = router.with_structured_output(City, include_raw=True).invoke("Name a city.")
    assert isinstance(found["parsed"], City)
    assert found["parsing_error"] is None
    assert found["raw"].response_metadata["router"]["served_by"] == "small"


async def test_structured_output_streams_a_growing_answer(router: ChatRouter) -> None:
    schema = {
        "title": "City",
        "description": "A city.",
        "type": "object",
        "properties": {"name": {"type": "string"}},
    }
    parts: list[Any] = list(router.with_structured_output(schema).stream("Name a city."))
    aparts: list[Any] = [part async for part in router.with_structured_output(schema).astream("Name a city.")]
    assert set(parts[-1]) == {"name"}
    assert parts[-1] == aparts[-1]


def test_a_candidate_without_the_ability_is_not_asked(
    provider: SimulatedProvider, candidates_at: CandidatesAt
) -> None:
    small, large = candidates_at(provider.base_url)
    plain = Candidate(
        model="openai/small",
        name="plain",
        options=small.options,
        quality=0.9,
        price=small.price,
        capabilities=frozenset(),
    )
    router = ChatRouter(candidates=[plain, large], quality=0.5)
    assert router.invoke("Hello").response_metadata["router"]["served_by"] == "plain"
    answer = router.bind_tools([population]).invoke("Hello")
    assert isinstance(answer, AIMessage)
    stamped = answer.response_metadata["router"]
    assert stamped["served_by"] == "large"
    assert stamped["excluded"] == {"plain": ["lacks tool calling"]}


# --- constraints ------------------------------------------------------------------------------------


def test_constraints_may_be_given_at_construction_per_call_by_config_and_as_a_copy(
    provider: SimulatedProvider, candidates_at: CandidatesAt
) -> None:
    small, large = candidates_at(provider.base_url)
    regional = [
        Candidate(
            model=c.model, name=c.name, options=c.options, quality=c.quality, price=c.price, region=region
        )
        for c, region in ((small, "us"), (large, "eu"))
    ]
    router = ChatRouter(candidates=regional, quality=0.5)
    config: RunnableConfig = {"configurable": {"regions": ["eu"]}}
    built = ChatRouter(candidates=regional, quality=0.5, constraints={"regions": {"eu"}})
    assert router.decide("Hello").chosen.name == "small"
    assert router.decide("Hello", regions={"eu"}).chosen.name == "large"
    assert router.invoke("Hello", regions={"eu"}).response_metadata["router"]["served_by"] == "large"
    assert router.invoke("Hello", config).response_metadata["router"]["served_by"] == "large"
    assert built.decide("Hello").chosen.name == "large"
    narrowed = router.constrained(regions={"eu"})
    assert isinstance(narrowed, ChatRouter)
    assert narrowed.decide("Hello").chosen.name == "large"
    assert router.constraints == Constraints()
    with pytest.raises(NoEligibleCandidateError, match="the regions allowed have nothing in common"):
        narrowed.decide("Hello", regions={"us"})


def test_with_config_carries_constraints(router: ChatRouter) -> None:
    dear = router.with_config(configurable={"min_quality": 0.9})
    assert dear.invoke("Hello").response_metadata["router"]["served_by"] == "large"


def test_a_misspelt_constraint_is_refused_rather_than_ignored(router: ChatRouter) -> None:
    with pytest.raises(
        ConfigurationError, match="'max_cost' is not a constraint; did you mean 'max_cost_usd'"
    ):
        router.invoke("Hello", max_cost=0.01)


def test_a_call_may_name_its_model(router: ChatRouter) -> None:
    assert router.invoke("Hello", model="large").response_metadata["router"]["served_by"] == "large"
    with pytest.raises(ConfigurationError, match="'nobody' is not a candidate"):
        router.invoke("Hello", model="nobody")


# --- what a chat model's constructor takes ----------------------------------------------------------


def test_constructor_callbacks_tags_and_metadata_reach_the_models_run(router: ChatRouter) -> None:
    runs = Runs()
    mine = ChatRouter(
        candidates=list(router.candidates), quality=0.75, callbacks=[runs], tags=["t"], metadata={"m": 1}
    )
    mine.invoke("Hello")
    (details,) = runs.llm_details()
    assert "t" in details["tags"]
    assert details["metadata"]["m"] == 1


async def test_the_rate_limiter_is_asked_before_every_call(
    provider: SimulatedProvider, router: ChatRouter
) -> None:
    class Counting(BaseRateLimiter):
        asked = 0

        def acquire(self, *, blocking: bool = True) -> bool:
            self.asked += 1
            return True

        async def aacquire(self, *, blocking: bool = True) -> bool:
            return self.acquire(blocking=blocking)

    limiter = Counting()
    limited = ChatRouter(candidates=list(router.candidates), quality=0.75, rate_limiter=limiter)
    provider.fail("small", 500)
    limited.invoke("Hello")
    await limited.ainvoke("Hello")
    list(limited.stream("Hello"))
    assert [chunk async for chunk in limited.astream("Hello")]
    limited.stream_events("Hello", version="v3").output  # noqa: B018 - reading it runs the stream
    assert limiter.asked == 6


async def test_disable_streaming_yields_the_whole_answer_as_one_chunk(router: ChatRouter) -> None:
    still = ChatRouter(candidates=list(router.candidates), quality=0.75, disable_streaming=True)
    chunks = list(still.stream("Hello"))
    assert len(chunks) == 1
    assert isinstance(chunks[0], AIMessageChunk)
    assert len([chunk async for chunk in still.astream("Hello")]) == 1


def test_output_version_is_handed_to_the_model(router: ChatRouter) -> None:
    blocks = ChatRouter(candidates=list(router.candidates), quality=0.75, output_version="v1")
    assert blocks.invoke("Hello").content[0]["type"] == "text"  # type: ignore[index]
    assert isinstance(router.invoke("Hello").content, str)


def test_the_profile_is_what_all_candidates_share(router: ChatRouter) -> None:
    assert router.profile is not None
    assert router.profile["max_input_tokens"] == 100_000
    assert router.profile["tool_calling"] is True
    assert router.profile["image_inputs"] is False


def test_fields_are_configurable_at_run_time(router: ChatRouter) -> None:
    adjustable = router.configurable_fields(quality=ConfigurableField(id="threshold"))
    assert adjustable.invoke("Hello").response_metadata["router"]["served_by"] == "small"
    config: RunnableConfig = {"configurable": {"threshold": 0.9}}
    assert adjustable.invoke("Hello", config).response_metadata["router"]["served_by"] == "large"


def test_a_router_takes_fallbacks(provider: SimulatedProvider, router: ChatRouter) -> None:
    provider.fail("small", 500, times=None)
    provider.fail("large", 500, times=None)
    safe = router.with_fallbacks([GenericFakeChatModel(messages=iter([AIMessage("still here")]))])
    assert safe.invoke("Hello").content == "still here"


async def test_batches_route_each_input_on_its_own(router: ChatRouter) -> None:
    answers = router.batch(["Hello", "Hello"], {"max_concurrency": 2})
    answers += await router.abatch(["Hello", "Hello"])
    ids = {answer.response_metadata["router"]["decision_id"] for answer in answers}
    assert len(ids) == 4


async def test_generate_answers_every_conversation(router: ChatRouter) -> None:
    conversations: Any = [[HumanMessage("Hello")], [HumanMessage("Bye")]]
    runs = Runs()
    result = router.generate(conversations, callbacks=[runs], tags=["t"])
    aresult = await router.agenerate(conversations)
    assert [g[0].text for g in result.generations] == [g[0].text for g in aresult.generations]
    assert len(runs.kinds) == 2
    assert all("t" in details["tags"] for details in runs.llm_details())


def test_tokens_are_counted_without_transformers(router: ChatRouter) -> None:
    assert "transformers" not in sys.modules
    assert router.get_num_tokens("about four tokens here") > 0
    assert router.get_num_tokens_from_messages([HumanMessage("Hello there")]) > 0
    mine = ChatRouter(
        candidates=list(router.candidates), quality=0.75, custom_get_token_ids=lambda _: [1] * 7
    )
    assert mine.get_num_tokens("whatever") == 7


def test_no_repr_of_a_router_shows_a_key(router: ChatRouter) -> None:
    router.warm_up()
    assert "key-in-a-test" not in f"{router!r} {router} {router.candidates!r} {router._serialized!r}"


def test_one_key_is_not_sent_to_several_providers() -> None:
    with pytest.raises(ConfigurationError, match="api_key would be sent to anthropic, openai alike"):
        ChatRouter.from_models("openai/gpt-4o-mini", "anthropic/claude-haiku-4-5", api_key="key-in-a-test")


def test_a_cache_is_refused_with_the_place_where_it_belongs(router: ChatRouter) -> None:
    with pytest.raises(ConfigurationError, match="Set the cache on the candidates"):
        ChatRouter(candidates=list(router.candidates), cache=True)


def test_model_options_go_to_models_made_from_strings(provider: SimulatedProvider) -> None:
    router = ChatRouter.from_models("openai/small", api_base=provider.base_url, api_key="k", max_tokens=3)
    assert router.invoke("Hello").response_metadata["finish_reason"] == "length"


# --- auto -------------------------------------------------------------------------------------------


def test_auto_takes_the_providers_whose_keys_are_set(monkeypatch: pytest.MonkeyPatch) -> None:
    from langchain_router.candidates.catalogue import catalogue

    for entry in catalogue().values():
        monkeypatch.delenv(entry.key_env, raising=False)
    with pytest.raises(ConfigurationError, match=r"looked for .*ANTHROPIC_API_KEY.*OPENAI_API_KEY"):
        ChatRouter.auto()
    monkeypatch.setenv("OPENAI_API_KEY", "key-in-a-test")
    router = ChatRouter.auto(quality=0.8)
    assert {candidate.provider for candidate in router.candidates} == {"openai"}
    assert not any(catalogue()[candidate.name].retired for candidate in router.candidates)


# --- import -----------------------------------------------------------------------------------------


def test_importing_loads_nothing_heavy_and_deciding_no_more_than_numpy() -> None:
    code = (
        "import sys, langchain_router\n"
        "from langchain_router import ChatRouter\n"
        "heavy = {'litellm', 'langchain', 'langchain_litellm', 'sqlalchemy', 'numpy', 'openai'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "router = ChatRouter.from_models('openai/gpt-4o-mini', 'openai/gpt-4o', store=None)\n"
        "router.decide('Hello')\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.split("\n")[:2] == ["[]", "['numpy']"]
