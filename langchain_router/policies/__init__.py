"""Layer 3: policies that choose among the eligible candidates, one file each."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from langchain_router.exceptions import ConfigurationError
from langchain_router.policies.cascade import CascadePolicy
from langchain_router.policies.context import Context, Policy
from langchain_router.policies.cost import CostPolicy
from langchain_router.policies.threshold import DEFAULT_TIERS, ThresholdPolicy, Tier
from langchain_router.wording import shown

__all__ = [
    "DEFAULT_TIERS",
    "CascadePolicy",
    "Context",
    "CostPolicy",
    "Policy",
    "ThresholdPolicy",
    "Tier",
    "make_policy",
]

_BY_NAME: dict[str, Callable[[], Policy]] = {
    "cascade": CascadePolicy,
    "cost": CostPolicy,
    "threshold": ThresholdPolicy,
}


def make_policy(given: Policy | str | None, *, quality: float | None) -> Policy:
    """Return the policy that the user meant.

    Args:
        given: A policy, the name of one, or None for `CostPolicy`.
        quality: Threshold for `CostPolicy` or for a cascade without tiers, 0..1; 0.85 when None.

    Raises:
        ConfigurationError: The name is unknown, the object is not a policy, or `quality` is given beside
            a policy that has a threshold of its own.
    """
    if given is None or given == CostPolicy.name:
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
        if given not in _BY_NAME:
            near = difflib.get_close_matches(given, _BY_NAME, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise ConfigurationError(f"policy {given!r} is unknown; use {', '.join(sorted(_BY_NAME))}.{hint}")
        return _BY_NAME[given]()
    if not callable(getattr(given, "select", None)) or isinstance(given, type):
        hint = " For tiers write policy=CascadePolicy([...])." if isinstance(given, (list, tuple)) else ""
        raise ConfigurationError(f"policy must be a policy or the name of one, got {shown(given)}.{hint}")
    return given
