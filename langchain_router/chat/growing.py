"""Structured output that streams: the raw answer and what parses of it, side by side, as they grow.

LangChain's own chain for `include_raw=True` parses only what is complete, because it must say whether it
parsed. Here the raw chunks pass at once, the states that the parser makes of them follow, and at the end it
says how the whole parsed.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final, cast

from langchain_core.exceptions import OutputParserException
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.output_parsers import BaseCumulativeTransformOutputParser
from langchain_core.outputs import ChatGeneration
from langchain_core.runnables import Runnable, RunnableBinding, RunnableConfig, RunnableSequence
from langchain_core.runnables.config import patch_config
from langchain_core.runnables.utils import AddableDict

_NOTHING: Final = object()


class GrowingAnswer(Runnable[Any, Any]):
    """A model and the parser of its answers.

    Args:
        whole: What a model's `with_structured_output` returns with `include_raw=True`.
        without_raw: Makes the same without; its parts are those that are put together anew. A chain whose
            parts cannot be told apart streams as LangChain's does.
    """

    def __init__(self, whole: Runnable[Any, Any], without_raw: Callable[[], Runnable[Any, Any]]) -> None:
        self._whole = whole
        self._without_raw = without_raw

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Answer with `{"raw", "parsed", "parsing_error"}`."""
        return self._whole.invoke(input, config, **kwargs)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """Answer as `invoke` does."""
        return await self._whole.ainvoke(input, config, **kwargs)

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Any]:
        """Stream parts of the same, which add up to it."""
        found = self._parts()
        if found is None:
            yield from self._whole.stream(input, config, **kwargs)
            return
        model, parser = found

        def parts(inputs: Iterator[Any], run_manager: Any, config: RunnableConfig) -> Iterator[Any]:
            config = patch_config(config, callbacks=run_manager.get_child())
            states = _States(parser)
            for chunk in model.stream(next(inputs), config, **kwargs):
                yield from states.after(chunk)
            yield states.at_the_end(config)

        yield from self._transform_stream_with_config(iter([input]), cast("Any", parts), config)

    async def astream(
        self, input: Any, config: RunnableConfig | None = None, **kwargs: Any
    ) -> AsyncIterator[Any]:
        """Stream as `stream` does."""
        found = self._parts()
        model, parser = found or (self._whole, None)

        async def one() -> AsyncIterator[Any]:
            yield input

        async def parts(
            inputs: AsyncIterator[Any], run_manager: Any, config: RunnableConfig
        ) -> AsyncIterator[Any]:
            config = patch_config(config, callbacks=run_manager.get_child())
            states = _States(cast("Any", parser))
            async with _closing(model.astream(await anext(inputs), config, **kwargs)) as chunks:
                async for chunk in chunks:
                    for part in states.after(chunk):
                        yield part
            yield await states.aat_the_end(config)

        streamed = (
            self._whole.astream(input, config, **kwargs)
            if found is None
            else self._atransform_stream_with_config(one(), cast("Any", parts), config)
        )
        async with _closing(streamed) as found_parts:
            async for part in found_parts:
                yield part

    def _parts(self) -> tuple[Runnable[Any, Any], Runnable[Any, Any]] | None:
        """Return the model as bound for the schema, and the parser, where they can be told apart."""
        chain = self._without_raw()
        is_known = isinstance(chain, RunnableSequence) and isinstance(
            chain.first, (BaseChatModel, RunnableBinding)
        )
        if not is_known:
            return None
        chain = cast("RunnableSequence[Any, Any]", chain)
        rest = [*chain.middle, chain.last]
        return chain.first, rest[0] if len(rest) == 1 else RunnableSequence(*rest)


def _closing(stream: AsyncIterator[Any]) -> contextlib.aclosing[Any]:
    return contextlib.aclosing(cast("Any", stream))


class _States:
    """What parses of an answer so far."""

    def __init__(self, parser: Runnable[Any, Any]) -> None:
        self._parser = parser
        self._message: Any = None
        self._last: Any = _NOTHING

    def after(self, chunk: BaseMessage) -> Iterator[AddableDict]:
        """Yield the chunk, and the state that it leads to where that is a new one."""
        yield AddableDict(raw=chunk)
        self._message = chunk if self._message is None else self._message + chunk
        if not isinstance(self._parser, BaseCumulativeTransformOutputParser):
            return
        if not isinstance(chunk, AIMessageChunk) or not (chunk.content or chunk.tool_call_chunks):
            return
        try:
            state = self._parser.parse_result([ChatGeneration(message=self._message)], partial=True)
        except OutputParserException:
            return  # not yet, perhaps; the end tells
        if state is not None and state != self._last:
            self._last = state
            yield AddableDict(parsed=state)

    def at_the_end(self, config: RunnableConfig) -> AddableDict:
        """Return how the whole answer parsed."""
        try:
            return self._found(self._parser.invoke(self._message, config))
        except Exception as error:  # noqa: BLE001 - the caller is told
            return AddableDict(parsed=None, parsing_error=error)

    async def aat_the_end(self, config: RunnableConfig) -> AddableDict:
        """Do as `at_the_end` does."""
        try:
            return self._found(await self._parser.ainvoke(self._message, config))
        except Exception as error:  # noqa: BLE001 - the caller is told
            return AddableDict(parsed=None, parsing_error=error)

    def _found(self, parsed: Any) -> AddableDict:
        if parsed == self._last:
            return AddableDict(parsing_error=None)
        return AddableDict(parsed=parsed, parsing_error=None)
