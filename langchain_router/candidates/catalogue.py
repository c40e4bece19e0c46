"""The default catalogue: how good and how fast well-known models are, with the source of each figure.

Prices, context windows and abilities are not in it: those come from LiteLLM's map, which is kept current.
The figures are priors. They make the router sensible before it has seen any traffic of yours.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Literal

from langchain_router.signals.types import Intent

Tier = Literal["cheap", "standard", "premium"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueEntry:
    """What the catalogue says of one model.

    Attributes:
        name: LiteLLM model string.
        key_env: Environment variable that holds its provider's key.
        tier: Where it stands among its contemporaries.
        latency_s: Typical time to a complete answer, in seconds.
        quality: Share of requests answered well over all intents, 0..1.
        quality_by_intent: The same for each intent.
        sources: Where each figure comes from, by the figure's name.
        retired: True when its provider no longer serves it, or has announced the end within days;
            `ChatRouter.auto` passes it over.
    """

    name: str
    key_env: str
    tier: Tier
    latency_s: float | None
    quality: float
    quality_by_intent: Mapping[Intent, float]
    sources: Mapping[str, str]
    retired: bool = False


@functools.cache
def catalogue() -> Mapping[str, CatalogueEntry]:
    """Return the catalogue by model name.

    Example:
        >>> catalogue()["openai/gpt-4o-mini"].quality
        0.82
    """
    text = (
        resources.files("langchain_router.candidates").joinpath("catalogue.json").read_text(encoding="utf-8")
    )
    return MappingProxyType({model["name"]: _entry(model) for model in json.loads(text)["models"]})


def catalogue_entry(name: str) -> CatalogueEntry | None:
    """Find a model by its LiteLLM string, with or without the provider; None when it is not listed."""
    entries = catalogue()
    return entries.get(name) or (_by_bare_name().get(name) if "/" not in name else None)


@functools.cache
def _by_bare_name() -> Mapping[str, CatalogueEntry]:
    return {name.partition("/")[2]: entry for name, entry in catalogue().items()}


def _entry(model: dict[str, object]) -> CatalogueEntry:
    sources = {key.removesuffix("_source"): model.pop(key) for key in tuple(model) if key.endswith("_source")}
    known = {key: model[key] for key in CatalogueEntry.__dataclass_fields__ if key in model}
    return CatalogueEntry(**known, sources=sources)  # type: ignore[arg-type]
