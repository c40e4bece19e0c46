"""A run of the benchmark as JSON, to be written, and read again for its page to be drawn anew."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from langchain_router.evaluation.plans.measuring import Settings
from langchain_router.evaluation.plans.results import Figures, SuiteFigures, as_json
from langchain_router.evaluation.plans.suites import DataFacts
from langchain_router.exceptions import ConfigurationError

_SUITE = (
    "fit_rows",
    "test_rows",
    "folds",
    "models",
    "best_single",
    "best_single_score",
    "best_single_cost_usd",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All that a run found.

    Attributes:
        settings: How it measured.
        suites: Those that could be measured.
        facts: By suite, what its rows are like.
        failures: By suite, why it could not be measured.
        online: By suite, how fast policies learned on it.
    """

    settings: Settings
    suites: tuple[SuiteFigures, ...]
    facts: Mapping[str, DataFacts]
    failures: Mapping[str, str]
    online: Mapping[str, Mapping[str, Any]]


def means_of(suites: Sequence[SuiteFigures]) -> dict[str, dict[str, float]]:
    """Return by policy or baseline the means over the suites that have it, and how many do."""
    found: dict[str, list[Figures]] = {}
    for suite in suites:
        for one in (*suite.policies, *suite.baselines):
            found.setdefault(one.name, []).append(one)
    return {
        name: {
            "cost_saved": sum(one.cost_saved for one in some) / len(some),
            "quality_lost": sum(one.quality_lost for one in some) / len(some),
            "suites": len(some),
        }
        for name, some in found.items()
    }


def run_as_json(run: Run) -> dict[str, Any]:
    """Return a run as JSON-serialisable data.

    One suite with rows to fit on is an object of its own, with `policies` and `baselines`; suites that were
    split into folds are listed under `suites`, with the `mean` of each policy and baseline over them.
    """
    suites = [_suite(run, one) for one in run.suites]
    settings = {name: value for name, value in asdict(run.settings).items() if name != "save"}
    if len(suites) == 1 and run.suites[0].folds == 1:
        return {"settings": settings, **suites[0]}
    means = means_of(run.suites).items()
    return {
        "settings": settings,
        "suites": suites,
        "mean": {name: {key: round(one, 6) for key, one in mean.items()} for name, mean in means},
        "failures": dict(run.failures),
    }


def run_from_json(given: Sequence[Mapping[str, Any]]) -> Run:
    """Return the run that was written, as one or as a file for each suite.

    Raises:
        ConfigurationError: The data were not written by this version of the command, or with other settings
            than each other.
    """
    try:
        settings = {Settings(**one["settings"]) for one in given}
        suites = [suite for one in given for suite in one.get("suites", [one])]
        failures = {name: str(why) for one in given for name, why in one.get("failures", {}).items()}
        if len(settings) != 1:
            raise ConfigurationError("The figures were measured with different settings; redraw them apart.")
        names = [suite["suite"] for suite in suites]
        if len(set(names)) < len(names):
            raise ConfigurationError("A suite stands in several of the files of figures; name it once.")
        return Run(
            settings=settings.pop(),
            suites=tuple(_suite_from(suite) for suite in suites),
            facts={suite["suite"]: DataFacts(**suite["data"]) for suite in suites},
            failures=failures,
            online={suite["suite"]: suite["online"] for suite in suites if "online" in suite},
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(
            f"These figures cannot be read ({type(error).__name__}: {error}): give what "
            "`langchain-router bench` wrote with --json."
        ) from None


def read_json(path: str) -> Any:
    """Read a JSON file.

    Raises:
        ConfigurationError: There is none, or it holds something else.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"The figures {path!r} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise ConfigurationError(f"The figures {path!r} are not JSON.") from None


def _suite(run: Run, suite: SuiteFigures) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "suite": suite.name,
        **{name: getattr(suite, name) for name in _SUITE},
        "models": list(suite.models),
        "policies": [{"policy": one.name, **as_json(one)} for one in suite.policies],
        "baselines": [{"policy": one.name, **as_json(one)} for one in suite.baselines],
        "data": asdict(run.facts[suite.name]),
    }
    if suite.name in run.online:
        shown["online"] = run.online[suite.name]
    return shown


def _suite_from(given: Mapping[str, Any]) -> SuiteFigures:
    values = {name: given[name] for name in _SUITE}
    values["models"] = tuple(values["models"])
    return SuiteFigures(
        name=given["suite"],
        policies=tuple(_figures_from(one) for one in given["policies"]),
        baselines=tuple(_figures_from(one) for one in given["baselines"]),
        **values,
    )


def _figures_from(given: Mapping[str, Any]) -> Figures:
    values = {name: given[name] for name in Figures.__dataclass_fields__}
    values["quality_lost_ci"] = tuple(values["quality_lost_ci"])
    values["curve"] = tuple((cost, quality) for cost, quality in values["curve"])
    return Figures(**values)
