"""What a quality model reads out of a lesson."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from langchain_router.outcomes.lessons import Call, Ended, Lesson, Situation
from langchain_router.signals.types import IntentPrediction

ANSWERS: Final = frozenset({"answer", "draft", "hedge"})
"""Roles of calls whose answer may be returned."""

_ASKED: Final = frozenset({"second", "judge"})


def as_intent(situation: Situation) -> IntentPrediction:
    """Return the prediction that a situation was decided on."""
    return IntentPrediction(
        label=situation.intent, probabilities=situation.intent_probabilities, source="lesson"
    )


def lesson_time(lesson: Lesson) -> float:
    """Return when what a lesson is about was decided, in seconds since 1970."""
    ended = lesson if isinstance(lesson, Ended) else lesson.ended
    return ended.situation.at_s


def asked_usd_of(calls: Sequence[Call], draft: Call) -> float | None:
    """Return what the check of a draft asked besides, in US dollars; None when that of any is unknown.

    What is asked before the first draft is there was asked for it; the rest, for the draft before it.
    """
    drafts = [place for place, call in enumerate(calls) if call.role in ANSWERS]
    here = next(place for place in drafts if calls[place] is draft)
    start = 0 if here == drafts[0] else here
    end = next((place for place in drafts if place > here), len(calls))
    costs = [call.cost_usd for call in calls[start:end] if call.role in _ASKED]
    return None if None in costs else sum(cost for cost in costs if cost is not None)
