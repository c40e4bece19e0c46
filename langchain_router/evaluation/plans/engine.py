"""Measures every policy and baseline on recorded answers: fitted and set on some rows, run on others."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from langchain_router.checks.scoring.features import FeatureCache
from langchain_router.evaluation.plans.arms import Came, came_of
from langchain_router.evaluation.plans.baselines import BASELINES, Baseline, Mixed, by_score, prompt_length
from langchain_router.evaluation.plans.fitting import Family, Fitting, check_limits, fit_all
from langchain_router.evaluation.plans.operating_point import Expected, OperatingPoint
from langchain_router.evaluation.plans.peers import Peer, find_peers
from langchain_router.evaluation.plans.progress import Progress, silent
from langchain_router.evaluation.plans.results import Figures, SuiteFigures
from langchain_router.evaluation.plans.table import Real, Table, dense_table
from langchain_router.exceptions import ConfigurationError
from langchain_router.testing.replay import ReplayRow

_FAMILIES: Final[tuple[Family, ...]] = ("adaptive", "cascade", "cost")
_LIMITS: Final = (0.0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12)
_RESAMPLES: Final = 1_000
_LEAST_ROWS: Final = 10


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What a policy came to on the rows of a fold.

    Attributes:
        scores: Of each row.
        costs_usd: Likewise.
        escalated: Likewise, 0 or 1.
        shares: Likewise by model: how often its answer was returned.
    """

    scores: Real = field(repr=False)
    costs_usd: Real = field(repr=False)
    escalated: Real = field(repr=False)
    shares: Real = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class _Fold:
    """What one fold came to.

    Attributes:
        runs: By name of policy or baseline, at the operating point.
        curves: By name, at each of the limits on quality lost.
        gaps: By name, for two models only: for each row how much better the dearer is expected to be.
        words: By name, where it was set.
        promised: By name, what the fit rows promised: cost saved and quality lost.
        fit_rows: How many.
    """

    runs: Mapping[str, _Run] = field(repr=False)
    curves: Mapping[str, Sequence[_Run]] = field(repr=False)
    gaps: Mapping[str, Real] = field(repr=False)
    words: Mapping[str, str]
    promised: Mapping[str, tuple[float, float]]
    fit_rows: int
    test: Table = field(repr=False)
    reference: int


def bench_suite(
    name: str,
    fit_rows: Sequence[ReplayRow],
    test_rows: Sequence[ReplayRow],
    *,
    max_quality_loss: float = 0.02,
    confidence: float = 0.9,
    seed: int = 0,
    progress: Progress = silent,
) -> SuiteFigures:
    """Fit and set all on some rows, and run them on others.

    Args:
        name: Of the suite.
        fit_rows: To fit and set everything on.
        test_rows: To report on.
        max_quality_loss: Most that a policy may lose beside the best single model, in score points.
        confidence: How sure that is to be, 0.5 to below 1.
        seed: Of the resampling.
        progress: Is told how far it is.

    Raises:
        ConfigurationError: A limit is out of range, or too few rows hold answers of the same models.
    """
    check_limits(max_quality_loss, confidence)
    fit = dense_table(fit_rows)
    test = fit.of(test_rows)
    if len(test_rows) >= _LEAST_ROWS > len(test):  # files of partly other models
        fit, test = _common(fit, dense_table(test_rows))
    _check_rows(name, test)
    fold = _fold(fit, test, max_quality_loss, confidence, FeatureCache(), progress)
    return _figures(name, [fold], seed=seed, parts=1)


def bench_folds(
    name: str,
    rows: Sequence[ReplayRow],
    *,
    folds: int = 5,
    max_quality_loss: float = 0.02,
    confidence: float = 0.9,
    seed: int = 0,
    progress: Progress = silent,
) -> SuiteFigures:
    """Split rows into folds by a hash of their prompts, and run each on what was fitted on the others.

    Takes what `bench_suite` takes; `folds` is at least 2.
    """
    check_limits(max_quality_loss, confidence)
    if folds < 2:
        raise ConfigurationError(f"folds must be 2 or more, got {folds!r}.")
    whole = dense_table(rows)
    _check_rows(name, whole)
    cache, found = FeatureCache(), []
    for number in range(folds):
        is_test = [_fold_of(row.prompt, folds) == number for row in whole.rows]
        fit = whole.of([row for row, held in zip(whole.rows, is_test, strict=True) if not held])
        test = whole.of([row for row, held in zip(whole.rows, is_test, strict=True) if held])
        if len(test) and len(fit) >= _LEAST_ROWS:
            told = _within(progress, f"part {number + 1} of {folds}, ")
            found.append(_fold(fit, test, max_quality_loss, confidence, cache, told))
    if not found:
        raise ConfigurationError(
            f"{name}: too few of its {len(whole)} prompts differ to fit on some and test on others."
        )
    if not found:
        raise ConfigurationError(
            f"{name}: {len(whole)} prompts are too few for {folds} folds; give at least {2 * _LEAST_ROWS}."
        )
    return _figures(name, found, seed=seed, parts=folds)


def _common(fit: Table, test: Table) -> tuple[Table, Table]:
    """Return both with the models that both have, in the order of the first.

    Raises:
        ConfigurationError: There are fewer than two.
    """
    models = tuple(name for name in fit.models if name in test.models)
    if len(models) < 2:
        raise ConfigurationError(
            f"The fit rows are of {', '.join(fit.models)} and the test rows of {', '.join(test.models)}; "
            "at least two models must be in both."
        )
    return Table(models=models, rows=fit.rows), Table(models=models, rows=test.rows)


def _within(progress: Progress, before: str) -> Progress:
    return lambda text: progress(before + text)


def _check_rows(name: str, table: Table) -> None:
    if len(table) < _LEAST_ROWS:
        raise ConfigurationError(
            f"{name}: only {len(table)} prompts hold an answer of every model at a known cost; "
            f"{_LEAST_ROWS} are needed at least."
        )


def _fold_of(prompt: str, folds: int) -> int:
    digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % folds


def _fold(
    fit: Table,
    test: Table,
    max_quality_loss: float,
    confidence: float,
    cache: FeatureCache,
    progress: Progress,
) -> _Fold:
    fitting = fit_all(fit, cache=cache, progress=progress)
    progress("running all on the test rows")
    came = _came_on(fitting, test, cache)
    expected = fitting.expected_of(test)
    runs: dict[str, _Run] = {}
    curves: dict[str, list[_Run]] = {}
    words: dict[str, str] = {}
    promised: dict[str, tuple[float, float]] = {}
    for family in _FAMILIES:
        found = fitting.choices(family)
        point = found.confident_within(max_quality_loss, confidence=confidence)
        runs[family] = _run(fitting, point, came, expected, test)
        words[family] = _in_words(fitting, point)
        promised[family] = point.cost_saved, point.quality_lost
        limits = [found.within(limit) for limit in _LIMITS]
        curves[family] = [_run(fitting, one, came, expected, test) for one in limits]
    for name, baseline in _baselines().items():
        mixed = baseline(fit, test, max_quality_loss)
        runs[name], words[name] = _mixed(mixed, test), mixed.words
        curves[name] = [_mixed(baseline(fit, test, limit), test) for limit in _LIMITS]
    return _Fold(
        runs=runs,
        curves=curves,
        gaps=_gaps(expected, test),
        words=words,
        promised=promised,
        fit_rows=len(fit),
        test=test,
        reference=fitting.reference,
    )


def _baselines() -> dict[str, Baseline]:
    return {**BASELINES, **{peer.name: by_score(_measure(peer)) for peer in find_peers().found}}


def _measure(peer: Peer) -> Callable[[Table], Real]:
    return lambda table: np.asarray(peer.scores(table.prompts), np.float64)


def _came_on(fitting: Fitting, test: Table, cache: FeatureCache) -> Came:
    """Return what the predicted arms come to on other rows; the others are never chosen."""
    kept = came_of([fitting.arms[arm] for arm in fitting.predicted], test, cache=cache)
    shape = (len(test), len(fitting.arms))
    came = Came(
        scores=np.full(shape, np.nan), costs_usd=np.full(shape, np.nan), escalated=np.zeros(shape, np.bool_)
    )
    places = list(fitting.predicted)
    came.scores[:, places], came.costs_usd[:, places] = kept.scores, kept.costs_usd
    came.escalated[:, places] = kept.escalated
    return came


def _run(fitting: Fitting, point: OperatingPoint, came: Came, expected: Expected, test: Table) -> _Run:
    chosen = point.choose(expected, fitting.reference)
    rows = np.arange(len(test))
    escalated = came.escalated[rows, chosen]
    drafts = np.array([arm.draft for arm in fitting.arms])
    lasts = np.array([arm.draft if arm.last is None else arm.last for arm in fitting.arms])
    shares = np.zeros_like(test.scores)
    shares[rows, np.where(escalated, lasts[chosen], drafts[chosen])] = 1.0
    return _Run(
        scores=came.scores[rows, chosen],
        costs_usd=came.costs_usd[rows, chosen],
        escalated=escalated.astype(np.float64),
        shares=shares,
    )


def _mixed(mixed: Mixed, test: Table) -> _Run:
    return _Run(
        scores=mixed.scores(test),
        costs_usd=mixed.costs_usd(test),
        escalated=np.zeros(len(test)),
        shares=mixed.shares,
    )


def _in_words(fitting: Fitting, point: OperatingPoint) -> str:
    if point.rule != "fixed":
        return str(point)
    plans = fitting.plans(point)
    return str(plans.arms[int(plans.dial)])


def _gaps(expected: Expected, test: Table) -> dict[str, Real]:
    """Return how much each way of ranking prompts expects of the better of two models."""
    if len(test.models) != 2:
        return {}
    dearer = expected.quality[:, 1] - expected.quality[:, 0]
    ranked = {"adaptive": dearer, "cost": dearer, "prompt_length": prompt_length(test)}
    return {**ranked, **{peer.name: _measure(peer)(test) for peer in find_peers().found}}


def _figures(name: str, folds: Sequence[_Fold], *, seed: int, parts: int) -> SuiteFigures:
    test_rows = sum(len(fold.test) for fold in folds)
    models = folds[0].test.models
    base = np.concatenate([fold.test.scores[:, fold.reference] for fold in folds])
    base_usd = np.concatenate([fold.test.costs_usd[:, fold.reference] for fold in folds])
    rng = np.random.default_rng(seed)
    resampled = rng.integers(0, test_rows, (_RESAMPLES, test_rows))

    def figures(who: str) -> Figures:
        scores = np.concatenate([fold.runs[who].scores for fold in folds])
        costs = np.concatenate([fold.runs[who].costs_usd for fold in folds])
        lost = base - scores
        interval = np.quantile(lost[resampled].mean(axis=1), (0.025, 0.975))
        shares = np.concatenate([fold.runs[who].shares for fold in folds]).mean(axis=0)
        fitted = who in _FAMILIES
        weights = [len(fold.test) / test_rows for fold in folds]
        return Figures(
            name=who,
            cost_saved=1 - _share(float(costs.sum()), float(base_usd.sum())),
            quality_lost=float(lost.mean()),
            quality_lost_ci=(float(interval[0]), float(interval[1])),
            escalation_rate=float(np.concatenate([fold.runs[who].escalated for fold in folds]).mean()),
            share_per_model={
                model: float(share) for model, share in zip(models, shares, strict=True) if share > 0
            },
            curve=_curve(folds, who, float(base_usd.mean())),
            apgr=_apgr(folds, who),
            operating_point=_most_common([fold.words[who] for fold in folds]),
            fit_cost_saved=_mean([f.promised[who][0] for f in folds], weights) if fitted else None,
            fit_quality_lost=_mean([f.promised[who][1] for f in folds], weights) if fitted else None,
        )

    return SuiteFigures(
        name=name,
        fit_rows=round(float(np.mean([fold.fit_rows for fold in folds]))),
        test_rows=test_rows,
        folds=parts,
        models=models,
        best_single=_most_common([models[fold.reference] for fold in folds]),
        best_single_score=float(base.mean()),
        best_single_cost_usd=float(base_usd.mean()),
        policies=tuple(figures(who) for who in _FAMILIES),
        baselines=tuple(figures(who) for who in folds[0].runs if who not in _FAMILIES),
    )


def _share(cost_usd: float, full_usd: float) -> float:
    """Return a cost beside the reference's; beside one that costs nothing, nothing can be saved."""
    return cost_usd / full_usd if full_usd else 1.0


def _mean(values: Sequence[float], weights: Sequence[float]) -> float:
    return float(np.average(values, weights=weights))


def _most_common(words: Sequence[str]) -> str:
    return max(dict.fromkeys(words), key=words.count)


def _curve(folds: Sequence[_Fold], who: str, full_usd: float) -> tuple[tuple[float, float], ...]:
    found = set()
    for place in range(len(_LIMITS)):
        costs = np.concatenate([fold.curves[who][place].costs_usd for fold in folds])
        scores = np.concatenate([fold.curves[who][place].scores for fold in folds])
        found.add((_share(float(costs.mean()), full_usd), float(scores.mean())))
    return tuple(sorted(found))


def _apgr(folds: Sequence[_Fold], who: str) -> float | None:
    """Return the mean share of the gap between two models that is recovered, over all shares of calls."""
    if any(who not in fold.gaps for fold in folds):
        return None
    gaps = np.concatenate([fold.gaps[who] for fold in folds])
    scores = np.concatenate([fold.test.scores for fold in folds])
    better = int(scores.mean(axis=0).argmax())
    strong, weak = scores[:, better], scores[:, 1 - better]
    gap = float(strong.mean() - weak.mean())
    if gap <= 0:
        return None
    order: NDArray[np.int64] = np.argsort(
        -gaps if better == 1 or who not in _FAMILIES else gaps, kind="stable"
    )
    recovered = np.concatenate(([0.0], np.cumsum((strong - weak)[order]))) / len(gaps) / gap
    return float(recovered.mean())
