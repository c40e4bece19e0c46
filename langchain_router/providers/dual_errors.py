"""Errors that two libraries know: made at run time from a class of each."""

from __future__ import annotations

from typing import Any

from langchain_core.exceptions import ModelError


def dual_error(error: Exception, their_class: type[Exception], model_error: type[ModelError]) -> ModelError:
    """Return a copy of an error that is of both classes, with the attributes of the original.

    Args:
        error: What another library raised.
        their_class: That library's class.
        model_error: LangChain's.

    Example:
        >>> from langchain_core.exceptions import ModelConnectionError
        >>> copy = dual_error(ConnectionError("gone"), ConnectionError, ModelConnectionError)
        >>> isinstance(copy, ConnectionError), copy
        (True, LiteLLMConnectionError('gone'))
    """
    made = _dual_class(their_class, model_error)
    copy = made.__new__(made)
    copy.args = error.args
    copy.__dict__.update(error.__dict__)
    return copy


def _dual_class(their_class: type[Exception], model_error: type[ModelError]) -> type[ModelError]:
    made = _dual_classes.get((their_class, model_error))
    if made is None:
        name = f"LiteLLM{their_class.__name__}"
        body = {"__module__": __name__, "__reduce__": _reduced}
        made = type(name, (their_class, model_error), body)
        _dual_classes[their_class, model_error] = made
    return made


def _reduced(error: Any) -> tuple[Any, ...]:
    """Pickle an error by its parents and its plain attributes; the class itself is made at run time."""
    their_class, model_error = type(error).__bases__
    plain = {k: v for k, v in error.__dict__.items() if isinstance(v, (str, int, float, bool, type(None)))}
    return _remade, (their_class, model_error, error.args, plain)


def _remade(
    their_class: type[Exception], model_error: type[ModelError], args: tuple[Any, ...], plain: dict[str, Any]
) -> ModelError:
    made = _dual_class(their_class, model_error)
    copy = made.__new__(made)
    copy.args = args
    copy.__dict__.update(plain)
    return copy


_dual_classes: dict[tuple[type[Exception], type[ModelError]], type[ModelError]] = {}
