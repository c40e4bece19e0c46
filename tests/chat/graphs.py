"""Graphs of one node that asks a router, in each way that a node can ask."""

from __future__ import annotations

from typing import Any

from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langgraph.graph import START, MessagesState, StateGraph

from langchain_router import ChatRouter


def prompted(router: ChatRouter) -> Any:
    return ChatPromptTemplate.from_messages([("human", "{input}")]) | router | StrOutputParser()


def invoking(router: ChatRouter) -> Any:
    return lambda state: {"messages": [router.invoke(state["messages"])]}


def streaming(router: ChatRouter) -> Any:
    def node(state: Any) -> Any:
        whole: Any = None
        for chunk in router.stream(state["messages"]):
            whole = chunk if whole is None else whole + chunk
        return {"messages": [whole]}

    return node


def in_a_chain(router: ChatRouter) -> Any:
    return lambda state: {"note": prompted(router).invoke({"input": state["messages"][0].text})}


def ainvoking(router: ChatRouter) -> Any:
    async def node(state: Any) -> Any:
        return {"messages": [await router.ainvoke(state["messages"])]}

    return node


def astreaming(router: ChatRouter) -> Any:
    async def node(state: Any) -> Any:
        whole: Any = None
        async for chunk in router.astream(state["messages"]):
            whole = chunk if whole is None else whole + chunk
        return {"messages": [whole]}

    return node


def in_an_async_chain(router: ChatRouter) -> Any:
    async def node(state: Any) -> Any:
        return {"note": await prompted(router).ainvoke({"input": state["messages"][0].text})}

    return node


class State(MessagesState):
    note: str


def graph_of(node: Any) -> Any:
    graph = StateGraph(State)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    return graph.compile()


HELLO: Any = {"messages": "Hello"}
NODES = [invoking, streaming, in_a_chain]
ANODES = [ainvoking, astreaming, in_an_async_chain]
