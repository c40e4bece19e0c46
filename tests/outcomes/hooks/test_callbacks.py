"""What becomes of an answer in its trace is fed back to the decision whose model gave it."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain.agents.structured_output import ToolStrategy
from langchain_core.exceptions import OutputParserException
from langchain_core.messages import AIMessage, HumanMessage, InvalidToolCall
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser, StrOutputParser
from langchain_core.runnables import Runnable, RunnableLambda, RunnableParallel
from langgraph.graph import END, START, MessagesState, StateGraph

from langchain_router import Candidate, ChatRouter, ConfigurationError
from langchain_router.outcomes.hooks.callbacks import RoutingCallbackHandler
from langchain_router.outcomes.lessons import Label, Labelled
from langchain_router.outcomes.storing.memory_store import MemoryStore
from langchain_router.policies.cascade import CascadePolicy
from langchain_router.testing import FaultyChatModel
from langchain_router.testing.scripted import ScriptedChatModel
from tests.outcomes.hearing import (
    NotingStore,
    Point,
    Sure,
    add,
    calls,
    decision_of,
    refuse,
    routed,
    stumble,
)

Ask = Callable[[Runnable[Any, Any], Any, Any], Awaitable[Any]]


async def by_invoke(chain: Runnable[Any, Any], asked: Any, config: Any) -> Any:
    return chain.invoke(asked, config)


async def by_ainvoke(chain: Runnable[Any, Any], asked: Any, config: Any) -> Any:
    return await chain.ainvoke(asked, config)


async def by_stream(chain: Runnable[Any, Any], asked: Any, config: Any) -> Any:
    return list(chain.stream(asked, config))


async def by_astream(chain: Runnable[Any, Any], asked: Any, config: Any) -> Any:
    return [part async for part in chain.astream(asked, config)]


every_way = pytest.mark.parametrize("ask", [by_invoke, by_ainvoke, by_stream, by_astream])
whole_ways = pytest.mark.parametrize("ask", [by_invoke, by_ainvoke])


def _never(*_: Any) -> bool:
    return False


class Listening:
    """A handler over a store that notes, and the decisions made while it listens."""

    def __init__(self, **options: Any) -> None:
        self.store = NotingStore()
        self.handler = RoutingCallbackHandler(self.store, **options)
        self.decisions: list[str] = []

    def routed(self, *answers: str | AIMessage) -> ChatRouter:
        return routed(*answers, on_outcome=lambda decision, _: self.decisions.append(decision.id))

    async def ask(self, ask: Ask, chain: Runnable[Any, Any], asked: Any = "Hello") -> Any:
        with contextlib.suppress(Exception):
            return await ask(chain, asked, {"callbacks": [self.handler]})

    def said(self) -> list[tuple[int, str, float, float]]:
        """Return number of the decision, key, score and weight of all feedback."""
        assert self.handler.flush() == 0
        assert self.handler.failures == 0
        said = [(self.decisions.index(id_), *rest) for id_, *rest in self.store.said()]
        return sorted(said)  # type: ignore[arg-type]


# --- parsers ----------------------------------------------------------------------------------------


@every_way
async def test_a_parser_that_fails_is_told_of_the_decision_whose_answer_it_read(ask: Ask) -> None:
    listening = Listening(weights={"parser": 0.25})
    await listening.ask(ask, listening.routed("no json") | PydanticOutputParser(pydantic_object=Point))
    assert listening.said() == [(0, "parser", 0.0, 0.25)]


@every_way
async def test_a_parser_that_reads_the_answer_scores_what_was_expected_anyhow(ask: Ask) -> None:
    listening = Listening(weights={"parser": 0.25})
    router = listening.routed('{"x": 3}')
    await listening.ask(ask, router | JsonOutputParser())
    [(decision, key, score, weight)] = listening.said()
    expected = router.decide("Hello").eligible[0].predicted_quality
    assert (decision, key, weight) == (0, "parser", 0.25)
    assert score == pytest.approx(expected, abs=1e-3)


@every_way
async def test_a_parser_counts_nothing_unless_asked_for(ask: Ask) -> None:
    listening = Listening()
    parser: Any = PydanticOutputParser(pydantic_object=Point)
    await listening.ask(ask, listening.routed("no json", '{"x": 1}') | parser)
    await listening.ask(ask, listening.routed('{"x": 1}') | parser)
    assert listening.said() == [(0, "parser", 0.0, 0.0)]


@every_way
async def test_a_parser_that_only_takes_the_text_says_nothing(ask: Ask) -> None:
    listening = Listening(weights={"parser": 0.25})
    await listening.ask(ask, listening.routed("text") | StrOutputParser())
    assert listening.said() == []


@whole_ways
async def test_a_parser_behind_a_step_that_takes_the_text_is_found_by_the_chain_around_it(ask: Ask) -> None:
    listening = Listening(weights={"parser": 0.25})
    chain = listening.routed("no json") | StrOutputParser() | JsonOutputParser()
    await listening.ask(ask, chain)
    assert listening.said() == [(0, "parser", 0.0, 0.25)]


@whole_ways
async def test_what_could_be_the_doing_of_two_decisions_is_nobodys(ask: Ask) -> None:
    listening = Listening(weights={"parser": 0.25})
    both = RunnableParallel(a=listening.routed("one"), b=listening.routed("two"))
    chain = both | RunnableLambda(lambda found: found["a"].text + found["b"].text) | JsonOutputParser()
    await listening.ask(ask, chain)
    assert len(listening.decisions) == 2
    assert listening.said() == []


@whole_ways
async def test_a_parser_of_another_models_answer_says_nothing_of_the_router(ask: Ask) -> None:
    listening = Listening(weights={"parser": 0.25})
    other: Any = ScriptedChatModel(answers=["no json"])
    await listening.ask(ask, listening.routed("fine") | other | JsonOutputParser())
    assert listening.said() == []


def test_a_stream_that_nobody_reads_to_its_end_is_no_failure() -> None:
    listening = Listening(weights={"parser": 0.25})
    chain = listening.routed('{"words": "some more and then a few"}') | JsonOutputParser()
    stream = chain.stream("Hello", {"callbacks": [listening.handler]})
    while not next(stream):
        pass
    stream.close()  # type: ignore[attr-defined]
    assert all(score > 0.5 for _, _, score, _ in listening.said())


# --- structured output ------------------------------------------------------------------------------


@every_way
@pytest.mark.parametrize(("x", "score"), [("no", 0.0), (3, 0.9)])
async def test_a_structured_answer_is_held_against_its_schema(ask: Ask, x: Any, score: float) -> None:
    listening = Listening()
    chain = listening.routed(calls({"x": x}, name="Point")).with_structured_output(Point)
    await listening.ask(ask, chain)
    assert listening.said() == [(0, "structured_output", score, 0.5)]


@whole_ways
async def test_an_attempt_that_another_takes_the_place_of_is_not_held_against_the_answer(ask: Ask) -> None:
    listening = Listening()
    models = {"bad": calls({"x": "no"}, name="Point"), "good": calls({"x": 1}, name="Point")}
    candidates = [
        Candidate(model=ScriptedChatModel(answers=[answer]), name=name, quality=0.9)
        for name, answer in models.items()
    ]
    policy = CascadePolicy(tiers=[("bad", _never), ("good", None)])
    chain = ChatRouter(
        candidates=candidates,
        policy=policy,
        quality_model=Sure(),
        on_outcome=lambda decision, _: listening.decisions.append(decision.id),
    ).with_structured_output(Point)
    assert await listening.ask(ask, chain) == Point(x=1)
    assert listening.said() == [(0, "structured_output", 0.9, 0.5)]


@whole_ways
async def test_an_agents_structured_answer_that_it_refuses_is_told(ask: Ask) -> None:
    listening = Listening()
    router = listening.routed(calls({"x": "no"}, name="Point"), calls({"x": 1}, name="Point", first=2))
    agent = create_agent(model=router, tools=[], response_format=ToolStrategy(Point))
    answer = await listening.ask(ask, agent, {"messages": [HumanMessage("Hello")]})
    assert answer["structured_response"] == Point(x=1)
    assert (0, "structured_output", 0.0, 0.5) in listening.said()


@whole_ways
async def test_an_agents_structured_answer_that_it_raises_for_is_told(ask: Ask) -> None:
    listening = Listening()
    strategy = ToolStrategy(Point, handle_errors=False)
    router = listening.routed(calls({"x": "no"}, name="Point"))
    agent = create_agent(model=router, tools=[], response_format=strategy)
    await listening.ask(ask, agent, {"messages": [HumanMessage("Hello")]})
    assert listening.said() == [(0, "structured_output", 0.0, 0.5)]


# --- tools ------------------------------------------------------------------------------------------


@every_way
async def test_a_tool_that_refuses_its_arguments_is_told_of_the_step_that_called_it(ask: Ask) -> None:
    listening = Listening()
    router = listening.routed(calls({"a": 1}), calls({"a": "no"}, first=2), "Done.")
    agent = create_agent(model=router, tools=[add])
    await listening.ask(ask, agent, {"messages": [HumanMessage("Hello")]})
    assert len(listening.decisions) == 3
    assert listening.said() == [(0, "tool_arguments", 0.9, 0.5), (1, "tool_arguments", 0.0, 0.5)]


@whole_ways
async def test_one_refused_call_among_good_ones_is_a_refused_answer(ask: Ask) -> None:
    listening = Listening()
    router = listening.routed(calls({"a": 1}, {"a": "no"}, {"a": 2}), "Done.")
    agent = create_agent(model=router, tools=[add])
    await listening.ask(ask, agent, {"messages": [HumanMessage("Hello")]})
    assert listening.said() == [(0, "tool_arguments", 0.0, 0.5)]


@whole_ways
async def test_a_tool_that_does_not_exist_is_told(ask: Ask) -> None:
    listening = Listening()
    router = listening.routed(calls({"a": 1}, name="made_up"), "Done.")
    agent = create_agent(model=router, tools=[add])
    await listening.ask(ask, agent, {"messages": [HumanMessage("Hello")]})
    assert listening.said() == [(0, "tool_arguments", 0.0, 0.5)]


@whole_ways
async def test_a_tool_that_fails_by_itself_is_not_held_against_the_arguments(ask: Ask) -> None:
    listening = Listening()
    agent = create_agent(model=listening.routed(calls({"a": 1}, name="stumble"), "Done."), tools=[stumble])
    await listening.ask(ask, agent, {"messages": [HumanMessage("Hello")]})
    assert listening.said() == []


@whole_ways
@pytest.mark.parametrize(("weight", "said"), [(None, []), (0.2, [(0, "tool", 0.0, 0.2)])])
async def test_a_tool_that_cannot_do_as_it_is_told_is_told_only_if_asked_for(
    ask: Ask, weight: float | None, said: list[Any]
) -> None:
    listening = Listening(weights={"tool": weight})
    agent = create_agent(model=listening.routed(calls({"a": 1}, name="refuse"), "Done."), tools=[refuse])
    await listening.ask(ask, agent, {"messages": [HumanMessage("Hello")]})
    assert listening.said() == said


@whole_ways
async def test_a_tool_called_without_its_call_is_found_by_name(ask: Ask) -> None:
    listening = Listening()
    chain = listening.routed(calls({"a": "no"})) | RunnableLambda(
        lambda message, config: add.invoke(message.tool_calls[0]["args"], config)
    )
    await listening.ask(ask, chain)
    assert listening.said() == [(0, "tool_arguments", 0.0, 0.5)]


@whole_ways
async def test_a_tool_call_that_is_no_json_is_told_unless_another_candidate_serves(ask: Ask) -> None:
    broken = AIMessage(
        "",
        invalid_tool_calls=[
            InvalidToolCall(type="invalid_tool_call", name="add", args="{", id="1", error=None)
        ],
    )
    listening = Listening()
    await listening.ask(ask, listening.routed(broken))
    assert listening.said() == [(0, "tool_arguments", 0.0, 0.5)]

    listening = Listening()
    policy = CascadePolicy(tiers=[("bad", _never), ("good", None)])
    chain = ChatRouter(
        candidates=[
            Candidate(model=ScriptedChatModel(answers=[broken]), name="bad", quality=0.9),
            Candidate(model=ScriptedChatModel(answers=["A text."]), name="good", quality=0.9),
        ],
        policy=policy,
        on_outcome=lambda decision, _: listening.decisions.append(decision.id),
    )
    await listening.ask(ask, chain)
    assert listening.said() == []


# --- chains -----------------------------------------------------------------------------------------


@whole_ways
@pytest.mark.parametrize(("weight", "said"), [(None, []), (0.1, [(0, "chain", 0.0, 0.1)])])
async def test_a_chain_that_raises_after_the_answer_is_told_only_if_asked_for(
    ask: Ask, weight: float | None, said: list[Any]
) -> None:
    def fail(_: Any) -> Any:
        raise KeyError("missing")

    listening = Listening(weights={"chain": weight})
    await listening.ask(ask, listening.routed("Hello") | RunnableLambda(fail))
    assert listening.said() == said


@whole_ways
async def test_a_model_that_fails_is_no_failure_of_the_chain(ask: Ask) -> None:
    listening = Listening(weights={"chain": 0.1})
    failing = FaultyChatModel(answers=["Hello"], rates={"server": 1.0}, sleep=lambda _: None)
    router = ChatRouter(candidates=[Candidate(model=failing, name="only", quality=0.9)])
    await listening.ask(ask, RunnableLambda(lambda text: text) | router)
    assert listening.said() == []


# --- run ids ----------------------------------------------------------------------------------------


@every_way
async def test_every_run_above_the_model_is_linked_to_its_decision(ask: Ask) -> None:
    listening, root = Listening(), uuid.uuid4()
    inner = listening.routed("Hello") | StrOutputParser()
    chain = RunnableLambda(lambda text: text) | inner
    await ask(chain, "Hello", {"callbacks": [listening.handler], "run_id": root})
    assert listening.store.runs[str(root)] == listening.decisions[0]
    assert len(listening.store.runs) >= 2  # the model's own, too


async def test_the_last_decision_of_an_agent_answers_for_the_whole_trace() -> None:
    listening, root = Listening(), uuid.uuid4()
    agent = create_agent(model=listening.routed(calls({"a": 1}), "Done."), tools=[add])
    await agent.ainvoke(
        {"messages": [HumanMessage("Hello")]}, {"callbacks": [listening.handler], "run_id": root}
    )
    assert listening.store.runs[str(root)] == listening.decisions[-1]


@whole_ways
async def test_a_chain_nested_in_a_graph_is_told_apart_from_its_neighbour(ask: Ask) -> None:
    listening = Listening(weights={"parser": 0.25})
    parser: Any = PydanticOutputParser(pydantic_object=Point)
    good, bad = listening.routed('{"x": 1}') | parser, listening.routed("no json") | parser

    def one(_: MessagesState) -> dict[str, Any]:
        return {"messages": [AIMessage(str(good.invoke("Hello").x))]}

    def two(_: MessagesState) -> dict[str, Any]:
        with contextlib.suppress(OutputParserException):
            bad.invoke("Hello")
        return {"messages": []}

    graph: Any = StateGraph(MessagesState)
    graph.add_node("one", one)
    graph.add_node("two", two)
    graph.add_edge(START, "one")
    graph.add_edge("one", "two")
    graph.add_edge("two", END)
    await listening.ask(ask, graph.compile(), {"messages": [HumanMessage("Hello")]})
    (first, _, score, _), second = listening.said()
    assert (first, score > 0.5) == (0, True)
    assert second == (1, "parser", 0.0, 0.25)


@whole_ways
async def test_a_router_that_is_the_candidate_of_another_is_told_too(ask: Ask) -> None:
    listening = Listening(weights={"parser": 0.25})
    inner = listening.routed("no json")
    outer = ChatRouter(
        candidates=[Candidate(model=inner, name="inner", quality=0.9)],
        on_outcome=lambda decision, _: listening.decisions.append(decision.id),
    )
    await listening.ask(ask, outer | JsonOutputParser())
    assert listening.said() == [(0, "parser", 0.0, 0.25), (1, "parser", 0.0, 0.25)]


@whole_ways
async def test_what_is_heard_becomes_a_label_and_a_users_word_by_run_id_joins_it(ask: Ask) -> None:
    store, root = MemoryStore(), uuid.uuid4()
    router = routed(calls({"a": "no"}), "Done.", store=store)
    handler = RoutingCallbackHandler(router)
    agent = create_agent(model=router, tools=[add])
    answer = await ask(agent, {"messages": [HumanMessage("Hello")]}, {"callbacks": [handler], "run_id": root})
    handler.flush()
    labels = [
        (one.ended.situation.decision_id, one.new) for _, one in store.lessons() if isinstance(one, Labelled)
    ]
    first, last = (decision_of(one) for one in answer["messages"] if isinstance(one, AIMessage))
    assert labels == [(first, Label(score=0.0, weight=0.5))]
    receipt = router.record_feedback(root, 1.0)
    assert (receipt.decision_id, receipt.status) == (last, "new")


# --- the handler itself -----------------------------------------------------------------------------


async def test_a_store_that_fails_loses_feedback_by_count_and_breaks_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    listening = Listening()
    listening.store.raises = OSError("disk full")
    chain = listening.routed(calls({"x": "no"}, name="Point")).with_structured_output(Point, include_raw=True)
    answer: Any = await chain.ainvoke("Hello", {"callbacks": [listening.handler]})
    assert decision_of(answer["raw"]) == listening.decisions[0]
    assert listening.handler.flush() == 1
    assert "1 pieces of feedback were lost (OSError)" in caplog.text


async def test_memory_is_bounded_and_no_run_is_left_behind() -> None:
    listening = Listening(weights={"parser": 0.25}, most_runs=20)
    chain = listening.routed('{"x": 1}') | JsonOutputParser()
    for _ in range(50):
        await chain.ainvoke("Hello", {"callbacks": [listening.handler]})
    traces = listening.handler._traces
    assert len(traces) == 0
    assert max(len(traces._messages), len(traces._calls), len(listening.handler._sent)) <= 20


def test_a_weight_or_a_store_that_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="No signal is called 'thumbs'"):
        RoutingCallbackHandler(NotingStore(), weights={"thumbs": 1.0})
    with pytest.raises(ConfigurationError, match="weight of a feedback must be a number from 0 to 1"):
        RoutingCallbackHandler(NotingStore(), weights={"parser": 2.0})
    with pytest.raises(ConfigurationError, match="needs an outcome store or a router"):
        RoutingCallbackHandler("router.db")
