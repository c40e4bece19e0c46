"""How a routed call runs in LangChain: which runs are opened, and where the answer is stamped.

Unless asked for one (`trace="chain"`), a call opens no run of its own: the caller's callbacks go straight to
the model called.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterator
from typing import Any, Generic, Literal, NamedTuple, Self, TypeVar, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_model_stream import AsyncChatModelStream, ChatModelStream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig
from pydantic import Field, PrivateAttr

from langchain_router.chat.calls import RoutedCall
from langchain_router.chat.interruption import raise_interrupted, watched
from langchain_router.chat.stamp import stamp, stamp_stream
from langchain_router.constraints import Constraints
from langchain_router.decision import RoutingDecision
from langchain_router.exceptions import MalformedResponseError
from langchain_router.execution.plan import Call
from langchain_router.router import Router

Ready = tuple[Runnable[Any, Any], dict[str, Any], RunnableConfig]
"""What to call for a step: the model as bound for this call, its options and its config."""


Parts = TypeVar("Parts")


class RoutedRuns(BaseChatModel):
    """The half of `ChatRouter` that runs calls; the other half is what users see of it."""

    constraints: Any = Field(default_factory=Constraints)
    trace: Literal["none", "chain"] = "none"

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
                return _Begun(step, _some(_held(parts), step), parts)

            served = self.core.serve(decision, begin)
            step, held, rest = served.answer
            yield stamp(held[0], decision, served.attempts)
            yield from held[1:]
            seen = [_text(part) for part in held]
            try:
                for part in rest:
                    seen.append(_text(part))
                    yield part
            except Exception as error:  # noqa: BLE001 - raised again, as what it is to the caller
                raise_interrupted(error, "".join(seen), decision, step)

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
                return _Begun(step, _some(await _aheld(parts), step), parts)

            served = await self.core.aserve(decision, begin)
            step, held, rest = served.answer
            async with contextlib.aclosing(rest):
                yield stamp(held[0], decision, served.attempts)
                for part in held[1:]:
                    yield part
                seen = [_text(part) for part in held]
                try:
                    async for part in rest:
                        seen.append(_text(part))
                        yield part
                except Exception as error:  # noqa: BLE001 - raised again, as what it is to the caller
                    raise_interrupted(error, "".join(seen), decision, step)

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
            for event in stream:  # events replay: this only waits until something shows, or raises
                if event.get("event") != "message-start":
                    break
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
            try:
                async for event in stream:  # events replay: this only waits until something shows, or raises
                    if event.get("event") != "message-start":
                        break
            except BaseException:  # cancelled, perhaps: the call behind the stream must not go on
                await stream.aclose()
                raise
            return stream

        served = await self.core.aserve(decision, begin)
        return stamp_stream(served.answer, decision, served.attempts)

    def under(self, constraints: Constraints) -> Self:
        """Return a copy that obeys these constraints as well as its own."""
        return self.model_copy(update={"constraints": self.constraints.narrowed(constraints)})

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
        if isinstance(model, RoutedRuns):  # a router as a candidate obeys the same limits
            model = model.under(call.request.constraints)
        wanted: dict[str, Any] = {}
        if self.output_version is not None and model.output_version != self.output_version:
            wanted["output_version"] = self.output_version
        if self.disable_streaming and model.disable_streaming is not True:
            wanted["disable_streaming"] = self.disable_streaming
        if wanted:
            model = model.model_copy(update=wanted)
        bound, options = call.bind(step.step.candidate, model, call.options)
        return bound, options, call.config_for(decision, step, config)

    @property
    def _has_own_run(self) -> bool:
        return self.trace == "chain"


class _Begun(NamedTuple, Generic[Parts]):
    """A stream that has yielded its first part with something in it, and what came before that."""

    step: Call
    held: list[Any]
    rest: Parts


def _held(parts: Iterator[Any]) -> list[Any]:
    """Read a stream up to the first part that shows something; until then another model may still serve."""
    held = []
    for part in parts:
        held.append(part)
        if _shows(part):
            break
    return held


async def _aheld(parts: AsyncIterator[Any]) -> list[Any]:
    held = []
    async for part in parts:
        held.append(part)
        if _shows(part):
            break
    return held


def _some(held: list[Any], step: Call) -> list[Any]:
    if not held:
        raise MalformedResponseError(f"{step.step.candidate.name!r} ended its stream without a chunk.")
    return held


def _shows(part: Any) -> bool:
    """Return whether a user sees something of this part; a chunk that only names the role does not count."""
    if not isinstance(part, AIMessageChunk):
        return True
    return bool(part.content or part.tool_call_chunks)


def _text(part: Any) -> str:
    return part.text if isinstance(part, BaseMessage) else ""
