"""Streams of LangChain's v3 events: one answer, always.

They hold to what streams of chunks hold to. A model's events are read as far as needed to decide on its
answer, then passed on to the caller's stream within the deadlines; the last of them goes out when the call
behind it has ended, and bears the decision and the outcome.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import weakref
from collections.abc import AsyncGenerator, Awaitable, Iterator
from typing import Any, Final, cast

from langchain_core.language_models.chat_model_stream import AsyncChatModelStream, ChatModelStream
from langchain_core.messages import AIMessage

from langchain_router.chat.calls import RoutedCall
from langchain_router.chat.event_reading import EventReading, Opened, can_stream, closed, text_of
from langchain_router.chat.event_run import EventRun
from langchain_router.chat.held_calls import HeldCalls
from langchain_router.chat.interruption import raise_interrupted
from langchain_router.chat.reading import abegin, begin
from langchain_router.chat.runs import RoutedRuns
from langchain_router.chat.stamp import METADATA_KEY, OUTCOME_KEY, router_metadata
from langchain_router.chat.streamed import aread, checked, decided, reading_of
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
    held, answer = HeldCalls(holds_all=decision.has_checks), None

    def reply(step: Call) -> Reply:
        if step.messages is not None:
            return runs.reply(call, decision, step, run.config, held)
        model, options, model_config = runs.ready(call, decision, step, run.config)
        model_config, kept = held.config(step, model_config)
        opened: Opened[ChatModelStream] = Opened()
        name = step.step.candidate.name

        def parts() -> Iterator[Any]:
            if not can_stream(model):
                yield from opened.replayed(model.invoke(call.messages, model_config, **options))
                opened.check_is_finished(name)
                return
            made = model.stream_events(call.messages, model_config, version="v3", **options)
            stream = opened.stream = cast("ChatModelStream", made)
            yield from stream
            opened.check_is_finished(name)

        with unreadable(name):
            opened.begun = begin(parts, reading_of(runs, decision, step, EventReading))
        held.keep(opened, kept)
        return checked(opened.reply(), decision, step)

    try:
        with held.around_checks(run.config, decision):
            served = runs.core.serve(decision, call.request, reply, is_live=True)
        answer = served.answer
    except BaseException as error:
        run.failed(error)
        raise
    finally:
        held.settle(answer)
        for other in held.others(answer):
            if isinstance(other, Opened):
                other.close()
    return _passed_on(answer, decision, served, run)


async def aevents(runs: RoutedRuns, call: RoutedCall) -> AsyncChatModelStream:
    """Decide and begin a stream of events, as `events` does."""
    decision = decided(runs, await runs.core.adecide(call.request))
    run = await EventRun.aopen(runs, decision, call)
    held, answer = HeldCalls(holds_all=decision.has_checks), None

    async def reply(step: Call) -> Reply:
        if step.messages is not None:
            return await runs.areply(call, decision, step, run.config, held)
        model, options, model_config = await runs.aready(call, decision, step, run.config)
        model_config, kept = held.config(step, model_config)
        opened: Opened[AsyncChatModelStream] = Opened()
        name = step.step.candidate.name

        async def parts() -> AsyncGenerator[Any, None]:
            if not can_stream(model):
                for event in opened.replayed(await model.ainvoke(call.messages, model_config, **options)):
                    yield event
                opened.check_is_finished(name)
                return
            made = model.astream_events(call.messages, model_config, version="v3", **options)
            stream = opened.stream = await cast("Awaitable[AsyncChatModelStream]", made)
            try:
                async for event in stream:
                    yield event
                opened.check_is_finished(name)
            finally:
                await closed(stream)

        with unreadable(name):
            opened.begun = await abegin(parts(), reading_of(runs, decision, step, EventReading))
        held.keep(opened, kept)
        return checked(opened.reply(), decision, step)

    try:
        with held.around_checks(run.config, decision):
            served = await runs.core.aserve(decision, call.request, reply, is_live=True)
        answer = served.answer
    except BaseException as error:
        await run.afailed(error)
        raise
    finally:
        await held.asettle(answer)
        for other in held.others(answer):
            if isinstance(other, Opened):
                await other.close()
    return _apassed_on(answer, decision, served, run)


# --- passing events on ---------------------------------------------------------------------------


class _Passing:
    """Passes a model's events on to the caller's stream, and settles the request at their end."""

    def __init__(
        self, stream: ChatModelStream | AsyncChatModelStream, decision: RoutingDecision, served: Served
    ) -> None:
        self._stream = stream
        self._decision = decision
        self._served = served
        self._text: list[str] = []
        self._last: dict[str, Any] = {"event": "message-finish"}
        self._first_token_s = served.elapsed_s()

    def event(self, event: Any) -> None:
        """Pass an event on; the last one waits for `ended`."""
        if event.get("event") == "message-finish":
            self._last = dict(event)
            return
        self._text.append(text_of(event))
        self._stream.dispatch(event)

    def ended(self, message: AIMessage | None) -> AIMessage:
        """Settle the request with the model's message; return the caller's."""
        outcome = self._served.finish(message, first_token_s=self._first_token_s)
        metadata = dict(self._last.get("metadata") or {})
        found = router_metadata(self._decision, self._served)
        if METADATA_KEY in metadata:  # the candidate was a router itself
            found["nested"] = metadata[METADATA_KEY]
        metadata |= {METADATA_KEY: found, OUTCOME_KEY: outcome.to_dict()}
        self._stream.dispatch({**self._last, "metadata": metadata})
        answer = self._stream.output_message
        assert answer is not None  # noqa: S101 - the stream has its last event
        return answer

    def broke_off(self, error: BaseException) -> BaseException:
        """Settle the request with an error; return what that is to the caller."""
        self._served.finish(None, error, first_token_s=self._first_token_s)
        if isinstance(error, Exception):
            try:
                raise_interrupted(error, "".join(self._text), self._decision, self._served.served_by)
            except Exception as raised:  # noqa: BLE001 - raised where the stream is read
                return raised
        return error


def _passed_on(
    opened: Opened[ChatModelStream], decision: RoutingDecision, served: Served, run: EventRun
) -> ChatModelStream:
    stream = ChatModelStream(message_id=opened.message_id)
    passing, begun = _Passing(stream, decision, served), opened.begun
    source = itertools.chain(begun.held, () if begun.has_ended else begun.read_on(served.left_s))

    def pump() -> bool:
        try:
            event = next(source, _END)
            if event is not _END:
                passing.event(event)
                return True
            run.ended(passing.ended(opened.message))
        except BaseException as error:  # noqa: BLE001 - raised where the stream is read
            raised = passing.broke_off(error)
            run.failed(raised)
            stream.fail(raised)
        abandoned.detach()
        begun.close()
        return False

    def is_left() -> None:
        error = GeneratorExit()
        served.finish(None, error)
        run.failed(error)

    stream.bind_pump(pump)
    abandoned = weakref.finalize(stream, begun.leave, is_left)
    abandoned.atexit = False
    return stream


def _apassed_on(
    opened: Opened[AsyncChatModelStream], decision: RoutingDecision, served: Served, run: EventRun
) -> AsyncChatModelStream:
    stream = AsyncChatModelStream(message_id=opened.message_id)
    passing, begun = _Passing(stream, decision, served), opened.begun

    async def produce() -> None:
        try:
            async with contextlib.aclosing(aread(begun, served)) as parts:
                async for event in parts:
                    passing.event(event)
            await run.aended(passing.ended(opened.message))
        except BaseException as error:
            raised = passing.broke_off(error)
            await run.afailed(raised)
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
