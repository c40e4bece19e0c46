"""How a routed call runs in LangChain: which runs are opened, and where the answer is stamped.

A plan without checks opens no run of its own: the caller's callbacks go straight to the model called.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator
from typing import Any, Literal, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_model_stream import AsyncChatModelStream, ChatModelStream
from langchain_core.runnables import Runnable, RunnableConfig
from pydantic import PrivateAttr

from langchain_router.calls import RoutedCall
from langchain_router.decision import RoutingDecision
from langchain_router.exceptions import MalformedResponseError
from langchain_router.execution.plan import Call
from langchain_router.router import Router
from langchain_router.stamp import stamp, stamp_stream


class RoutedRuns(BaseChatModel):
    """The half of `ChatRouter` that runs calls; the other half is what users see of it."""

    trace: Literal["auto", "chain", "none"] = "auto"

    _router: Router = PrivateAttr()

    def _invoke(self, call: RoutedCall) -> Any:
        decision = self._router.decide(call.request)

        def run(_: Any, config: RunnableConfig) -> Any:
            def answer(step: Call) -> Any:
                model, options, model_config = self._attempt(call, decision, step, config)
                if self.rate_limiter:
                    self.rate_limiter.acquire(blocking=True)
                return model.invoke(call.messages, model_config, **options)

            served = self._router.serve(decision, answer)
            return stamp(served.answer, decision, served.attempts)

        if self._has_own_run:
            return self._call_with_config(cast("Any", run), call.messages, call.config, run_type="chain")
        return run(call.messages, call.config)

    async def _ainvoke(self, call: RoutedCall) -> Any:
        decision = await self._router.adecide(call.request)

        async def run(_: Any, config: RunnableConfig) -> Any:
            async def answer(step: Call) -> Any:
                model, options, model_config = self._attempt(call, decision, step, config)
                if self.rate_limiter:
                    await self.rate_limiter.aacquire(blocking=True)
                return await model.ainvoke(call.messages, model_config, **options)

            served = await self._router.aserve(decision, answer)
            return stamp(served.answer, decision, served.attempts)

        if self._has_own_run:
            return await self._acall_with_config(
                cast("Any", run), call.messages, call.config, run_type="chain"
            )
        return await run(call.messages, call.config)

    def _stream_routed(self, call: RoutedCall) -> Iterator[Any]:
        decision = self._router.decide(call.request)

        def run(_: Any, config: RunnableConfig) -> Iterator[Any]:
            def begin(step: Call) -> tuple[Any, Iterator[Any]]:
                model, options, model_config = self._attempt(call, decision, step, config)
                if self.rate_limiter:
                    self.rate_limiter.acquire(blocking=True)
                chunks = iter(model.stream(call.messages, model_config, **options))
                return _first(next(chunks, None), step), chunks

            served = self._router.serve(decision, begin)
            first, rest = served.answer
            yield stamp(first, decision, served.attempts)
            yield from rest

        if self._has_own_run:
            yield from self._transform_stream_with_config(
                iter([call.messages]), cast("Any", run), call.config, run_type="chain"
            )
        else:
            yield from run(call.messages, call.config)

    async def _astream_routed(self, call: RoutedCall) -> AsyncGenerator[Any, None]:
        decision = await self._router.adecide(call.request)

        async def run(_: Any, config: RunnableConfig) -> AsyncGenerator[Any, None]:
            async def begin(step: Call) -> tuple[Any, AsyncGenerator[Any, None]]:
                model, options, model_config = self._attempt(call, decision, step, config)
                if self.rate_limiter:
                    await self.rate_limiter.aacquire(blocking=True)
                chunks = cast(
                    "AsyncGenerator[Any, None]", model.astream(call.messages, model_config, **options)
                )
                return _first(await anext(chunks, None), step), chunks

            served = await self._router.aserve(decision, begin)
            first, rest = served.answer
            yield stamp(first, decision, served.attempts)
            async with contextlib.aclosing(rest):
                async for chunk in rest:
                    yield chunk

        async def messages() -> AsyncIterator[Any]:
            yield call.messages

        if self._has_own_run:
            chunks = cast(
                "AsyncGenerator[Any, None]",
                self._atransform_stream_with_config(
                    messages(), cast("Any", run), call.config, run_type="chain"
                ),
            )
        else:
            chunks = run(call.messages, call.config)
        async with contextlib.aclosing(chunks):
            async for chunk in chunks:
                yield chunk

    def _events_routed(self, call: RoutedCall) -> ChatModelStream:
        """Begin a stream of v3 events. It starts at once, not when first read, so that it can fail over."""
        decision = self._router.decide(call.request)

        def begin(step: Call) -> ChatModelStream:
            model, options, model_config = self._attempt(call, decision, step)
            stream = cast(
                "ChatModelStream", model.stream_events(call.messages, model_config, version="v3", **options)
            )
            next(iter(stream), None)  # events replay: this only waits for the first, or raises
            return stream

        served = self._router.serve(decision, begin)
        return stamp_stream(served.answer, decision, served.attempts)

    async def _aevents_routed(self, call: RoutedCall) -> AsyncChatModelStream:
        decision = await self._router.adecide(call.request)

        async def begin(step: Call) -> AsyncChatModelStream:
            model, options, model_config = self._attempt(call, decision, step)
            started = model.astream_events(call.messages, model_config, version="v3", **options)
            stream = await cast("Awaitable[AsyncChatModelStream]", started)
            await anext(aiter(stream), None)  # events replay: this only waits for the first, or raises
            return stream

        served = await self._router.aserve(decision, begin)
        return stamp_stream(served.answer, decision, served.attempts)

    def _attempt(
        self, call: RoutedCall, decision: RoutingDecision, step: Call, config: RunnableConfig | None = None
    ) -> tuple[Runnable[Any, Any], dict[str, Any], RunnableConfig]:
        """Return what to call for a step: the model as bound for this call, its options and its config."""
        candidate = step.step.candidate
        model = candidate.chat_model()
        if self.output_version is not None and model.output_version != self.output_version:
            model = model.model_copy(update={"output_version": self.output_version})
        bound, options = call.bind(candidate, model, call.options)
        return bound, options, call.config_for(decision, step, config or call.config)

    @property
    def _has_own_run(self) -> bool:
        return self.trace == "chain"


def _first(chunk: Any, step: Call) -> Any:
    if chunk is None:
        raise MalformedResponseError(f"{step.step.candidate.name!r} ended its stream without a chunk.")
    return chunk
