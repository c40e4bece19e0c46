"""A chat model that fails on purpose: chaos for tests of whatever calls a chat model."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.tools import BaseTool
from pydantic import Field, PrivateAttr

from langchain_router.chat.stamp import as_chunk
from langchain_router.exceptions import ConfigurationError
from langchain_router.execution.errors import ErrorKind
from langchain_router.testing.fault_plan import (
    ERRORS,
    OK,
    Fault,
    Turns,
    check_number,
    checked_rates,
    checked_script,
)
from langchain_router.testing.scripted import ScriptedChatModel
from langchain_router.wording import kind_of


class FaultyChatModel(BaseChatModel):
    """Wraps a chat model and lets some of its calls fail, by a script or at seeded rates.

    For tests of retries, failover, deadlines and circuit breakers without a network. It opens no run of its
    own: callbacks see one model run per call. Prefer `SimulatedProvider` where HTTP itself matters.

    The faults are the names of `ErrorKind`, each raising an error of that kind, and three more:

    - `"hang"`: silence for `hang_s`, then a timeout error.
    - `"slow"`: `slow_s` of silence before the answer, and before every chunk of a stream.
    - `"drip"`: the first chunk of a stream at once, then `slow_s` of silence before every other; an answer
      without a stream is as slow as in `"slow"`.

    There is no `"cancelled"`: to give a call up is the caller's doing.

    `"interrupted"` lets a stream break off after its first chunk or later; a call without a stream fails as a
    lost connection does. `"control_flow"` raises LangGraph's `GraphBubbleUp`, as an interrupt does.

    Args:
        model: Answers the calls that do not fail.
        answers: Given in turn instead of a model's: texts or messages.
        rates: Share of calls, 0..1, that each fault befalls; which ones is drawn from `seed` and the number
            of the call, so it is the same in every run and for any order of threads.
        script: The fault of each call in turn, or `"ok"`. Afterwards `rates` decide.
        seed: Another seed makes other calls fail.
        after_chunks: Chunks of a stream that go out before it fails; 0 fails before the first.
        retry_after: Sent with rate limits, as `error.response.headers["retry-after"]`; seconds or any text.
        hang_s: Seconds that a hanging call keeps silent.
        slow_s: Seconds that a slow or dripping call waits, each time.
        sleep: How to wait in `invoke` and `stream`.
        asleep: How to wait in `ainvoke` and `astream`.
        **options: `callbacks`, `tags`, `disable_streaming` and what else any chat model takes.

    Raises:
        ConfigurationError: A fault is unknown, a value is of the wrong type or out of range, or not exactly
            one of `model` and `answers` is given.

    Example:
        >>> flaky = FaultyChatModel(answers=["Hello!"], script=["server", "ok"])
        >>> flaky.with_retry(wait_exponential_jitter=False).invoke("Hi").text
        'Hello!'
        >>> flaky.calls, dict(flaky.counts)
        (2, {'server': 1, 'ok': 1})
    """

    model: BaseChatModel = Field(repr=False)
    rates: Mapping[str, float] = Field(default_factory=dict)
    seed: int = 0
    after_chunks: int = 0
    retry_after: str | None = None
    hang_s: float = 60.0
    slow_s: float = 1.0
    sleep: Callable[[float], None] = Field(default=time.sleep, exclude=True, repr=False)
    asleep: Callable[[float], Awaitable[None]] = Field(default=asyncio.sleep, exclude=True, repr=False)

    _turns: Turns = PrivateAttr()

    def __init__(
        self,
        *,
        model: BaseChatModel | None = None,
        answers: Sequence[str | AIMessage] = (),
        rates: Mapping[str, float] | None = None,
        script: Sequence[str] = (),
        seed: int = 0,
        after_chunks: int = 0,
        retry_after: str | float | None = None,
        hang_s: float = 60.0,
        slow_s: float = 1.0,
        sleep: Callable[[float], None] = time.sleep,
        asleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        **options: Any,
    ) -> None:
        if (model is None) == (not answers):
            raise ConfigurationError("Write either model= or answers=: one of them must answer.")
        if model is not None and not isinstance(model, BaseChatModel):
            raise ConfigurationError(f"model must be a chat model, got {kind_of(model)}.")
        unknown = sorted(options.keys() - BaseChatModel.model_fields.keys())
        if unknown:
            raise ConfigurationError(f"FaultyChatModel takes no {unknown[0]!r}; see its docstring.")
        check_number("after_chunks", after_chunks, whole=True)
        check_number("hang_s", hang_s)
        check_number("slow_s", slow_s)
        super().__init__(
            model=ScriptedChatModel(answers=answers) if model is None else model,
            rates=checked_rates(rates or {}),
            seed=seed,
            after_chunks=after_chunks,
            retry_after=None if retry_after is None else str(retry_after),
            hang_s=hang_s,
            slow_s=slow_s,
            sleep=sleep,
            asleep=asleep,
            **options,
        )
        self._turns = Turns(checked_script(script), self.rates, seed)

    @property
    def calls(self) -> int:
        """How many calls were made, whether they failed or not."""
        return self.counts.total()

    @property
    def counts(self) -> Counter[str]:
        """How many calls each fault befell; `"ok"` are those left alone."""
        return self._turns.counts()

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools in the wrapped model's own way; the calls still fail as set, and are still counted."""
        bound = self.model.bind_tools(tools, **kwargs)
        if not isinstance(bound, RunnableBinding) or not isinstance(bound.bound, BaseChatModel):
            raise ConfigurationError(
                f"{type(self.model).__name__}.bind_tools returns a {type(bound).__name__}, whose calls "
                "cannot be made to fail; wrap a model that returns itself with arguments bound."
            )
        same = self.model_copy(update={"model": bound.bound})
        return RunnableBinding(bound=same, kwargs=bound.kwargs, config=bound.config)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        fault = self._next_fault()
        if fault.wait_s:
            self.sleep(fault.wait_s)
        if fault.error is not None:
            raise fault.error
        return self.model._generate(messages, stop, run_manager, **kwargs)  # noqa: SLF001

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        fault = self._next_fault()
        if fault.wait_s:
            await self.asleep(fault.wait_s)
        if fault.error is not None:
            raise fault.error
        return await self.model._agenerate(messages, stop, run_manager, **kwargs)  # noqa: SLF001

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        fault = self._next_fault()
        if not fault.after_chunks:
            self._strike(fault)
        sent = 0
        for chunk in self._chunks(messages, stop, run_manager, **kwargs):
            if wait_s := fault.before_chunk_s(sent):
                self.sleep(wait_s)
            yield chunk
            sent += 1
            if sent == fault.after_chunks:
                self._strike(fault)
        if sent < fault.after_chunks:
            self._strike(fault)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        fault = self._next_fault()
        if not fault.after_chunks:
            await self._astrike(fault)
        sent = 0
        async for chunk in self._achunks(messages, stop, run_manager, **kwargs):
            if wait_s := fault.before_chunk_s(sent):
                await self.asleep(wait_s)
            yield chunk
            sent += 1
            if sent == fault.after_chunks:
                await self._astrike(fault)
        if sent < fault.after_chunks:
            await self._astrike(fault)

    def _strike(self, fault: Fault) -> None:
        if fault.error is not None:
            if fault.wait_s:
                self.sleep(fault.wait_s)
            raise fault.error

    async def _astrike(self, fault: Fault) -> None:
        if fault.error is not None:
            if fault.wait_s:
                await self.asleep(fault.wait_s)
            raise fault.error

    def _chunks(self, *args: Any, **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        """Stream what the wrapped model streams; its whole answer where it cannot."""
        if type(self.model)._stream is not BaseChatModel._stream:  # noqa: SLF001
            yield from self.model._stream(*args, **kwargs)  # noqa: SLF001
        else:
            yield _only_chunk(self.model._generate(*args, **kwargs))  # noqa: SLF001

    async def _achunks(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        cls = type(self.model)
        if cls._astream is not BaseChatModel._astream or cls._stream is not BaseChatModel._stream:  # noqa: SLF001
            async for chunk in self.model._astream(*args, **kwargs):  # noqa: SLF001
                yield chunk
        else:
            yield _only_chunk(await self.model._agenerate(*args, **kwargs))  # noqa: SLF001

    def _next_fault(self) -> Fault:
        """Count a call, and say what is to go wrong with it."""
        number, kind = self._turns.take()
        if kind == OK:
            return Fault()
        if kind in ("slow", "drip"):
            return Fault(wait_s=self.slow_s, is_first_at_once=kind == "drip")
        error = ERRORS[kind](f"FaultyChatModel: call {number} fails with {kind!r}, as set up.")
        if kind == ErrorKind.RATE_LIMITED.value:
            headers = {} if self.retry_after is None else {"retry-after": self.retry_after}
            error.response = SimpleNamespace(status_code=429, headers=headers)  # type: ignore[attr-defined]
        return Fault(
            error=error,
            wait_s=self.hang_s if kind == "hang" else 0.0,
            after_chunks=max(self.after_chunks, kind == ErrorKind.INTERRUPTED.value),
        )

    def _resolve_model_profile(self) -> ModelProfile | None:
        """Report the wrapped model's abilities; this class's own `bind_tools` must not add one."""
        profile = self.model.profile
        if type(self.model).bind_tools is not BaseChatModel.bind_tools:
            return profile
        return {"tool_calling": False, **(profile or {})}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        return self.model._get_ls_params(stop=stop, **kwargs)  # noqa: SLF001

    @property
    def _llm_type(self) -> str:
        return "faulty-chat-model"


def _only_chunk(result: ChatResult) -> ChatGenerationChunk:
    message = result.generations[0].message
    return ChatGenerationChunk(message=as_chunk(message))
