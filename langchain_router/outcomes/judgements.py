"""What was said of one decision, and how much of it counts: the same for every kind of store."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from langchain_router.outcomes.feedback import Feedback
from langchain_router.outcomes.labels import Said, cap_of_a_source, label_of
from langchain_router.outcomes.lessons import Label

ReceiptStatus = Literal["new", "replaced", "same", "capped", "unknown_decision", "late_unknown"]
"""What became of a feedback: stored, stored in the place of an earlier one, nothing new, stored but counting
nothing since its source has said too much that day, not kept because no
such decision is known, or kept aside for an hour in case the decision still comes."""

Place = tuple[str, str]
"""Source and key: each has one feedback about a decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of one feedback.

    Attributes:
        decision_id: The decision that it was found to be about; the id it came with, where none was found.
        status: What was done with it.
        label: How good the answer is by all that is known now, or None.
    """

    decision_id: str
    status: ReceiptStatus
    label: Label | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A feedback as it is stored.

    Attributes:
        score: 0..1.
        given_weight: The weight that it came with.
        weight: The weight that it was granted: the same, or 0 where its source had said too much that day.
        comment: In words, or None.
        at_s: When it was stored, in seconds since 1970.
        revoked: Whether it was taken back.
    """

    score: float
    given_weight: float
    weight: float
    comment: str | None
    at_s: float
    revoked: bool = False


class Allowance:
    """Grants feedback its weight, within what its source may say in a day.

    Args:
        trusted: Sources without a limit.
        said_by: Tells the weight that a source had in the last day.
        said_by_all: The same for all sources together, without what was granted here.

    Attributes:
        granted: All weight that was granted, less that of feedback which was replaced.
    """

    def __init__(
        self,
        trusted: Collection[str],
        *,
        said_by: Callable[[str], float],
        said_by_all: Callable[[], float],
    ) -> None:
        self._trusted = trusted
        self._said_by = said_by
        self._said_by_all = said_by_all
        self._used: dict[str, float] = {}
        self.granted = 0.0
        self._all: float | None = None

    def grant(self, source: str, weight: float, *, instead_of: float = 0.0) -> float:
        """Return the weight that a feedback gets: its own, or 0 beyond the source's limit.

        Args:
            source: Whose it is.
            weight: What it came with.
            instead_of: Weight of the feedback whose place it takes, as far as that is of the last day.
        """
        granted = weight if self._may_have(source, weight - instead_of) else 0.0
        self.granted += granted - instead_of
        if source in self._used:
            self._used[source] += granted - instead_of
        return granted

    def _may_have(self, source: str, more: float) -> bool:
        if source in self._trusted:
            return True
        if source not in self._used:
            self._used[source] = self._said_by(source)
        would_be = self._used[source] + more
        if would_be <= cap_of_a_source(0.0):
            return True
        if self._all is None:
            self._all = self._said_by_all()
        return would_be <= cap_of_a_source(self._all + self.granted)


def take(
    kept: dict[Place, Kept], feedback: Feedback, *, at_s: float, allowance: Allowance, since_s: float
) -> ReceiptStatus:
    """Put a feedback among those that are kept of its decision; return what was done.

    Args:
        kept: What is kept of the decision; changed.
        feedback: What is said now.
        at_s: Now, in seconds since 1970.
        allowance: Says how much of it counts.
        since_s: When the day began that the allowance is for.
    """
    place = (feedback.source, feedback.key)
    before = kept.get(place)
    stands = before is not None and not before.revoked
    if before is not None and stands:
        said = (before.score, before.given_weight, before.comment)
        if said == (feedback.score, feedback.weight, feedback.comment):
            return "same"
    instead_of = before.weight if before is not None and stands and before.at_s > since_s else 0.0
    kept[place] = Kept(
        score=feedback.score,
        given_weight=feedback.weight,
        weight=allowance.grant(feedback.source, feedback.weight, instead_of=instead_of),
        comment=feedback.comment,
        at_s=at_s,
    )
    if feedback.weight and not kept[place].weight:
        return "capped"
    return "replaced" if stands else "new"


def label_now(kept: dict[Place, Kept]) -> Label | None:
    """Return the label that follows from what is kept of a decision."""
    return label_of(
        Said(source=source, key=key, score=one.score, weight=one.weight)
        for (source, key), one in kept.items()
        if not one.revoked
    )
