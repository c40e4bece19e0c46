"""Drops settings that one provider understands and another refuses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from langchain.agents.middleware.types import ModelRequest
from langchain_core.language_models import BaseChatModel

Fit = Callable[[ModelRequest[Any], BaseChatModel], ModelRequest[Any]]

_CACHE_SETTINGS = frozenset({"cache_control", "prompt_cache_key"})


def fit_by_type(request: ModelRequest[Any], model: BaseChatModel) -> ModelRequest[Any]:
    """Drop prompt-cache settings unless the model is of the same kind as the one they were made for.

    The rule for a LangChain whose own is not to be found. Markers in messages and tools stay.
    """
    settings = {name: value for name, value in request.model_settings.items() if name not in _CACHE_SETTINGS}
    if len(settings) == len(request.model_settings) or model._llm_type == request.model._llm_type:  # noqa: SLF001
        return request
    return request.override(model_settings=settings)


def _langchains_own() -> Fit | None:
    """Return what `ModelFallbackMiddleware` does to a request: private, so it may be gone one day."""
    try:
        from langchain.agents.middleware.model_fallback import _sanitize_request_for_fallback
    except ImportError:
        return None
    return _sanitize_request_for_fallback


fit: Fit = _langchains_own() or fit_by_type
"""Takes a request and the model that will get it, and returns the request as that model can take it."""
