"""Streams of LangChain's v3 events: one answer, always.

They hold to what streams of chunks hold to. A model's events are read as far as needed to decide on its
answer, then passed on to the caller's stream within the deadlines; the last of them goes out when the call
behind it has ended, and bears the decision and the outcome.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import weakref
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from typing import Any, Final

from langchain_core.language_models.chat_model_stream import AsyncChatModelStream, ChatModelStream
from langchain_core.messages import AIMessage

from langchain_router.chat.calls import RoutedCall
from langchain_router.chat.event_reading import EventReading, Opened, can_stream, closed, text_of
from langchain_router.chat.event_run import EventRun
from langchain_router.chat.given_up import ended_if_cancelled, ended_if_left, let_go
from langchain_router.chat.held_calls import HeldCalls
from langchain_router.chat.live import Showing, aserve_live, serve_live
from langchain_router.chat.reading import abegin, begin
from langchain_router.chat.replies import checked
from langchain_router.chat.runs import RoutedRuns
from langchain_router.chat.stamp import stamped
from langchain_router.chat.streamed import aread, decided, reading_of
from langchain_router.chat.unreadable import unreadable
from langchain_router.decision import RoutingDecision
from langchain_router.execution.moves import Call, Reply
from langchain_router.execution.served import Served

_END: Final = object()


def events(runs: RoutedRuns, call: RoutedCall) -> ChatModelStream:
    """Decide and begin a stream of events; its finished message bears the decision.

    Args:
        runs: Whose candidates are called.
        call: What is asked.
    """
    decision = decided(runs, runs.core.decide(call.request))
    run = EventRun.open(runs, decision, call)
    held = HeldCalls(holds_all=decision.has_checks)

    def reply(step: Call) -> Reply:
        if step.messages is not None:
            return runs.reply(call, decision, step, run.config, held)
        model_config, kept = held.config(step, call.config_for(decision, step, run.config))
        opened: Opened[ChatModelStream] = Opened()
        name = step.step.candidate.name

        def streamed(model: Any, options: Mapping[str, Any]) -> Generator[Any, None, None]:
            with ended_if_left(model_config) as noted_config:
                stream = model.stream_events(call.messages, noted_config, version="v3", **options)
                opened.stream = stream
                try:
                    yield from stream
                finally:
                    let_go(stream)

        def whole(model: Any, options: Mapping[str, Any]) -> Generator[Any, None, None]:
            yield from opened.replayed(model.invoke(call.messages, model_config, **options))

        def parts() -> Iterator[Any]:
            model, options = runs.model_for(call, step)
            made = streamed(model, options) if can_stream(model) else whole(model, options)
            with contextlib.closing(made) as events, unreadable(name):
                yield from events
            opened.check_is_finished(name)

        opened.begun = begin(parts, reading_of(runs, decision, step, EventReading))
        held.keep(opened, kept)
        return checked(opened.reply(), decision, step)

    try:
        served = serve_live(runs, call, decision, run.config, held, reply, run.announced)
    except BaseException as error:
        run.failed(error)
        raise
    return _passed_on(decision, served, run)


async def aevents(runs: RoutedRuns, call: RoutedCall) -> AsyncChatModelStream:
    """Decide and begin a stream of events, as `events` does."""
    decision = decided(runs, await runs.core.adecide(call.request))
    run = await EventRun.aopen(runs, decision, call)
    held = HeldCalls(holds_all=decision.has_checks)

    async def reply(step: Call) -> Reply:
        if step.messages is not None:
            return await runs.areply(call, decision, step, run.config, held)
        model_config, kept = held.config(step, call.config_for(decision, step, run.config))
        opened: Opened[AsyncChatModelStream] = Opened()
        name = step.step.candidate.name

        async def streamed(model: Any, options: Mapping[str, Any]) -> AsyncGenerator[Any, None]:
            stream = opened.stream = await model.astream_events(
                call.messages, model_config, version="v3", **options
            )
            try:
                async for event in stream:
                    yield event
            finally:
                await closed(stream)
                let_go(stream)

        async def whole(model: Any, options: Mapping[str, Any]) -> AsyncGenerator[Any, None]:
            async with ended_if_cancelled(model_config) as noted_config:
                answer = await model.ainvoke(call.messages, noted_config, **options)
            for event in opened.replayed(answer):
                yield event

        async def parts() -> AsyncGenerator[Any, None]:
            model, options = await runs.amodel_for(call, step)
            made = streamed(model, options) if can_stream(model) else whole(model, options)
            async with contextlib.aclosing(made) as events:
                with unreadable(name):
                    async for event in events:
                        yield event
                opened.check_is_finished(name)

        opened.begun = await abegin(parts(), reading_of(runs, decision, step, EventReading))
        await held.akeep(opened, kept)
        return checked(opened.reply(), decision, step)

    try:
        served = await aserve_live(runs, call, decision, run.config, held, reply, run.announced)
    except BaseException as error:
        await run.afailed(error)
        raise
    return _apassed_on(decision, served, run)


# --- passing events on ---------------------------------------------------------------------------


class _Passing(Showing):
    """Passes a model's events on to the caller's stream, and settles the request at their end."""

    def __init__(
        self, stream: ChatModelStream | AsyncChatModelStream, decision: RoutingDecision, served: Served
    ) -> None:
        super().__init__(decision, served)
        self._stream = stream
        self._opened: Opened[Any] = served.answer
        self._text: list[str] = []
        self._last: dict[str, Any] = {"event": "message-finish"}

    def event(self, event: Any) -> None:
        """Pass an event on; the last one waits for `ended`."""
        if event.get("event") == "message-finish":
            self._last = dict(event)
            return
        self._text.append(text_of(event))
        self._stream.dispatch(event)

    def ended(self) -> AIMessage:
        """Settle the request, now that the call has ended; return the caller's message."""
        outcome = self.settled(self._opened.message)
        metadata = stamped(self._last.get("metadata") or {}, self._decision, self._served, outcome=outcome)
        self._stream.dispatch({**self._last, "metadata": metadata})
        answer = self._stream.output_message
        assert answer is not None  # noqa: S101 - the stream has its last event
        return answer

    def broken_off(self, error: BaseException) -> BaseException:
        """Settle the request with an error; return what that is to the caller."""
        return self.interrupted(error, known=self._opened.message, text="".join(self._text))


def _passed_on(decision: RoutingDecision, served: Served, run: EventRun) -> ChatModelStream:
    opened: Opened[ChatModelStream] = served.answer
    stream = ChatModelStream(message_id=opened.message_id)
    passing, begun = _Passing(stream, decision, served), opened.begun
    source = itertools.chain(begun.held, () if begun.has_ended else begun.read_on(served.left_s))

    def pump() -> bool:
        try:
            event = next(source, _END)
            if event is not _END:
                passing.event(event)
                return True
            ends = functools.partial(run.ended, passing.ended())
        except BaseException as error:  # noqa: BLE001 - raised where the stream is read
            raised = passing.broken_off(error)
            stream.fail(raised)
            ends = functools.partial(run.failed, raised)
        abandoned.detach()
        begun.close()
        ends()
        return False

    def is_left() -> None:
        error = GeneratorExit()
        served.finish(None, error)
        run.failed(error)

    stream.bind_pump(pump)
    abandoned = weakref.finalize(stream, begun.leave, is_left)
    abandoned.atexit = False
    return stream


def _apassed_on(decision: RoutingDecision, served: Served, run: EventRun) -> AsyncChatModelStream:
    opened: Opened[AsyncChatModelStream] = served.answer
    stream = AsyncChatModelStream(message_id=opened.message_id)
    passing, begun = _Passing(stream, decision, served), opened.begun

    async def produce() -> None:
        try:
            async with contextlib.aclosing(aread(begun, served)) as parts:
                async for event in parts:
                    passing.event(event)
            await run.aended(passing.ended())
        except BaseException as error:
            raised = passing.broken_off(error)
            try:
                await run.afailed(raised)
            finally:
                stream.fail(raised)
            if not isinstance(error, Exception):
                raise
        finally:
            await begun.close()

    async def is_left(error: BaseException) -> None:
        """Settle a stream that was closed before anything of it was passed on."""
        served.finish(None, error)
        await run.afailed(error)
        await begun.close()

    # As LangChain's own streams have them, for `aclose` and for awaiting the stream.
    stream._producer_task = asyncio.get_running_loop().create_task(produce())  # noqa: SLF001
    stream._on_aclose_fail = is_left  # noqa: SLF001
    return stream
