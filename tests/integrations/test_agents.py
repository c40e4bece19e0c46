"""A router inside LangChain's agents: as middleware, and as the agent's model."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, cast

import pytest

os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    ModelFallbackMiddleware,
    ModelRequest,
    ModelResponse,
    ModelRetryMiddleware,
)
from langchain.agents.structured_output import ProviderStrategy, StructuredOutputValidationError, ToolStrategy
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.exceptions import ModelAPIError, ModelInvalidRequestError, ModelRateLimitError
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.runnables import Runnable
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.tools import tool
from langchain_router_agents import RouterMiddleware
from langchain_router_agents import provider_settings as fitting
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.errors import GraphBubbleUp
from langgraph.types import Command, interrupt
from pydantic import BaseModel, Field
from tenacity import stop_after_attempt, wait_none

from langchain_router import (
    Candidate,
    ChatRouter,
    ConfigurationError,
    NoEligibleCandidateError,
    Resilience,
    RouterExhaustedError,
    RoutingDecision,
)
from langchain_router.policies.context import Context
from langchain_router.router import Router
from langchain_router.testing import SimulatedProvider

Said = AIMessage | Exception | str
Run = Callable[..., dict[str, Any]]


class Scripted(BaseChatModel):
    """Says what it was told to say, then repeats the last of it; keeps what it was asked."""

    label: str
    says: list[Any]
    asked: list[list[BaseMessage]] = Field(default_factory=list)
    bound: list[dict[str, Any]] = Field(default_factory=list)
    kind: str = "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        named = [t["function"]["name"] if isinstance(t, dict) else t.name for t in tools]
        return cast("Runnable[Any, AIMessage]", self.bind(tool_names=named, **kwargs))

    def _next(self, messages: list[BaseMessage], options: dict[str, Any]) -> AIMessage:
        assert len(self.asked) < 20, f"{self.label} is asked in a circle"
        said = self.says[min(len(self.asked), len(self.says) - 1)]
        self.asked.append(messages)
        self.bound.append(options)
        if isinstance(said, Exception):
            raise said
        message = AIMessage(said) if isinstance(said, str) else said
        return message.model_copy(update={"response_metadata": {"model_name": self.label}})

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._next(messages, kwargs))])

    def _stream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        whole = self._next(messages, kwargs)
        parts = whole.text.split(" ")
        for i, part in enumerate(parts):
            last = i == len(parts) - 1
            text = part if last else part + " "
            chunk = AIMessageChunk(
                content=text,
                tool_calls=whole.tool_calls if last else [],
                response_metadata=whole.response_metadata if last else {},
                chunk_position="last" if last else None,
            )
            generation = ChatGenerationChunk(message=chunk)
            if run_manager:
                run_manager.on_llm_new_token(text, chunk=generation)
            yield generation

    async def _astream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for generation in self._stream(messages, **kwargs):
            if run_manager:
                await run_manager.on_llm_new_token(generation.text, chunk=generation)
            yield generation

    @property
    def _llm_type(self) -> str:
        return self.kind


class ByPhase:
    """Sends what follows a tool's result to the last candidate, and all else to the first."""

    name = "by_phase"

    def select(self, context: Context, candidates: Sequence[Candidate]) -> RoutingDecision:
        plan = list(candidates)
        if context.request.phase == "tool_result":
            plan.reverse()
        return context.decision(plan, reason="by phase", policy=self.name, policy_params={})


@tool
def population(city: str) -> str:
    """Return the population of a city."""
    return f"{city}: 2,100,000"


class City(BaseModel):
    """A city."""

    name: str
    inhabitants: int


class River(BaseModel):
    """A river."""

    length_km: float


TOOL_CALL = AIMessage("", tool_calls=[{"name": "population", "args": {"city": "Paris"}, "id": "call-1"}])
CITY_CALL = AIMessage(
    "", tool_calls=[{"name": "City", "args": {"name": "Paris", "inhabitants": 2_100_000}, "id": "call-2"}]
)
CITY_JSON = '{"name": "Paris", "inhabitants": 2100000}'
SLOW_DOWN = ModelRateLimitError("slow down")
ASK = {"messages": [HumanMessage("How many people live in Paris?")]}


def scripted(label: str, *says: Said, **fields: Any) -> Scripted:
    return Scripted(label=label, says=list(says) or [f"answer of {label}"], **fields)


def routed(*models: Scripted, policy: Any = None, **options: Any) -> ChatRouter:
    candidates = [Candidate(model=model, name=model.label, context_tokens=100_000) for model in models]
    options.setdefault("resilience", Resilience(wait=wait_none(), stop=stop_after_attempt(len(models))))
    return ChatRouter(candidates=candidates, policy=policy or ByPhase(), **options)


def native(*abilities: str) -> ModelProfile:
    return cast("ModelProfile", dict.fromkeys(abilities, True) | {"max_input_tokens": 100_000})


@pytest.fixture(params=["invoke", "ainvoke"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs an agent, once each way."""

    def invoke(agent: Any, given: Any = ASK, **kwargs: Any) -> dict[str, Any]:
        return cast("dict[str, Any]", agent.invoke(given, **kwargs))

    def ainvoke(agent: Any, given: Any = ASK, **kwargs: Any) -> dict[str, Any]:
        return cast("dict[str, Any]", asyncio.run(agent.ainvoke(given, **kwargs)))

    return invoke if request.param == "invoke" else ainvoke


@pytest.fixture(params=["stream", "astream"])
def tokens(request: pytest.FixtureRequest) -> Callable[[Any], list[tuple[str, str]]]:
    """Streams an agent's messages; returns the text and the node of each token."""

    def stream(agent: Any) -> list[tuple[str, str]]:
        parts = agent.stream(ASK, stream_mode="messages")
        return [(m.text, meta["langgraph_node"]) for m, meta in parts if m.text]

    def astream(agent: Any) -> list[tuple[str, str]]:
        async def collect() -> list[tuple[str, str]]:
            parts = agent.astream(ASK, stream_mode="messages")
            return [(m.text, meta["langgraph_node"]) async for m, meta in parts if m.text]

        return asyncio.run(collect())

    return stream if request.param == "stream" else astream


def answers(result: dict[str, Any]) -> list[AIMessage]:
    return [message for message in result["messages"] if isinstance(message, AIMessage)]


def served_by(result: dict[str, Any]) -> list[str | None]:
    return [answer.response_metadata.get("router", {}).get("served_by") for answer in answers(result)]


class Runs(BaseCallbackHandler):
    """Keeps the metadata and tags of every model run."""

    def __init__(self) -> None:
        self.seen: list[tuple[dict[str, Any], list[str]]] = []

    def on_chat_model_start(self, *args: Any, **kwargs: Any) -> None:
        self.seen.append((kwargs["metadata"], kwargs["tags"]))


# --- the steps of an agent ---------------------------------------------------------------------------


def test_each_step_of_a_tool_loop_is_answered_by_the_model_chosen_for_it(run: Run) -> None:
    cheap, strong = scripted("cheap", TOOL_CALL), scripted("strong", "Two million.")
    own = scripted("own")
    agent = create_agent(own, tools=[population], middleware=[RouterMiddleware(routed(cheap, strong))])
    result = run(agent)
    assert [type(m) for m in result["messages"]] == [HumanMessage, AIMessage, ToolMessage, AIMessage]
    assert result["messages"][-1].text == "Two million."
    assert served_by(result) == ["cheap", "strong"]
    assert not own.asked
    assert cheap.bound[0]["tool_names"] == ["population"]


def test_the_decision_on_an_answer_is_json_and_holds_no_prompt_text(run: Run) -> None:
    router = routed(scripted("cheap"), scripted("strong"))
    result = run(create_agent(router, system_prompt="Be terse.", middleware=[RouterMiddleware(router)]))
    decision = answers(result)[-1].response_metadata["router"]
    written = json.dumps(decision)
    assert decision["plan"] == ["cheap", "strong"]
    assert decision["attempts"][0] | {"latency_s": 0} == {
        "candidate": "cheap",
        "role": "answer",
        "latency_s": 0,
        "error_kind": None,
        "input_tokens": None,
        "output_tokens": None,
        "cost_usd": None,
    }
    assert "Paris" not in written
    assert "terse" not in written


def test_the_models_run_bears_the_decision_as_metadata_and_tag(run: Run) -> None:
    seen = Runs()
    cheap, strong = scripted("cheap", SLOW_DOWN), scripted("strong")
    agent = create_agent(scripted("own"), middleware=[RouterMiddleware(routed(cheap, strong))])
    result = run(agent, config={"callbacks": [seen], "tags": ["mine"]})
    decision = answers(result)[-1].response_metadata["router"]
    assert [meta["router_candidate"] for meta, _ in seen.seen] == ["cheap", "strong"]
    assert [meta["router_attempt"] for meta, _ in seen.seen] == [1, 2]
    assert {meta["router_decision_id"] for meta, _ in seen.seen} == {decision["decision_id"]}
    assert all(meta["langgraph_node"] == "model" for meta, _ in seen.seen)
    assert all({"langchain_router", "mine"} <= set(tags) for _, tags in seen.seen)


def test_the_models_run_is_the_only_one_that_bears_the_decision(run: Run) -> None:
    seen = Runs()

    class Asks(AgentMiddleware):
        """Calls a model of its own after the step."""

        def wrap_model_call(self, request: ModelRequest, handler: Any) -> Any:
            response = handler(request)
            scripted("judge").invoke("Is that right?")
            return response

        async def awrap_model_call(self, request: ModelRequest, handler: Any) -> Any:
            response = await handler(request)
            await scripted("judge").ainvoke("Is that right?")
            return response

    agent = create_agent(scripted("own"), middleware=[Asks(), RouterMiddleware(routed(scripted("cheap")))])
    run(agent, config={"callbacks": [seen]})
    assert ["router_candidate" in meta for meta, _ in seen.seen] == [True, False]


def test_the_system_message_counts_and_reaches_the_chosen_model(run: Run) -> None:
    cheap = scripted("cheap")
    small = Candidate(model=scripted("tiny"), name="tiny", context_tokens=1_000)
    router = ChatRouter(candidates=[small, Candidate(model=cheap, name="cheap", context_tokens=100_000)])
    agent = create_agent(router, system_prompt="Mind this. " * 2_000, middleware=[RouterMiddleware(router)])
    assert served_by(run(agent)) == ["cheap"]
    assert isinstance(cheap.asked[0][0], SystemMessage)


def test_no_human_message_is_needed(run: Run) -> None:
    agent = create_agent(scripted("own"), middleware=[RouterMiddleware(routed(scripted("cheap")))])
    assert served_by(run(agent, {"messages": [SystemMessage("Greet.")]})) == ["cheap"]
    assert served_by(run(agent, {"messages": []})) == ["cheap"]


def test_constraints_in_the_runs_config_hold_for_every_step(run: Run) -> None:
    cheap, strong = scripted("cheap", TOOL_CALL, "Done."), scripted("strong")
    router = ChatRouter(
        candidates=[
            Candidate(model=cheap, name="cheap", provider="eu-cloud"),
            Candidate(model=strong, name="strong", provider="us-cloud"),
        ],
        policy=ByPhase(),
    )
    agent = create_agent(scripted("own"), tools=[population], middleware=[RouterMiddleware(router)])
    result = run(agent, config={"configurable": {"providers": {"eu-cloud"}, "thread_id": "t"}})
    assert served_by(result) == ["cheap", "cheap"]
    with pytest.raises(NoEligibleCandidateError, match="only mars is allowed"):
        run(agent, config={"configurable": {"providers": {"mars"}}})


def test_constraints_among_the_model_settings_choose_and_are_not_sent_on(run: Run) -> None:
    class Settings(AgentMiddleware):
        def wrap_model_call(self, request: ModelRequest, handler: Any) -> Any:
            return handler(request.override(model_settings={"temperature": 0.5, "min_quality": 0.9}))

        async def awrap_model_call(self, request: ModelRequest, handler: Any) -> Any:
            return await self.wrap_model_call(request, handler)

    cheap, strong = scripted("cheap"), scripted("strong")
    router = ChatRouter(
        candidates=[
            Candidate(model=cheap, name="cheap", quality=0.5),
            Candidate(model=strong, name="strong", quality=0.99),
        ],
        policy=ByPhase(),
    )
    agent = create_agent(scripted("own"), middleware=[Settings(), RouterMiddleware(router)])
    assert served_by(run(agent)) == ["strong"]
    assert strong.bound == [{"temperature": 0.5}]


def test_the_routers_rate_limiter_and_callbacks_hold(run: Run) -> None:
    taken: list[str] = []

    class Limiter(InMemoryRateLimiter):
        def acquire(self, *, blocking: bool = True) -> bool:
            taken.append("sync")
            return True

        async def aacquire(self, *, blocking: bool = True) -> bool:
            taken.append("async")
            return True

    seen = Runs()
    router = routed(scripted("cheap"), rate_limiter=Limiter(), callbacks=[seen])
    run(create_agent(scripted("own"), middleware=[RouterMiddleware(router)]))
    assert len(taken) == 1
    assert len(seen.seen) == 1


# --- failures ----------------------------------------------------------------------------------------


def test_another_candidate_answers_when_the_chosen_one_fails(run: Run) -> None:
    cheap, strong = scripted("cheap", SLOW_DOWN), scripted("strong")
    result = run(create_agent(scripted("own"), middleware=[RouterMiddleware(routed(cheap, strong))]))
    attempts = answers(result)[-1].response_metadata["router"]["attempts"]
    assert served_by(result) == ["strong"]
    assert [a["error_kind"] for a in attempts] == ["rate_limited", None]


def test_an_error_that_no_other_candidate_could_survive_surfaces_at_once(run: Run) -> None:
    cheap, strong = scripted("cheap", ModelInvalidRequestError("bad request")), scripted("strong")
    with pytest.raises(ModelInvalidRequestError):
        run(create_agent(scripted("own"), middleware=[RouterMiddleware(routed(cheap, strong))]))
    assert not strong.asked


def test_all_errors_are_raised_together_when_every_candidate_fails(run: Run) -> None:
    cheap, strong = scripted("cheap", SLOW_DOWN), scripted("strong", TimeoutError())
    with pytest.raises(RouterExhaustedError) as raised:
        run(create_agent(scripted("own"), middleware=[RouterMiddleware(routed(cheap, strong))]))
    assert [type(error) for error in raised.value.exceptions] == [ModelRateLimitError, TimeoutError]


def test_an_interrupt_passes_through_and_the_step_is_routed_again_on_resuming(run: Run) -> None:
    class AsksFirst(AgentMiddleware):
        def wrap_model_call(self, request: ModelRequest, handler: Any) -> Any:
            interrupt("May I?")
            return handler(request)

        async def awrap_model_call(self, request: ModelRequest, handler: Any) -> Any:
            interrupt("May I?")
            return await handler(request)

    cheap = scripted("cheap")
    agent = create_agent(
        scripted("own"),
        middleware=[RouterMiddleware(routed(cheap, scripted("strong"))), AsksFirst()],
        checkpointer=InMemorySaver(),
    )
    thread = {"configurable": {"thread_id": "one"}}
    assert run(agent, config=thread)["__interrupt__"]
    assert not cheap.asked
    assert served_by(run(agent, Command(resume=True), config=thread)) == ["cheap"]


def test_langgraphs_control_flow_is_never_taken_for_a_failure() -> None:
    def bubble(_: ModelRequest) -> ModelResponse:
        raise GraphBubbleUp

    middleware = RouterMiddleware(routed(scripted("cheap"), scripted("strong")))
    with pytest.raises(GraphBubbleUp):
        middleware.wrap_model_call(ModelRequest(model=scripted("own"), messages=[]), bubble)


def test_a_step_leaves_nothing_behind_in_the_context_around_it() -> None:
    middleware = RouterMiddleware(routed(scripted("cheap")))
    before = var_child_runnable_config.get()
    middleware.wrap_model_call(
        ModelRequest(model=scripted("own"), messages=[]), lambda _: ModelResponse(result=[AIMessage("Done.")])
    )
    assert var_child_runnable_config.get() is before


# --- with other middleware ---------------------------------------------------------------------------


def test_a_fallback_outside_of_the_router_gets_its_model_asked(run: Run) -> None:
    cheap, spare, own = scripted("cheap", SLOW_DOWN), scripted("spare", TOOL_CALL, "Done."), scripted("own")
    router = RouterMiddleware(routed(cheap))
    agent = create_agent(own, tools=[population], middleware=[ModelFallbackMiddleware(spare), router])
    result = run(agent)
    assert [answer.response_metadata["model_name"] for answer in answers(result)] == ["spare", "spare"]
    assert served_by(result) == [None, None]
    assert (len(cheap.asked), len(spare.asked), len(own.asked)) == (2, 2, 0)


def test_a_fallback_inside_of_the_router_gets_its_model_asked(run: Run) -> None:
    cheap, spare, own = scripted("cheap", SLOW_DOWN), scripted("spare", TOOL_CALL, "Done."), scripted("own")
    router = RouterMiddleware(routed(cheap))
    agent = create_agent(own, tools=[population], middleware=[router, ModelFallbackMiddleware(spare)])
    result = run(agent)
    assert [answer.response_metadata["model_name"] for answer in answers(result)] == ["spare", "spare"]
    assert (len(cheap.asked), len(spare.asked), len(own.asked)) == (2, 2, 0)


@pytest.mark.parametrize("outside", [True, False])
def test_a_retry_tries_the_routers_candidates_again(run: Run, *, outside: bool) -> None:
    cheap = scripted("cheap", SLOW_DOWN, "Done.")
    router = RouterMiddleware(routed(cheap))
    retry: AgentMiddleware = ModelRetryMiddleware(max_retries=1, initial_delay=0, on_failure="error")
    agent = create_agent(scripted("own"), middleware=[retry, router] if outside else [router, retry])
    result = run(agent)
    assert result["messages"][-1].text == "Done."
    assert served_by(result) == ["cheap"]


def test_what_a_retry_inside_says_in_place_of_a_model_bears_no_decision(run: Run) -> None:
    retry: AgentMiddleware = ModelRetryMiddleware(max_retries=0, initial_delay=0)
    router = RouterMiddleware(routed(scripted("cheap", SLOW_DOWN)))
    result = run(create_agent(scripted("own"), middleware=[router, retry]))
    assert "failed" in result["messages"][-1].text
    assert served_by(result) == [None]


class Selects(AgentMiddleware):
    """Puts a model in the place of the agent's own, from the given step on."""

    def __init__(self, model: BaseChatModel, *, after_messages: int) -> None:
        super().__init__()
        self.model, self.after_messages = model, after_messages

    def _selected(self, request: ModelRequest) -> ModelRequest:
        if len(request.messages) <= self.after_messages:
            return request
        return request.override(model=self.model)

    def wrap_model_call(self, request: ModelRequest, handler: Any) -> Any:
        return handler(self._selected(request))

    async def awrap_model_call(self, request: ModelRequest, handler: Any) -> Any:
        return await handler(self._selected(request))


def test_a_model_that_an_outer_middleware_selects_in_mid_run_is_respected(run: Run) -> None:
    cheap, picked = scripted("cheap", TOOL_CALL), scripted("picked")
    router = RouterMiddleware(routed(cheap))
    agent = create_agent(
        scripted("own"), tools=[population], middleware=[Selects(picked, after_messages=1), router]
    )
    for _ in range(2):
        assert served_by(run(agent)) == ["cheap", None]


def test_a_model_selected_from_the_first_step_on_is_respected_when_the_agents_own_is_named(run: Run) -> None:
    cheap, picked, own = scripted("cheap"), scripted("picked"), scripted("own")
    selects = Selects(picked, after_messages=0)
    named = RouterMiddleware(routed(cheap), base_model=own)
    assert served_by(run(create_agent(own, middleware=[selects, named]))) == [None]
    assert served_by(run(create_agent(own, middleware=[named]))) == ["cheap"]


def test_two_routers_in_one_agent_need_two_names_and_the_outer_one_chooses(run: Run) -> None:
    first, second = scripted("first", TOOL_CALL, "Done."), scripted("second")
    outer, inner = (RouterMiddleware(routed(model), name=model.label) for model in (first, second))
    agent = create_agent(scripted("own"), tools=[population], middleware=[outer, inner])
    assert served_by(run(agent)) == ["first", "first"]
    assert not second.asked
    with pytest.raises(AssertionError, match="duplicate"):
        create_agent(scripted("own"), middleware=[RouterMiddleware(routed(scripted("a"))) for _ in range(2)])


def test_one_middleware_serves_several_agents_and_runs_at_once() -> None:
    router = RouterMiddleware(routed(scripted("cheap")))
    agents = [create_agent(scripted(f"own-{i}"), middleware=[router]) for i in range(3)]

    async def all_at_once() -> list[Any]:
        results: list[Any] = await asyncio.gather(*(agent.ainvoke(cast("Any", ASK)) for agent in agents * 5))
        return results

    assert {served_by(result)[0] for result in asyncio.run(all_at_once())} == {"cheap"}


def test_an_agent_inside_a_tool_has_an_own_model_of_its_own(run: Run) -> None:
    router = RouterMiddleware(routed(scripted("cheap", TOOL_CALL, "Inner.", "Outer.")))
    inner = create_agent(scripted("inner-own"), middleware=[router])

    @tool("population")
    def ask_inner(city: str) -> str:
        """Ask another agent."""
        return city + str(served_by(inner.invoke(cast("Any", ASK))))

    result = run(create_agent(scripted("outer-own"), tools=[ask_inner], middleware=[router]))
    assert result["messages"][2].content == "Paris['cheap']"
    assert served_by(result) == ["cheap", "cheap"]


def test_the_agents_input_schema_stays_as_it_is() -> None:
    plain = create_agent(scripted("own"))
    routing = create_agent(scripted("own"), middleware=[RouterMiddleware(routed(scripted("cheap")))])
    assert routing.get_input_jsonschema() == plain.get_input_jsonschema()
    assert routing.get_output_jsonschema() == plain.get_output_jsonschema()


# --- settings of one provider ------------------------------------------------------------------------


class Caches(AgentMiddleware):
    """Sets a prompt cache as Anthropic's middleware does."""

    def wrap_model_call(self, request: ModelRequest, handler: Any) -> Any:
        return handler(
            request.override(model_settings={"cache_control": {"type": "ephemeral"}, "top_p": 0.5})
        )

    async def awrap_model_call(self, request: ModelRequest, handler: Any) -> Any:
        return await self.wrap_model_call(request, handler)


@pytest.mark.parametrize("rule", [fitting.fit, fitting.fit_by_type])
def test_cache_settings_reach_only_models_that_know_them(
    run: Run, rule: fitting.Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("langchain_router_agents.middleware.fit", rule)
    other, same = scripted("other", SLOW_DOWN), scripted("same", kind="anthropic-chat")
    own = scripted("own", kind="anthropic-chat")
    run(create_agent(own, middleware=[Caches(), RouterMiddleware(routed(other, same))]))
    assert other.bound == [{"top_p": 0.5}]
    assert same.bound == [{"cache_control": {"type": "ephemeral"}, "top_p": 0.5}]


def test_langchains_own_rule_is_found_in_the_version_installed() -> None:
    assert fitting.fit is not fitting.fit_by_type


# --- structured output -------------------------------------------------------------------------------


def test_each_candidate_is_asked_for_structured_output_in_its_own_way(run: Run) -> None:
    by_tool = scripted("by_tool", ModelAPIError("down"), CITY_CALL, profile=native("tool_calling"))
    by_schema = scripted("by_schema", CITY_JSON, profile=native("tool_calling", "structured_output"))
    middleware = RouterMiddleware(routed(by_tool, by_schema))
    agent = create_agent(scripted("own"), middleware=[middleware], response_format=City)
    for served in ("by_schema", "by_tool"):
        result = run(agent)
        assert result["structured_response"] == City(name="Paris", inhabitants=2_100_000)
        assert served_by(result) == [served]
    assert by_tool.bound[0]["tool_names"] == ["City"]
    assert by_schema.bound[0]["response_format"]["json_schema"]["name"] == "City"
    assert by_schema.bound[0]["tool_names"] == []


@pytest.mark.parametrize(
    ("strategy", "chosen"),
    [
        (ProviderStrategy(City), "native"),
        (ToolStrategy(City), "caller"),
        (ToolStrategy(City | River), "caller"),
    ],
    ids=["provider", "tool", "union"],
)
def test_a_strategy_excludes_candidates_that_cannot_follow_it(run: Run, strategy: Any, chosen: str) -> None:
    plain = scripted("plain", profile=native())
    caller = scripted("caller", CITY_CALL, profile=native("tool_calling"))
    schema = scripted("native", CITY_JSON, profile=native("structured_output"))
    router = ChatRouter(
        candidates=[
            Candidate(model=plain, name="plain", capabilities=frozenset()),
            Candidate(model=schema, name="native", capabilities=frozenset({"structured_output"})),
            Candidate(model=caller, name="caller", capabilities=frozenset({"tool_calling"})),
        ],
        policy=ByPhase(),
    )
    agent = create_agent(scripted("own"), middleware=[RouterMiddleware(router)], response_format=strategy)
    result = run(agent)
    decision = answers(result)[-1].response_metadata["router"]
    assert decision["served_by"] == chosen
    assert set(decision["excluded"]) == {"plain", "native", "caller"} - {chosen}
    assert result["structured_response"] == City(name="Paris", inhabitants=2_100_000)


def test_another_candidate_is_asked_when_an_answer_breaks_the_schema(run: Run) -> None:
    able = native("tool_calling", "structured_output")
    sloppy, exact = scripted("sloppy", "{", profile=able), scripted("exact", CITY_JSON, profile=able)
    middleware = [RouterMiddleware(routed(sloppy, exact))]
    result = run(create_agent(scripted("own"), middleware=middleware, response_format=City))
    assert served_by(result) == ["exact"]
    attempts = answers(result)[-1].response_metadata["router"]["attempts"]
    assert attempts[0]["error_kind"] == "malformed"


def test_a_broken_schema_is_langchains_own_error_when_there_is_nobody_else_to_ask(run: Run) -> None:
    sloppy = scripted("sloppy", "{", profile=native("tool_calling", "structured_output"))
    agent = create_agent(scripted("own"), middleware=[RouterMiddleware(routed(sloppy))], response_format=City)
    with pytest.raises(StructuredOutputValidationError):
        run(agent)


# --- streams -----------------------------------------------------------------------------------------


def test_a_message_stream_shows_every_token_once(tokens: Callable[[Any], list[tuple[str, str]]]) -> None:
    cheap, strong = scripted("cheap", TOOL_CALL), scripted("strong", "Two million people.")
    middleware = RouterMiddleware(routed(cheap, strong))
    agent = create_agent(scripted("own"), tools=[population], middleware=[middleware])
    shown = [text for text, node in tokens(agent) if node == "model"]
    assert shown == ["Two ", "million ", "people."]


def test_a_message_stream_shows_nothing_of_a_candidate_that_failed(
    tokens: Callable[[Any], list[tuple[str, str]]],
) -> None:
    router = routed(scripted("cheap", SLOW_DOWN), scripted("strong", "Two million."))
    agent = create_agent(scripted("own"), middleware=[RouterMiddleware(router)])
    assert [text for text, _ in tokens(agent)] == ["Two ", "million."]


# --- construction ------------------------------------------------------------------------------------


def test_wrong_arguments_are_refused_with_what_to_write() -> None:
    router = routed(scripted("cheap"))
    with pytest.raises(ConfigurationError, match=r"ChatRouter\.from_models"):
        RouterMiddleware(cast("Any", "openai/gpt-4o"))
    with pytest.raises(ConfigurationError, match="the class ChatRouter"):
        RouterMiddleware(cast("Any", ChatRouter))
    with pytest.raises(ConfigurationError, match="ChatRouter, got Router"):
        RouterMiddleware(cast("Any", Router(router.candidates, policy=ByPhase())))
    with pytest.raises(ConfigurationError, match="init_chat_model"):
        RouterMiddleware(router, base_model=cast("Any", "openai:gpt-4o"))
    with pytest.raises(ConfigurationError, match="non-empty string"):
        RouterMiddleware(router, name="")


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    return done.stdout.strip()


def test_importing_the_core_imports_no_agents() -> None:
    assert (
        _python("import sys, langchain_router.chat_model; print('langchain.agents' in sys.modules)")
        == "False"
    )


def test_importing_the_middleware_without_langchain_says_what_to_install() -> None:
    code = """
import sys
sys.modules["langchain"] = None
try:
    import langchain_router_agents
except ImportError as error:
    print(error)
"""
    assert "pip install 'langchain-llm-router[agents]'" in _python(code)


# --- over HTTP ---------------------------------------------------------------------------------------


def test_an_agent_over_http_routes_each_step_and_survives_an_outage(
    run: Run, provider: SimulatedProvider, router: ChatRouter
) -> None:
    agent = create_agent(router, tools=[population], middleware=[RouterMiddleware(router)])
    before = len(provider.requests)
    provider.fail("small", status=503, times=1)
    result = run(agent, {"messages": [HumanMessage("Use population for Paris.")]})
    assert [type(m) for m in result["messages"]] == [HumanMessage, AIMessage, ToolMessage, AIMessage]
    assert served_by(result) == ["large", "small"]
    asked = [(request.model, request.status, request.tools) for request in provider.requests[before:]]
    assert asked == [("small", 503, True), ("large", 200, True), ("small", 200, True)]


def test_an_agent_over_http_answers_by_a_schema(run: Run, router: ChatRouter) -> None:
    agent = create_agent(router, middleware=[RouterMiddleware(router)], response_format=City)
    result = run(agent)
    assert isinstance(result["structured_response"], City)
    assert served_by(result) == ["small"]


# --- the router as the agent's model, without middleware ---------------------------------------------


def test_an_agent_whose_model_is_a_router_routes_each_step(run: Run) -> None:
    cheap, strong = scripted("cheap", TOOL_CALL), scripted("strong", "Two million.")
    result = run(create_agent(routed(cheap, strong), tools=[population]))
    assert [type(m) for m in result["messages"]] == [HumanMessage, AIMessage, ToolMessage, AIMessage]
    assert served_by(result) == ["cheap", "strong"]


def test_an_agent_whose_model_is_a_router_shows_every_token_once(
    tokens: Callable[[Any], list[tuple[str, str]]],
) -> None:
    cheap, strong = scripted("cheap", TOOL_CALL), scripted("strong", "Two million people.")
    shown = [
        text
        for text, node in tokens(create_agent(routed(cheap, strong), tools=[population]))
        if node == "model"
    ]
    assert shown == ["Two ", "million ", "people."]


@pytest.mark.parametrize("abilities", [("tool_calling",), ("tool_calling", "structured_output")])
def test_an_agent_whose_model_is_a_router_answers_by_a_schema(run: Run, abilities: tuple[str, ...]) -> None:
    said = CITY_JSON if "structured_output" in abilities else CITY_CALL
    candidates = [
        Candidate(model=model, name=model.label, capabilities=frozenset(abilities))
        for model in (scripted("cheap", SLOW_DOWN), scripted("strong", said))
    ]
    result = run(create_agent(ChatRouter(candidates=candidates, policy=ByPhase()), response_format=City))
    assert result["structured_response"] == City(name="Paris", inhabitants=2_100_000)
    assert served_by(result) == ["strong"]


def test_an_agent_over_http_whose_model_is_a_router_calls_its_tool(run: Run, router: ChatRouter) -> None:
    agent = create_agent(router, tools=[population], response_format=City)
    result = run(agent, {"messages": [HumanMessage("Use population for Paris.")]})
    assert isinstance(result["structured_response"], City)
    assert set(served_by(result)) == {"small"}
