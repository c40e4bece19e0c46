"""How a routed call runs in LangChain: which runs are opened, and where the answer is stamped.

A plan without checks opens no run of its own: the caller's callbacks go straight to the model called.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator
from typing import Any, Generic, Literal, NamedTuple, TypeVar, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_model_stream import AsyncChatModelStream, ChatModelStream
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig
from pydantic import PrivateAttr

from langchain_router.calls import RoutedCall
from langchain_router.decision import RoutingDecision
from langchain_router.exceptions import MalformedResponseError
from langchain_router.execution.plan import Call
from langchain_router.interruption import interrupted, watched
from langchain_router.router import Router
from langchain_router.stamp import stamp, stamp_stream

Ready = tuple[Runnable[Any, Any], dict[str, Any], RunnableConfig]
"""What to call for a step: the model as bound for this call, its options and its config."""


Parts = TypeVar("Parts")


class RoutedRuns(BaseChatModel):
    """The half of `ChatRouter` that runs calls; the other half is what users see of it."""

    trace: Literal["auto", "chain", "none"] = "auto"

    _router: Router = PrivateAttr()

    @property
    def core(self) -> Router:
        """The router without LangChain around it; for integrations."""
        return self._router

    def run(self, call: RoutedCall) -> Any:
        """Decide and answer; for integrations, which prepare calls of their own."""
        decision = self.core.decide(call.request)

        def answered(_: Any, config: RunnableConfig) -> Any:
            def answer(step: Call) -> Any:
                model, options, model_config = self.ready(call, decision, step, config)
                with watched(model_config, decision, step) as watched_config:
                    return model.invoke(call.messages, watched_config, **options)

            served = self.core.serve(decision, answer)
            return stamp(served.answer, decision, served.attempts)

        if self._has_own_run:
            return self._call_with_config(cast("Any", answered), call.messages, call.config, run_type="chain")
        return answered(call.messages, call.config)

    async def arun(self, call: RoutedCall) -> Any:
        """Do as `run` does."""
        decision = await self.core.adecide(call.request)

        async def answered(_: Any, config: RunnableConfig) -> Any:
            async def answer(step: Call) -> Any:
                model, options, model_config = await self.aready(call, decision, step, config)
                with watched(model_config, decision, step) as watched_config:
                    return await model.ainvoke(call.messages, watched_config, **options)

            served = await self.core.aserve(decision, answer)
            return stamp(served.answer, decision, served.attempts)

        if self._has_own_run:
            return await self._acall_with_config(
                cast("Any", answered), call.messages, call.config, run_type="chain"
            )
        return await answered(call.messages, call.config)

    def run_stream(self, call: RoutedCall) -> Iterator[Any]:
        """Decide and stream what the chosen model streams; its first part is stamped."""
        decision = self.core.decide(call.request)

        def streamed(_: Any, config: RunnableConfig) -> Iterator[Any]:
            def begin(step: Call) -> _Begun[Iterator[Any]]:
                model, options, model_config = self.ready(call, decision, step, config)
                parts = iter(model.stream(call.messages, model_config, **options))
                return _Begun(step, _first(next(parts, None), step), parts)

            served = self.core.serve(decision, begin)
            step, first, rest = served.answer
            yield stamp(first, decision, served.attempts)
            seen = [_text(first)]
            try:
                for part in rest:
                    seen.append(_text(part))
                    yield part
            except Exception as error:
                raise interrupted(error, "".join(seen), decision, step) from error

        if self._has_own_run:
            yield from self._transform_stream_with_config(
                iter([call.messages]), cast("Any", streamed), call.config, run_type="chain"
            )
        else:
            yield from streamed(call.messages, call.config)

    async def arun_stream(self, call: RoutedCall) -> AsyncGenerator[Any, None]:
        """Do as `run_stream` does."""
        decision = await self.core.adecide(call.request)

        async def streamed(_: Any, config: RunnableConfig) -> AsyncGenerator[Any, None]:
            async def begin(step: Call) -> _Begun[AsyncGenerator[Any, None]]:
                model, options, model_config = await self.aready(call, decision, step, config)
                parts = cast(
                    "AsyncGenerator[Any, None]", model.astream(call.messages, model_config, **options)
                )
                return _Begun(step, _first(await anext(parts, None), step), parts)

            served = await self.core.aserve(decision, begin)
            step, first, rest = served.answer
            async with contextlib.aclosing(rest):
                yield stamp(first, decision, served.attempts)
                seen = [_text(first)]
                try:
                    async for part in rest:
                        seen.append(_text(part))
                        yield part
                except Exception as error:
                    raise interrupted(error, "".join(seen), decision, step) from error

        async def messages() -> AsyncIterator[Any]:
            yield call.messages

        if self._has_own_run:
            parts = cast(
                "AsyncGenerator[Any, None]",
                self._atransform_stream_with_config(
                    messages(), cast("Any", streamed), call.config, run_type="chain"
                ),
            )
        else:
            parts = streamed(call.messages, call.config)
        async with contextlib.aclosing(parts):
            async for part in parts:
                yield part

    def run_events(self, call: RoutedCall) -> ChatModelStream:
        """Begin a stream of v3 events. It starts at once, not when first read, so that it can fail over."""
        decision = self.core.decide(call.request)

        def begin(step: Call) -> ChatModelStream:
            model, options, model_config = self.ready(call, decision, step, call.config)
            stream = cast(
                "ChatModelStream", model.stream_events(call.messages, model_config, version="v3", **options)
            )
            next(iter(stream), None)  # events replay: this only waits for the first, or raises
            return stream

        served = self.core.serve(decision, begin)
        return stamp_stream(served.answer, decision, served.attempts)

    async def arun_events(self, call: RoutedCall) -> AsyncChatModelStream:
        """Do as `run_events` does."""
        decision = await self.core.adecide(call.request)

        async def begin(step: Call) -> AsyncChatModelStream:
            model, options, model_config = await self.aready(call, decision, step, call.config)
            started = model.astream_events(call.messages, model_config, version="v3", **options)
            stream = await cast("Awaitable[AsyncChatModelStream]", started)
            await anext(aiter(stream), None)  # events replay: this only waits for the first, or raises
            return stream

        served = await self.core.aserve(decision, begin)
        return stamp_stream(served.answer, decision, served.attempts)

    def ready(self, call: RoutedCall, decision: RoutingDecision, step: Call, config: RunnableConfig) -> Ready:
        """Return what to call for a step; waits for the rate limiter, if there is one."""
        if self.rate_limiter:
            self.rate_limiter.acquire(blocking=True)
        return self._bound(call, decision, step, step.step.candidate.chat_model(), config)

    async def aready(
        self, call: RoutedCall, decision: RoutingDecision, step: Call, config: RunnableConfig
    ) -> Ready:
        """Do as `ready` does."""
        if self.rate_limiter:
            await self.rate_limiter.aacquire(blocking=True)
        return self._bound(call, decision, step, await step.step.candidate.achat_model(), config)

    def _bound(
        self,
        call: RoutedCall,
        decision: RoutingDecision,
        step: Call,
        model: BaseChatModel,
        config: RunnableConfig,
    ) -> Ready:
        if self.output_version is not None and model.output_version != self.output_version:
            model = model.model_copy(update={"output_version": self.output_version})
        bound, options = call.bind(step.step.candidate, model, call.options)
        return bound, options, call.config_for(decision, step, config)

    @property
    def _has_own_run(self) -> bool:
        return self.trace == "chain"


class _Begun(NamedTuple, Generic[Parts]):
    """A stream that has yielded its first part."""

    step: Call
    first: Any
    rest: Parts


def _first(part: Any, step: Call) -> Any:
    if part is None:
        raise MalformedResponseError(f"{step.step.candidate.name!r} ended its stream without a chunk.")
    return part


def _text(part: Any) -> str:
    return part.text if isinstance(part, BaseMessage) else ""
