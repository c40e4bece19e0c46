"""Feedback that is wrong, late, twice, missing or malicious, and beliefs that stay what they should be."""

from __future__ import annotations

import contextlib
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from langchain_router.outcomes.feedback import Feedback
from langchain_router.outcomes.incoming import import_feedback
from langchain_router.outcomes.lessons import Labelled, Situation
from langchain_router.outcomes.store import OutcomeStore
from langchain_router.outcomes.storing.memory_store import MemoryStore
from langchain_router.quality.learned import LearnedQuality
from langchain_router.signals.types import Intent
from tests.scorecard.recalled import ASKED, NAMES, NOON_S, candidates, outcome, served, situation, stores
from tests.scorecard.row import Figures, Scale, row

_INTENTS: tuple[Intent, ...] = ("reasoning", "conversation", "extraction")


@row(
    "L1",
    "10,000 bad feedbacks: NaN, infinite, out of range or no number at all; of unknown and of forgotten "
    "decisions; and the same again and again; in memory and in SQLite",
    "Each is refused, kept aside, or changes nothing, and the counts say which. What is believed afterwards "
    "is what was believed before, bit for bit.",
    p0=True,
    bound_s=120,
    quick_bound_s=30,
)
def bad_feedback_is_counted_and_changes_nothing(scale: Scale) -> Figures:
    figures = Figures()
    for name, store in stores():
        with contextlib.closing(store):
            _tell_bad(figures, name, store, scale(10_000, 800))
    _tell_forgotten(figures, scale(1_000, 100))
    return figures


def _tell_bad(figures: Figures, name: str, store: OutcomeStore, count: int) -> None:
    known = [f"known-{number}" for number in range(100)]
    for id_ in known:
        served(store, id_)
    good = [{"id": id_, "score": 0.75, "source": f"user-{index % 20}"} for index, id_ in enumerate(known)]
    first = import_feedback(store, good)
    before, label_changes = _beliefs(store), _label_changes(store)

    part = count // 4
    rng = random.Random(1)
    bad: list[Any] = [math.nan, math.inf, -math.inf, -0.01, 1.01, 1e308, "NaN", "-inf", "good", True, [1], {}]
    wrong = [{"id": rng.choice(known), "score": bad[index % len(bad)]} for index in range(part)]
    wrong += [{"id": rng.choice(known), "score": 1, "weight": bad[index % len(bad)]} for index in range(part)]
    strange = [{"id": f"unknown-{index}", "score": index % 2} for index in range(part)]
    again = [dict(good[index % len(good)]) for index in range(count - 3 * part)]
    rows = wrong + strange + again
    rng.shuffle(rows)
    imported = import_feedback(store, rows)
    came = Counter(imported.statuses)

    figures.exactly(f"{name}: good ones stored", first.statuses.get("new", 0), len(good))
    figures.exactly(f"{name}: bad numbers refused", imported.refused, len(wrong))
    aside = came["unknown_decision"] + came["late_unknown"]
    figures.exactly(f"{name}: of unknown decisions kept aside or refused", aside, len(strange))
    figures.exactly(f"{name}: repeated ones found to say nothing new", came["same"], len(again))
    figures.exactly(f"{name}: all counted", imported.refused + came.total(), count)
    figures.none(f"{name}: labels changed", _label_changes(store) - label_changes)
    figures.exactly(f"{name}: beliefs as before", float(_beliefs(store) == before), 1)


def _tell_forgotten(figures: Figures, count: int) -> None:
    """Say something of decisions that a store in memory has had to forget."""
    store = MemoryStore(most_decisions=10)
    for number in range(count + 10):
        served(store, f"d{number}")
    before, changes = _beliefs(store), _label_changes(store)
    came = import_feedback(store, [{"id": f"d{number}", "score": 1} for number in range(count)]).statuses
    aside = came.get("unknown_decision", 0) + came.get("late_unknown", 0)
    figures.exactly("of forgotten decisions kept aside or refused", aside, count)
    figures.none("labels changed by these", _label_changes(store) - changes)
    figures.exactly("beliefs as before these", float(_beliefs(store) == before), 1)


@row(
    "L3",
    "The same 600 requests and their feedback in order; late; mixed up, the feedback before the outcome; the "
    "lessons in any order; and with requests of which no more was heard; in memory and in SQLite",
    "The beliefs are exactly equal, byte for byte. Requests without an outcome teach nothing.",
    bound_s=120,
    quick_bound_s=30,
)
def beliefs_do_not_depend_on_order(scale: Scale) -> Figures:
    figures = Figures()
    count = scale(600, 80)
    story = _story(count)
    expected = None
    for orders in (_in_order, _late, _mixed_up, _with_orphans):
        for name, store in stores():
            with contextlib.closing(store):
                for event in orders(story):
                    event(store)
                store.flush()
                beliefs = _beliefs(store)
                shuffled = _beliefs(store, shuffled_by=random.Random(7))
            expected = expected or beliefs
            told = f"{name}, {orders.__name__.strip('_').replace('_', ' ')}"
            figures.exactly(f"{told}: beliefs equal", float(beliefs == expected), 1)
            figures.exactly(f"{told}: also from shuffled lessons", float(shuffled == expected), 1)
    fresh = LearnedQuality(candidates()).state()
    figures.exactly("beliefs that are not those of the beginning", float(expected != fresh), 1)
    return figures


Event = Callable[[OutcomeStore], object]
Story = list[tuple[Event, Event, list[Event]]]
"""For each request its decision, its outcome, and the feedback on it."""


def _story(count: int) -> Story:
    rng = random.Random(3)
    story: Story = []
    for number in range(count):
        id_, name, intent = f"d{number}", rng.choice(NAMES), rng.choice(_INTENTS)
        asked = situation(id_, name, intent=intent, at_s=NOON_S + 60 * number)
        said = [
            Feedback(
                decision_id=id_,
                score=rng.random(),
                weight=rng.choice([1.0, 0.5, 0.3]),
                source=f"user-{(number + other) % 97}",
            )
            for other in range(rng.randrange(4))
        ]
        story.append((_deciding(asked), _ending(id_, name), [_saying(one) for one in said]))
    return story


def _in_order(story: Story) -> Iterator[Event]:
    for decided, ended, said in story:
        yield decided
        yield ended
        yield from said


def _late(story: Story) -> Iterator[Event]:
    for decided, ended, _ in story:
        yield decided
        yield ended
    for _, _, said in reversed(story):
        yield from said


def _mixed_up(story: Story) -> Iterator[Event]:
    yield from (decided for decided, _, _ in story)
    rest = [event for _, ended, said in story for event in (ended, *said, *said[:1])]  # and one of each twice
    random.Random(5).shuffle(rest)
    yield from rest


def _with_orphans(story: Story) -> Iterator[Event]:
    for number, (decided, ended, said) in enumerate(story):
        orphan = f"orphan-{number}"
        yield _deciding(situation(orphan, NAMES[number % 2], at_s=NOON_S))
        yield _saying(Feedback(decision_id=orphan, score=0.0, source=f"orphan-user-{number % 97}"))
        yield decided
        yield ended
        yield from said


def _deciding(asked: Situation) -> Event:
    return lambda store: store.decided(asked, ASKED)


def _ending(id_: str, name: str) -> Event:
    return lambda store: store.ended(outcome(id_, name))


def _saying(feedback: Feedback) -> Event:
    return lambda store: store.add_feedback(feedback)


# --- beliefs ---------------------------------------------------------------------------------------


def _lessons(store: OutcomeStore) -> list[Any]:
    found: list[Any] = []
    after = 0
    while some := store.lessons(after):
        found += [lesson for _, lesson in some]
        after = some[-1][0]
    return found


def _label_changes(store: OutcomeStore) -> int:
    return sum(isinstance(lesson, Labelled) for lesson in _lessons(store))


def _beliefs(store: OutcomeStore, *, shuffled_by: random.Random | None = None) -> bytes:
    """Return what a quality model believes that has learned everything in the store."""
    model = LearnedQuality(candidates())
    lessons = _lessons(store)
    if shuffled_by is not None:
        shuffled_by.shuffle(lessons)
    model.learn_all(lessons)
    return model.state()
