"""A policy as one writes it on a command line: `cost:quality=0.85`, `single:openai/gpt-4o-mini`."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from langchain_router.candidates.candidate import Candidate
from langchain_router.decision import RoutingDecision
from langchain_router.exceptions import ConfigurationError
from langchain_router.policies import (
    AdaptivePolicy,
    CascadePolicy,
    Context,
    CostPolicy,
    Policy,
    ThresholdPolicy,
    make_policy,
)
from langchain_router.policies.ladder import by_price

RECORDED: Final = "recorded"
"""Stands for what was done, where a command compares policies on a log."""


class SinglePolicy:
    """Always the same candidate: what every other policy is measured against.

    Where it may not answer, the dearest one that may takes the request; on failure the others follow, dearest
    first. Prefer a router of one candidate where there shall be nothing else.

    Args:
        model: Name of the candidate.

    Raises:
        ConfigurationError: No name; when the router is built, one that is not a candidate's.

    Example:
        >>> SinglePolicy("openai/gpt-4o-mini")
        SinglePolicy('openai/gpt-4o-mini')
    """

    name = "single"

    def __init__(self, model: str) -> None:
        if not isinstance(model, str) or not model:
            raise ConfigurationError(f"single needs the name of a candidate, got {model!r}.")
        self.model = model

    def check_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Refuse a name that is not there."""
        known = sorted(candidate.name for candidate in candidates)
        if self.model not in known:
            near = difflib.get_close_matches(self.model, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigurationError(
                f"single names {self.model!r}, which is not a candidate. "
                f"The candidates are {', '.join(known)}.{hint}"
            )

    def select(self, context: Context, candidates: Sequence[Candidate]) -> RoutingDecision:
        """Choose it, or the dearest that may answer."""
        others = list(reversed(by_price(candidates)))
        plan = sorted(others, key=lambda one: one.name != self.model)
        is_there = plan[0].name == self.model
        return context.decision(
            plan,
            reason="always the same" if is_there else f"the dearest there is, as {self.model} may not answer",
            policy=self.name,
            policy_params={"model": self.model},
        )

    def __repr__(self) -> str:
        return f"SinglePolicy({self.model!r})"


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return value


def _number_or_none(text: str) -> float | None:
    return None if text == "none" else _number(text)


_A_NUMBER: Final = (_number, "a number")
_A_NUMBER_OR_NONE: Final = (_number_or_none, "a number or none")
_A_NAME: Final = (str, "a name")

_THOMPSON: Final = {
    "exploration": _A_NUMBER,
    "cost_weight": _A_NUMBER,
    "success_at": _A_NUMBER_OR_NONE,
    "prior_strength": _A_NUMBER,
    "shrinkage": _A_NUMBER,
    "half_life_s": _A_NUMBER_OR_NONE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """One kind of policy: how it is made, and what may be said of it."""

    make: Callable[..., Policy]
    parameters: Mapping[str, tuple[Callable[[str], Any], str]] = field(default_factory=dict)


def _by_name(name: str) -> Callable[..., Policy]:
    def make(**parameters: Any) -> Policy:
        policy: Policy = type(make_policy(name, quality=None))(**parameters)
        return policy

    return make


_KNOWN: Final[Mapping[str, _Known]] = {
    "adaptive": _Known(make=AdaptivePolicy, parameters={"quality": _A_NUMBER}),
    "cascade": _Known(make=CascadePolicy, parameters={"quality": _A_NUMBER}),
    "cost": _Known(
        make=CostPolicy, parameters={"quality": _A_NUMBER, "fallback": _A_NAME, "objective": _A_NAME}
    ),
    "epsilon_greedy": _Known(
        make=_by_name("epsilon_greedy"), parameters={"epsilon": _A_NUMBER, "cost_weight": _A_NUMBER}
    ),
    "lin_thompson": _Known(
        make=_by_name("lin_thompson"), parameters={"spread": _A_NUMBER, "cost_weight": _A_NUMBER}
    ),
    "thompson": _Known(make=_by_name("thompson"), parameters=_THOMPSON),
    "threshold": _Known(make=ThresholdPolicy),
}
_DRAWS_LOTS: Final = frozenset({"epsilon_greedy", "lin_thompson", "thompson"})


def policy_from(spec: str, *, seed: int | None = None) -> Policy:
    """Return the policy that a text stands for: `NAME`, `NAME:KEY=VALUE,KEY=VALUE` or `single:MODEL`.

    Args:
        spec: The text. Names and keys are those of the policies' own arguments.
        seed: Of the policy's lots, where it draws any.

    Raises:
        ConfigurationError: It is no such text; the message lists what there is.

    Example:
        >>> policy_from("cost:quality=0.9")
        CostPolicy(quality=0.9, fallback=None, objective='cost')
        >>> policy_from("single:openai/gpt-4o-mini")
        SinglePolicy('openai/gpt-4o-mini')
    """
    if not isinstance(spec, str):
        raise ConfigurationError(f"A policy is written as a text such as 'cost:quality=0.85', got {spec!r}.")
    name, colon, said = spec.strip().partition(":")
    if name == SinglePolicy.name:
        if not said.strip():
            raise ConfigurationError("single needs the name of a candidate: single:openai/gpt-4o-mini.")
        return SinglePolicy(said.strip())
    known = _KNOWN.get(name)
    if known is None:
        names = sorted([*_KNOWN, SinglePolicy.name])
        near = difflib.get_close_matches(name, names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ConfigurationError(f"The policy {name!r} is unknown.{hint} {specs_in_words()}")
    if colon and not said.strip():
        raise ConfigurationError(f"{spec!r} ends after the colon. Leave it out. {_usage(name)}")
    parameters = _parameters(name, known, said)
    if name in _DRAWS_LOTS:
        parameters["seed"] = seed
    try:
        return known.make(**parameters)
    except ConfigurationError as error:
        raise ConfigurationError(f"The policy {spec!r} cannot be: {error}") from None


def specs_in_words() -> str:
    """Return what may be written, in one line."""
    shown = [f"{name}:..." if _KNOWN[name].parameters else name for name in sorted(_KNOWN)]
    return (
        f"Write one of {', '.join(shown)} or single:MODEL, with parameters as in cost:quality=0.85 "
        "or thompson:cost_weight=0.2,exploration=0.5."
    )


def _parameters(name: str, known: _Known, said: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in said.split(",") if said.strip() else ():
        key, equals, text = (piece.strip() for piece in part.partition("="))
        if not equals or not key or not text:
            raise ConfigurationError(f"{part.strip()!r} is no KEY=VALUE. {_usage(name)}")
        if key not in known.parameters:
            near = difflib.get_close_matches(key, known.parameters, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigurationError(f"{name} has no parameter {key!r}.{hint} {_usage(name)}")
        if key in found:
            raise ConfigurationError(f"{key!r} is given twice. {_usage(name)}")
        read, kind = known.parameters[key]
        try:
            found[key] = read(text)
        except ValueError:
            raise ConfigurationError(
                f"{key} of {name} must be {kind}, got {text!r}. {_usage(name)}"
            ) from None
    return found


def _usage(name: str) -> str:
    parameters = _KNOWN[name].parameters
    if not parameters:
        return f"{name} takes no parameters here."
    return f"Parameters of {name}: {', '.join(f'{key} ({kind})' for key, (_, kind) in parameters.items())}."
