"""Measures checks on recorded answers: a cascade with each of them beside random escalation."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from langchain_router.checks.agreement import AgreementCheck
from langchain_router.checks.base import Check
from langchain_router.checks.final_answers.comparison import KINDS
from langchain_router.checks.heuristic import HeuristicCheck
from langchain_router.evaluation.baselines import HedgingBaseline, LengthBaseline
from langchain_router.evaluation.curve import (
    Floats,
    Measured,
    Trial,
    escalation_curve,
    measure,
    reject_lowest,
)
from langchain_router.evaluation.lineup import Lineup, Standing, rows_of, standings
from langchain_router.evaluation.recorded import (
    Recorded,
    Reviewed,
    as_request,
    recorded_candidate,
    review_recorded,
)
from langchain_router.exceptions import ConfigurationError
from langchain_router.testing.replay import ReplayRow

BASELINE_RATE = 0.3
"""Share of requests that the length baseline escalates: it has no threshold of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A check to be measured.

    Attributes:
        name: What it is called in reports.
        check: Makes it for a lineup.
        rate: Escalate this share of requests, the lowest scored first; None leaves it to the check's verdict.
        baseline: Whether it is there to be beaten, not to be used.
    """

    name: str
    check: Callable[[Lineup], Check] = field(repr=False)
    rate: float | None = None
    baseline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """How a check did on a data set.

    Attributes:
        contender: The check.
        measured: Its figures.
        curve: Corners of its escalation curve: cost as a share of the premium model's, and mean quality.
    """

    contender: Contender
    measured: Measured
    curve: tuple[tuple[float, float], ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetResult:
    """How every check did on a data set.

    Attributes:
        name: The data set.
        rows: How many rows.
        lineup: Who played which part.
        standings: How the three models did alone, by the part they played.
        checks: One for each contender.
        with_schema: How many requests carry a schema or tools, which `SchemaCheck` needs.
    """

    name: str
    rows: int
    lineup: Lineup
    standings: Mapping[str, Standing]
    checks: tuple[CheckResult, ...]
    with_schema: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PairResult:
    """How agreement of a pair of cheap models did; `draft` is whose answer is returned."""

    draft: str
    second: str
    measured: Measured


def contenders() -> tuple[Contender, ...]:
    """Return every check that is measured."""
    heuristics = [
        Contender(name=f"heuristic: {rule}", check=lambda _, rule=rule: _only(rule))  # type: ignore[misc]
        for rule in sorted(HeuristicCheck().rules)
    ]
    agreements = [
        Contender(name=f"agreement: {kind}", check=lambda lineup, kind=kind: _agreement(lineup, kind))  # type: ignore[misc]
        for kind in KINDS
    ]
    return (
        Contender(name="length", check=lambda _: LengthBaseline(), rate=BASELINE_RATE, baseline=True),
        Contender(name="hedging", check=lambda _: HedgingBaseline(), baseline=True),
        Contender(name="heuristic", check=lambda _: HeuristicCheck()),
        *heuristics,
        *agreements,
        Contender(
            name="heuristic & agreement", check=lambda lineup: HeuristicCheck() & _agreement(lineup, "auto")
        ),
    )


def bench_set(
    data: Recorded, lineup: Lineup, *, checks: Sequence[Contender], resamples: int, seed: int
) -> SetResult:
    """Measure checks on a data set.

    Args:
        data: The rows to report on.
        lineup: Who plays which part.
        checks: What to measure.
        resamples: How many bootstrap resamples the intervals rest on.
        seed: Of the resampling.

    Raises:
        ConfigurationError: There is no row in which all three models answered.
    """
    rows = rows_of(data.rows, lineup)
    if not rows:
        raise ConfigurationError(f"{data.name} holds no row in which all of {lineup} answered.")
    requests = [as_request(row) for row in rows]
    results = []
    for contender in checks:
        check = contender.check(lineup)
        reviewed = [
            review_recorded(check, row, lineup.draft, request)
            for row, request in zip(rows, requests, strict=True)
        ]
        trial = as_trial(rows, lineup, reviewed, rate=contender.rate)
        _, cost, quality = escalation_curve(trial)
        corners = zip(cost / trial.premium_usd.mean(), quality, strict=True)
        results.append(
            CheckResult(
                contender=contender,
                measured=measure(trial, resamples=resamples, seed=seed),
                curve=tuple((float(x), float(y)) for x, y in corners),
            )
        )
    known = {one.model: one for one in standings(rows)}
    return SetResult(
        name=data.name,
        rows=len(rows),
        lineup=lineup,
        standings={part: known[getattr(lineup, part)] for part in ("draft", "second", "premium")},
        checks=tuple(results),
        with_schema=sum(request.response_schema is not None or bool(request.tools) for request in requests),
    )


def bench_pairs(data: Recorded, premium: str, *, resamples: int, seed: int) -> tuple[PairResult, ...]:
    """Measure agreement of every pair of models that together cost less than the premium model.

    Args:
        data: The rows to report on.
        premium: The premium model.
        resamples: How many bootstrap resamples the intervals rest on.
        seed: Of the resampling.
    """
    known = {one.model: one for one in standings(data.rows)}
    others = [one for model, one in known.items() if model != premium]
    results = []
    for one, other in itertools.combinations(others, 2):
        if one.cost_usd + other.cost_usd >= known[premium].cost_usd:
            continue
        lineup = Lineup(draft=one.model, second=other.model, premium=premium)
        rows = rows_of(data.rows, lineup)
        check = _agreement(lineup, "auto")
        reviewed = [review_recorded(check, row, lineup.draft, as_request(row)) for row in rows]
        verdicts = [one.verdict for one in reviewed]
        for draft, second in ((one.model, other.model), (other.model, one.model)):
            turned = Lineup(draft=draft, second=second, premium=premium)
            paid = [
                Reviewed(verdict=verdict, asked=(second,), cost_usd=row.outcomes[second].cost_usd or 0.0)
                for verdict, row in zip(verdicts, rows, strict=True)
            ]
            measured = measure(as_trial(rows, turned, paid), resamples=resamples, seed=seed)
            results.append(PairResult(draft=draft, second=second, measured=measured))
    return tuple(results)


def as_trial(
    rows: Sequence[ReplayRow],
    lineup: Lineup,
    reviewed: Sequence[Reviewed],
    *,
    rate: float | None = None,
) -> Trial:
    """Return a check's verdicts as arrays.

    Args:
        rows: The rows, in all of which the draft's and the premium model answered.
        lineup: Who played which part.
        reviewed: What the check made of each row's draft.
        rate: Escalate this share of rows, the lowest scored first; None leaves it to the verdicts.
    """

    def scores(model: str) -> Floats:
        return np.array([row.outcomes[model].score for row in rows], dtype=np.float64)

    def costs(model: str) -> Floats:
        return np.array([row.outcomes[model].cost_usd or 0.0 for row in rows], dtype=np.float64)

    verdicts = [one.verdict for one in reviewed]
    score = np.array([float(v.passed) if v.score is None else v.score for v in verdicts], dtype=np.float64)
    numbers: dict[str, int] = {}
    return Trial(
        draft=scores(lineup.draft),
        premium=scores(lineup.premium),
        draft_usd=costs(lineup.draft),
        check_usd=np.array([one.cost_usd for one in reviewed], dtype=np.float64),
        premium_usd=costs(lineup.premium),
        escalated=(
            np.array([not v.passed for v in verdicts], dtype=np.float64)
            if rate is None
            else reject_lowest(score, rate)
        ),
        score=score,
        prompt=np.array([numbers.setdefault(row.prompt, len(numbers)) for row in rows], dtype=np.int64),
    )


def to_dict(value: Any) -> Any:
    """Return results as JSON-serialisable data; what is not a number becomes null."""
    if isinstance(value, Contender):
        return {"name": value.name, "rate": value.rate, "baseline": value.baseline}
    if hasattr(value, "__dataclass_fields__"):
        return {name: to_dict(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(key): to_dict(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_dict(one) for one in value]
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def _agreement(lineup: Lineup, kind: Any) -> Check:
    return AgreementCheck(recorded_candidate(lineup.second), kind=kind)


def _only(rule: str) -> Check:
    return HeuristicCheck(**{name: name == rule for name in HeuristicCheck().rules})
