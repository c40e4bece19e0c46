"""`ChatRouter`: the router as a LangChain chat model.

Only real model calls are LLM runs. A chat model that wrapped another in a run of its own would count every
token twice and show it twice in message streams; so `ChatRouter` overrides the public run methods, hands
the caller's callbacks to the model it chose, and adds no run of its own unless asked to (`trace="chain"`).
The decision travels as metadata and tags of the model's run and as `response_metadata["router"]`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun, Callbacks
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.chat_model_stream import AsyncChatModelStream, ChatModelStream
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.outputs import ChatGeneration, ChatResult, LLMResult
from langchain_core.runnables import Runnable, RunnableConfig, ensure_config
from langchain_core.runnables.config import merge_configs
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from langchain_router.candidates.candidate import Candidate
from langchain_router.candidates.catalogue import catalogue
from langchain_router.candidates.shared_profile import shared_profile
from langchain_router.candidates.spend_cap import SpendCap
from langchain_router.chat.binding import RouterBinding
from langchain_router.chat.calls import BindModel, RoutedCall, bind_model, prepare_call
from langchain_router.chat.construction import (
    in_words,
    instance_or_none,
    plain_function,
    resolve_candidates,
    split_options,
    takes_two,
    warn_of_own_retries,
    with_method,
)
from langchain_router.chat.remembering import Remembering, heard_everywhere, opened
from langchain_router.chat.stamp import as_chunk
from langchain_router.chat.stream_modes import StreamMode, as_stream_mode
from langchain_router.constraints import Constraints, take_constraints
from langchain_router.decision import RoutingDecision
from langchain_router.exceptions import ConfigurationError
from langchain_router.execution.resilience import Resilience
from langchain_router.outcomes.redaction import Redactor, redact
from langchain_router.outcomes.store import OutcomeStore
from langchain_router.policies import Policy, make_policy
from langchain_router.quality.prior import QualityModel
from langchain_router.request import estimate_tokens
from langchain_router.router import OnOutcome, Router
from langchain_router.signals import ComplexityScorer, IntentClassifier

_FIXED = frozenset(
    {
        "candidates",
        "policy",
        "quality",
        "constraints",
        "intent_classifier",
        "complexity_scorer",
        "quality_model",
        "model_options",
        "resilience",
        "spend_cap",
        "store",
        "capture_content",
        "redactor",
        "on_outcome",
    }
)
"""Fields that the router was built from, so that setting one later would do nothing."""


class ChatRouter(Remembering):
    """A chat model that decides for every call which of its candidates answers.

    Use it wherever a chat model goes: in a chain (`prompt | router | parser`), in an agent
    (`create_agent(model=router, tools=...)`), with `bind_tools` and `with_structured_output`. For a choice
    that never changes, use that model itself.

    Args:
        candidates: The models to choose from: LiteLLM model strings, LangChain chat models, or
            `Candidate`s where you know more than the catalogue does. At least one.
        policy: How to choose: a policy, `"cost"`, `"threshold"` or `"cascade"`; `AdaptivePolicy`
            by default, which chooses as `CostPolicy` does until feedback has come.
        quality: Threshold of the default policy: the least predicted quality that is good enough, 0..1.
        constraints: Hard limits for every call; a call can narrow them, never widen them.
        intent_classifier: Layer 1; keywords by default.
        complexity_scorer: Layer 2; a heuristic by default.
        quality_model: What quality to expect of a candidate; by default the catalogue's priors, and where
            there is a store those corrected by feedback.
        resilience: How hard to try: retries, deadlines, circuit breakers, hedging.
        spend_cap: The most that each tenant may spend in a window of time.
        store: Where decisions, outcomes and feedback are kept, and learned from: a URL, a path, a store, None
            for memory only; by default a file in the user's data directory.
        capture_content: Have prompts stored too; by default no text is.
        redactor: Takes out of a prompt what may not be stored: by default e-mail addresses, phone and card
            numbers, and keys.
        stream_mode: What `stream` does with a draft that is checked: `"buffer"`, `"holdback"` or
            `"predecide"`, or one of these with its figure, e.g. `Holdback(tokens=40)`.
        on_outcome: Called with the decision and the outcome of every request.
        trace: `"none"` adds no run unless a plan has checks: only real model calls are runs. `"chain"` puts
            every call and its attempts under one chain run, for 0.3 ms more (but for streams of v3 events).
        **options: `callbacks`, `tags`, `metadata`, `rate_limiter`, `disable_streaming`, `output_version`
            and `profile` work as on any chat model. All others (`temperature`, `timeout`, `api_base`, ...)
            go to the models made from strings.

    Raises:
        ConfigurationError: Something cannot work; the message says what to write instead.

    Example:
        >>> router = ChatRouter.from_models("openai/gpt-4o-mini", "openai/gpt-4o", quality=0.85)
        >>> router.decide("What is the capital of France?").intent.label
        'conversation'
    """

    model_config = ConfigDict(arbitrary_types_allowed=True, protected_namespaces=())

    candidates: Any = Field(default=(), exclude=True)
    policy: Any = None
    quality: float | None = None
    intent_classifier: Any = Field(default=None, repr=False)
    complexity_scorer: Any = Field(default=None, repr=False)
    quality_model: Any = Field(default=None, repr=False)
    resilience: Any = Field(default=None, repr=False)
    spend_cap: Any = Field(default=None, repr=False)
    store: Any = Field(default=None, repr=False, exclude=True)
    capture_content: bool = Field(default=False, repr=False)
    redactor: Any = Field(default=redact, repr=False, exclude=True)
    on_outcome: Any = Field(default=None, repr=False, exclude=True)
    model_options: dict[str, Any] = Field(default_factory=dict, repr=False, exclude=True)

    def __init__(
        self,
        *,
        candidates: Sequence[Candidate | BaseChatModel | str] = (),
        policy: Policy | str | None = None,
        quality: float | None = None,
        constraints: Constraints | dict[str, Any] | None = None,
        intent_classifier: IntentClassifier | None = None,
        complexity_scorer: ComplexityScorer | None = None,
        quality_model: QualityModel | None = None,
        resilience: Resilience | None = None,
        spend_cap: SpendCap | None = None,
        stream_mode: StreamMode | str = "buffer",
        store: OutcomeStore | str | Path | None = "default",
        capture_content: bool = False,
        redactor: Redactor = redact,
        on_outcome: OnOutcome | None = None,
        trace: Literal["none", "chain"] = "none",
        **options: Any,
    ) -> None:
        given, model_options = split_options(type(self), options)
        resolved = resolve_candidates(candidates, model_options)
        kept_in = opened(store)
        hooks = heard_everywhere(kept_in)
        router = Router(
            resolved,
            policy=make_policy(policy, quality=quality),
            intent_classifier=with_method("intent_classifier", intent_classifier, "classify"),
            complexity_scorer=with_method("complexity_scorer", complexity_scorer, "score"),
            quality=with_method("quality_model", quality_model, "curve"),
            resilience=instance_or_none("resilience", resilience, Resilience),
            spend_cap=instance_or_none("spend_cap", spend_cap, SpendCap),
            store=kept_in,
            capture=plain_function("redactor", redactor, "a text") if capture_content else None,
            on_outcome=takes_two("on_outcome", on_outcome, "a decision and its outcome"),
            on_decision=None if hooks is None else hooks.made,
        )
        warn_of_own_retries(router.candidates, router.policy)
        try:
            super().__init__(
                candidates=router.candidates,
                policy=policy,
                quality=quality,
                constraints=Constraints.of(constraints),
                intent_classifier=intent_classifier,
                complexity_scorer=complexity_scorer,
                quality_model=quality_model,
                resilience=resilience,
                spend_cap=spend_cap,
                store=kept_in,
                capture_content=capture_content,
                redactor=redactor,
                stream_mode=as_stream_mode(stream_mode),
                on_outcome=on_outcome,
                trace=trace,
                model_options=model_options,
                **given,
            )
        except ValidationError as error:
            raise ConfigurationError(in_words(error)) from None
        self._router = router
        self._hooks = hooks

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED and self.__pydantic_private__ and self.__pydantic_private__.get("_router"):
            raise ConfigurationError(
                f"{name!r} of a router cannot be changed. Build another, or narrow it: "
                "router.constrained(regions={'eu'})."
            )
        super().__setattr__(name, value)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy; what the router was built from cannot be changed in it, but for `constraints`."""
        for name in update or {}:
            if name in _FIXED - {"constraints"}:
                raise ConfigurationError(f"{name!r} of a router cannot be changed. Build another.")
        return super().model_copy(update=update, deep=deep)

    def __repr__(self) -> str:
        names = ", ".join(candidate.name for candidate in self.candidates)
        return f"ChatRouter({names}; policy={self.core.policy!r})"

    __str__ = __repr__

    @classmethod
    def from_models(cls, *models: Candidate | BaseChatModel | str, **options: Any) -> Self:
        """Build a router from models alone; everything else is looked up or defaulted.

        Args:
            *models: What `candidates` takes.
            **options: What the constructor takes.

        Example:
            >>> [c.name for c in ChatRouter.from_models("openai/gpt-4o-mini", "openai/gpt-4o").candidates]
            ['openai/gpt-4o-mini', 'openai/gpt-4o']
        """
        return cls(candidates=models, **options)

    @classmethod
    def auto(cls, **options: Any) -> Self:
        """Build a router from the catalogue, with every provider whose key is in the environment.

        Raises:
            ConfigurationError: No key was found; the message lists the variables looked for.
        """
        entries = [entry for entry in catalogue().values() if not entry.retired]
        found = [entry.name for entry in entries if os.environ.get(entry.key_env)]
        if not found:
            looked_for = ", ".join(sorted({entry.key_env for entry in entries}))
            raise ConfigurationError(
                f"No provider key is set; looked for {looked_for}. "
                "Set one of them, or name the models: ChatRouter.from_models(...)."
            )
        return cls(candidates=found, **options)

    def constrained(self, constraints: Constraints | Mapping[str, Any] | None = None, **more: Any) -> Self:
        """Return a copy under narrower constraints, still a `ChatRouter`.

        Args:
            constraints: A `Constraints` or a mapping of its fields.
            **more: Fields of `Constraints`. All add to the router's own and never widen them.

        Example:
            >>> router = ChatRouter.from_models("openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5")
            >>> router.constrained(providers={"anthropic"}).decide("Hello").chosen.name
            'anthropic/claude-sonnet-4-5'
        """
        return self.under(Constraints.of(constraints).narrowed(Constraints.of(more)))

    def warm_up(self) -> None:
        """Make every candidate's chat model now, so that the first request does not wait for it.

        Importing LiteLLM takes seconds. Call this when your service starts.
        """
        for candidate in self.candidates:
            candidate.chat_model()

    def health(self) -> dict[str, dict[str, Any]]:
        """Return how the candidates called so far, the store and the learning are, as plain data."""
        return self.core.health()

    # --- deciding -------------------------------------------------------------------------------

    def decide(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **options: Any
    ) -> RoutingDecision:
        """Decide without calling any candidate.

        Args:
            input: What `invoke` takes.
            config: What `invoke` takes; its `configurable` may hold constraints.
            **options: What `invoke` takes: constraints, `tools`, `max_tokens`, ...

        Raises:
            NoEligibleCandidateError: The constraints exclude every candidate. Content never raises.
        """
        return self.core.decide(self.prepare(input, config, None, options).request)

    async def adecide(
        self, input: LanguageModelInput, config: RunnableConfig | None = None, **options: Any
    ) -> RoutingDecision:
        """Decide as `decide` does, awaiting an intent classifier that is a model."""
        return await self.core.adecide(self.prepare(input, config, None, options).request)

    # --- answering ------------------------------------------------------------------------------

    def invoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Answer with the candidate chosen; constraints may be given as keyword arguments."""
        answer: AIMessage = self.run(self.prepare(input, config, stop, kwargs))
        return answer

    async def ainvoke(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Answer as `invoke` does."""
        answer: AIMessage = await self.arun(self.prepare(input, config, stop, kwargs))
        return answer

    def stream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> Iterator[AIMessageChunk]:
        """Stream the answer of one candidate. Failover happens before the first chunk, never after."""
        if self._streaming_disabled(**kwargs):
            yield as_chunk(self.invoke(input, config, stop=stop, **kwargs))
            return
        for chunk in self.run_stream(self.prepare(input, config, stop, kwargs)):
            yield as_chunk(chunk)

    async def astream(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncGenerator[AIMessageChunk, None]:
        """Stream as `stream` does."""
        if self._streaming_disabled(**kwargs):
            yield as_chunk(await self.ainvoke(input, config, stop=stop, **kwargs))
            return
        async with contextlib.aclosing(self.arun_stream(self.prepare(input, config, stop, kwargs))) as chunks:
            async for chunk in chunks:
                yield as_chunk(chunk)

    def generate(
        self,
        messages: list[list[BaseMessage]],
        stop: list[str] | None = None,
        callbacks: Callbacks = None,
        *,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        run_name: str | None = None,
        run_id: Any = None,
        **kwargs: Any,
    ) -> LLMResult:
        """Answer several conversations, each routed on its own."""
        config = _config(callbacks, tags, metadata, run_name)
        answers = [
            self.invoke(one, _with_run_id(config, run_id if index == 0 else None), stop=stop, **kwargs)
            for index, one in enumerate(messages)
        ]
        return LLMResult(generations=[[ChatGeneration(message=answer)] for answer in answers])

    async def agenerate(
        self,
        messages: list[list[BaseMessage]],
        stop: list[str] | None = None,
        callbacks: Callbacks = None,
        *,
        tags: list[str] | None = None,
        metadata: dict[str, Any] | None = None,
        run_name: str | None = None,
        run_id: Any = None,
        **kwargs: Any,
    ) -> LLMResult:
        """Answer as `generate` does."""
        config = _config(callbacks, tags, metadata, run_name)
        answers = await asyncio.gather(
            *(
                self.ainvoke(one, _with_run_id(config, run_id if index == 0 else None), stop=stop, **kwargs)
                for index, one in enumerate(messages)
            )
        )
        return LLMResult(generations=[[ChatGeneration(message=answer)] for answer in answers])

    # --- binding --------------------------------------------------------------------------------

    def bind(self, **kwargs: Any) -> RouterBinding:  # type: ignore[override]
        """Bind arguments of the call; the result can still be asked to `decide` and be `constrained`."""
        constraints = take_constraints(
            kwargs
        )  # bound limits narrow the router, so that a call cannot undo them
        return RouterBinding(bound=self.under(constraints), kwargs=kwargs, config={})

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools; each candidate gets them through its own `bind_tools` when it is called."""
        strict = kwargs.pop("strict", None)  # it goes into each tool
        formatted = [convert_to_openai_tool(tool, strict=strict) for tool in tools]
        if tool_choice is not None:
            kwargs["tool_choice"] = tool_choice
        return self.bind(tools=formatted, **kwargs)

    def with_structured_output(
        self,
        schema: dict[str, Any] | type,
        *,
        include_raw: bool = False,
        method: Literal["json_schema", "function_calling", "json_mode"] | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, dict[str, Any] | BaseModel]:
        """Return a runnable whose answers follow a schema, whichever candidate gives them.

        Args:
            schema: A pydantic class, a `TypedDict` class or a JSON schema.
            include_raw: Return `{"raw", "parsed", "parsing_error"}` instead of the parsed value.
            method: How to ask; by default each candidate's best: its native JSON schema where it has one,
                else a tool call.
            **kwargs: `strict` and what else a candidate's own `with_structured_output` takes.

        Raises:
            ConfigurationError: The method is unknown.
        """
        from langchain_router.chat.structured import StructuredRouter

        return StructuredRouter(self, schema, include_raw=include_raw, method=method, options=kwargs)

    # --- what LangChain asks of a chat model ----------------------------------------------------

    def get_num_tokens(self, text: str) -> int:
        """Estimate the tokens of a text without a tokenizer; `custom_get_token_ids` is honoured."""
        if self.custom_get_token_ids is not None:
            return len(self.custom_get_token_ids(text))
        return estimate_tokens(text)

    def get_num_tokens_from_messages(
        self, messages: list[BaseMessage], tools: Sequence[Any] | None = None
    ) -> int:
        """Estimate the tokens of messages and tools without a tokenizer."""
        if self.custom_get_token_ids is not None:
            return sum(self.get_num_tokens(message.text) for message in messages)
        return count_tokens_approximately(messages, tools=list(tools) if tools else None)

    def _resolve_model_profile(self) -> ModelProfile | None:
        return shared_profile(self.candidates)

    @property
    def _llm_type(self) -> str:
        return "langchain-router"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"candidates": [c.name for c in self.candidates], "policy": repr(self.core.policy)}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = "langchain_router"
        params["ls_model_name"] = kwargs.get("model") or "router"
        return params

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 - see below
        **kwargs: Any,
    ) -> ChatResult:
        """Answer for code that calls this hook itself; the public methods above never do."""
        return ChatResult(generations=[ChatGeneration(message=self.invoke(messages, stop=stop, **kwargs))])

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002 - as in _generate
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(
            generations=[ChatGeneration(message=await self.ainvoke(messages, stop=stop, **kwargs))]
        )

    def _chat_model_stream_v3(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> ChatModelStream:
        return self.run_events(self.prepare(input, config, stop, kwargs))

    async def _achat_model_stream_v3(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AsyncChatModelStream:
        return await self.arun_events(self.prepare(input, config, stop, kwargs))

    def prepare(
        self,
        input: LanguageModelInput,
        config: RunnableConfig | None,
        stop: list[str] | None,
        options: dict[str, Any],
        bind: BindModel = bind_model,
    ) -> RoutedCall:
        """Read a call as the router sees it; for integrations, with a way of their own to bind models.

        Args:
            input: What `invoke` takes.
            config: What `invoke` takes.
            stop: Stop sequences.
            options: Keyword arguments of the call, constraints among them.
            bind: How a candidate's model is made ready for the call.
        """
        config = ensure_config(config)
        if self.callbacks is not None or self.tags or self.metadata:
            # Said in full, or merge_configs takes what is missing from the context around this call.
            own: RunnableConfig = {
                "callbacks": _not_given_twice(self.callbacks, config.get("callbacks")) or [],
                "tags": self.tags or [],
                "metadata": self.metadata or {},
                "configurable": {},
            }
            config = merge_configs(own, config)
        if stop is not None:
            options = {**options, "stop": stop}
        return prepare_call(
            self._convert_input(input).to_messages(),
            config=config,
            options=options,
            constraints=self.constraints,
            candidate_names=[candidate.name for candidate in self.candidates],
            bind=bind,
        )


def _not_given_twice(own: Callbacks, given: Callbacks) -> Callbacks:
    """Return the router's own handlers without those that the call brings too."""
    if not isinstance(own, list):
        return own
    brought = given if isinstance(given, list) else getattr(given, "handlers", ())
    return [handler for handler in own if not any(handler is one for one in brought)]


def _config(
    callbacks: Callbacks, tags: list[str] | None, metadata: dict[str, Any] | None, run_name: str | None
) -> RunnableConfig:
    config: RunnableConfig = {"callbacks": callbacks, "tags": tags or [], "metadata": metadata or {}}
    if run_name is not None:
        config["run_name"] = run_name
    return config


def _with_run_id(config: RunnableConfig, run_id: Any) -> RunnableConfig:
    return config if run_id is None else {**config, "run_id": run_id}
