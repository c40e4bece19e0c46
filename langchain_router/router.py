"""The router itself: decides for a request, and runs what was decided. Knows nothing of LangChain's runs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain_router.candidates.candidate import Candidate
from langchain_router.candidates.eligibility import reasons_against
from langchain_router.candidates.most_cost import most_cost_usd
from langchain_router.candidates.spend_cap import SpendCap, Spending
from langchain_router.decision import RoutingDecision, Step
from langchain_router.exceptions import ConfigurationError, NoEligibleCandidateError
from langchain_router.execution.drivers import AMakeCall, MakeCall, adrive, drive
from langchain_router.execution.gates import Gates
from langchain_router.execution.plan import Machine, walk
from langchain_router.execution.resilience import Resilience
from langchain_router.execution.served import Served
from langchain_router.outcomes.asked import Asked
from langchain_router.outcomes.learning import Learning, learners_among
from langchain_router.outcomes.recorder import Recorder
from langchain_router.outcomes.records import Outcome
from langchain_router.outcomes.redaction import Redactor
from langchain_router.policies.context import Context, Policy
from langchain_router.quality.prior import PriorQuality, QualityModel
from langchain_router.request import RoutingRequest
from langchain_router.signals import (
    INTENTS,
    ComplexityScore,
    ComplexityScorer,
    HeuristicComplexityScorer,
    IntentClassifier,
    IntentPrediction,
    KeywordIntentClassifier,
    default_intent_classifier,
)

if TYPE_CHECKING:
    from langchain_router.evaluation.calibration.watch import CertificateWatch
    from langchain_router.outcomes.store import OutcomeStore

_logger = logging.getLogger("langchain_router")

OnOutcome = Callable[[RoutingDecision, Outcome], None]
OnEnd = Callable[[Outcome], None]


class Router:
    """Walks a request through signals, eligibility and policy, and runs the plan that comes out.

    `ChatRouter` is the face that a LangChain user meets; use this one where there is no LangChain run to
    manage, e.g. in a gateway of your own.

    Args:
        candidates: Resolved candidates, at least one, each with a name of its own.
        policy: Chooses among those that may answer.
        intent_classifier: Layer 1; keywords by default.
        complexity_scorer: Layer 2; the heuristic by default.
        quality: Predicts how well a candidate answers; by default the catalogue's priors, and where there is
            a store those corrected by feedback.
        resilience: How hard to try: retries, deadlines, breakers, hedging.
        spend_cap: The most that each tenant may spend in a window of time.
        store: Where decisions, outcomes and feedback are kept, and learned from; None keeps nothing.
        capture: Has prompts stored too, after this has taken out what may not be; None stores none.
        on_outcome: Called with the decision and the outcome of every request, in the thread or loop that
            served it. What it raises is logged and goes no further.
        on_decision: Called with the id of every decision that is acted on and stored, before the first call.
        clock: Monotonic seconds.
        wall_clock: Seconds since 1970, for what is stored.

    Raises:
        ConfigurationError: No candidates, two of the same name, or a policy that names one not there.
        StoreError: What was learned before cannot be read.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        *,
        policy: Policy,
        intent_classifier: IntentClassifier | None = None,
        complexity_scorer: ComplexityScorer | None = None,
        quality: QualityModel | None = None,
        resilience: Resilience | None = None,
        spend_cap: SpendCap | None = None,
        store: OutcomeStore | None = None,
        capture: Redactor | None = None,
        on_outcome: OnOutcome | None = None,
        on_decision: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.candidates = _checked_candidates(candidates)
        self.policy = policy
        self._keywords = KeywordIntentClassifier()
        self._heuristic = HeuristicComplexityScorer()
        self._intent_classifier = intent_classifier or default_intent_classifier()
        self._complexity_scorer = complexity_scorer or self._heuristic
        self.quality = quality or _quality_of(self.candidates, learns=store is not None)
        self.resilience = resilience or Resilience()
        self._on_outcome = on_outcome
        self._clock = clock
        self._gates = Gates(self.resilience, candidates=self.candidates, clock=clock)
        self._spending = None if spend_cap is None else Spending(spend_cap, clock=clock)
        self._certificate_watch: CertificateWatch | None = getattr(policy, "certificate_watch", None)
        check = getattr(policy, "check_candidates", None)
        if check is not None:
            check(self.candidates)
        self.store = store
        self.learning: Learning | None = None
        self._recorder: Recorder | None = None
        if store is not None:
            learners = learners_among(policy, self._certificate_watch, self.quality)
            self.learning = Learning(store, learners, clock=clock)
            self.learning.start()
            self._recorder = Recorder(
                store,
                self.learning,
                asked=lambda request: Asked.of(request, key=store.key, capture=capture),
                on_decision=on_decision,
                wall_clock=wall_clock,
            )

    def decide(self, request: RoutingRequest) -> RoutingDecision:
        """Decide who answers, without calling anyone (but an intent classifier that is itself a model).

        Raises:
            NoEligibleCandidateError: The constraints exclude every candidate.
        """
        try:
            intent = _checked_intent(self._intent_classifier.classify(request))
        except Exception as error:  # noqa: BLE001 - a broken classifier must not lose the request
            intent = self._without_classifier(request, error)
        return self._select(request, intent)

    async def adecide(self, request: RoutingRequest) -> RoutingDecision:
        """Decide as `decide` does, awaiting a classifier that offers `aclassify`."""
        aclassify = getattr(self._intent_classifier, "aclassify", None)
        if aclassify is None:
            return self.decide(request)
        try:
            intent = _checked_intent(await aclassify(request))
        except Exception as error:  # noqa: BLE001 - a broken classifier must not lose the request
            intent = self._without_classifier(request, error)
        return self._select(request, intent)

    def serve(
        self,
        decision: RoutingDecision,
        request: RoutingRequest,
        call: MakeCall,
        *,
        is_live: bool = False,
        on_end: OnEnd | None = None,
        run_ids: Sequence[str] = (),
    ) -> Served:
        """Walk the decision's plan until a step's answer is accepted.

        Args:
            decision: Whose plan to walk.
            request: What it was made for.
            call: Makes one call, within the call's `timeout_s`, and returns a `Reply`, or raises.
            is_live: Whether answers are shown while they arrive; then say `finish` on what is returned.
            on_end: Called once with what the request came to, before this returns or raises; of a live answer
                when it is finished. Must not raise.
            run_ids: Of the LangChain runs around it, by which feedback may come.

        Raises:
            RouterExhaustedError: Every call of a plan of several failed.
            CircuitOpenError: Nobody may be called now.
        """
        return drive(self._walk(decision, request, is_live=is_live, on_end=on_end, run_ids=run_ids), call)

    async def aserve(
        self,
        decision: RoutingDecision,
        request: RoutingRequest,
        call: AMakeCall,
        *,
        is_live: bool = False,
        on_end: OnEnd | None = None,
        run_ids: Sequence[str] = (),
    ) -> Served:
        """Walk the decision's plan as `serve` does, awaiting each call."""
        return await adrive(
            self._walk(decision, request, is_live=is_live, on_end=on_end, run_ids=run_ids), call
        )

    def health(self) -> dict[str, dict[str, Any]]:
        """Return how candidates, store, learning and the policy's certificates are, as plain data."""
        found: dict[str, dict[str, Any]] = {"candidates": self._gates.snapshot()}
        if self.store is not None:
            found["store"] = self.store.health()
        if self.learning is not None:
            found["learning"] = self.learning.health()
            if self._certificate_watch is not None:
                found["calibration"] = self._certificate_watch.health()
        return found

    def _walk(
        self,
        decision: RoutingDecision,
        request: RoutingRequest,
        *,
        is_live: bool,
        on_end: OnEnd | None,
        run_ids: Sequence[str],
    ) -> Machine:
        if self._spending is not None:
            self._spending.began(decision.id, request, _most_cost_of_plan_usd(decision, request, self._gates))

        if self._recorder is not None:
            self._recorder.began(decision, request, run_ids=run_ids)

        def report(outcome: Outcome) -> None:
            if self._recorder is not None:
                self._recorder.ended(outcome)
            if on_end is not None:
                on_end(outcome)
            if self._spending is not None:
                known_usd = sum(attempt.cost_usd or 0.0 for attempt in outcome.attempts)
                is_all = outcome.cost_usd is not None
                self._spending.ended(decision.id, request, known_usd=known_usd, is_all=is_all)
            if self._on_outcome is None:
                return
            try:
                self._on_outcome(decision, outcome)
            except Exception as error:  # noqa: BLE001 - a listener must not lose the answer
                _logger.warning("on_outcome raised %s", type(error).__name__)

        return walk(decision, request, gates=self._gates, clock=self._clock, is_live=is_live, report=report)

    def _select(self, request: RoutingRequest, intent: IntentPrediction) -> RoutingDecision:
        complexity = self._score(request, intent)
        quality = self._quality_for(request, intent, complexity)
        features = getattr(quality, "features", ())
        context = Context(
            request=request, intent=intent, complexity=complexity, quality=quality, features=features
        )
        able: list[tuple[Candidate, float | None]] = []
        excluded: dict[str, tuple[str, ...]] = {}
        for candidate in self.candidates:
            most_usd = most_cost_usd(candidate, request, usual_answer_tokens=context.usual_answer_tokens)
            reasons = reasons_against(
                candidate,
                request,
                estimated_cost_usd=most_usd,
                predicted_quality=context.predicted_quality(candidate),
            )
            if reasons:
                excluded[candidate.name] = reasons
            else:
                able.append((candidate, most_usd))
        if self._spending is not None:
            capped = self._spending.reasons_against(able, request)
            excluded |= {name: (reason,) for name, reason in capped.items()}
            able = [(candidate, usd) for candidate, usd in able if candidate.name not in capped]
        eligible: list[Candidate] = []
        resting: dict[str, tuple[Candidate, str]] = {}
        for candidate, _ in able:
            rest = self._gates.reason_against(candidate)
            if rest is None:
                eligible.append(candidate)
            else:
                resting[candidate.name] = (candidate, rest)
        if not eligible and not resting:
            raise NoEligibleCandidateError(excluded)
        if not eligible:  # better one that was left alone than nobody
            eligible, resting = [candidate for candidate, _ in resting.values()], {}
        excluded |= {name: (reason,) for name, (_, reason) in resting.items()}
        decision = self.policy.select(context.with_excluded(excluded), eligible)
        decision = _checked_decision(decision, eligible, self.policy)
        if features and not decision.features:  # made without the context's help
            decision = replace(decision, features=features)
        if not resting:
            return decision
        step_for = getattr(self.policy, "step_for", Step)
        last_hopes = [step_for(candidate=candidate) for candidate, _ in resting.values()]
        return replace(decision, plan=(*decision.plan, *last_hopes))

    def _quality_for(
        self, request: RoutingRequest, intent: IntentPrediction, complexity: ComplexityScore
    ) -> QualityModel:
        for_request = getattr(self.quality, "for_request", None)
        if for_request is None:
            return self.quality
        try:
            view: QualityModel = for_request(request, intent, complexity=complexity.value)
        except Exception as error:  # noqa: BLE001 - a broken quality model must not lose the request
            _logger.warning("quality model failed (%s); using the priors", type(error).__name__)
            return PriorQuality()
        return view

    def _score(self, request: RoutingRequest, intent: IntentPrediction) -> ComplexityScore:
        try:
            return _checked_complexity(self._complexity_scorer.score(request, intent))
        except Exception as error:  # noqa: BLE001 - a broken scorer must not lose the request
            _logger.warning("complexity scorer failed (%s); using the heuristic", type(error).__name__)
            return self._heuristic.score(request, intent)

    def _without_classifier(self, request: RoutingRequest, error: Exception) -> IntentPrediction:
        _logger.warning("intent classifier failed (%s); using keywords", type(error).__name__)
        instead = self._keywords.classify(request)
        return replace(instead, source=f"{instead.source}, as the classifier raised {type(error).__name__}")


def _quality_of(candidates: Sequence[Candidate], *, learns: bool) -> QualityModel:
    if not learns:
        return PriorQuality()
    from langchain_router.quality.learned import LearnedQuality

    return LearnedQuality(candidates)


def _most_cost_of_plan_usd(decision: RoutingDecision, request: RoutingRequest, gates: Gates) -> float:
    """Return the most that a plan may cost in US dollars up to its last tier, with what its checks ask."""
    total = 0.0
    for step in decision.plan:
        asked = () if step.check is None else step.check.models
        for candidate in (step.candidate, *map(gates.meant, asked)):
            total += (
                most_cost_usd(candidate, request, usual_answer_tokens=decision.expected_output_tokens) or 0.0
            )
        if step.check is None:
            break
    return total


def _checked_intent(said: object) -> IntentPrediction:
    if not isinstance(said, IntentPrediction):
        raise TypeError(f"an intent classifier must return an IntentPrediction, got {type(said).__name__}")
    if not {said.label} <= said.probabilities.keys() <= set(INTENTS):
        raise ValueError("an intent prediction needs a label that has a probability, and none but the nine")
    if not all(0 <= probability <= 1 for probability in said.probabilities.values()):
        raise ValueError("the probabilities of an intent prediction are from 0 to 1")
    return said


def _checked_complexity(said: object) -> ComplexityScore:
    if not isinstance(said, ComplexityScore):
        raise TypeError(f"a complexity scorer must return a ComplexityScore, got {type(said).__name__}")
    if not 0 <= said.value <= 1:
        raise ValueError(f"a complexity score is from 0 to 1, got {said.value!r}")
    return said


def _checked_decision(decision: object, eligible: Sequence[Candidate], policy: Policy) -> RoutingDecision:
    """Refuse what a policy of the user's own must not return; above all a candidate that may not answer."""
    name = type(policy).__name__
    if not isinstance(decision, RoutingDecision):
        raise ConfigurationError(
            f"{name}.select returned {type(decision).__name__}; return context.decision([...], reason=..., "
            "policy=..., policy_params=...)."
        )
    planned = [step.candidate.name for step in decision.plan]
    if not planned or len(set(planned)) < len(planned):
        raise ConfigurationError(
            f"{name}.select returned the plan {planned}; a plan names at least one candidate, each once."
        )
    allowed = {candidate.name for candidate in eligible}
    not_allowed = [candidate for candidate in planned if candidate not in allowed]
    if not_allowed:
        raise ConfigurationError(
            f"{name}.select planned {not_allowed[0]!r}, which may not answer this request. "
            "Choose among the candidates that select() is given."
        )
    return decision


def _checked_candidates(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    if not candidates:
        raise ConfigurationError(
            "A router needs at least one candidate, e.g. "
            'ChatRouter.from_models("openai/gpt-4o-mini", "anthropic/claude-sonnet-4-5").'
        )
    seen: set[str] = set()
    for candidate in candidates:
        if candidate.name in seen:
            raise ConfigurationError(
                f"Two candidates are called {candidate.name!r}. "
                "Give one another name: Candidate(model=..., name=...)."
            )
        seen.add(candidate.name)
    return tuple(candidates)
