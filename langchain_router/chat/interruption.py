"""Notices when an answer breaks off after tokens have gone out, so that no second model continues it.

Tokens go out in two ways: as the chunks of `stream`, and through callbacks while `invoke` runs, which is
how LangGraph's message stream shows them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler, BaseCallbackManager
from langchain_core.runnables import RunnableConfig

from langchain_router.decision import RoutingDecision
from langchain_router.exceptions import StreamInterruptedError
from langchain_router.execution.errors import ErrorKind, error_kind
from langchain_router.execution.moves import Call


@contextmanager
def watched(
    config: RunnableConfig, decision: RoutingDecision, step: Call, *, is_held: bool
) -> Iterator[RunnableConfig]:
    """Give a config for one model call; an error after its first token becomes `StreamInterruptedError`.

    Args:
        config: The model run's config.
        decision: Why the model is called.
        step: Which step of its plan this is.
        is_held: Whether its tokens are kept from everybody for now.
    """
    callbacks = config.get("callbacks")
    if not callbacks or is_held:  # nobody listens, so nobody saw a token
        yield config
        return
    watch = _TokenWatch()
    # Not with merge_configs: it would add what the context around this call holds.
    if isinstance(callbacks, BaseCallbackManager):
        callbacks = callbacks.copy()
        callbacks.add_handler(watch)
    else:
        callbacks = [*callbacks, watch]
    try:
        yield {**config, "callbacks": callbacks}
    except Exception as error:
        if not watch.tokens:
            raise
        interrupted = as_interrupted(error, "".join(watch.tokens), decision, step.step.candidate.name)
        raise interrupted  # noqa: B904 - it bears its cause, or is the error itself


def as_interrupted(
    error: BaseException, partial: str, decision: RoutingDecision, candidate: str
) -> BaseException:
    """Return what an answer's breaking off is to the caller.

    Control flow stays what it is, and so does the interruption of a router that is itself a candidate.

    Args:
        error: What broke the answer off.
        partial: The text that had arrived.
        decision: Why the model was called.
        candidate: Name of the model that was called.
    """
    if error_kind(error) in (ErrorKind.CONTROL_FLOW, ErrorKind.INTERRUPTED, ErrorKind.CANCELLED):
        return error
    interrupted = StreamInterruptedError(partial=partial, candidate=candidate, decision_id=decision.id)
    interrupted.__cause__ = error
    return interrupted


class _TokenWatch(BaseCallbackHandler):
    """Keeps the tokens of one model call, for as long as the call lasts."""

    run_inline = True  # in the async path too, so that no token is noticed late

    def __init__(self) -> None:
        self.tokens: list[str] = []

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, **_: Any) -> None:
        """Note that something went out; blocks and tool calls count, though they leave no text here."""
        if token or getattr(getattr(chunk, "message", None), "tool_call_chunks", None):
            self.tokens.append(token if isinstance(token, str) else "")

    def on_stream_event(self, event: Any, **_: Any) -> None:
        """Note the same in LangChain's event protocol, which some message streams use instead."""
        if event.get("event") == "content-block-delta":
            self.tokens.append(str(event.get("delta", {}).get("text", "")))
