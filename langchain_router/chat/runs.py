"""How a routed call runs in LangChain: which runs are opened, and where the answer is stamped.

A plan that takes the first answer opens no run of its own, unless asked to (`trace="chain"`): the caller's
callbacks go straight to the model called. A plan with checks is one chain run, and every draft, second
opinion and judge is a run below it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Iterator
from typing import Any, Literal, Self, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_model_stream import AsyncChatModelStream, ChatModelStream
from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig
from pydantic import Field, PrivateAttr

from langchain_router.chat.announcing import Announced
from langchain_router.chat.calls import RoutedCall
from langchain_router.chat.given_up import ended_if_cancelled
from langchain_router.chat.held_calls import HeldCalls
from langchain_router.chat.interruption import watched
from langchain_router.chat.ready_models import Copies, made
from langchain_router.chat.replies import checked, reply_to
from langchain_router.chat.stamp import stamp
from langchain_router.chat.stream_modes import Buffer
from langchain_router.chat.unreadable import unreadable
from langchain_router.constraints import Constraints
from langchain_router.decision import RoutingDecision
from langchain_router.exceptions import DeadlineExceededError
from langchain_router.execution.moves import Call, Reply
from langchain_router.execution.workers import within
from langchain_router.router import Router


class RoutedRuns(BaseChatModel):
    """The half of `ChatRouter` that runs calls; the other half is what users see of it."""

    constraints: Any = Field(default_factory=Constraints)
    trace: Literal["none", "chain"] = "none"
    stream_mode: Any = Field(default_factory=Buffer)

    _router: Router = PrivateAttr()
    _copies: Copies = PrivateAttr(default_factory=Copies)

    @property
    def core(self) -> Router:
        """The router without LangChain around it; for integrations."""
        return self._router

    # --- whole answers --------------------------------------------------------------------------

    def run(self, call: RoutedCall) -> Any:
        """Decide and answer; for integrations, which prepare calls of their own."""
        decision = self.core.decide(call.request)

        def answered(_: Any, config: RunnableConfig) -> Any:
            held, answer = HeldCalls(), None
            announced = Announced(decision, config)

            def reply(step: Call) -> Reply:
                announced.calling(step)
                return self.reply(call, decision, step, config, held)

            announced.decided()
            try:
                with held.around_checks(config, decision):
                    served = self.core.serve(
                        decision,
                        call.request,
                        reply,
                        on_end=announced.note,
                        run_ids=runs_around(call.config, config),
                    )
                answer = served.answer
            finally:
                held.settle(answer)
                announced.ended()
            return stamp(answer, decision, served)

        if self.has_own_run(decision):
            return self._call_with_config(cast("Any", answered), call.messages, call.config, run_type="chain")
        return answered(call.messages, call.config)

    async def arun(self, call: RoutedCall) -> Any:
        """Do as `run` does."""
        decision = await self.core.adecide(call.request)

        async def answered(_: Any, config: RunnableConfig) -> Any:
            held, answer = HeldCalls(), None
            announced = Announced(decision, config)

            async def reply(step: Call) -> Reply:
                await announced.acalling(step)
                return await self.areply(call, decision, step, config, held)

            await announced.adecided()
            try:
                with held.around_checks(config, decision):
                    served = await self.core.aserve(
                        decision,
                        call.request,
                        reply,
                        on_end=announced.note,
                        run_ids=runs_around(call.config, config),
                    )
                answer = served.answer
            finally:
                await held.asettle(answer)
                await announced.aended()
            return stamp(answer, decision, served)

        if self.has_own_run(decision):
            return await self._acall_with_config(
                cast("Any", answered), call.messages, call.config, run_type="chain"
            )
        return await answered(call.messages, call.config)

    def reply(
        self,
        call: RoutedCall,
        decision: RoutingDecision,
        step: Call,
        config: RunnableConfig,
        held: HeldCalls,
    ) -> Reply:
        """Make one call and return its whole answer; raises its error."""
        model_config, kept = held.config(step, call.config_for(decision, step, config))
        name = step.step.candidate.name
        with watched(model_config, decision, step, is_held=kept is not None) as watched_config:

            def answered() -> Reply:
                model, options = self.model_for(call, step)
                with unreadable(name):
                    return reply_to(model.invoke(_asked(call, step), watched_config, **options), name)

            reply = within(answered, step.timeout_s, too_late=lambda: too_late(step))
            checked(reply, decision, step)
        held.keep(reply.answer, kept)
        return reply

    async def areply(
        self,
        call: RoutedCall,
        decision: RoutingDecision,
        step: Call,
        config: RunnableConfig,
        held: HeldCalls,
    ) -> Reply:
        """Do as `reply` does."""
        model_config, kept = held.config(step, call.config_for(decision, step, config))
        name = step.step.candidate.name
        with watched(model_config, decision, step, is_held=kept is not None) as watched_config:
            async with awithin(step):
                model, options = await self.amodel_for(call, step)
                async with ended_if_cancelled(watched_config) as noted_config:
                    with unreadable(name):
                        answer = await model.ainvoke(_asked(call, step), noted_config, **options)
                        reply = reply_to(answer, name)
            checked(reply, decision, step)
        await held.akeep(answer, kept)
        return reply

    # --- streams --------------------------------------------------------------------------------

    def run_stream(self, call: RoutedCall) -> Iterator[Any]:
        """Decide and stream one answer; its first part bears the decision."""
        from langchain_router.chat.streamed import streamed

        return streamed(self, call)

    def arun_stream(self, call: RoutedCall) -> AsyncGenerator[Any, None]:
        """Do as `run_stream` does."""
        from langchain_router.chat.streamed import astreamed

        return astreamed(self, call)

    def run_events(self, call: RoutedCall) -> ChatModelStream:
        """Begin a stream of v3 events. It starts at once, not when first read, so that it can fail over."""
        from langchain_router.chat.events import events

        return events(self, call)

    async def arun_events(self, call: RoutedCall) -> AsyncChatModelStream:
        """Do as `run_events` does."""
        from langchain_router.chat.events import aevents

        return await aevents(self, call)

    # --- what calls need ------------------------------------------------------------------------

    def under(self, constraints: Constraints) -> Self:
        """Return a copy that obeys these constraints as well as its own."""
        return self.model_copy(update={"constraints": self.constraints.narrowed(constraints)})

    def model_for(self, call: RoutedCall, step: Call) -> tuple[Runnable[Any, Any], dict[str, Any]]:
        """Return what to call for a step, and the options of the call.

        It waits for the rate limiter, if there is one, and at first for the model to be made: all within the
        time that the call has, so that whoever limits that calls this within the limit.
        """
        if self.rate_limiter:
            self.rate_limiter.acquire(blocking=True)
        return self._bound(call, step, made(step.step.candidate))

    async def amodel_for(self, call: RoutedCall, step: Call) -> tuple[Runnable[Any, Any], dict[str, Any]]:
        """Do as `model_for` does."""
        if self.rate_limiter:
            await self.rate_limiter.aacquire(blocking=True)
        return self._bound(call, step, await step.step.candidate.achat_model())

    def has_own_run(self, decision: RoutingDecision) -> bool:
        """Return whether a call opens a run of its own: when asked to, and when several models may speak."""
        return self.trace == "chain" or decision.has_checks

    def _bound(
        self, call: RoutedCall, step: Call, model: BaseChatModel
    ) -> tuple[Runnable[Any, Any], dict[str, Any]]:
        candidate = step.step.candidate
        if isinstance(model, RoutedRuns):  # a router as a candidate obeys the same limits
            model = model.under(call.request.constraints)
        wanted: dict[str, Any] = {}
        if self.output_version is not None and model.output_version != self.output_version:
            wanted["output_version"] = self.output_version
        if self.disable_streaming and model.disable_streaming is not True:
            wanted["disable_streaming"] = self.disable_streaming
        timeout_s = _client_timeout_s(step)
        if timeout_s is not None:
            wanted["request_timeout"] = timeout_s
        model = self._copies.of(candidate, model, wanted)
        if step.messages is not None:  # a question of a check's own: none of the call's tools and options
            return model, {}
        return call.bind(candidate, model, call.options)


def runs_around(*configs: RunnableConfig) -> list[str]:
    """Return the ids of the runs that calls with these configs are made in, as far as there are any."""
    found = [getattr(config.get("callbacks"), "parent_run_id", None) for config in configs]
    return list(dict.fromkeys(str(run_id) for run_id in found if run_id is not None))


def _asked(call: RoutedCall, step: Call) -> list[BaseMessage]:
    return call.messages if step.messages is None else list(step.messages)


class awithin:  # noqa: N801 - reads as the function that it stands for
    """Give up what is awaited in the block when the call's time is over; the twin of `within`."""

    def __init__(self, step: Call) -> None:
        self._step = step
        self._limit = asyncio.timeout(step.timeout_s)

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()

    async def __aexit__(self, *error: object) -> None:
        try:
            await self._limit.__aexit__(*error)  # type: ignore[arg-type]
        except TimeoutError:
            if self._limit.expired():
                raise too_late(self._step) from None
            raise


def too_late(step: Call) -> DeadlineExceededError:
    """Return the error for a call that took longer than it may."""
    return DeadlineExceededError(step.step.candidate.name, limit_s=step.timeout_s or 0.0, what="answer")


def _client_timeout_s(step: Call) -> float | None:
    """Return the timeout to set on a LiteLLM client, in seconds, or None to leave it as it is.

    The router gives a call up by itself; this lets the client's thread and socket end soon after. LiteLLM
    keeps a client for every timeout there was, so it is rounded up to 1, 2 or 5 times a power of ten.
    """
    candidate = step.step.candidate
    if step.timeout_s is None or not isinstance(candidate.model, str):
        return None
    scale = 10.0 ** math.floor(math.log10(step.timeout_s))
    rounded = next(scale * one for one in (1, 2, 5, 10) if scale * one >= step.timeout_s)
    own = candidate.options.get("timeout", candidate.options.get("request_timeout"))
    return rounded if own is None or own > rounded else None
