"""One source that praises without end."""

from __future__ import annotations

import random

from langchain_core.messages import HumanMessage

from langchain_router.outcomes.feedback import Feedback
from langchain_router.outcomes.store import OutcomeStore
from langchain_router.outcomes.storing.memory_store import MemoryStore
from langchain_router.policies import CostPolicy
from langchain_router.request import RoutingRequest
from langchain_router.router import Router
from langchain_router.signals import INTENTS, ComplexityScore, IntentPrediction
from tests.scorecard.recalled import ASKED, NAMES, NOON_S, candidates, outcome, situation
from tests.scorecard.row import Figures, Scale, row

_USERS = 400
_AT_ONCE = 500


@row(
    "L2",
    "One source praises the answers of one candidate 10,000 times in a day, beside 4,000 honest judgements "
    "by 400 users; and another time it curses those of the other as often",
    "The share of requests that go to the praised candidate, by what is learned, moves by at most 5 "
    "percentage points, and is back where it was once the source is taken out. Told: how far it moves where "
    "that source is trusted, and where hardly anybody else has judged.",
    p0=True,
    bound_s=240,
    quick_bound_s=60,
)
def a_flood_of_praise_moves_little(scale: Scale) -> Figures:
    figures = Figures()
    counts = scale(4_000, 1_000), scale(10_000, 2_000), scale(1_000, 200)
    share = 0.0
    for about, score, told in (("small", 1.0, "praise"), ("large", 0.0, "curses")):
        moved, off, share = _moved(("app",), *counts, about=about, score=score)
        figures.at_most(f"{told}: share moved", moved, 5, "pp")
        figures.none(f"{told}: share off once it is taken out", off)
        moved, _, _ = _moved(("app", "eve"), *counts, about=about, score=score)
        figures.tell(f"{told}: share moved if trusted", moved, "pp")
        moved, _, _ = _moved(("app",), 200, *counts[1:], about=about, score=score)
        figures.tell(f"{told}: share moved beside only 200 honest judgements", moved, "pp")
    figures.tell("share of the praised one before", 100 * share, "%")
    return figures


def _moved(
    trusted: tuple[str, ...], honest: int, flood: int, asked: int, *, about: str, score: float
) -> tuple[float, float, float]:
    """Return how far the share moves, how far it is off in the end (both in points), and what it was."""
    store = MemoryStore(trusted_sources=trusted, most_decisions=50_000, wall_clock=lambda: NOON_S)
    rng = random.Random(11)
    _judged(store, honest, rng)
    before = _share(store, asked)
    for start in range(0, flood, _AT_ONCE):
        ids = [f"flood-{number}" for number in range(start, min(flood, start + _AT_ONCE))]
        for id_ in ids:
            store.decided(situation(id_, about, complexity=rng.random()), ASKED)
            store.ended(outcome(id_, about))
        store.add_feedback(*(Feedback(decision_id=id_, score=score, source="eve") for id_ in ids))
    after = _share(store, asked)
    store.forget_source("eve")
    return 100 * abs(after - before), 100 * abs(_share(store, asked) - before), before


def _judged(store: OutcomeStore, count: int, rng: random.Random) -> None:
    """Let honest users judge both candidates: the small one fails more often the harder it gets."""
    for number in range(count):
        id_, name, complexity = f"d{number}", NAMES[number % 2], rng.random()
        store.decided(situation(id_, name, complexity=complexity), ASKED)
        store.ended(outcome(id_, name))
        is_good = rng.random() < (0.97 if name == "large" else 1.0 - 0.3 * complexity)
        source = f"user-{rng.randrange(_USERS)}"
        store.add_feedback(Feedback(decision_id=id_, score=float(is_good), source=source))


class _Told:
    """Says of a request what stands in it: how hard it is, and that it takes reasoning."""

    def classify(self, request: RoutingRequest) -> IntentPrediction:
        probabilities = {intent: float(intent == "reasoning") for intent in INTENTS}
        return IntentPrediction(label="reasoning", probabilities=probabilities, source="told")

    def score(self, request: RoutingRequest, intent: IntentPrediction) -> ComplexityScore:
        return ComplexityScore(value=float(request.messages[0].text))


def _share(store: OutcomeStore, count: int) -> float:
    """Return the share of requests for which the small candidate is chosen, by what the store teaches."""
    router = Router(
        candidates(),
        policy=CostPolicy(quality=0.85),
        intent_classifier=_Told(),
        complexity_scorer=_Told(),
        store=store,
        wall_clock=lambda: NOON_S,
    )
    asked = [RoutingRequest(messages=(HumanMessage(str(number / count)),)) for number in range(count)]
    return sum(router.decide(request).chosen.name == "small" for request in asked) / count
