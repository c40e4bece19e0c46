"""LiteLLM's map of prices, context windows and abilities, read without importing LiteLLM.

Importing LiteLLM takes seconds; its map is one JSON file in its package. While LiteLLM is not loaded the
file is read; once it is, its live map is used, so that `litellm.register_model` counts.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import logging
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_router.candidates.price import Price

_logger = logging.getLogger("langchain_router")

_MAP_FILE = "model_prices_and_context_window_backup.json"
_SELF_HOSTED = frozenset({"ollama", "ollama_chat", "lemonade", "lm_studio", "llamafile", "hosted_vllm"})
"""Providers whose tokens really cost nothing; elsewhere a zero in the map is a gap."""

_DIVIDED = ("vertex_ai", "bedrock", "fireworks_ai")
"""Providers that the map divides further, e.g. into `vertex_ai-language-models`."""

_ABILITY_FLAGS = {
    "supports_function_calling": "tool_calling",
    "supports_response_schema": "structured_output",
    "supports_vision": "image_inputs",
    "supports_pdf_input": "pdf_inputs",
    "supports_audio_input": "audio_inputs",
    "supports_video_input": "video_inputs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """What LiteLLM's map says of one model; None where it says nothing."""

    provider: str | None
    price: Price | None
    context_tokens: int | None
    max_output_tokens: int | None
    capabilities: frozenset[str]


def model_info(name: str) -> ModelInfo | None:
    """Look a LiteLLM model string up, or return None when the map does not have it.

    Args:
        name: As LiteLLM takes it, with or without the provider: `"openai/gpt-4o"`, `"gpt-4o"`.

    Example:
        >>> model_info("openai/gpt-4o-mini").price.input_usd_per_token
        1.5e-07
        >>> model_info("nobody/nothing") is None
        True
    """
    entry = _entry(name)
    if entry is None:
        return None
    return ModelInfo(
        provider=provider_of(name),
        price=_price(entry, free=entry.get("litellm_provider") in _SELF_HOSTED),
        context_tokens=_tokens(entry, "max_input_tokens", "max_tokens"),
        max_output_tokens=_tokens(entry, "max_output_tokens"),
        capabilities=frozenset(
            ability for flag, ability in _ABILITY_FLAGS.items() if entry.get(flag) is True
        ),
    )


def provider_of(name: str) -> str | None:
    """Return the provider that a LiteLLM model string goes to, or None when it does not say."""
    prefix, slash, _ = name.partition("/")
    if slash:
        return _undivided(prefix)
    entry = _cost_map().get(name)
    provider = entry.get("litellm_provider") if entry else None
    return _undivided(provider) if provider else None


def _undivided(provider: object) -> str:
    return next((whole for whole in _DIVIDED if str(provider).startswith(whole)), str(provider))


def _entry(name: str) -> Mapping[str, Any] | None:
    cost_map = _cost_map()
    entry = cost_map.get(name)
    if entry is None:
        provider, slash, bare = name.partition("/")
        entry = cost_map.get(bare) if slash else None
        if entry is not None and _undivided(entry.get("litellm_provider")) != _undivided(provider):
            return None
    return entry


def _cost_map() -> Mapping[str, Any]:
    loaded = getattr(sys.modules.get("litellm"), "model_cost", None)
    return loaded if isinstance(loaded, Mapping) else _map_on_disk()


@functools.cache
def _map_on_disk() -> Mapping[str, Any]:
    spec = importlib.util.find_spec("litellm")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / _MAP_FILE
        if path.is_file():
            found = json.loads(path.read_text(encoding="utf-8"))
            return found if isinstance(found, dict) else {}
    _logger.warning("LiteLLM's price map was not found; prices come from the catalogue or the user only.")
    return {}


def _price(entry: Mapping[str, Any], *, free: bool) -> Price | None:
    """Return the price, or None unless both sides are known: half a price is not a price."""
    input_usd = _dollars(entry.get("input_cost_per_token"), free=free)
    output_usd = _dollars(entry.get("output_cost_per_token"), free=free)
    if input_usd is None or output_usd is None:
        return None
    return Price(
        input_usd_per_token=input_usd,
        output_usd_per_token=output_usd,
        cached_input_usd_per_token=_dollars(entry.get("cache_read_input_token_cost"), free=free),
    )


def _dollars(value: object, *, free: bool) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        return None
    return float(value) if value or free else None


def _tokens(entry: Mapping[str, Any], *keys: str) -> int | None:
    for key in keys:
        value = entry.get(key)
        if isinstance(value, int) and value > 0:
            return value
    return None
