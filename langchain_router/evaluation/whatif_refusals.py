"""When a log does not tell what another policy would have come to, and what to do about it."""

from __future__ import annotations

from typing import Final

from langchain_router.evaluation.offpolicy.intervals import mean_of
from langchain_router.evaluation.offpolicy.weights import effective_sample
from langchain_router.evaluation.whatif_figure import Outcomes, Policies
from langchain_router.exceptions import InsufficientEvidenceError

LEAST_EFFECTIVE: Final = 100.0
"""With fewer effective requests than these there is no answer."""

_MOST_OUTSIDE: Final = 0.05
_CERTAIN: Final = 1 - 1e-9
_DOUBTLESS: Final = 0.99
_HOW_TO_GET_MORE: Final = (
    "Let a policy explore that writes down the probability of its choices, such as policy='thompson' or "
    "'epsilon_greedy', or send a small random share of requests to each candidate, and collect more traffic."
)


def refuse_what_was_never_tried(policies: Policies) -> None:
    """Refuse where a good part of what a policy would do could not have come up in the log.

    Args:
        policies: What was chosen, and what would be.

    Raises:
        InsufficientEvidenceError: More than a twentieth could not, beyond reasonable doubt.
    """
    elsewhere = float(1 - policies.of_recorded.mean())
    if (policies.propensity >= _CERTAIN).all() and elsewhere > 1 - _CERTAIN:
        raise InsufficientEvidenceError(
            "The recorded policy left nothing to chance: each of its "
            f"{len(policies.arm):,} choices was certain (propensity 1), so they say nothing of the "
            f"{elsewhere:.0%} of requests that this policy would send elsewhere. {_HOW_TO_GET_MORE}"
        )
    unseen = policies.target[:, policies.seen :].sum(axis=0) / len(policies.arm)
    if unseen.sum() > _MOST_OUTSIDE:
        name = policies.names[policies.seen + int(unseen.argmax())]
        raise InsufficientEvidenceError(
            f"This policy would treat {unseen.sum():.0%} of requests in a way that was never recorded, most "
            f"often {name!r}. {_HOW_TO_GET_MORE}"
        )
    weight = policies.weight  # its mean is the share of the other policy's choices that could come up
    mean_weight = mean_of(weight, effective=effective_sample(weight), confidence=_DOUBTLESS)
    if mean_weight.high < 1 - _MOST_OUTSIDE:
        raise InsufficientEvidenceError(
            f"Only about {mean_weight.value:.0%} (at most {mean_weight.high:.0%}) of what this policy would "
            "do could have come up in the log: the recorded policy left the rest to chance too seldom, or "
            "never. Where it began to explore later, look at the time since then only. "
            f"{_HOW_TO_GET_MORE}"
        )


def refuse_too_few(policies: Policies, outcomes: Outcomes) -> None:
    """Refuse where too few requests tell of the other policy.

    Args:
        policies: What was chosen, and what would be.
        outcomes: What is wanted of them.

    Raises:
        InsufficientEvidenceError: They are worth fewer than `LEAST_EFFECTIVE` of equal weight.
    """
    weight = policies.weight * outcomes.factor
    effective = effective_sample(weight)
    if effective >= LEAST_EFFECTIVE:
        return
    requests, known = len(weight), int((outcomes.known > 0).sum())
    is_quality = outcomes.what == "quality"
    more = (
        f"About {requests * LEAST_EFFECTIVE / effective:,.0f} requests like these are needed. "
        if effective > 0
        else ""
    )
    aside = (
        " Without feedback the cost alone can be estimated (cost_only=True, --cost-only)."
        if is_quality
        else ""
    )
    raise InsufficientEvidenceError(
        f"Too little is recorded to say what the {outcomes.what} would be: the effective sample is "
        f"{effective:.0f}, and {LEAST_EFFECTIVE:.0f} are needed. Of {requests:,} recorded requests, "
        f"{known:,} {'are judged' if is_quality else 'have a known cost'}, and "
        f"{int((weight > 0).sum()):,} of these were treated as this policy might. "
        f"{more}{_HOW_TO_GET_MORE}{aside}",
        effective_sample=effective,
    )
