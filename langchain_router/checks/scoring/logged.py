"""Examples for a scorer from a log of feedback and from texts that the application kept itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from langchain_core.messages import AIMessage

from langchain_router.checks.scoring.answered import Answered
from langchain_router.outcomes.lessons import Labelled
from langchain_router.outcomes.store import OutcomeStore
from langchain_router.request import RoutingRequest

Texts = Mapping[str, tuple[RoutingRequest | str, AIMessage | str]]
"""By the id of a decision, what was asked and what was answered."""

_LESSONS = 1_000
_LEAST_WEIGHT = 1e-6


def examples_from_store(store: OutcomeStore, texts: Texts) -> Iterator[Answered]:
    """Yield the answers on which feedback came, with all that is known of how good each was.

    A store holds no answers, whatever else is captured: keep those that a scorer is to be fitted on
    yourself, by `response_metadata["router"]["decision_id"]`.

    Only answers that were returned are judged. Where a check held back the drafts that looked wrong, those
    are missing here, and a scorer fitted on the rest takes too many drafts to be right: let a share of the
    requests go without that check, and fit on these.

    Args:
        store: With outcomes and feedback.
        texts: What was asked and answered; decisions that are not in it are left out.

    Example:
        See `docs/cascade.md`.
    """
    last: dict[str, Labelled] = {}
    after = 0
    while page := store.lessons(after, _LESSONS):
        after = page[-1][0]
        for _, lesson in page:
            if isinstance(lesson, Labelled):
                last[lesson.ended.situation.decision_id] = lesson
    for decision_id, lesson in last.items():
        label, known = lesson.new, texts.get(decision_id)
        if label is not None and label.weight > _LEAST_WEIGHT and known is not None:
            prompt, answer = known
            yield Answered(
                prompt=prompt,
                answer=answer,
                score=label.score,
                weight=label.weight,
                draft=lesson.ended.served_by,
            )
