"""A model that the router may choose, and all that is known about it."""

from __future__ import annotations

import asyncio
import difflib
import math
import threading
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.model_profile import ModelProfile

from langchain_router.candidates.catalogue import CatalogueEntry, catalogue_entry
from langchain_router.candidates.price import Price
from langchain_router.constraints import CAPABILITIES, capabilities, names
from langchain_router.exceptions import ConfigurationError
from langchain_router.frozen import FrozenDict
from langchain_router.providers.litellm_map import model_info, provider_of
from langchain_router.signals.types import INTENTS, Intent
from langchain_router.wording import kind_of

_LITELLM_NAMES = {"google_genai": "gemini", "google_vertexai": "vertex_ai", "amazon_bedrock": "bedrock"}
"""Providers that LangChain calls by another name than LiteLLM."""


ENDPOINT_OPTIONS = frozenset({"api_base", "base_url", "custom_llm_provider"})
"""Options that send a model string's calls to another place than its prefix names."""

LEAVING_OPTIONS = frozenset({"fallbacks", "context_window_fallbacks", "content_policy_fallbacks"})
"""Options with which LiteLLM would leave the candidate behind the router's back."""

_NUMBER_OPTIONS = frozenset({"temperature", "timeout", "request_timeout", "max_tokens", "top_p", "top_k"})


class _Made:
    """Holds the chat model made from a string, once it is made."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.model: BaseChatModel | None = None

    def __reduce__(self) -> tuple[type[_Made], tuple[()]]:
        """Make it anew where it is copied or unpickled to."""
        return _Made, ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A model that may be chosen.

    Only `model` is needed. What is left out is looked up: first in the profile of a chat model, then in
    LiteLLM's map of prices and abilities, then in the catalogue of quality and latency. What you give
    always wins, and what nobody knows stays unknown: an unknown price is never taken for zero, and a
    candidate whose ability, region or tag is unknown is not eligible where one is asked for.

    The router never looks into `model` beyond calling it, and never stores or prints it: a chat model's
    repr can carry credentials.

    Args:
        model: A LiteLLM model string such as `"anthropic/claude-sonnet-4-5"`, made into a chat model when
            first called, or any LangChain chat model.
        name: How decisions and errors call it; by default the model's own name. Unique in a router.
        options: Keyword arguments for the chat model made from a string: `temperature`, `api_base`,
            `api_key`, `timeout`, ...
        price: What it charges per token.
        context_tokens: Longest prompt that it takes, in tokens.
        max_output_tokens: Longest answer that it gives, in tokens.
        capabilities: What it can do, e.g. `{"tool_calling", "image_inputs"}`.
        latency_s: Typical time to a complete answer, in seconds.
        quality: Share of requests that it answers well, 0..1, over all intents.
        quality_by_intent: The same for single intents; `quality` stands in for those not given.
        provider: Who sees the request, e.g. `"openai"`. Taken from the model string, but not where the
            options send its calls elsewhere (`api_base`): then state it.
        region: Where it is processed, e.g. `"eu"`. Never guessed.
        tags: Data tags that it bears, e.g. `{"hipaa"}`. Never guessed.
        max_concurrency: Most calls of this process to it at once; further ones go to the next of the plan, or
            wait where there is none.

    Raises:
        ConfigurationError: A value is of the wrong type or out of range.

    Example:
        >>> eu = Candidate(model="mistral/mistral-small-latest", region="eu", tags={"gdpr"})
        >>> eu.name, eu.region
        ('mistral/mistral-small-latest', 'eu')
    """

    model: BaseChatModel | str = field(repr=False, compare=False)
    name: str = ""
    options: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    price: Price | None = None
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    capabilities: AbstractSet[str] | None = None
    latency_s: float | None = None
    quality: float | None = None
    quality_by_intent: Mapping[Intent, float] = field(default_factory=dict, hash=False)
    provider: str | None = None
    region: str | None = None
    tags: AbstractSet[str] = frozenset()
    max_concurrency: int | None = None
    _made: _Made = field(init=False, repr=False, compare=False, default_factory=_Made)

    def __post_init__(self) -> None:
        set_ = object.__setattr__
        if not isinstance(self.model, (BaseChatModel, str)) or (
            isinstance(self.model, str) and not self.model.strip()
        ):
            got = "an empty string" if isinstance(self.model, str) else kind_of(self.model)
            raise ConfigurationError(
                "A candidate's model must be a LiteLLM model string such as 'openai/gpt-4o-mini' or a "
                f"LangChain chat model, got {got}."
            )
        self._check_options()
        set_(self, "name", self.name or _model_name(self.model))
        for what in ("name", "provider", "region"):
            value = getattr(self, what)
            if value is not None and not isinstance(value, str):
                raise ConfigurationError(f"{self.name!r}: {what} must be a string, got {value!r}.")
        if self.price is not None and not isinstance(self.price, Price):
            raise ConfigurationError(
                f"{self.name!r}: price must be a Price, got {self.price!r}. "
                "Write Price.per_million(input_usd=..., output_usd=...)."
            )
        if self.capabilities is not None:
            set_(self, "capabilities", capabilities(f"{self.name!r}: capabilities", self.capabilities))
        set_(self, "tags", names(f"{self.name!r}: tags", self.tags))
        self._check_number("context_tokens", low=1, whole=True)
        self._check_number("max_output_tokens", low=1, whole=True)
        self._check_number("max_concurrency", low=1, whole=True)
        self._check_number("latency_s", low=0)
        self._check_number("quality", low=0, high=1)
        set_(self, "quality_by_intent", FrozenDict(self._checked_qualities()))

    def chat_model(self) -> BaseChatModel:
        """Return the chat model, making it from the LiteLLM string on the first call."""
        if isinstance(self.model, BaseChatModel):
            return self.model
        with self._made.lock:
            if self._made.model is None:
                from langchain_router.candidates.shared_profile import shared_profile
                from langchain_router.providers.litellm import RouterChatLiteLLM

                # What the user says of the model counts for those who read its profile, such as agents.
                profile = {"profile": shared_profile([self]), **self.options}
                self._made.model = RouterChatLiteLLM(model=self.model, **profile)
            return self._made.model

    async def achat_model(self) -> BaseChatModel:
        """Return the chat model as `chat_model` does; importing LiteLLM does not block the event loop."""
        if isinstance(self.model, BaseChatModel) or self._made.model is not None:
            return self.chat_model()
        return await asyncio.to_thread(self.chat_model)

    def resolved(self) -> Candidate:
        """Return a copy in which everything that can be looked up has been."""
        lookup = _lookup_name(self.model)
        info = model_info(lookup) if lookup else None
        listed = info.capabilities if info else frozenset()
        known = _profile_facts(self.model, listed) if isinstance(self.model, BaseChatModel) else {}
        if info is not None:
            known = {
                "price": info.price,
                "context_tokens": info.context_tokens,
                "max_output_tokens": info.max_output_tokens,
                "capabilities": info.capabilities,
                **known,
            }
        if lookup and not ENDPOINT_OPTIONS & self.options.keys():  # elsewhere, the prefix says nothing
            known.setdefault("provider", provider_of(lookup))
        entry = catalogue_entry(lookup) if lookup else None
        known |= _catalogue_facts(entry) if entry else {}
        missing = {
            what: value
            for what, value in known.items()
            if value is not None and getattr(self, what) in (None, {})
        }
        if self.quality is not None:  # the catalogue's per-intent figures belong to its own overall one
            missing.pop("quality_by_intent", None)
        return replace(self, **missing) if missing else self

    def _check_options(self) -> None:
        if not isinstance(self.options, Mapping):
            raise ConfigurationError(
                f"options must be a mapping such as {{'temperature': 0}}, got {type(self.options).__name__}."
            )
        if self.options and not isinstance(self.model, str):
            raise ConfigurationError(
                f"options ({', '.join(sorted(self.options))}) only apply to a model string; "
                "set them on the chat model itself."
            )
        stray = LEAVING_OPTIONS & self.options.keys()
        if stray:
            raise ConfigurationError(
                f"options hold {min(stray)!r}, with which LiteLLM would call another model than this one. "
                "Make that model a candidate of its own; the router fails over."
            )
        for what in self.options.keys() - _NUMBER_OPTIONS:
            near = difflib.get_close_matches(str(what), _NUMBER_OPTIONS, n=1, cutoff=0.85)
            if near:
                raise ConfigurationError(f"{what!r} is not an option of a model; did you mean {near[0]!r}?")
        for what in _NUMBER_OPTIONS & self.options.keys():
            value = self.options[what]
            if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
                raise ConfigurationError(f"{what} must be a number, got {value!r}.")

    def _check_number(self, what: str, *, low: float, high: float = math.inf, whole: bool = False) -> None:
        value = getattr(self, what)
        if value is None:
            return
        kind = int if whole else (int, float)
        inside = isinstance(value, kind) and low <= value <= high and value != math.inf
        if isinstance(value, bool) or not inside:
            span = f"from {low:g} to {high:g}" if math.isfinite(high) else f"{low:g} or more"
            raise ConfigurationError(f"{self.name!r}: {what} must be {span}, got {value!r}.")

    def _checked_qualities(self) -> dict[Intent, float]:
        if not isinstance(self.quality_by_intent, Mapping):
            raise ConfigurationError(
                f"{self.name!r}: quality_by_intent must be a mapping of intents to 0..1."
            )
        for intent, value in self.quality_by_intent.items():
            if intent not in INTENTS:
                raise ConfigurationError(
                    f"{self.name!r}: quality_by_intent holds {intent!r}; "
                    f"the intents are {', '.join(INTENTS)}."
                )
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
                raise ConfigurationError(
                    f"{self.name!r}: quality_by_intent[{intent!r}] must be from 0 to 1, got {value!r}."
                )
        return dict(self.quality_by_intent)


def as_candidate(given: Candidate | BaseChatModel | str, **options: Any) -> Candidate:
    """Return a resolved candidate for whatever the user wrote in its place.

    Args:
        given: A candidate, a chat model or a LiteLLM model string.
        **options: For the chat model made from a string; a candidate's own options win.
    """
    if isinstance(given, Candidate):
        if isinstance(given.model, str) and options:
            given = replace(given, options={**options, **given.options})
        return given.resolved()
    if isinstance(given, str):
        return Candidate(model=given, options=options).resolved()
    return Candidate(model=given).resolved()


def _model_name(model: BaseChatModel | str) -> str:
    if isinstance(model, str):
        return model
    return _traced(model).get("ls_model_name") or type(model).__name__


def _lookup_name(model: BaseChatModel | str) -> str | None:
    """Return the LiteLLM model string that stands for this model, if there is one."""
    if isinstance(model, str):
        return model
    traced = _traced(model)
    name, provider = traced.get("ls_model_name"), _provider(traced)
    return name if not name or not provider or "/" in name else f"{provider}/{name}"


def _provider(traced: Mapping[str, str]) -> str | None:
    """Return LiteLLM's name of the provider that a model reports; None for `ChatLiteLLM`, a go-between."""
    provider = traced.get("ls_provider")
    return None if provider == "litellm" else _LITELLM_NAMES.get(provider or "", provider)


def _traced(model: BaseChatModel) -> dict[str, str]:
    """Return the provider and model name that the model reports to tracers."""
    return {key: value for key, value in model._get_ls_params().items() if isinstance(value, str)}  # noqa: SLF001


def _profile_facts(model: BaseChatModel, listed: frozenset[str]) -> dict[str, Any]:
    """Read a chat model's profile, and where it does not speak of an ability, LiteLLM's list and its class.

    A class that overrides `bind_tools` calls tools: the rule of LangChain's own standard tests. It need not
    have structured output of its own; a schema can be carried by a tool call.
    """
    profile: ModelProfile = model.profile or {}
    able = {name for name in CAPABILITIES if profile.get(name, name in listed) is True}
    if profile.get("image_url_inputs") is True:
        able.add("image_inputs")
    if "tool_calling" not in profile and type(model).bind_tools is not BaseChatModel.bind_tools:
        able.add("tool_calling")
    facts: dict[str, Any] = {
        "context_tokens": profile.get("max_input_tokens"),
        "max_output_tokens": profile.get("max_output_tokens"),
        "provider": _provider(_traced(model)),
    }
    if profile or able:
        facts["capabilities"] = frozenset(able)
    return {what: value for what, value in facts.items() if value is not None}


def _catalogue_facts(entry: CatalogueEntry) -> dict[str, Any]:
    return {
        "latency_s": entry.latency_s,
        "quality": entry.quality,
        "quality_by_intent": entry.quality_by_intent,
    }
