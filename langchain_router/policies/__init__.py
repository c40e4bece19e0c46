"""Layer 3: policies that choose among the eligible candidates, one file each."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from langchain_router.exceptions import ConfigurationError
from langchain_router.policies.adaptive import AdaptivePolicy
from langchain_router.policies.cascade import CascadePolicy
from langchain_router.policies.context import Context, Policy
from langchain_router.policies.cost import CostPolicy
from langchain_router.policies.threshold import DEFAULT_TIERS, ThresholdPolicy, Tier
from langchain_router.wording import shown

if TYPE_CHECKING:
    from langchain_router.policies.epsilon_greedy import EpsilonGreedyPolicy
    from langchain_router.policies.lin_thompson import LinThompsonPolicy
    from langchain_router.policies.thompson import ThompsonPolicy

__all__ = [
    "DEFAULT_TIERS",
    "AdaptivePolicy",
    "CascadePolicy",
    "Context",
    "CostPolicy",
    "EpsilonGreedyPolicy",
    "LinThompsonPolicy",
    "Policy",
    "ThompsonPolicy",
    "ThresholdPolicy",
    "Tier",
    "make_policy",
]

_EXPLORING: Final[Mapping[str, str]] = {
    "epsilon_greedy": "EpsilonGreedyPolicy",
    "lin_thompson": "LinThompsonPolicy",
    "thompson": "ThompsonPolicy",
}
"""By file: those that explore need numpy, so they are imported when first used."""

_BY_NAME: dict[str, Callable[[], Policy]] = {
    "adaptive": AdaptivePolicy,
    "cascade": CascadePolicy,
    "cost": CostPolicy,
    "threshold": ThresholdPolicy,
}


def __getattr__(name: str) -> Any:
    for file, policy in _EXPLORING.items():
        if policy == name:
            return _exploring(file)
    raise AttributeError(f"module 'langchain_router.policies' has no attribute {name!r}")


def _exploring(file: str) -> Any:
    return getattr(importlib.import_module(f"langchain_router.policies.{file}"), _EXPLORING[file])


def make_policy(given: Policy | str | None, *, quality: float | None) -> Policy:
    """Return the policy that the user meant.

    Args:
        given: A policy, the name of one, or None for `AdaptivePolicy`.
        quality: Threshold for the default, `CostPolicy` or a cascade without tiers, 0..1; 0.85 when None.

    Raises:
        ConfigurationError: The name is unknown, the object is not a policy, or `quality` is given beside
            a policy that has a threshold of its own.
    """
    if given is None or given == AdaptivePolicy.name:
        return AdaptivePolicy(quality=quality)
    if given == CostPolicy.name:
        return CostPolicy() if quality is None else CostPolicy(quality)
    if given == CascadePolicy.name:
        return CascadePolicy(quality=quality)
    if quality is not None:
        if isinstance(given, CascadePolicy):
            raise ConfigurationError(
                f"quality={quality!r} belongs into a cascade without tiers: policy=CascadePolicy("
                f"quality={quality!r}). With tiers, their checks decide: leave quality out."
            )
        raise ConfigurationError(
            f"quality={quality!r} sets the default policy's threshold, and policy={given!r} is given too. "
            "Give one of them, e.g. policy=CostPolicy(quality=0.9)."
        )
    if isinstance(given, str):
        known = sorted({*_BY_NAME, *_EXPLORING})
        if given not in known:
            near = difflib.get_close_matches(given, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigurationError(f"policy {given!r} is unknown; use {', '.join(known)}.{hint}")
        made: Policy = (_exploring(given) if given in _EXPLORING else _BY_NAME[given])()
        return made
    if not callable(getattr(given, "select", None)) or isinstance(given, type):
        hint = " For tiers write policy=CascadePolicy([...])." if isinstance(given, (list, tuple)) else ""
        raise ConfigurationError(f"policy must be a policy or the name of one, got {shown(given)}.{hint}")
    return given
