"""Ends the runs of calls that are given up, and what they hold, where LangChain leaves both open.

It ends no run whose `ainvoke` is cancelled, nor one whose sync stream of v3 events is left; and such a stream
keeps the model's own stream open until the garbage collector comes by. All other ways it ends by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

from langchain_core.callbacks import (
    AsyncCallbackManagerForLLMRun,
    BaseCallbackHandler,
    BaseCallbackManager,
    CallbackManagerForLLMRun,
)
from langchain_core.language_models.chat_model_stream import AsyncChatModelStream, ChatModelStream
from langchain_core.outputs import LLMResult
from langchain_core.runnables import RunnableConfig


@contextlib.contextmanager
def ended_if_left(config: RunnableConfig) -> Iterator[RunnableConfig]:
    """Give a config for a stream; the runs that it leaves open when its reader leaves end with an error.

    Args:
        config: The model run's config.
    """
    runs = _OpenRuns(config)
    try:
        yield runs.config
    except GeneratorExit as error:
        for about in runs.left_open():
            CallbackManagerForLLMRun(**about).on_llm_error(error, response=LLMResult(generations=[]))
        raise


@contextlib.asynccontextmanager
async def ended_if_cancelled(config: RunnableConfig) -> AsyncIterator[RunnableConfig]:
    """Give a config for an async call; the runs left open when it is cancelled end with an error."""
    runs = _OpenRuns(config)
    try:
        yield runs.config
    except asyncio.CancelledError as error:
        for about in runs.left_open():
            run = AsyncCallbackManagerForLLMRun(**about)
            await run.on_llm_error(error, response=LLMResult(generations=[]))
        raise


def let_go(stream: ChatModelStream | AsyncChatModelStream) -> None:
    """Let go of what a stream of events that was left still holds: the model's own stream ends with that.

    Args:
        stream: One that is not read any more.
    """
    if isinstance(stream, ChatModelStream):
        stream.set_start(None)
        stream.bind_pump(lambda: False)
    elif stream._error is not None:  # noqa: SLF001 - nothing public tells it without raising it
        traceback.clear_frames(stream._error.__traceback__)  # noqa: SLF001


class _OpenRuns(BaseCallbackHandler):
    """Notes the model runs that have begun and not ended.

    Attributes:
        config: The config given, with this among its callbacks, if there are any.
    """

    run_inline = True
    ignore_agent = ignore_chain = ignore_custom_event = ignore_retriever = ignore_retry = True

    def __init__(self, config: RunnableConfig) -> None:
        self.config = config
        self._about: dict[UUID, dict[str, Any]] = {}
        callbacks: Any = config.get("callbacks")
        if not callbacks:
            return
        if isinstance(callbacks, BaseCallbackManager):
            self._handlers = callbacks.handlers
            callbacks = callbacks.copy()
            callbacks.add_handler(self)
        else:
            self._handlers = callbacks
            callbacks = [*callbacks, self]
        self.config = {**config, "callbacks": callbacks}

    def left_open(self) -> Iterator[dict[str, Any]]:
        """Yield, of each run that has not ended, what makes a run manager."""
        while self._about:
            run_id, about = self._about.popitem()
            yield {"run_id": run_id, "handlers": self._handlers, "inheritable_handlers": [], **about}

    def on_chat_model_start(
        self,
        *_: Any,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        tags: list[str] | None = None,
        **__: Any,
    ) -> None:
        """Note that a run has begun."""
        self._about[run_id] = {"parent_run_id": parent_run_id, "tags": tags}

    def on_llm_end(self, *_: Any, run_id: UUID, **__: Any) -> None:
        """Note that it has ended."""
        self._about.pop(run_id, None)

    def on_llm_error(self, *_: Any, run_id: UUID, **__: Any) -> None:
        """Note the same."""
        self._about.pop(run_id, None)
