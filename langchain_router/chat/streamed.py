"""Streams of chunks: one answer, always."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from typing import Any, NoReturn, cast

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig

from langchain_router.chat.calls import RoutedCall
from langchain_router.chat.held_calls import HeldCalls
from langchain_router.chat.interruption import raise_interrupted
from langchain_router.chat.parts import Tail
from langchain_router.chat.reading import Begun, Reading, abegin, begin
from langchain_router.chat.replies import check_is_finished
from langchain_router.chat.runs import RoutedRuns
from langchain_router.chat.stamp import stamp, stamp_outcome
from langchain_router.chat.stream_modes import Holdback, Predecide
from langchain_router.chat.unreadable import unreadable
from langchain_router.decision import RoutingDecision
from langchain_router.exceptions import MalformedResponseError, TruncatedResponseError
from langchain_router.execution.moves import Call, Reply
from langchain_router.execution.served import Served
from langchain_router.outcomes.records import Outcome


def streamed(runs: RoutedRuns, call: RoutedCall) -> Iterator[Any]:
    """Decide and stream one answer.

    Args:
        runs: Whose candidates are called.
        call: What is asked.
    """
    decision = decided(runs, runs.core.decide(call.request))

    def run(_: Any, config: RunnableConfig) -> Iterator[Any]:
        begun, served = _begun(runs, call, decision, config)
        shown = _Shown(decision, served)
        try:
            rest = () if begun.has_ended else begun.read_on(served.left_s)
            for part in itertools.chain(begun.held, rest):
                yield from shown.part(part)
            shown.ended()
        except BaseException as error:  # noqa: BLE001 - raised again, as what it is to the caller
            shown.broke_off(error)
        finally:
            begun.close()

    if runs.has_own_run(decision):
        return runs._transform_stream_with_config(  # noqa: SLF001
            iter([call.messages]), cast("Any", run), call.config, run_type="chain"
        )
    return run(call.messages, call.config)


def _begun(
    runs: RoutedRuns, call: RoutedCall, decision: RoutingDecision, config: RunnableConfig
) -> tuple[Begun, Served]:
    """Walk the plan until a stream has begun that may be shown."""
    held = HeldCalls(holds_all=decision.has_checks)

    def reply(step: Call) -> Reply:
        if step.messages is not None:
            return runs.reply(call, decision, step, config, held)
        model, options, model_config = runs.ready(call, decision, step, config)
        model_config, kept = held.config(step, model_config)
        with unreadable(step.step.candidate.name):
            begun = begin(
                lambda: iter(model.stream(call.messages, model_config, **options)),
                reading_of(runs, decision, step),
            )
        held.keep(begun, kept)  # whatever is not served is closed below
        return checked(begun.reply(), decision, step)

    begun = None
    try:
        with held.around_checks(config, decision):
            served = runs.core.serve(decision, call.request, reply, is_live=True)
        begun = served.answer
    finally:
        held.settle(begun)
        for other in held.others(begun):
            if isinstance(other, Begun):
                other.close()
    return begun, served


async def astreamed(runs: RoutedRuns, call: RoutedCall) -> AsyncGenerator[Any, None]:
    """Decide and stream one answer, as `streamed` does."""
    decision = decided(runs, await runs.core.adecide(call.request))

    async def run(_: Any, config: RunnableConfig) -> AsyncGenerator[Any, None]:
        begun, served = await _abegun(runs, call, decision, config)
        shown = _Shown(decision, served)
        try:
            async with contextlib.aclosing(aread(begun, served)) as parts:
                async for part in parts:
                    for one in shown.part(part):
                        yield one
            shown.ended()
        except BaseException as error:  # noqa: BLE001 - raised again, as what it is to the caller
            shown.broke_off(error)
        finally:
            await begun.close()

    async def messages() -> AsyncIterator[Any]:
        yield call.messages

    if runs.has_own_run(decision):
        parts = cast(
            "AsyncGenerator[Any, None]",
            runs._atransform_stream_with_config(  # noqa: SLF001
                messages(), cast("Any", run), call.config, run_type="chain"
            ),
        )
    else:
        parts = run(call.messages, call.config)
    async with contextlib.aclosing(parts):
        async for part in parts:
            yield part


async def _abegun(
    runs: RoutedRuns, call: RoutedCall, decision: RoutingDecision, config: RunnableConfig
) -> tuple[Begun, Served]:
    """Walk the plan as `_begun` does."""
    held = HeldCalls(holds_all=decision.has_checks)

    async def reply(step: Call) -> Reply:
        if step.messages is not None:
            return await runs.areply(call, decision, step, config, held)
        model, options, model_config = await runs.aready(call, decision, step, config)
        model_config, kept = held.config(step, model_config)
        parts = cast("AsyncGenerator[Any, None]", model.astream(call.messages, model_config, **options))
        with unreadable(step.step.candidate.name):
            begun = await abegin(parts, reading_of(runs, decision, step))
        held.keep(begun, kept)
        return checked(begun.reply(), decision, step)

    begun = None
    try:
        with held.around_checks(config, decision):
            served = await runs.core.aserve(decision, call.request, reply, is_live=True)
        begun = served.answer
    finally:
        await held.asettle(begun)
        for other in held.others(begun):
            if isinstance(other, Begun):
                await other.close()
    return begun, served


async def aread(begun: Begun, served: Served) -> AsyncGenerator[Any, None]:
    """Yield all parts of a stream that has begun."""
    for part in begun.held:
        yield part
    if not begun.has_ended:
        async with contextlib.aclosing(begun.read_on(served.left_s)) as rest:
            async for part in rest:
                yield part


class _Shown:
    """Notes what goes out of a stream, and says at its end what came of the request."""

    def __init__(self, decision: RoutingDecision, served: Served) -> None:
        self._decision = decision
        self._served = served
        self._tail = Tail()
        self._first_token_s: float | None = None
        self._cut: TruncatedResponseError | None = None

    def part(self, part: Any) -> Iterator[Any]:
        """Yield a part as it goes out: the first bears the decision, the last the outcome."""
        if self._first_token_s is None:
            self._first_token_s = self._served.elapsed_s()
            part = stamp(part, self._decision, self._served)
        self._tail.note(part)
        message = part.get("raw") if isinstance(part, Mapping) else part
        if isinstance(message, AIMessage) and getattr(message, "chunk_position", "last") == "last":
            try:
                check_is_finished(self._tail.message() or message, self._served.served_by)
            except TruncatedResponseError as error:
                self._cut = error  # raised when the call behind the stream has ended
                return
            part = stamp_outcome(part, self.ended())
        yield part

    def ended(self, error: BaseException | None = None) -> Outcome:
        """Settle the request; raise why its answer is not whole, if it is not."""
        if error is None and self._cut is not None:
            raise self._cut
        return self._served.finish(self._tail.message(), error, first_token_s=self._first_token_s)

    def broke_off(self, error: BaseException) -> NoReturn:
        """Settle the request, and raise what the breaking off is to the caller; a reader's leaving passes."""
        self.ended(error)
        if not isinstance(error, Exception):
            raise error
        raise_interrupted(error, "".join(self._tail.text), self._decision, self._served.served_by)


def decided(runs: RoutedRuns, decision: RoutingDecision) -> RoutingDecision:
    """Return the decision as the way of streaming has it: without checks where the choice falls before."""
    mode = runs.stream_mode
    return mode.decided(decision) if decision.has_checks and isinstance(mode, Predecide) else decision


def reading_of(
    runs: RoutedRuns, decision: RoutingDecision, step: Call, kind: type[Reading] = Reading
) -> Reading:
    """Say how far to read a call's stream before the answer is decided on."""
    mode, between_s = runs.stream_mode, runs.core.resilience.deadlines.between_chunks_s
    if step.role in ("answer", "hedge"):
        return kind(
            candidate=step.step.candidate.name,
            whole_if_used=decision.has_checks,
            first_token_s=step.timeout_s,
            between_s=between_s,
        )
    is_partial = step.role == "draft" and isinstance(mode, Holdback)
    return kind(
        candidate=step.step.candidate.name,
        until="enough" if is_partial else "end",
        tokens=mode.tokens if is_partial else 0,
        whole_if_used=True,
        first_token_s=step.timeout_s,
        between_s=between_s,
    )


def checked(reply: Reply, decision: RoutingDecision, step: Call) -> Reply:
    """Refuse a tool call or structured answer that cannot be used, while another may still serve."""
    is_last = step.step is decision.plan[-1]
    if decision.has_checks and step.role == "answer" and reply.fault is not None and not is_last:
        raise MalformedResponseError(f"{step.step.candidate.name!r} gave an unusable answer: {reply.fault}.")
    return reply
