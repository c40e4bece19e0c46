"""Reads what a user wrote into `ChatRouter(...)`, and refuses what cannot work."""

from __future__ import annotations

import difflib
import inspect
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from langchain_core.language_models import BaseChatModel
from pydantic import BaseModel, ValidationError

from langchain_router.candidates.candidate import Candidate, as_candidate
from langchain_router.constraints import CONSTRAINT_NAMES, refuse_misspelt
from langchain_router.exceptions import ConfigurationError
from langchain_router.policies.cascade import CascadePolicy
from langchain_router.wording import shown

Given = TypeVar("Given")

_logger = logging.getLogger("langchain_router")


def resolve_candidates(
    candidates: Sequence[Candidate | BaseChatModel | str], options: dict[str, Any]
) -> tuple[Candidate, ...]:
    """Return the candidates with all that can be looked up.

    Args:
        candidates: What the user gave.
        options: For the models made from strings.

    Raises:
        ConfigurationError: Not a list, or one API key for several providers.
    """
    if isinstance(candidates, (str, BaseChatModel, Candidate)) or not _is_list(candidates):
        raise ConfigurationError("candidates must be a list of models; write candidates=[...].")
    if any(isinstance(given, (list, tuple)) for given in candidates):
        raise ConfigurationError("A candidate is a list; write from_models(*models) or candidates=models.")
    resolved = tuple(as_candidate(given, **options) for given in candidates)
    if options.get("api_key") is not None:
        providers = sorted(
            {c.provider or "an unknown provider" for c in resolved if isinstance(c.model, str)}
        )
        if len(providers) > 1:
            raise ConfigurationError(
                f"api_key would be sent to {', '.join(providers)} alike. Give each its own: "
                "Candidate(model=..., options={'api_key': ...}), or set the providers' environment variables."
            )
    return resolved


def warn_of_own_retries(candidates: Iterable[Candidate], policy: object) -> None:
    """Warn once of each kind of chat model that retries by itself, since the router does too.

    Args:
        candidates: The router's.
        policy: Whose checks may ask further models.
    """
    checks = [check for _, check in policy.tiers or ()] if isinstance(policy, CascadePolicy) else []
    asked = [model for check in checks if check is not None for model in check.models]
    for candidate in (*candidates, *asked):
        model = candidate.model
        if isinstance(model, str) or not hasattr(model, "max_retries"):
            continue
        retries = model.max_retries
        kind = type(model)
        if retries == 0 or kind in _warned_of:
            continue
        _warned_of.add(kind)
        _logger.warning(
            "candidate %r, a %s, retries by itself (max_retries=%r; None is its client's default), and so "
            "does the router: one request may become several times as many. Set max_retries=0 on it.",
            candidate.name,
            kind.__name__,
            retries,
        )


_warned_of: set[type[BaseChatModel]] = set()


def _is_list(given: object) -> bool:
    return isinstance(given, Iterable) and not isinstance(given, (Mapping, bytes))


def split_options(cls: type[BaseModel], options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Tell the router's own fields from options of the models made from strings."""
    if options.get("cache"):
        raise ConfigurationError(
            "ChatRouter takes no cache: an answer must stay with the model that gave it. "
            "Set the cache on the candidates, or globally with set_llm_cache()."
        )
    given = sorted(CONSTRAINT_NAMES & options.keys() - {"tags"})  # tags are LangChain's run tags here
    if given:
        raise ConfigurationError(
            f"{given[0]!r} is a constraint; write constraints={{{given[0]!r}: {options[given[0]]!r}}}."
        )
    if isinstance(options.get("tags"), (set, frozenset)):
        raise ConfigurationError(
            "tags= of a chat model are LangChain's run tags, a list. "
            f"For data tags write constraints={{'tags': {options['tags']!r}}}."
        )
    own = {name: value for name, value in options.items() if name in cls.model_fields}
    passed = {name: value for name, value in options.items() if name not in cls.model_fields}
    refuse_misspelt(passed)
    for name in passed:
        near = difflib.get_close_matches(name, [*cls.model_fields], n=1, cutoff=0.85)
        if near:
            raise ConfigurationError(f"{name!r} is not an argument of ChatRouter; did you mean {near[0]!r}?")
    return own, {**own.pop("model_options", {}), **passed}


def with_method(what: str, given: Given, method: str) -> Given:
    """Return what was given, if it is None or an object that has the method.

    Raises:
        ConfigurationError: It has not, or it is a class.
    """
    if given is not None and (isinstance(given, type) or not callable(getattr(given, method, None))):
        raise ConfigurationError(f"{what} must be an object with a method {method}(), got {given!r}.")
    return given


def instance_or_none(what: str, given: Given, kind: type) -> Given:
    """Return what was given, if it is None or an instance of this class.

    Raises:
        ConfigurationError: It is anything else.
    """
    if given is None or isinstance(given, kind):
        return given
    raise ConfigurationError(f"{what} must be a {kind.__name__}, got {given!r}. Write {kind.__name__}(...).")


def takes_two(what: str, given: Given, of: str) -> Given:
    """Return what was given, if it is None or a plain function of two arguments.

    Raises:
        ConfigurationError: It is not.
    """
    if given is None:
        return given
    function: Any = plain_function(what, given, of)
    try:
        inspect.signature(function).bind(None, None)
    except TypeError:
        raise ConfigurationError(f"{what} must take {of}; {given!r} does not take two arguments.") from None
    except ValueError:  # a built-in that does not tell its signature
        pass
    return given


def plain_function(what: str, given: Given, of: str) -> Given:
    """Return what was given, if it is a plain function.

    Raises:
        ConfigurationError: It is not.
    """
    if not callable(given) or isinstance(given, type) or inspect.iscoroutinefunction(given):
        raise ConfigurationError(f"{what} must be a plain function of {of}, got {shown(given)}.")
    return given


def in_words(error: ValidationError) -> str:
    """Return pydantic's report as one sentence."""
    faults = (f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors())
    return f"ChatRouter cannot be built: {'; '.join(faults)}."
