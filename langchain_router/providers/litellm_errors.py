"""LiteLLM's errors as LangChain's, told by what happened rather than by the class that LiteLLM chose."""

from __future__ import annotations

import sys
from typing import Any

import openai
from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
    ModelRateLimitError,
    ModelTimeoutError,
)

from langchain_router.exceptions import MalformedResponseError
from langchain_router.providers.dual_errors import dual_error
from langchain_router.providers.litellm_causes import (
    UNREADABLE,
    Chain,
    Stage,
    What,
    library_of,
    litellm_errors,
)


class Asked:
    """Notes that LiteLLM has put the request into the provider's form: later faults are not the request's.

    LiteLLM calls it as its `logger_fn`. A logger of the user's own is called in turn.
    """

    __slots__ = ("_then", "outer", "stage")

    def __init__(self, then: Any = None) -> None:
        self.stage: Stage = "building"
        self.outer = sys.exception()  # what the caller is handling has nothing to do with this call
        self._then = then

    def __call__(self, details: dict[str, Any]) -> None:
        """Note the moment; nothing of the call's details is kept."""
        if details.get("log_event_type") == "pre_api_call":
            self.stage = "asked"
        if callable(self._then):
            self._then(details)


def as_model_error(
    error: Exception,
    *,
    model: str = "",
    stage: Stage = "building",
    outer: BaseException | None = None,
) -> ModelError | None:
    """Return an error of LiteLLM's as one that is also LangChain's, or None when it is not LiteLLM's.

    The result keeps every attribute of LiteLLM's error (`llm_provider`, `response`, ...), is caught by
    handlers of either library and has LiteLLM's error as its cause. Only an answer that could not be read
    becomes a plain `MalformedResponseError` without a cause, because LiteLLM's quotes the answer.

    Args:
        error: What LiteLLM raised.
        model: Named in a message of our own.
        stage: How far the call had come.
        outer: What the caller was handling when the call began; no cause of this error.
    """
    if isinstance(error, ModelError):
        return error
    if library_of(error) not in {"litellm", "openai"}:
        if stage == "building" or not isinstance(error, UNREADABLE):
            return None
        return unreadable(model, type(error))
    found = Chain(error, outer)
    kind = _kind(found, stage)
    if kind is MalformedResponseError:
        return unreadable(model, type(found.cause or found.told))
    if kind is None:
        return _with(found, dual_error(error, litellm_errors.UnsupportedParamsError, _INVALID), error)
    return _with(found, dual_error(error, type(error), kind), error)


def _kind(found: Chain, stage: Stage) -> type[ModelError] | None:
    """Return LangChain's class; None for a request that LiteLLM could not put into the provider's form."""
    kind = _kind_by_class(found.told)
    if found.what is What.STATUS:
        return _kind_by_status(kind, found.status)
    if found.what is What.TIMEOUT:
        return ModelTimeoutError
    if found.what is What.CONNECT:
        return ModelConnectionError
    if kind not in _VAGUE:
        return kind
    if stage == "building" and not found.is_answered:
        is_failed = found.what in {What.UNREADABLE, What.REPORTED}  # by LiteLLM, of the request
        return None if is_failed and kind is not _INVALID else kind
    if found.is_unreadable(kind, stage):
        return MalformedResponseError
    if found.what is What.REPORTED and kind is ModelConnectionError:
        return ModelAPIError
    return kind


def unreadable(model: str, why: type[BaseException]) -> MalformedResponseError:
    """Return the error for an answer that could not be read; it quotes nothing of the answer."""
    return MalformedResponseError(
        f"{model!r} answered with success, but its answer could not be read ({why.__name__}). "
        "Try again, or ask another model."
    )


def ended_cleanly(error: Exception) -> bool:
    """Return whether LiteLLM raised this only because a stream ended before it said that it was finished."""
    return isinstance(error, litellm_errors.MidStreamFallbackError) and Chain(error).what is What.ENDED


# --- what LiteLLM's class says ------------------------------------------------------------------------

_INVALID = ModelInvalidRequestError

# The most telling class first: LiteLLM's classes inherit from one another.
_BY_CLASS: tuple[tuple[type[Exception], type[ModelError]], ...] = (
    (litellm_errors.ContextWindowExceededError, ContextOverflowError),
    (litellm_errors.AuthenticationError, ModelAuthenticationError),
    (litellm_errors.PermissionDeniedError, ModelPermissionDeniedError),
    (litellm_errors.NotFoundError, ModelNotFoundError),
    (litellm_errors.RateLimitError, ModelRateLimitError),
    (litellm_errors.Timeout, ModelTimeoutError),
    (litellm_errors.APIConnectionError, ModelConnectionError),
    (litellm_errors.BadRequestError, _INVALID),
    (litellm_errors.UnprocessableEntityError, _INVALID),
)

# LiteLLM gives these to what it does not understand.
_VAGUE = frozenset({ModelAPIError, ModelConnectionError, _INVALID})

_BY_STATUS: dict[int, type[ModelError]] = {
    400: _INVALID,
    401: ModelAuthenticationError,
    402: ModelPermissionDeniedError,
    403: ModelPermissionDeniedError,
    404: ModelNotFoundError,
    408: ModelTimeoutError,
    413: ContextOverflowError,
    422: _INVALID,
    429: ModelRateLimitError,
    504: ModelTimeoutError,
}


def _kind_by_class(told: BaseException) -> type[ModelError]:
    kind = next((model_error for cls, model_error in _BY_CLASS if isinstance(told, cls)), ModelAPIError)
    if kind is _INVALID and "LLM Provider NOT provided" in str(told):
        return ModelNotFoundError  # a model string that LiteLLM cannot place, not a fault of the request
    if kind in _VAGUE and getattr(told, "status_code", None) == 403:
        return ModelPermissionDeniedError
    return kind


def _kind_by_status(kind: type[ModelError], status: int) -> type[ModelError]:
    """Let the status that the provider sent decide where LiteLLM's class is a guess."""
    if kind not in _VAGUE:
        return kind
    return _BY_STATUS.get(status, ModelAPIError if status >= 500 else _INVALID)


def _with(found: Chain, mapped: ModelError, error: Exception) -> ModelError:
    """Give an error what LiteLLM knew and did not pass on, and take from it what quotes prompt or answer."""
    kept = mapped.__dict__
    if found.what is What.STATUS:
        error.__suppress_context__ = True  # what lies behind has the same words: the provider's
        kept["status_code"] = found.status
        if not kept.get("litellm_response_headers"):
            kept["litellm_response_headers"] = getattr(found.cause, "response").headers  # noqa: B009
    elif isinstance(error, litellm_errors.MidStreamFallbackError):  # 503 is its own invention
        status = None if found.told is error else getattr(found.told, "status_code", None)
        kept["status_code"] = status if isinstance(status, int) else 500
    if kept.get("code") is None and isinstance(found.cause, openai.APIError):
        kept["code"] = found.cause.code
    for one in (error, mapped):  # error trackers store attributes
        one.__dict__["litellm_debug_info"] = None
        if "generated_content" in one.__dict__:
            one.__dict__["generated_content"] = ""
    _forget_addresses(error)
    mapped.__cause__ = error
    return mapped


def _forget_addresses(error: BaseException) -> None:
    """Cut aiohttp's errors, and what LiteLLM makes of their words, off a chain of causes.

    They quote the whole address, credentials included, and sometimes the answer.
    """
    left, seen = [error], set[int]()
    while left:
        one = left.pop()
        seen.add(id(one))
        for link in ("__cause__", "__context__"):
            behind = getattr(one, link)
            if behind is None or id(behind) in seen:
                continue
            if _is_aiohttps(behind) or _is_aiohttps(behind.__cause__):
                setattr(one, link, None)
            else:
                left.append(behind)


def _is_aiohttps(error: BaseException | None) -> bool:
    return type(error).__module__.partition(".")[0] == "aiohttp"
