"""`RouterMiddleware`: a router inside an agent, one decision per step."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, cast

from langchain.agents.middleware.types import (
    AgentMiddleware,
    AgentState,
    ContextT,
    ModelRequest,
    ModelResponse,
    ResponseT,
)
from langchain.agents.structured_output import (
    AutoStrategy,
    ProviderStrategy,
    StructuredOutputError,
    ToolStrategy,
)
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.utils.function_calling import convert_to_openai_tool

from langchain_router.candidates.candidate import Candidate
from langchain_router.chat.announcing import Announced
from langchain_router.chat.calls import RoutedCall, for_schema
from langchain_router.chat.held_calls import HeldCalls
from langchain_router.chat.interruption import watched
from langchain_router.chat.replies import check_is_finished, fault_of
from langchain_router.chat.runs import awithin, runs_around, too_late
from langchain_router.chat.stamp import stamp
from langchain_router.chat_model import ChatRouter
from langchain_router.decision import RoutingDecision
from langchain_router.exceptions import ConfigurationError, MalformedResponseError, RouterExhaustedError
from langchain_router.execution.moves import Call, Reply
from langchain_router.execution.served import Served
from langchain_router.execution.workers import within
from langchain_router_agents.own_model import OwnModel
from langchain_router_agents.provider_settings import fit

_routed_to: ContextVar[BaseChatModel | None] = ContextVar("langchain_router_agents_routed_to", default=None)


class RouterMiddleware(AgentMiddleware[AgentState[ResponseT], ContextT, ResponseT]):
    """Lets a router choose the model of every agent step.

    `create_agent(model=router, ...)` routes too, but LangChain then sees one model: it asks all candidates
    for structured output in the one way that all of them know. With this middleware it sees the chosen
    candidate itself, so each gets its own tool format and its own structured-output strategy.

    Put it last in the list: then it sees the request as other middleware leaves it, and
    `ModelFallbackMiddleware` and `ModelRetryMiddleware` come in when all candidates have failed. Inside of
    it they work too, but hide from the router that a candidate failed.

    A model that an outer middleware has put in the place of the agent's own is respected: that step is not
    routed, and its answer bears no decision.

    Args:
        router: Who chooses. Its constraints hold, and those in the run's `configurable` narrow them.
        base_model: The agent's own model, the same object that `create_agent` gets. By default the first
            model of an agent run is taken for it, which is right unless an outer middleware chooses a model
            from the first step on.
        name: Tells several routers in one agent apart.

    Raises:
        ConfigurationError: An argument is not what it should be.

    Example:
        >>> from langchain_router import ChatRouter
        >>> router = ChatRouter.from_models("openai/gpt-4o-mini", "openai/gpt-4o")
        >>> RouterMiddleware(router).name
        'RouterMiddleware'
    """

    def __init__(
        self, router: ChatRouter, *, base_model: BaseChatModel | None = None, name: str = "RouterMiddleware"
    ) -> None:
        super().__init__()
        if not isinstance(router, ChatRouter):
            raise ConfigurationError(
                f"router must be a ChatRouter, got {_kind(router)}. "
                "Write RouterMiddleware(ChatRouter.from_models(...))."
            )
        if base_model is not None and not isinstance(base_model, BaseChatModel):
            raise ConfigurationError(
                f"base_model must be the chat model that create_agent gets, got {_kind(base_model)}. "
                "Write model = init_chat_model(...), then give it both to create_agent(model=model) and to "
                "RouterMiddleware(router, base_model=model)."
            )
        if not isinstance(name, str) or not name:
            raise ConfigurationError(
                f'name must be a non-empty string, got {name!r}. Write name="RouterMiddleware".'
            )
        self.tools = []
        self._router = router
        self._own = OwnModel(base_model)
        self._name = name

    @property
    def name(self) -> str:
        """What the agent and its traces call it."""
        return self._name

    def wrap_model_call(
        self,
        request: ModelRequest[ContextT],
        handler: Callable[[ModelRequest[ContextT]], ModelResponse[ResponseT]],
    ) -> ModelResponse[ResponseT]:
        """Decide for this step, and call the plan's candidates until one answers.

        Raises:
            NoEligibleCandidateError: The constraints exclude every candidate.
            RouterExhaustedError: Every candidate of the plan failed.
        """
        if self._is_chosen_already(request):
            return handler(request)
        call = self._call_for(request)
        decision = self._router.core.decide(call.request)

        held, answer = HeldCalls(), None
        announced = Announced(decision, call.config)

        def reply(step: Call) -> Reply:
            announced.calling(step)
            if step.messages is not None:  # a check asks a model of its own
                return self._router.reply(call, decision, step, call.config, held)
            config, kept = held.config(step, call.config_for(decision, step, call.config))
            is_held = kept is not None
            with watched(config, decision, step, is_held=is_held) as seen, _schema_faults_of(step):

                def handled() -> ModelResponse[ResponseT]:
                    routed = _for_model(request, *self._router.model_for(call, step))
                    with _run_as(seen, routed.model):
                        return handler(routed)

                response = within(handled, step.timeout_s, too_late=lambda: too_late(step))
            held.keep(response, kept)
            return _as_reply(response, step)

        announced.decided()
        try:
            with _unwrapped_schema_faults(), held.around_checks(call.config, decision):
                served = self._router.core.serve(
                    decision,
                    call.request,
                    reply,
                    on_end=announced.note,
                    run_ids=runs_around(call.config),
                )
            answer = served.answer
        finally:
            held.settle(answer)
            announced.ended()
        return _stamped(decision, served)

    async def awrap_model_call(
        self,
        request: ModelRequest[ContextT],
        handler: Callable[[ModelRequest[ContextT]], Awaitable[ModelResponse[ResponseT]]],
    ) -> ModelResponse[ResponseT]:
        """Do as `wrap_model_call` does."""
        if self._is_chosen_already(request):
            return await handler(request)
        call = self._call_for(request)
        decision = await self._router.core.adecide(call.request)

        held, answer = HeldCalls(), None
        announced = Announced(decision, call.config)

        async def reply(step: Call) -> Reply:
            await announced.acalling(step)
            if step.messages is not None:  # a check asks a model of its own
                return await self._router.areply(call, decision, step, call.config, held)
            config, kept = held.config(step, call.config_for(decision, step, call.config))
            is_held = kept is not None
            with watched(config, decision, step, is_held=is_held) as seen, _schema_faults_of(step):
                async with awithin(step):
                    routed = _for_model(request, *(await self._router.amodel_for(call, step)))
                    with _run_as(seen, routed.model):
                        response = await handler(routed)
            await held.akeep(response, kept)
            return _as_reply(response, step)

        await announced.adecided()
        try:
            with _unwrapped_schema_faults(), held.around_checks(call.config, decision):
                served = await self._router.core.aserve(
                    decision,
                    call.request,
                    reply,
                    on_end=announced.note,
                    run_ids=runs_around(call.config),
                )
            answer = served.answer
        finally:
            await held.asettle(answer)
            await announced.aended()
        return _stamped(decision, served)

    def _is_chosen_already(self, request: ModelRequest[Any]) -> bool:
        """Return whether an outer middleware, another router included, has chosen this step's model."""
        return request.model is _routed_to.get() or not self._own.is_asked_for(request)

    def _call_for(self, request: ModelRequest[Any]) -> RoutedCall:
        """Read a step as the router sees it; the run's config is the one LangGraph has set around us."""
        asked: Any = request.response_format
        if asked is not None and not isinstance(asked, (AutoStrategy, ToolStrategy, ProviderStrategy)):
            asked = AutoStrategy(schema=asked)
        specs = [] if asked is None else ToolStrategy(asked.schema).schema_specs
        tools = [_as_dict(tool) for tool in request.tools]
        if isinstance(asked, ToolStrategy):  # each schema is offered as a tool, whatever else a model can do
            tools += [
                {
                    "type": "function",
                    "function": {
                        "name": spec.name,
                        "description": spec.description,
                        "parameters": spec.json_schema,
                    },
                }
                for spec in specs
            ]
        call = self._router.prepare(
            [*([request.system_message] if request.system_message else ()), *request.messages],
            None,
            None,
            {**request.model_settings, "tools": tools},
            _unbound,
        )
        if not specs:
            return call
        schema = specs[0].json_schema if len(specs) == 1 else {"anyOf": [spec.json_schema for spec in specs]}
        return for_schema(call, schema, by_tool_call=not isinstance(asked, ProviderStrategy), required=True)


def _for_model(
    request: ModelRequest[ContextT], model: Runnable[Any, Any], settings: dict[str, Any]
) -> ModelRequest[ContextT]:
    """Return the request as this model is to get it: the agent binds its tools and its schema."""
    chosen = cast("BaseChatModel", model)  # `_unbound` left it as it was
    if settings != request.model_settings:
        request = request.override(model_settings=settings)
    return fit(request, chosen).override(model=chosen)


def _unbound(
    candidate: Candidate,  # noqa: ARG001 - part of the BindModel shape
    model: BaseChatModel,
    options: Mapping[str, Any],
) -> tuple[Runnable[Any, Any], dict[str, Any]]:
    """Leave the binding of tools to the agent."""
    return model, {name: value for name, value in options.items() if name != "tools"}


@contextlib.contextmanager
def _run_as(config: RunnableConfig, model: BaseChatModel) -> Iterator[None]:
    """Let the model's run take its metadata and tags from this config.

    An agent calls its model without a config, so that LangChain takes the one set around the call.
    """
    config_token = var_child_runnable_config.set(config)
    model_token = _routed_to.set(model)
    try:
        yield
    finally:
        _routed_to.reset(model_token)
        var_child_runnable_config.reset(config_token)


@contextlib.contextmanager
def _schema_faults_of(step: Call) -> Iterator[None]:
    """Tell the plan machine that another candidate may keep to the schema where this one did not."""
    try:
        yield
    except StructuredOutputError as error:
        raise MalformedResponseError(
            f"{step.step.candidate.name!r} answered, but not by the response format ({type(error).__name__})."
        ) from error


@contextlib.contextmanager
def _unwrapped_schema_faults() -> Iterator[None]:
    """Raise LangChain's own error where there was no other candidate to ask."""
    try:
        yield
    except (MalformedResponseError, RouterExhaustedError) as error:
        errors = error.exceptions if isinstance(error, RouterExhaustedError) else (error,)
        causes = [one.__cause__ for one in errors]
        last = causes[-1]
        if isinstance(last, StructuredOutputError) and all(
            isinstance(c, StructuredOutputError) for c in causes
        ):
            raise last from None
        raise


def _as_reply(response: ModelResponse[Any], step: Call) -> Reply:
    """Return a response as the plan machine sees it: checks look at the model's last message."""
    message = next((one for one in reversed(response.result) if isinstance(one, AIMessage)), None)
    if message is not None:
        check_is_finished(message, step.step.candidate.name)
    return Reply(answer=response, message=message, fault=fault_of(message))


def _stamped(decision: RoutingDecision, served: Served) -> ModelResponse[Any]:
    """Put the decision on the model's message. One without id comes from a middleware, not from a model."""
    response: ModelResponse[Any] = served.answer
    return replace(
        response,
        result=[
            stamp(message, decision, served) if isinstance(message, AIMessage) and message.id else message
            for message in response.result
        ],
    )


def _as_dict(tool: Any) -> Mapping[str, Any]:
    """Return a tool in OpenAI's form; what is a dict already may be a provider's own tool, and stays."""
    return tool if isinstance(tool, Mapping) else convert_to_openai_tool(tool)


def _kind(given: object) -> str:
    return f"the class {given.__name__}" if isinstance(given, type) else type(given).__name__
