"""Predicted quality that starts from the catalogue and learns from what happened."""

from __future__ import annotations

import hashlib
import io
import json
import math
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

import numpy as np

from langchain_router.candidates.candidate import Candidate
from langchain_router.exceptions import ConfigurationError
from langchain_router.forks import give_lock
from langchain_router.outcomes.lessons import Ended, Label, Labelled, Lesson, Situation
from langchain_router.quality.cost_ratios import CostRatios
from langchain_router.quality.expectation import Expectation, PlanNames, steps_of_arm
from langchain_router.quality.features import FeatureMap, HashedText
from langchain_router.quality.inputs import TYPICAL_COMPLEXITY, Shrinkage, as_inputs, in_plan
from langchain_router.quality.lesson_facts import ANSWERS, as_intent, asked_usd_of, lesson_time
from langchain_router.quality.linear import TARGET_UNIT, WEIGHT_UNIT, ExactLinear
from langchain_router.quality.prior import PriorQuality, QualityCurve
from langchain_router.quality.request_quality import UNSTATED, RequestQuality, check_key, prior_at
from langchain_router.quality.sums import HALF_LIFE_S, Whole
from langchain_router.request import RoutingRequest
from langchain_router.signals.types import IntentPrediction

_VERSION: Final = 1
_MOST_CHECKS: Final = 64
_PASS_LEVEL: Final = 4.0


class LearnedQuality:
    """Expect of each candidate what the catalogue says, corrected by what was seen.

    Learned are, each on intent, complexity and features of the text:

    - for each candidate, how much better or worse its answers are than its prior says;
    - for each pair of a draft and its check, how often the check passes;
    - for each candidate, how what it costs compares with what was expected, and what its checks ask.

    What to expect of a plan is put together from these, so that what is learned of a candidate serves every
    plan that holds it. With no data it predicts what `PriorQuality` does, or 0.5 where a candidate states no
    quality; with little it moves all requests, or all of an intent, together. Sums of fixed size are all it
    keeps, and any order of the same lessons gives the same beliefs.

    Prefer `PriorQuality` where no feedback will ever come, and decisions must not change.

    Args:
        candidates: Those of the router. Lessons about others are passed over.
        feature_map: Of the text; those stored with lessons must come from one like it.
        half_life_s: After how long a lesson counts half, in seconds; None where nothing ever changes.
        shrinkage: How many observations it takes to be believed.

    Raises:
        ConfigurationError: No candidates, or two of the same name.

    Example:
        >>> from langchain_router.outcomes.lessons import Call
        >>> mini = Candidate(model="openai/gpt-4o-mini", quality=0.8)
        >>> model = LearnedQuality([mini])
        >>> asked = Situation(
        ...     decision_id="1", at_s=0, intent="reasoning", intent_probabilities={"reasoning": 1.0},
        ...     complexity=0.35, arm=mini.name, plan=((mini.name, None),), policy="cost",
        ... )
        >>> call = Call(candidate=mini.name, role="answer")
        >>> ended = Ended(situation=asked, status="ok", served_by=mini.name, calls=(call,), latency_s=1.0)
        >>> model.expect(asked, [asked.plan])[0].success
        0.8
        >>> model.learn(Labelled(ended=ended, old=None, new=Label(score=0.0, weight=1.0)))
        >>> round(model.expect(asked, [asked.plan])[0].success, 2)
        0.69
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        *,
        feature_map: FeatureMap | None = None,
        half_life_s: float | None = HALF_LIFE_S,
        shrinkage: Shrinkage | None = None,
    ) -> None:
        self.candidates = {candidate.name: candidate for candidate in candidates}
        if not candidates or len(self.candidates) < len(candidates):
            raise ConfigurationError("a quality model needs candidates, each with a name of its own.")
        self.feature_map = feature_map or HashedText()
        self.shrinkage = shrinkage or Shrinkage()
        self.half_life_s = half_life_s
        self._prior = PriorQuality()
        self._lock: threading.RLock
        give_lock(self, "_lock", threading.RLock)
        stated, unstated, of_passes = (
            self.shrinkage.precision(self.feature_map.size, level=level)
            for level in (self.shrinkage.level, self.shrinkage.unstated_level, _PASS_LEVEL)
        )
        levels = {
            name: stated if one.quality is not None or one.quality_by_intent else unstated
            for name, one in self.candidates.items()
        }
        room = len(levels)
        self._answers = ExactLinear({"": stated, **levels}, half_life_s=half_life_s, most_keys=room)
        self._passes = ExactLinear(of_passes, half_life_s=half_life_s, most_keys=_MOST_CHECKS)
        self._costs = CostRatios(half_life_s=half_life_s, most_keys=room)
        self._asks = CostRatios(half_life_s=half_life_s, most_keys=_MOST_CHECKS)
        self._parts: dict[str, ExactLinear | CostRatios] = {
            "answers": self._answers,
            "passes": self._passes,
            "costs": self._costs,
            "asks": self._asks,
        }

    @property
    def fingerprint(self) -> str:
        """Names what it is, its candidates with their priors, and its parameters."""
        told = {
            "version": _VERSION,
            "candidates": [
                [name, one.quality, sorted(one.quality_by_intent.items())]
                for name, one in sorted(self.candidates.items())
            ],
            "features": self.feature_map.fingerprint,
            "half_life_s": self.half_life_s,
            "shrinkage": asdict(self.shrinkage),
        }
        return f"learned-quality-{hashlib.sha256(json.dumps(told).encode()).hexdigest()[:32]}"

    def learn(self, lesson: Lesson) -> None:
        """Take a lesson in: checks and costs when a request has ended, quality when it is judged."""
        if not math.isfinite(lesson_time(lesson)):
            return
        with self._lock:
            if isinstance(lesson, Ended):
                self._learn_ended(lesson)
            else:
                for label, sign in ((lesson.old, -1), (lesson.new, 1)):
                    if label is not None:
                        self._learn_label(lesson, label, sign)

    def learn_all(self, lessons: Iterable[Lesson]) -> None:
        """Take many lessons in, such as those of recorded traffic."""
        for lesson in lessons:
            self.learn(lesson)

    def curve(self, candidate: Candidate, intent: IntentPrediction) -> QualityCurve | None:
        """Return the expected quality by complexity, knowing nothing of the text; None when all is unknown.

        Prefer `for_request`, which knows it.
        """
        return self._at(intent, TYPICAL_COMPLEXITY, ()).curve(candidate, intent)

    def for_request(
        self,
        request: RoutingRequest,
        intent: IntentPrediction,
        complexity: float | None = None,
        *,
        features: tuple[int, ...] | None = None,
    ) -> RequestQuality:
        """Return what is believed of this request: a `QualityModel` that also speaks of plans.

        Args:
            request: What is asked.
            intent: Layer 1's prediction.
            complexity: Layer 2's score, 0..1; None counts as 0.35.
            features: Of the text, where they are already at hand.
        """
        if features is None:
            features = self.feature_map.features(request)
        return self._at(intent, TYPICAL_COMPLEXITY if complexity is None else complexity, features)

    def for_situation(self, situation: Situation) -> RequestQuality:
        """Return what is believed of a request of which only the facts are left."""
        return self._at(as_intent(situation), situation.complexity, situation.features)

    def expect(self, situation: Situation, plans: Sequence[PlanNames]) -> list[Expectation]:
        """Return what to expect of each plan, at the costs that the situation expects of single calls."""
        return self.for_situation(situation).expect(plans, cost_usd=situation.expected_cost_usd)

    def state(self) -> bytes:
        """Return what it has learned, as an `.npz` file without pickles."""
        arrays: dict[str, Any] = {"fingerprint": np.frombuffer(self.fingerprint.encode(), np.uint8)}
        with self._lock:
            for part, sums in self._parts.items():
                arrays |= {f"{part}_{name}": array for name, array in sums.arrays().items()}
        file = io.BytesIO()
        np.savez_compressed(file, **arrays)
        return file.getvalue()

    def load(self, state: bytes) -> None:
        """Take over what another of the same fingerprint has learned, instead of its own.

        Raises:
            ValueError: It is not such a state; then nothing has changed.
        """
        try:
            with np.load(io.BytesIO(state), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            whose = arrays["fingerprint"].tobytes().decode()
        except Exception as error:  # whatever a broken file makes of the reader
            raise ValueError(f"not a state of a quality model ({type(error).__name__})") from error
        if whose != self.fingerprint:
            raise ValueError(f"the state of another model ({whose[:60]!r}), this is {self.fingerprint!r}")
        with self._lock:
            before = {part: sums.arrays() for part, sums in self._parts.items()}
            try:
                self._load_parts(
                    {
                        part: {
                            name.removeprefix(f"{part}_"): array
                            for name, array in arrays.items()
                            if name.startswith(f"{part}_")
                        }
                        for part in self._parts
                    }
                )
            except Exception as error:  # likewise
                self._load_parts(before)
                raise ValueError(f"a broken state of a quality model ({type(error).__name__})") from error

    def forget(self) -> None:
        """Forget all that was learned."""
        with self._lock:
            for sums in self._parts.values():
                sums.clear()

    def _at(self, intent: IntentPrediction, complexity: float, features: tuple[int, ...]) -> RequestQuality:
        return RequestQuality(
            intent=intent,
            complexity=complexity,
            features=features,
            inputs=lambda: self._inputs(intent.probabilities, complexity, features),
            candidates=self.candidates,
            has_learned=not self._answers.is_empty,
            prior=self._prior,
            answers=self._answers,
            passes=self._passes,
            costs=self._costs,
            asks=self._asks,
            lock=self._lock,
        )

    def _inputs(
        self, intent_probabilities: Mapping[Any, float], complexity: float, features: Sequence[int]
    ) -> Whole:
        return as_inputs(intent_probabilities, complexity, features, text_size=self.feature_map.size)

    def _learn_label(self, lesson: Labelled, label: Label, sign: int) -> None:
        ended = lesson.ended
        served = self.candidates.get(ended.served_by or "")
        if served is None:
            return
        situation = ended.situation
        steps = steps_of_arm(situation.plan)
        calls = [call for call in ended.calls if call.role in ANSWERS and not call.failed]
        passed = next((call.passed for call in reversed(calls) if call.candidate == served.name), None)
        inputs = in_plan(
            self._inputs(situation.intent_probabilities, situation.complexity, situation.features),
            situation.arm if len(steps) > 1 and served.name in dict(steps) else None,
            passed=passed,
            escalated=any(call.passed is False and call.candidate != served.name for call in calls),
        )
        self._answers.learn(
            served.name,
            inputs,
            round(TARGET_UNIT * (label.score - self._prior_of(served, situation))),
            weight=round(WEIGHT_UNIT * label.weight),
            at_s=situation.at_s,
            sign=sign,
        )

    def _learn_ended(self, ended: Ended) -> None:
        situation = ended.situation
        checks = dict(situation.plan)
        inputs = None
        for call in ended.calls:
            drafted = self.candidates.get(call.candidate)
            if drafted is None or call.role not in ANSWERS or call.failed:
                continue
            expected_usd = situation.expected_cost_usd.get(call.candidate)
            if expected_usd and call.cost_usd is not None and not call.estimated:
                ratio = call.cost_usd / expected_usd
                self._costs.learn(call.candidate, situation.intent, ratio, at_s=situation.at_s)
            check = checks.get(call.candidate)
            if call.passed is None or check is None:
                continue
            if inputs is None:
                inputs = self._inputs(
                    situation.intent_probabilities, situation.complexity, situation.features
                )
            key = check_key(call.candidate, check)
            target = round(TARGET_UNIT * (call.passed - self._prior_of(drafted, situation)))
            self._passes.learn(key, inputs, target, at_s=situation.at_s)
            asked_usd = asked_usd_of(ended.calls, call)
            if expected_usd and asked_usd is not None:
                self._asks.learn(key, situation.intent, asked_usd / expected_usd, at_s=situation.at_s)

    def _prior_of(self, candidate: Candidate, situation: Situation) -> float:
        curve = self._prior.curve(candidate, as_intent(situation))
        return UNSTATED if curve is None else prior_at(curve, situation.complexity)

    def _load_parts(self, arrays: Mapping[str, Mapping[str, Any]]) -> None:
        for part, sums in self._parts.items():
            sums.load(arrays[part])
