"""Which recorded answers make up a suite, and what is known of them before anything is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from langchain_router.exceptions import ConfigurationError
from langchain_router.testing.replay import ReplayRow, read_replay

USUAL: Final = (
    "routerbench_mbpp",
    "routerbench_arc_challenge",
    "routerbench_winogrande",
    "alpacaeval",
    "zeroeval_gsm",
    "zeroeval_crux",
    "gb_humaneval",
    "gb_svamp",
    "gb_mawpsmultiarith",
    "gb_flores",
    "rgym_easy",
    "routellm_gsm8k",
    "routellm_mmlu",
)
"""The suites of the aim. Of a folder that holds any of them, these are measured when none are named."""

_ENDINGS = (".jsonl.gz", ".jsonl")
_CUT = "[truncated]"
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Recorded answers that are measured together.

    Attributes:
        name: What it is called in reports.
        test: Files whose rows the figures are from.
        fit: Files to fit on; empty where the rows of `test` are split into folds.
    """

    name: str
    test: tuple[str, ...]
    fit: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFacts:
    """What the rows of a suite's figures are like; all but the first two are shares, 0..1.

    Attributes:
        rows: How many prompts.
        models: How many models answered any of them.
        recorded: Of all pairs of prompt and model, those with an answer.
        with_text: Of the answers, those whose text was kept: no check can read the others.
        cut: Of the texts, those that were cut short.
        estimated: Of the answers, those whose cost was estimated from a price list.
        without_cost: Of the answers, those whose cost is unknown.
        repeated: Of the prompts, those that stand in an earlier row too.
        fitted: Of the prompts, those that stand in the rows fitted on too; 0 for folds.
    """

    rows: int
    models: int
    recorded: float
    with_text: float
    cut: float
    estimated: float
    without_cost: float
    repeated: float
    fitted: float = 0.0


def find_suites(paths: Sequence[str], sets: Sequence[str] = ()) -> tuple[Suite, ...]:
    """Return a suite for every file, and for every data set of a folder that is asked for.

    Args:
        paths: Folders and files.
        sets: Data sets of the folders; `"a+b"` pools two. Empty for those of `USUAL` that a folder holds,
            or for all where it holds none.

    Raises:
        ConfigurationError: There is no such file, folder or data set, or two suites have the same name.
    """
    found: list[Suite] = []
    folders = [Path(path) for path in paths if Path(path).is_dir()]
    if sets and len(folders) != 1:
        raise ConfigurationError(f"--sets names data sets of one folder; {len(folders)} were given.")
    for path in map(Path, paths):
        if path.is_dir():
            found += [
                Suite(name=name, test=tuple(_file(path, one) for one in name.split("+")))
                for name in sets or _usual(path)
            ]
        elif path.is_file():
            found.append(Suite(name=_stem(path), test=(str(path),)))
        else:
            raise ConfigurationError(f"There is no file or folder {str(path)!r}.")
    names = [suite.name for suite in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigurationError(f"Two suites are called {twice!r}: rename a file, or leave one out.")
    return tuple(found)


def given_suite(fit: Sequence[str], test: Sequence[str]) -> Suite:
    """Return the suite of files to fit on and files to test on."""
    names = list(dict.fromkeys(_stem(Path(path)) for path in test))
    more = f"+{len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return Suite(name="+".join(names[:_NAMED]) + more, fit=tuple(fit), test=tuple(test))


def read_rows(paths: Sequence[str]) -> tuple[ReplayRow, ...]:
    """Read files of recorded answers, in order.

    Raises:
        ConfigurationError: One cannot be read, or they hold no row.
    """
    rows = tuple(row for path in paths for row in read_replay(path))
    if not rows:
        raise ConfigurationError(f"There is no row in {', '.join(map(repr, paths))}.")
    return rows


def facts_of(rows: Sequence[ReplayRow], fit_rows: Sequence[ReplayRow] = ()) -> DataFacts:
    """Return what rows are like.

    Example:
        >>> facts_of([ReplayRow(id="1", dataset="", domain="", prompt="Hi", outcomes={})] * 4).repeated
        0.75
    """
    outcomes = [outcome for row in rows for outcome in row.outcomes.values()]
    models = {model for row in rows for model in row.outcomes}
    texts = [outcome.response for outcome in outcomes if outcome.response is not None]
    fitted = {row.prompt for row in fit_rows}
    return DataFacts(
        rows=len(rows),
        models=len(models),
        recorded=_share(len(outcomes), len(rows) * len(models)),
        with_text=_share(len(texts), len(outcomes)),
        cut=_share(sum(text.rstrip().endswith(_CUT) for text in texts), len(texts)),
        estimated=_share(sum(one.cost_kind == "estimated" for one in outcomes), len(outcomes)),
        without_cost=_share(sum(one.cost_usd is None for one in outcomes), len(outcomes)),
        repeated=_share(len(rows) - len({row.prompt for row in rows}), len(rows)),
        fitted=_share(sum(row.prompt in fitted for row in rows), len(rows)),
    )


def _usual(folder: Path) -> tuple[str, ...]:
    held = {_stem(path) for path in folder.iterdir() if path.name.endswith(_ENDINGS)}
    if not held:
        raise ConfigurationError(
            f"{str(folder)!r} holds no recorded answers: write NAME.jsonl, one prompt a line."
        )
    return tuple(name for name in USUAL if name in held) or tuple(sorted(held))


def _file(folder: Path, name: str) -> str:
    for ending in _ENDINGS:
        if (folder / f"{name}{ending}").is_file():
            return str(folder / f"{name}{ending}")
    from langchain_router.evaluation.recorded import read_set

    read_set(folder, name)  # says what the folder does hold
    raise ConfigurationError(f"{str(folder)!r} holds no {name!r}.")


def _stem(path: Path) -> str:
    return path.name.partition(".jsonl")[0]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
