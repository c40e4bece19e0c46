"""Tells the agent's own model from one that another middleware has put in its place.

LangChain does not say which model an agent was made with, nor whether `request.model` was replaced. A
middleware such as `ModelFallbackMiddleware` lets the agent's own model go first, so the first model of an
agent run is taken for its own, unless the user names it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from langchain.agents.middleware.types import ModelRequest
from langchain_core.language_models import BaseChatModel

_RUNS_REMEMBERED = 1_024


class OwnModel:
    """Knows whether a request still asks for the agent's own model.

    Args:
        named: The agent's own model, if the user named it; then nothing is remembered.
    """

    def __init__(self, named: BaseChatModel | None) -> None:
        self._named = named
        self._lock = threading.Lock()
        # What marks the run is kept beside the model: an id is only unique while its object lives.
        self._first: OrderedDict[tuple[int, str], tuple[object, BaseChatModel]] = OrderedDict()

    def is_asked_for(self, request: ModelRequest[Any]) -> bool:
        """Return whether no other middleware has replaced the model of this request."""
        own = self._first_of_run(request) if self._named is None else self._named
        return request.model is own

    def _first_of_run(self, request: ModelRequest[Any]) -> BaseChatModel:
        """Return the first model that this agent run asked for, as far as it is remembered."""
        runtime: Any = request.runtime
        if runtime is None:  # a request made by hand
            return request.model
        mark = runtime.control or runtime  # `control` lives as long as the outermost run
        where = runtime.execution_info.checkpoint_ns if runtime.execution_info else ""
        key = id(mark), where.rpartition("|")[0]  # an agent inside a tool has a namespace of its own
        with self._lock:
            _, first = self._first.setdefault(key, (mark, request.model))
            self._first.move_to_end(key)
            if len(self._first) > _RUNS_REMEMBERED:
                self._first.popitem(last=False)
        return first
