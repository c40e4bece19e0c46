"""A decision in plain words, for a person reading a log, a terminal or a trace."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from langchain_router.exceptions import ConfigurationError

if TYPE_CHECKING:
    from langchain_router.decision import Eligible, RoutingDecision

_CONTRIBUTIONS_SHOWN = 3
_OTHERS_SHOWN = 5


def explain(decision: RoutingDecision) -> str:
    """Return the explanation of a decision, one fact a line."""
    return "\n".join(_lines(decision))


def _lines(decision: RoutingDecision) -> Iterator[str]:
    yield f"Chose {decision.chosen.name}: {decision.reason}."
    yield (
        f"  Request: {decision.intent.label} ({decision.intent.confidence:.0%} sure, "
        f"by {decision.intent.source}), complexity {decision.complexity.value:.2f}{_moved_by(decision)}."
    )
    yield f"  Expected: {_expectation(next(e for e in decision.eligible if e.name == decision.chosen.name))}."
    yield from _certified(decision)
    others = [one for one in decision.eligible if one.name != decision.chosen.name]
    for other in others[:_OTHERS_SHOWN]:
        yield f"  Not {other.name}: {other.remark or 'ranked lower'} ({_expectation(other)})."
    if len(others) > _OTHERS_SHOWN:
        yield f"  Nor {len(others) - _OTHERS_SHOWN} others: .eligible lists them."
    for name, reasons in decision.excluded.items():
        yield f"  Not eligible {name}: {'; '.join(reasons)}."
    yield f"  {_flips(decision)}"
    yield from _checks(decision)
    if len(decision.plan) > 1:
        yield f"  If it fails: {', then '.join(step.candidate.name for step in decision.plan[1:])}."


def _checks(decision: RoutingDecision) -> Iterator[str]:
    for step, following in itertools.zip_longest(decision.plan, decision.plan[1:]):
        if step.check is None:
            continue
        then = (
            "else it is the best there is"
            if following is None
            else f"else {following.candidate.name} is asked"
        )
        yield f"  The answer of {step.candidate.name} counts if {step.check!r} passes it, {then}."


def _certified(decision: RoutingDecision) -> Iterator[str]:
    """Cite the certificate that the policy went by, where it names one; what is none is not cited."""
    given = decision.policy_params.get("certificate")
    if given is None:
        return
    from langchain_router.evaluation.calibration.certificate import Certificate

    try:
        yield f"  Certified: {Certificate.from_dict(given).sentence()}."
    except ConfigurationError:
        return


def _moved_by(decision: RoutingDecision) -> str:
    strongest = sorted(decision.complexity.contributions.items(), key=lambda item: -abs(item[1]))
    shown = ", ".join(
        f"{name} {value:+.2f}" for name, value in strongest[:_CONTRIBUTIONS_SHOWN] if abs(value) >= 0.005
    )
    return f" (moved by {shown})" if shown else ""


def _expectation(one: Eligible) -> str:
    quality = "unknown quality" if one.predicted_quality is None else f"quality {one.predicted_quality:.3f}"
    cost = "unknown price" if one.estimated_cost_usd is None else f"about ${one.estimated_cost_usd:.6f}"
    latency = "" if one.latency_s is None else f", {one.latency_s:g} s"
    return f"{quality}, {cost}{latency}"


def _flips(decision: RoutingDecision) -> str:
    value = decision.complexity.value
    if not decision.flips:
        return "No other complexity would have changed the choice."
    parts = []
    for flip in decision.flips:
        away = abs(flip.complexity - value)
        parts.append(f"{flip.candidate} {flip.side} complexity {flip.complexity:.3f} ({away:.3f} away)")
    return f"Would flip to {' and to '.join(parts)}."
