"""Tells the store of every request, without making it wait."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from langchain_router.decision import RoutingDecision
from langchain_router.outcomes.lessons import Situation
from langchain_router.outcomes.records import Outcome
from langchain_router.request import RoutingRequest

if TYPE_CHECKING:
    from langchain_router.outcomes.asked import Asked
    from langchain_router.outcomes.learning import Learning
    from langchain_router.outcomes.store import OutcomeStore

_RUN_ID: Final = re.compile(r"(?:lc_)?run-+([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
"""LangChain names a message for its run where the provider gives it no id."""

_logger = logging.getLogger("langchain_router")


class Recorder:
    """Writes down decisions before they are acted on, and what came of them.

    Nothing here raises or waits: a request is never lost, nor held up, for want of a record of it.

    Args:
        store: Where to.
        learning: Looks for lessons now and then, while there are requests.
        asked: Says of a request what may be stored of it.
        wall_clock: Seconds since 1970.
    """

    def __init__(
        self,
        store: OutcomeStore,
        learning: Learning,
        *,
        asked: Callable[[RoutingRequest], Asked],
        on_decision: Callable[[str], None] | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._learning = learning
        self._asked = asked
        self._on_decision = on_decision
        self._wall_clock = wall_clock

    def began(
        self, decision: RoutingDecision, request: RoutingRequest, *, run_ids: Iterable[str] = ()
    ) -> None:
        """Write down a decision that is about to be acted on, and the runs by whose ids feedback may come."""
        try:
            situation = situation_of(decision, at_s=self._wall_clock())
            self._store.decided(situation, self._asked(request))
            for run_id in run_ids:
                self._store.linked(decision.id, run_id)
            if self._on_decision is not None:
                self._on_decision(decision.id)
            self._learning.look()
        except Exception as error:  # noqa: BLE001 - a record must not lose the request
            _logger.warning("a decision was not recorded (%s)", type(error).__name__)

    def ended(self, outcome: Outcome) -> None:
        """Write down what came of it; a message that is named for its run is found by that, too."""
        try:
            self._store.ended(outcome, message_id=outcome.message_id)
            run_id = _RUN_ID.match(outcome.message_id or "")
            if run_id is not None:
                self._store.linked(outcome.decision_id, run_id.group(1))
        except Exception as error:  # noqa: BLE001 - a record must not lose the answer
            _logger.warning("an outcome was not recorded (%s)", type(error).__name__)


def situation_of(decision: RoutingDecision, *, at_s: float) -> Situation:
    """Return what a decision was made on, as learners take it.

    Args:
        decision: What was decided.
        at_s: When, in seconds since 1970.
    """
    return Situation(
        decision_id=decision.id,
        at_s=at_s,
        intent=decision.intent.label,
        intent_probabilities=dict(decision.intent.probabilities),
        complexity=decision.complexity.value,
        features=decision.features,
        arm=decision.arm,
        plan=tuple(
            (step.candidate.name, None if step.check is None else repr(step.check)) for step in decision.plan
        ),
        policy=decision.policy,
        propensity=decision.propensity,
        expected_cost_usd={one.name: one.estimated_cost_usd for one in decision.eligible},
    )
