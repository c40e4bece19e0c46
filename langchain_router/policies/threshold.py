"""Threshold routing: intent and complexity pick a tier."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from langchain_router.candidates.candidate import Candidate
from langchain_router.decision import Flip, RoutingDecision
from langchain_router.exceptions import ConfigurationError
from langchain_router.policies.context import Context
from langchain_router.policies.ladder import by_price
from langchain_router.signals.types import INTENTS


class Tier(NamedTuple):
    """Requests whose complexity is below `below` go to `use`.

    Attributes:
        below: Upper end of the tier, exclusive, in (0, 1]; the last tier's is 1 and includes 1.
        use: A candidate's name, or a place on the ladder of the eligible candidates sorted by price:
            0.0 the cheapest, 1.0 the dearest, 0.5 the one in the middle.
    """

    below: float
    use: str | float


_CHEAPEST, _LOW, _HIGH, _DEAREST = 0.0, 1 / 3, 2 / 3, 1.0

_RARELY_NEEDS_PREMIUM = (Tier(0.7, _LOW), Tier(1.0, _DEAREST))
_SENSITIVE = (Tier(0.3, _LOW), Tier(0.6, _HIGH), Tier(1.0, _DEAREST))

DEFAULT_TIERS: Mapping[str, tuple[Tier, ...]] = {
    "formatting": _RARELY_NEEDS_PREMIUM,
    "classification": _RARELY_NEEDS_PREMIUM,
    "extraction": _RARELY_NEEDS_PREMIUM,
    "code_generation": _SENSITIVE,
    "reasoning": _SENSITIVE,
    "default": (Tier(0.4, _CHEAPEST), Tier(0.7, _LOW), Tier(1.0, _HIGH)),
}
"""The seed article's table. Its four models, cheapest to dearest, are the rungs of the ladder, so that it
fits any set of candidates."""


class ThresholdPolicy:
    """Send a request to the tier that its intent and complexity point to.

    The simplest policy that works, and the baseline that every other must beat. Prefer `CostPolicy` when
    you know (or can learn) how good each candidate is at each intent; this one needs only prices.

    Args:
        tiers: For an intent, or `"default"` for all that are not named, the tiers in rising order as
            `Tier(below, use)` or plain pairs. By default the seed article's table over the price ladder.

    Raises:
        ConfigurationError: A threshold is out of range or out of order, an intent is unknown, or no tier
            covers some request; when the router is built, a name that is not a candidate's.

    Example:
        >>> ThresholdPolicy({"default": [(0.4, "openai/gpt-4o-mini"), (1.0, "openai/gpt-4o")]})
        ThresholdPolicy({'default': [(0.4, 'openai/gpt-4o-mini'), (1.0, 'openai/gpt-4o')]})
    """

    name = "threshold"

    def __init__(self, tiers: Mapping[str, Sequence[Tier | tuple[float, str | float]]] | None = None) -> None:
        if tiers is None:
            tiers = DEFAULT_TIERS
        if not isinstance(tiers, Mapping):
            raise ConfigurationError(
                'tiers must be a mapping such as {"default": [(0.4, "cheap"), (1.0, "dear")]}, '
                f"got {tiers!r}."
            )
        self.tiers = {what: _checked(what, given) for what, given in tiers.items()}
        uncovered = [intent for intent in INTENTS if intent not in self.tiers]
        if uncovered and "default" not in self.tiers:
            raise ConfigurationError(
                f"tiers cover neither {uncovered[0]!r} nor 'default'. Add \"default\": [(1.0, ...)]."
            )

    def check_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Refuse tiers that name a candidate which is not there."""
        known = {candidate.name for candidate in candidates}
        for what, tiers in self.tiers.items():
            for tier in tiers:
                if isinstance(tier.use, str) and tier.use not in known:
                    raise ConfigurationError(
                        f"tiers[{what!r}] uses {tier.use!r}, which is not a candidate. "
                        f"The candidates are {', '.join(sorted(known))}."
                    )

    def select(self, context: Context, candidates: Sequence[Candidate]) -> RoutingDecision:
        """Choose the tier's candidate; where it may not answer, the dearest one that may."""
        ladder = by_price(candidates)
        label = context.intent.label
        tiers = self.tiers.get(label) or self.tiers["default"]
        value = context.complexity.value
        index = next((i for i, tier in enumerate(tiers) if value < tier.below), len(tiers) - 1)
        place, substitute = _place(tiers[index].use, ladder, context)
        chosen = ladder[place]
        plan = [chosen, *ladder[place + 1 :], *reversed(ladder[:place])]
        low = tiers[index - 1].below if index else 0.0
        span = f"{low:g} to {tiers[index].below:g}"
        reason = f"{label} requests of complexity {span} go to {_words(tiers[index].use)}"
        return context.decision(
            plan,
            reason=reason + substitute,
            policy=self.name,
            policy_params={"tiers": {what: [list(t) for t in given] for what, given in self.tiers.items()}},
            remarks={c.name: "its tier is another" for c in plan[1:]},
            flips=_flips(tiers, index, chosen, ladder, context),
        )

    def __repr__(self) -> str:
        shown: dict[str, Any] = {what: [tuple(tier) for tier in tiers] for what, tiers in self.tiers.items()}
        return f"ThresholdPolicy({shown!r})"


def _checked(what: str, given: Sequence[Tier | tuple[float, str | float]]) -> tuple[Tier, ...]:
    if what != "default" and what not in INTENTS:
        raise ConfigurationError(f"tiers holds {what!r}; use 'default' or one of {', '.join(INTENTS)}.")
    try:
        tiers = tuple(Tier(*pair) for pair in given)
    except TypeError as error:
        raise ConfigurationError(
            f"tiers[{what!r}] must be pairs of (below, candidate), e.g. [(0.4, 'cheap'), (1.0, 'dear')], "
            f"got {given!r}."
        ) from error
    for tier in tiers:
        if (
            isinstance(tier.below, bool)
            or not isinstance(tier.below, (int, float))
            or not 0 < tier.below <= 1
        ):
            raise ConfigurationError(
                f"tiers[{what!r}]: a threshold must be above 0 and at most 1, got {tier.below!r}."
            )
        if isinstance(tier.use, str):
            continue
        if isinstance(tier.use, bool) or not isinstance(tier.use, (int, float)) or not 0 <= tier.use <= 1:
            raise ConfigurationError(
                f"tiers[{what!r}]: a tier uses a candidate's name or a place on the price ladder "
                f"from 0 to 1, got {tier.use!r}."
            )
    if any(a.below >= b.below for a, b in pairwise(tiers)):
        raise ConfigurationError(f"tiers[{what!r}]: thresholds must rise, got {[t.below for t in tiers]}.")
    if not tiers or tiers[-1].below != 1:
        raise ConfigurationError(
            f"tiers[{what!r}]: the last threshold must be 1.0, so that every request fits."
        )
    return tiers


def _place(use: str | float, ladder: Sequence[Candidate], context: Context) -> tuple[int, str]:
    """Return the rung that stands for a tier, and a remark when it is a substitute."""
    if not isinstance(use, str):
        return math.floor(use * (len(ladder) - 1) + 0.5), ""
    for place, candidate in enumerate(ladder):
        if candidate.name == use:
            return place, ""
    why = "; ".join(context.excluded.get(use, ("is not eligible",)))
    return len(ladder) - 1, f", but {use} {why}, so the dearest that may answer takes it"


def _words(use: str | float) -> str:
    if isinstance(use, str):
        return use
    if use in (_CHEAPEST, _DEAREST):
        return "the cheapest candidate" if use == _CHEAPEST else "the dearest candidate"
    return f"the candidate {use:.0%} up the price ladder"


def _flips(
    tiers: Sequence[Tier], index: int, chosen: Candidate, ladder: Sequence[Candidate], context: Context
) -> tuple[Flip, ...]:
    flips = []
    for i in range(index - 1, -1, -1):
        other = ladder[_place(tiers[i].use, ladder, context)[0]]
        if other is not chosen:
            flips.append(Flip(complexity=tiers[i].below, candidate=other.name, side="below"))
            break
    for i in range(index + 1, len(tiers)):
        other = ladder[_place(tiers[i].use, ladder, context)[0]]
        if other is not chosen:
            flips.append(Flip(complexity=tiers[i - 1].below, candidate=other.name, side="above"))
            break
    return tuple(flips)
