"""Streams of chunks: one answer, always."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from typing import Any, cast

from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig

from langchain_router.chat.announcing import Announced
from langchain_router.chat.calls import RoutedCall
from langchain_router.chat.given_up import ended_if_cancelled
from langchain_router.chat.held_calls import HeldCalls
from langchain_router.chat.live import Showing, aserve_live, serve_live
from langchain_router.chat.parts import Tail
from langchain_router.chat.reading import Begun, Reading, abegin, begin
from langchain_router.chat.replies import check_is_finished, checked
from langchain_router.chat.runs import RoutedRuns
from langchain_router.chat.stamp import stamp, stamp_outcome
from langchain_router.chat.stream_modes import Holdback, Predecide
from langchain_router.chat.unreadable import unreadable
from langchain_router.decision import RoutingDecision
from langchain_router.exceptions import TruncatedResponseError
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
        announced = Announced(decision, config)
        served = _served(runs, call, decision, config, announced)
        begun: Begun = served.answer
        shown = _Shown(decision, served)
        try:
            rest = () if begun.has_ended else begun.read_on(served.left_s)
            for part in itertools.chain(begun.held, rest):
                yield from shown.part(part)
            shown.ended()
        except BaseException as error:  # noqa: BLE001 - raised again, as what it is to the caller
            raise shown.broken_off(error)  # noqa: B904 - it bears its cause
        finally:
            begun.close()
            announced.ended()

    if runs.has_own_run(decision):
        return runs._transform_stream_with_config(  # noqa: SLF001
            iter([call.messages]), cast("Any", run), call.config, run_type="chain"
        )
    return run(call.messages, call.config)


def _served(
    runs: RoutedRuns,
    call: RoutedCall,
    decision: RoutingDecision,
    config: RunnableConfig,
    announced: Announced,
) -> Served:
    """Walk the plan until a stream has begun that may be shown."""
    held = HeldCalls(holds_all=decision.has_checks)

    def reply(step: Call) -> Reply:
        if step.messages is not None:
            return runs.reply(call, decision, step, config, held)
        model_config, kept = held.config(step, call.config_for(decision, step, config))

        def parts() -> Iterator[Any]:
            model, options = runs.model_for(call, step)
            with unreadable(step.step.candidate.name):
                yield from model.stream(call.messages, model_config, **options)

        begun = begin(parts, reading_of(runs, decision, step))
        held.keep(begun, kept)
        return checked(begun.reply(), decision, step)

    return serve_live(runs, call, decision, config, held, reply, announced)


async def astreamed(runs: RoutedRuns, call: RoutedCall) -> AsyncGenerator[Any, None]:
    """Decide and stream one answer, as `streamed` does."""
    decision = decided(runs, await runs.core.adecide(call.request))

    async def run(_: Any, config: RunnableConfig) -> AsyncGenerator[Any, None]:
        announced = Announced(decision, config)
        served = await _aserved(runs, call, decision, config, announced)
        begun: Begun = served.answer
        shown = _Shown(decision, served)
        try:
            async with contextlib.aclosing(aread(begun, served)) as parts:
                async for part in parts:
                    for one in shown.part(part):
                        yield one
            shown.ended()
        except BaseException as error:  # noqa: BLE001 - raised again, as what it is to the caller
            raise shown.broken_off(error)  # noqa: B904 - it bears its cause
        finally:
            await begun.close()
            await announced.aended()

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


async def _aserved(
    runs: RoutedRuns,
    call: RoutedCall,
    decision: RoutingDecision,
    config: RunnableConfig,
    announced: Announced,
) -> Served:
    """Walk the plan as `_served` does."""
    held = HeldCalls(holds_all=decision.has_checks)

    async def reply(step: Call) -> Reply:
        if step.messages is not None:
            return await runs.areply(call, decision, step, config, held)
        model_config, kept = held.config(step, call.config_for(decision, step, config))

        async def parts() -> AsyncGenerator[Any, None]:
            model, options = await runs.amodel_for(call, step)
            async with ended_if_cancelled(model_config) as noted_config:
                made = model.astream(call.messages, noted_config, **options)
                async with contextlib.aclosing(cast("AsyncGenerator[Any, None]", made)) as chunks:
                    with unreadable(step.step.candidate.name):
                        async for chunk in chunks:
                            yield chunk

        begun = await abegin(parts(), reading_of(runs, decision, step))
        await held.akeep(begun, kept)
        return checked(begun.reply(), decision, step)

    return await aserve_live(runs, call, decision, config, held, reply, announced)


async def aread(begun: Begun, served: Served) -> AsyncGenerator[Any, None]:
    """Yield all parts of a stream that has begun."""
    for part in begun.held:
        yield part
    if not begun.has_ended:
        async with contextlib.aclosing(begun.read_on(served.left_s)) as rest:
            async for part in rest:
                yield part


class _Shown(Showing):
    """The chunks of an answer that go out."""

    def __init__(self, decision: RoutingDecision, served: Served) -> None:
        super().__init__(decision, served)
        self._tail = Tail()
        self._is_first = True
        self._cut: TruncatedResponseError | None = None

    def part(self, part: Any) -> Iterator[Any]:
        """Yield a part as it goes out: the first bears the decision, the last the outcome."""
        if self._is_first:
            self._is_first = False
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

    def ended(self) -> Outcome:
        """Settle the request; raise why its answer is not whole, if it is not."""
        if self._cut is not None:
            raise self._cut
        return self.settled(self._tail.message())

    def broken_off(self, error: BaseException) -> BaseException:
        """Settle the request with an error; return what that is to the caller."""
        return self.interrupted(error, known=self._tail.message(), text="".join(self._tail.text))


def decided(runs: RoutedRuns, decision: RoutingDecision) -> RoutingDecision:
    """Return the decision as the way of streaming has it: without checks where the choice falls before."""
    mode = runs.stream_mode
    return mode.decided(decision) if decision.has_checks and isinstance(mode, Predecide) else decision


def reading_of(
    runs: RoutedRuns, decision: RoutingDecision, step: Call, kind: type[Reading] = Reading
) -> Reading:
    """Say how far to read a call's stream before the answer is decided on."""
    mode, limits = runs.stream_mode, runs.core.resilience.deadlines
    name = step.step.candidate.name
    if step.role in ("answer", "hedge"):
        return kind(
            candidate=name,
            whole_if_used=decision.has_checks,
            first_token_s=step.timeout_s,
            decided_s=step.decided_s,
            between_s=limits.between_chunks_s,
        )
    is_partial = step.role == "draft" and isinstance(mode, Holdback)
    return kind(
        candidate=name,
        until="enough" if is_partial else "end",
        tokens=mode.tokens if is_partial else 0,
        whole_if_used=True,
        decided_s=step.timeout_s,
        between_s=limits.between_chunks_s,
    )
