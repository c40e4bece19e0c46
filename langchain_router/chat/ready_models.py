"""Makes chat models ready for calls: made when first needed, and set up as the call wants them."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

from langchain_core.language_models import BaseChatModel

from langchain_router.candidates.candidate import Candidate

_MOST_COPIES: Final = 128


def made(candidate: Candidate) -> BaseChatModel:
    """Return a candidate's chat model, making it on the first call.

    Args:
        candidate: Whose model.
    """
    if isinstance(candidate.model, str):
        _litellm_import().wait()
    return candidate.chat_model()


@functools.cache
def _litellm_import() -> threading.Event:
    """Import LiteLLM in a thread of its own; return what is set when it has ended.

    It takes seconds, so that a call's deadline may pass meanwhile. An import that is interrupted then, or one
    waited for by a thread that is, stays broken for the whole process.
    """
    ended = threading.Event()

    def run() -> None:
        with contextlib.suppress(Exception):  # raised again where the model is made
            import_module("langchain_router.providers.litellm")
        ended.set()

    threading.Thread(target=run, name="langchain-router-import", daemon=True).start()
    return ended


class Copies:
    """Copies of the models made from strings, set up for calls.

    A copy is kept because LangChain describes a model to tracers at its first call, and keeps that with it: a
    copy made for each call would be described each time.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[Any, ...], tuple[BaseChatModel, BaseChatModel]] = {}

    def of(self, candidate: Candidate, model: BaseChatModel, changes: Mapping[str, Any]) -> BaseChatModel:
        """Return the model with these fields changed.

        Args:
            candidate: Whose model it is. One of the user's own may change, so its copies are not kept.
            model: Which to copy.
            changes: The fields and their values.
        """
        if not changes:
            return model
        if not isinstance(candidate.model, str):
            return model.model_copy(update=changes)
        key = (id(model), *sorted(changes.items()))
        original, copy = self._kept.get(key, (None, None))
        if copy is None or original is not model:
            copy = model.model_copy(update=changes)
            if len(self._kept) >= _MOST_COPIES:
                self._kept.clear()
            self._kept[key] = (model, copy)
        return copy

    def __reduce__(self) -> tuple[type[Copies], tuple[()]]:
        """Start with none where it is copied or unpickled to."""
        return Copies, ()
