"""Keeps a draft's tokens from whoever shows them, until it is known whether the draft is the answer.

Tokens reach people through callback handlers: LangGraph's message stream, event streams, a handler that
writes to a web socket. While a draft is made, a stand-in takes each such handler's place and keeps what it
would have heard. When the draft becomes the answer the handler hears all of it, in order, and whatever is
still to come live. Otherwise message and event streams hear nothing of the draft, and other handlers hear
all but its tokens, so that those who count usage count it. Handlers that show no tokens, and tracers, hear
everything at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler, BaseCallbackManager
from langchain_core.callbacks.manager import ahandle_event, handle_event
from langchain_core.runnables import RunnableConfig
from langchain_core.tracers._streaming import _StreamingCallbackHandler, _V2StreamingCallbackHandler
from langchain_core.tracers.base import AsyncBaseTracer, BaseTracer

_TOKEN_EVENTS = frozenset({"on_llm_new_token", "on_stream_event"})
_TAPS = frozenset({"tap_output_iter", "tap_output_aiter"})
_BASES = (BaseCallbackHandler, AsyncCallbackHandler)


class HeldCallbacks:
    """Stands between one call's run and the handlers that would show its tokens."""

    def __init__(self) -> None:
        self._stand_ins: dict[int, StandIn] = {}

    def config(self, config: RunnableConfig) -> RunnableConfig:
        """Return a config in which every handler that shows tokens has a stand-in."""
        callbacks = config.get("callbacks")
        if not callbacks:
            return config
        if isinstance(callbacks, BaseCallbackManager):
            held = callbacks.copy()
            held.handlers = [self._held(handler) for handler in callbacks.handlers]
            held.inheritable_handlers = [self._held(handler) for handler in callbacks.inheritable_handlers]
            return {**config, "callbacks": held}
        return {**config, "callbacks": [self._held(handler) for handler in callbacks]}

    def accept(self) -> None:
        """Tell the handlers all that was kept; from now on they hear everything at once."""
        for stand_in in self._stand_ins.values():
            for event, args, kwargs in stand_in.take():
                handle_event([stand_in.handler], event, None, *args, **kwargs)
            stand_in.open()

    async def aaccept(self) -> None:
        """Do as `accept` does, for handlers that are async."""
        for stand_in in self._stand_ins.values():
            for event, args, kwargs in stand_in.take():  # and what comes while the handlers are told
                await ahandle_event([stand_in.handler], event, None, *args, **kwargs)
            stand_in.open()

    def reject(self) -> None:
        """Tell those handlers that are no message or event stream what was kept, but for the tokens."""
        for stand_in in self._stand_ins.values():
            for event, args, kwargs in stand_in.drop():
                handle_event([stand_in.handler], event, None, *args, **kwargs)

    async def areject(self) -> None:
        """Do as `reject` does, for handlers that are async."""
        for stand_in in self._stand_ins.values():
            for event, args, kwargs in stand_in.drop():
                await ahandle_event([stand_in.handler], event, None, *args, **kwargs)

    def _held(self, handler: BaseCallbackHandler) -> Any:
        if not _shows_tokens(handler):
            return handler
        return self._stand_ins.setdefault(id(handler), StandIn(handler))


Event = tuple[str, tuple[Any, ...], dict[str, Any]]


class StandIn:
    """Takes a handler's place, and keeps what it would have heard until it is opened or dropped.

    It passes for an instance of the handler's class, because LangChain asks: whether a handler of a class is
    there already, and whether one wants tokens.
    """

    def __init__(self, handler: BaseCallbackHandler) -> None:
        self.handler = handler
        self._kept: deque[Event] = deque()
        self._mode = "held"

    @property  # type: ignore[misc]
    def __class__(self) -> type[Any]:
        return self.handler.__class__  # its own, where it is a stand-in itself

    @property
    def run_inline(self) -> bool:
        """Whether async managers call it in the event loop: so that events are kept in their order."""
        return self._mode != "open" or self.handler.run_inline

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.handler, name)
        if name in _TAPS:  # event streams would show the output as it passes
            return _untapped
        if not name.startswith("on_") or self._mode == "open":
            return value
        return self._keeper(name)

    def take(self) -> Iterator[Event]:
        """Yield what was kept, in order, and what is still being kept meanwhile."""
        while self._kept:
            yield self._kept.popleft()

    def open(self) -> None:
        """Let everything through from now on."""
        self._mode = "open"

    def drop(self) -> list[Event]:
        """Let nothing through any more; return what the handler may still hear."""
        kept, self._kept = self._kept, deque()
        if self._mode == "open":
            return []
        self._mode = "dropped"
        if _is_stream(self.handler):
            return []
        return [event for event in kept if event[0] not in _TOKEN_EVENTS]

    def _keeper(self, name: str) -> Callable[..., None]:
        def keep(*args: Any, **kwargs: Any) -> None:
            if self._mode == "held":
                self._kept.append((name, args, kwargs))

        return keep


def _untapped(run_id: Any, output: Any) -> Any:  # noqa: ARG001 - the shape of LangChain's hook
    return output


def _shows_tokens(handler: BaseCallbackHandler) -> bool:
    if _is_stream(handler):
        return True
    if isinstance(handler, (BaseTracer, AsyncBaseTracer)):
        return False
    return any(
        getattr(handler.__class__, name, None) not in (getattr(cls, name) for cls in _BASES)
        for name in _TOKEN_EVENTS
    )


def _is_stream(handler: BaseCallbackHandler) -> bool:
    """Return whether a handler feeds a message or event stream."""
    return isinstance(handler, (_StreamingCallbackHandler, _V2StreamingCallbackHandler))
