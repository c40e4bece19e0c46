"""Cascade routing: try the cheap model first, escalate when its answer is not good enough."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from langchain_router.candidates.candidate import ENDPOINT_OPTIONS, Candidate
from langchain_router.candidates.family import family
from langchain_router.checks.base import Check, as_check
from langchain_router.decision import RoutingDecision, Step
from langchain_router.exceptions import ConfigurationError
from langchain_router.policies.context import Context
from langchain_router.policies.cost import CostPolicy
from langchain_router.policies.ladder import by_price
from langchain_router.signals.types import Intent
from langchain_router.wording import kind_of

TierGiven = tuple[Candidate | str, object]

_COMPARABLE: Final[frozenset[Intent]] = frozenset({"classification", "extraction", "reasoning"})
"""Intents whose answers are a label, data or a result."""


class CascadePolicy:
    """Try the cheapest tier first and escalate while the answers do not pass their tier's check.

    Saves most where answers can be checked cheaply, for more latency on the requests that escalate. Prefer
    `CostPolicy` where only the request, not the answer, can be judged: it calls one model. The seed article's
    cascade is three tiers: a heuristic check, a judge, and a last tier without a check.

    Each tier's verdict is in the outcome, with what every draft and every check cost. How long it goes on is
    `Resilience(stop=...)`'s to say; the best answer so far is returned when it must stop.

    Without tiers it builds a plan for each request. Where answers can be compared (a number, a choice, data,
    a label), one cheap model drafts, a second one of another family is asked the same, and the model
    predicted best answers where they do not agree: of the checks that need no further model this is the one
    that beats escalating at random on recorded answers (`langchain-router bench-checks`). The draft's model
    is the one with which that would cost least if the check were perfect. Where answers cannot be compared
    (an essay, a chat), no check that ships beats chance, so it chooses one model as `CostPolicy` does.

    Args:
        tiers: `(candidate, check)` pairs, cheapest first; the last one's check is None, so that its answer
            is accepted as it is. A candidate is one of the router's, or its name; a check is a check, a
            function of request and response, or None.
        quality: Without tiers: least predicted quality for requests whose answers cannot be compared, 0..1.

    Raises:
        ConfigurationError: No tiers, a check missing before the last tier or given on it, both arguments
            given; when the router is built, a candidate that is not one of its own, or a check that asks a
            model which nobody knows.

    Example:
        >>> from langchain_router.checks import HeuristicCheck
        >>> CascadePolicy([("openai/gpt-4o-mini", HeuristicCheck()), ("openai/gpt-4o", None)])
        CascadePolicy([('openai/gpt-4o-mini', HeuristicCheck()), ('openai/gpt-4o', None)])
    """

    name = "cascade"

    def __init__(self, tiers: Sequence[TierGiven] | None = None, *, quality: float | None = None) -> None:
        if tiers is not None and quality is not None:
            raise ConfigurationError(
                f"quality={quality!r} is for a cascade without tiers; leave it or the tiers out."
            )
        self.tiers = None if tiers is None else _checked(tiers)
        self._uncomparable = CostPolicy() if quality is None else CostPolicy(quality)

    def check_candidates(self, candidates: Sequence[Candidate]) -> None:
        """Refuse tiers that name a candidate which is not there, or whose check asks a model that is not."""
        known = [candidate.name for candidate in candidates]
        for name, check in self.tiers or ():
            if name not in known:
                raise ConfigurationError(
                    f"A tier of the cascade is {name!r}, which is not a candidate of the router. "
                    f"The candidates are {', '.join(known)}."
                )
            for model in () if check is None else check.models:
                if model.model not in known and _is_unknown(model):
                    raise ConfigurationError(
                        f"The check of {name!r} asks {model.name!r}, which is neither a candidate of the "
                        "router nor a model that LiteLLM lists. Name a candidate, or write the provider too: "
                        "'openai/gpt-4o-mini', or state it: Candidate(model=..., provider=...)."
                    )
        if self.tiers is None and len(known) < 2:
            raise ConfigurationError(
                "A cascade needs at least two candidates, a cheap one and a better one; "
                f"there is only {known[0]!r}."
            )

    def select(self, context: Context, candidates: Sequence[Candidate]) -> RoutingDecision:
        """Plan the tiers that may answer; others follow, best first, for when all tiers fail."""
        if self.tiers is None and not has_comparable_answer(context):
            return self._one_model(context, candidates)
        ladder = by_price(candidates)
        steps = self._agreeing(context, ladder) if self.tiers is None else self._own_steps(ladder)
        planned = {step.candidate.name for step in steps}
        others = sorted(
            (one for one in ladder if one.name not in planned),
            key=lambda one: -(context.predicted_quality(one) or 0.0),
        )
        plan = [*steps, *(Step(candidate=one) for one in others)]
        is_no_cascade = self.tiers is None and steps[0].check is None
        return context.decision(
            plan,
            reason=self._why_one_model(context, ladder) if is_no_cascade else _reason(plan),
            policy=self.name,
            policy_params=self._params(),
            remarks={
                **{step.candidate.name: "the next tier" for step in steps[1:]},
                **{one.name: "no tier of the cascade; called when all tiers fail" for one in others},
            },
        )

    def step_for(self, *, candidate: Candidate) -> Step:
        """Return how a candidate is called that is left alone now, when all others fail: with its check."""
        return Step(candidate=candidate, check=dict(self.tiers or ()).get(candidate.name))

    def _one_model(self, context: Context, candidates: Sequence[Candidate]) -> RoutingDecision:
        chosen = self._uncomparable.select(context, candidates)
        reason = f"{chosen.reason}; an answer of this kind cannot be checked cheaply"
        return replace(chosen, reason=reason, policy=self.name, policy_params=self._params())

    def _why_one_model(self, context: Context, ladder: Sequence[Candidate]) -> str:
        if len(ladder) == 1:
            return "the only candidate that may answer"
        if all(context.predicted_quality(one) is None for one in ladder):
            return "no cascade, as no quality is known: give Candidate(quality=...) to say which is better"
        if all(context.estimated_cost_usd(one) is None for one in ladder):
            return "the best there is; no cascade, as no price is known: give Candidate(price=...)"
        return "the best there is; no cascade, as no two other models together cost less"

    def _own_steps(self, ladder: Sequence[Candidate]) -> list[Step]:
        """Return the tiers that may answer; where none of them may, the dearest that may stands in."""
        eligible = {candidate.name: candidate for candidate in ladder}
        steps = [
            Step(candidate=eligible[name], check=check)
            for name, check in self.tiers or ()
            if name in eligible
        ]
        return steps or [Step(candidate=ladder[-1])]

    def _agreeing(self, context: Context, ladder: Sequence[Candidate]) -> list[Step]:
        """Return a draft that a second model must agree to, and who answers where it does not."""
        from langchain_router.checks.agreement import AgreementCheck

        def quality(one: Candidate) -> float:
            return context.predicted_quality(one) or 0.0

        def cost_usd(one: Candidate) -> float:
            known = context.estimated_cost_usd(one)
            return math.inf if known is None else known

        best = max(ladder, key=lambda one: (quality(one), -cost_usd(one)))
        cheaper = [one for one in ladder if cost_usd(one) < cost_usd(best)]
        cheaper.sort(key=lambda one: cost_usd(one) + (1 - quality(one)) * cost_usd(best))
        if not cheaper:
            return [Step(candidate=best)]
        draft, *others = cheaper
        kinless = [one for one in others if family(one.name) != family(draft.name)]
        second = next(iter([*kinless, *others]), None)
        if second is None or cost_usd(draft) + cost_usd(second) >= cost_usd(best):
            return [Step(candidate=best)]
        return [Step(candidate=draft, check=AgreementCheck(second)), Step(candidate=best)]

    def _params(self) -> dict[str, Any]:
        if self.tiers is None:
            return {"tiers": None, "quality": self._uncomparable.quality}
        return {"tiers": [[name, None if check is None else repr(check)] for name, check in self.tiers]}

    def __repr__(self) -> str:
        if self.tiers is None:
            return f"CascadePolicy(quality={self._uncomparable.quality!r})"
        return f"CascadePolicy({list(self.tiers)!r})"


def _checked(tiers: Sequence[TierGiven]) -> tuple[tuple[str, Check | None], ...]:
    try:
        pairs = [(given, check) for given, check in tiers]
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            'tiers must be pairs such as [("cheap", HeuristicCheck()), ("dear", None)], cheapest first.'
        ) from error
    if not pairs:
        raise ConfigurationError("A cascade needs at least one tier.")
    found: list[tuple[str, Check | None]] = []
    for given, check in pairs:
        name = given.name if isinstance(given, Candidate) else given
        if not isinstance(name, str):
            raise ConfigurationError(
                f"A tier starts with a candidate of the router or its name, got {kind_of(given)}."
            )
        if name in [known for known, _ in found]:
            raise ConfigurationError(f"Two tiers call {name!r}; a candidate is one tier.")
        found.append((name, None if check is None else as_check(check)))
    unchecked = [name for name, check in found[:-1] if check is None]
    if unchecked:
        raise ConfigurationError(
            f"The tier {unchecked[0]!r} has no check, so nothing behind it would ever be called. "
            "Give it one, e.g. HeuristicCheck(), or make it the last."
        )
    if found[-1][1] is not None:
        raise ConfigurationError(
            f"The last tier {found[-1][0]!r} has a check, but nobody to escalate to: "
            f"write ({found[-1][0]!r}, None)."
        )
    return tuple(found)


def _is_unknown(model: Candidate) -> bool:
    """Return whether LiteLLM would not know where to send this model's calls."""
    given = model.model
    elsewhere = ENDPOINT_OPTIONS & model.options.keys()
    return isinstance(given, str) and "/" not in given and model.provider is None and not elsewhere


def has_comparable_answer(context: Context) -> bool:
    """Return whether two good answers to the request would be the same, but for their wording."""
    from langchain_router.checks.final_answers.cues import cues

    shown = cues(context.request)
    asked_for = shown.options or shown.number or shown.yes_no or shown.schema or context.request.tools
    return bool(asked_for) or context.intent.label in _COMPARABLE


def _reason(plan: Sequence[Step]) -> str:
    first = plan[0]
    if first.check is None:
        return "the only tier of the cascade that may answer"
    who = plan[1].candidate.name if len(plan) > 1 else "nobody that may answer now"
    return f"the first tier; {who} takes over what {first.check!r} does not pass"
