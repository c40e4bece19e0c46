"""One routed call: from LangChain's input and config to a `RoutingRequest`, and back to a model's call."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig
from langchain_core.utils.function_calling import convert_to_openai_tool

from langchain_router.candidates.candidate import ENDPOINT_OPTIONS, LEAVING_OPTIONS, Candidate
from langchain_router.constraints import Constraints, constraints_in_config, take_constraints
from langchain_router.decision import RoutingDecision
from langchain_router.exceptions import ConfigurationError
from langchain_router.execution.moves import Call
from langchain_router.request import RoutingRequest

BindModel = Callable[[Candidate, BaseChatModel, Mapping[str, Any]], tuple[Runnable[Any, Any], dict[str, Any]]]
"""Turns a candidate's model and a call's options into what to run and the options left for the run."""

_TAG = "langchain_router"
_MAX_TOKENS_OPTIONS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedCall:
    """What one call needs at every step of its plan.

    Attributes:
        messages: The conversation as the models get it.
        request: The conversation as the router sees it.
        config: The caller's config, with the router's own callbacks, tags and metadata.
        options: Keyword arguments for the model, constraints taken out.
        bind: How a candidate's model is made ready for this call.
    """

    messages: list[BaseMessage]
    request: RoutingRequest
    config: RunnableConfig
    options: Mapping[str, Any]
    bind: BindModel

    def config_for(self, decision: RoutingDecision, call: Call, config: RunnableConfig) -> RunnableConfig:
        """Return the config of one model run: the decision travels in its metadata and tags."""
        metadata = {
            **(config.get("metadata") or {}),
            "router_decision_id": decision.id,
            "router_policy": decision.policy,
            "router_intent": decision.intent.label,
            "router_complexity": round(decision.complexity.value, 4),
            "router_candidate": call.step.candidate.name,
            "router_attempt": call.number,
            "router_role": call.role,
        }
        expected = next(
            (one.predicted_quality for one in decision.eligible if one.name == call.step.candidate.name), None
        )
        if expected is not None:
            metadata["router_expected_quality"] = round(expected, 4)
        tags = [*(config.get("tags") or ()), _TAG]
        if call.role != "answer":
            tags.append(f"{_TAG}:{call.role}")
        if call.role == "judge":  # what a judge says is never the answer
            tags.append("nostream")
        changed: RunnableConfig = {**config, "metadata": metadata, "tags": tags}
        if call.number > 1 or call.role != "answer":  # a run id names one run only
            changed.pop("run_id", None)
        return changed


def prepare_call(
    messages: list[BaseMessage],
    *,
    config: RunnableConfig,
    options: Mapping[str, Any],
    constraints: Constraints,
    candidate_names: Sequence[str],
    bind: BindModel,
) -> RoutedCall:
    """Read a call's options and config into a request.

    Args:
        messages: The conversation.
        config: With `configurable` (constraints, `thread_id`) and `metadata` (LangGraph's node).
        options: The caller's keyword arguments. `model` names the only candidate that may answer.
        constraints: The router's own; the call's are added.
        candidate_names: To check `model` against.
        bind: How a candidate's model is made ready.

    Raises:
        ConfigurationError: A constraint is malformed or misspelt, or `model` is not a candidate.
    """
    rest = dict(options)
    stray = (ENDPOINT_OPTIONS | LEAVING_OPTIONS | {"api_key"}) & rest.keys()
    if stray:
        raise ConfigurationError(
            f"{min(stray)!r} cannot be given for a call: the request would go where no candidate was chosen "
            "to take it. Set it on a Candidate: Candidate(model=..., options={...})."
        )
    configurable = config.get("configurable") or {}
    narrowed = constraints.narrowed(constraints_in_config(configurable)).narrowed(take_constraints(rest))
    request = RoutingRequest(
        messages=tuple(messages),
        tools=_tools_in(rest.get("tools")),
        response_schema=_schema_in(rest.get("response_format")),
        constraints=narrowed,
        max_output_tokens=_count_in(rest, *_MAX_TOKENS_OPTIONS),
        answers=_count_in(rest, "n") or 1,
        pinned=_pinned(rest.pop("model", None), candidate_names),
        step=(config.get("metadata") or {}).get("langgraph_node") or config.get("run_name"),
        thread_id=configurable.get("thread_id"),
        tenant=_tenant(configurable.get("router_tenant")),
    )
    return RoutedCall(messages=messages, request=request, config=config, options=rest, bind=bind)


def bind_model(
    candidate: Candidate,  # noqa: ARG001 - part of the BindModel shape
    model: BaseChatModel,
    options: Mapping[str, Any],
) -> tuple[Runnable[Any, Any], dict[str, Any]]:
    """Bind tools, if any, through the model's own `bind_tools`, which knows its provider's format."""
    rest = dict(options)
    tools = rest.pop("tools", None)
    if not tools:
        return model, rest
    takes = _bind_tools_options(type(model))
    mine = {name: rest.pop(name) for name in takes & rest.keys()}
    bound = model.bind_tools(tools, **mine)
    # Called through a binding a model hears of the callbacks around the call too, not only of those given.
    while isinstance(bound, RunnableBinding) and not bound.config and not bound.config_factories:
        rest = {**bound.kwargs, **rest}
        bound = bound.bound
    return bound, rest


def for_schema(
    call: RoutedCall, schema: Mapping[str, Any], *, by_tool_call: bool, required: bool
) -> RoutedCall:
    """Return the call as one whose answer must follow a schema.

    Args:
        call: The call so far.
        schema: JSON schema of the answer.
        by_tool_call: Whether a tool call may carry the answer.
        required: Whether the model must be able to follow a schema at all (not for JSON mode).
    """
    request = replace(
        call.request,
        schema_by_tool_call=by_tool_call,
        response_schema=schema if required else call.request.response_schema,
    )
    return replace(call, request=request)


@functools.cache
def _bind_tools_options(cls: type[BaseChatModel]) -> frozenset[str]:
    """Return which options this class's `bind_tools` takes by name."""
    named = inspect.signature(cls.bind_tools).parameters.values()
    return frozenset(p.name for p in named if p.kind is not p.VAR_KEYWORD) - {"self", "tools"} | {
        "tool_choice"
    }


def _tools_in(tools: Any) -> tuple[Mapping[str, Any], ...]:
    if not tools:
        return ()
    if not isinstance(tools, Sequence) or isinstance(tools, str):
        raise ConfigurationError(f"tools must be a list of tools, got {type(tools).__name__}.")
    try:
        return tuple(tool if isinstance(tool, Mapping) else convert_to_openai_tool(tool) for tool in tools)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(
            f"tools holds something that is not a tool: {type(error).__name__}."
        ) from error


def _count_in(options: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = options.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigurationError(f"{name} must be a whole number above 0, got {value!r}.")
        return value
    return None


def _schema_in(response_format: Any) -> Mapping[str, Any] | None:
    if not isinstance(response_format, Mapping):
        return {} if isinstance(response_format, type) else None
    found = response_format.get("json_schema") or response_format.get("schema")
    return found if isinstance(found, Mapping) else None


def _tenant(given: Any) -> str | None:
    if given is None or (isinstance(given, str) and given):
        return given
    raise ConfigurationError(f"router_tenant must be a non-empty string, got {given!r}.")


def _pinned(model: Any, candidate_names: Sequence[str]) -> str | None:
    if model is None or model in candidate_names:
        return model  # type: ignore[no-any-return]
    raise ConfigurationError(
        f"model={model!r} is not a candidate of this router. The candidates are {', '.join(candidate_names)}."
    )
