"""Hears every trace of the process, so that nobody has to pass a handler."""

from __future__ import annotations

import weakref
from contextvars import ContextVar
from typing import Any, Final

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.tracers.context import register_configure_hook

from langchain_router.outcomes.hooks.callbacks import RoutingCallbackHandler

_MOST_DECISIONS: Final = 10_000

_HOOKS: Final = (
    "on_chat_model_start",
    "on_llm_start",
    "on_llm_end",
    "on_llm_error",
    "on_chain_start",
    "on_chain_end",
    "on_chain_error",
    "on_tool_start",
    "on_tool_end",
    "on_tool_error",
)


class _Everywhere(BaseCallbackHandler):
    """Passes what it hears on to the handler of every router that is alive; with none it is not called."""

    run_inline = True  # its hooks take microseconds and wait for nothing: no thread is worth it

    def __init__(self) -> None:
        self.handlers: weakref.WeakSet[RoutingCallbackHandler] = weakref.WeakSet()

    def _is_idle(self) -> bool:
        return not self.handlers

    ignore_llm = ignore_chat_model = ignore_chain = ignore_agent = property(_is_idle)


def _passing_on(name: str) -> Any:
    def hook(self: _Everywhere, *args: Any, **kwargs: Any) -> None:
        for handler in tuple(self.handlers):
            getattr(handler, name)(*args, **kwargs)

    hook.__name__ = name
    return hook


for _name in _HOOKS:
    setattr(_Everywhere, _name, _passing_on(_name))

_everywhere = _Everywhere()
_in_every_context: ContextVar[BaseCallbackHandler | None] = ContextVar(
    "langchain_router_everywhere", default=_everywhere
)
register_configure_hook(_in_every_context, inheritable=True)


def hear_everywhere(store: Any) -> RoutingCallbackHandler:
    """Return a handler that hears every trace of this process for as long as it is kept.

    It takes in what concerns decisions that it was told of by `made`, and no others: another router's are
    that router's business. LangChain asks for such handlers whenever it configures a run
    (`register_configure_hook`).

    Args:
        store: Where to note what it hears.
    """
    handler = RoutingCallbackHandler(store, most_decisions=_MOST_DECISIONS)
    _everywhere.handlers.add(handler)
    return handler
