"""Keeps a draft's tokens from whoever shows them, until it is known whether the draft is the answer.

Tokens reach people through callback handlers: LangGraph's message stream, event streams, a handler that
writes to a web socket. While a draft is made, a stand-in takes each such handler's place and keeps what it
would have heard. When the draft becomes the answer the handler hears all of it, in order, and whatever is
still to come live. Otherwise message and event streams hear nothing of the draft, and other handlers hear
all but its tokens, so that those who count usage count it. Handlers that show no tokens, and tracers, hear
everything at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Literal

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
        try:
            for stand_in in self._stand_ins.values():
                for event, args, kwargs in stand_in.let_go(hears_tokens=True):
                    handle_event([stand_in.handler], event, None, *args, **kwargs)
        except BaseException:  # a handler that raises: the answer reaches nobody
            self.reject()
            raise

    async def aaccept(self) -> None:
        """Do as `accept` does, for handlers that are async."""
        try:
            for stand_in in self._stand_ins.values():
                for event, args, kwargs in stand_in.let_go(hears_tokens=True):
                    await ahandle_event([stand_in.handler], event, None, *args, **kwargs)
        except BaseException:
            await self.areject()
            raise

    def reject(self) -> None:
        """Tell those handlers that are no message or event stream what was kept, but for the tokens.

        They hear what comes later too, such as the end of a run that was given up.
        """
        for stand_in in self._stand_ins.values():
            for event, args, kwargs in stand_in.let_go(hears_tokens=False):
                handle_event([stand_in.handler], event, None, *args, **kwargs)

    async def areject(self) -> None:
        """Do as `reject` does, for handlers that are async."""
        for stand_in in self._stand_ins.values():
            for event, args, kwargs in stand_in.let_go(hears_tokens=False):
                await ahandle_event([stand_in.handler], event, None, *args, **kwargs)

    def _held(self, handler: BaseCallbackHandler) -> Any:
        if not _shows_tokens(handler):
            return handler
        return self._stand_ins.setdefault(id(handler), StandIn(handler))


Event = tuple[str, tuple[Any, ...], dict[str, Any]]


class StandIn:
    """Takes a handler's place, and keeps what it would have heard until it is let go.

    It passes for an instance of the handler's class, because LangChain asks: whether a handler of a class is
    there already, and whether one wants tokens.
    """

    def __init__(self, handler: BaseCallbackHandler) -> None:
        self.handler = handler
        self._kept: deque[Event] = deque()
        self._lock = threading.Lock()  # a call may go on in a thread of its own while it is let go
        self._mode: Literal["held", "open", "dropped"] = "held"

    @property  # type: ignore[misc]
    def __class__(self) -> type[Any]:
        return self.handler.__class__  # its own, where it is a stand-in itself

    @property
    def run_inline(self) -> bool:
        """Whether async managers call it in the event loop: so that events are kept in their order."""
        return self._mode == "held" or self.handler.run_inline

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.handler, name)
        if name in _TAPS:  # event streams would show the output as it passes
            return _untapped
        if not name.startswith("on_"):
            return value
        return self._keeper(name, value) if self._mode == "held" else self._heard(name, value)

    def let_go(self, *, hears_tokens: bool) -> Iterator[Event]:
        """Yield, in order, what was kept and may be heard, and what is still being kept meanwhile.

        After that the handler hears at once all that it may hear. The first letting go counts.
        """
        hears = (lambda _: True) if hears_tokens else self._hears_of_draft
        while self._mode == "held":
            with self._lock:
                if not self._kept:
                    self._mode = "open" if hears_tokens else "dropped"
                    return
                event = self._kept.popleft()
            if hears(event[0]):
                yield event

    def _hears_of_draft(self, name: str) -> bool:
        return name not in _TOKEN_EVENTS and not _is_stream(self.handler)

    def _keeper(self, name: str, value: Callable[..., Any]) -> Callable[..., Any]:
        def keep(*args: Any, **kwargs: Any) -> Any:
            with self._lock:
                if self._mode == "held":
                    self._kept.append((name, args, kwargs))
                    return None
            return self._heard(name, value)(*args, **kwargs)  # let go since LangChain asked for it

        return keep

    def _heard(self, name: str, value: Callable[..., Any]) -> Callable[..., Any]:
        return value if self._mode == "open" or self._hears_of_draft(name) else _unheard


def _unheard(*_: Any, **__: Any) -> None:
    """Take no note of an event."""


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
