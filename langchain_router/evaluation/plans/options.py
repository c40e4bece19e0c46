"""What the benchmark of policies can be asked for; imports nothing heavy."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass

from langchain_router.exceptions import ConfigurationError

_FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to measure, on what, and where the figures go.

    Attributes:
        paths: Folders and files of recorded answers, to fit and test on in turn.
        fit: Files to fit on; with `test`, instead of `paths`.
        test: Files to test on.
        sets: Which of a folder's data sets; `"a+b"` pools two. Empty for the usual ones.
        folds: In how many parts the rows of a suite are split; each is tested on what the others taught.
        max_quality_loss: Mean loss that is allowed, in score points (0.02 is 2 points).
        confidence: That no more is lost, 0..1.
        seed: Of all lots.
        online: Whether to let policies learn prompt by prompt too, from the score of their own choice alone.
        jobs: How many suites are measured at a time, each in a process of its own; 1 uses none.
        json_path: Where to write the figures as JSON.
        plot_path: Where to draw them.
        page_path: Where to write the page, in Markdown.
        save: A folder for the plans fitted for each suite, as `NAME.npz`: on `fit`, else on all its rows.
        redraw: Figures that `json_path` was written with before, to be shown again instead of measuring.
        signals_json: Figures of `bench-signals`, for the page.
        checks_json: Figures of `bench-checks`, for the page.
    """

    paths: tuple[str, ...] = ()
    fit: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    folds: int = _FOLDS
    max_quality_loss: float = 0.02
    confidence: float = 0.9
    seed: int = 0
    online: bool = False
    jobs: int = 2
    json_path: str | None = None
    plot_path: str | None = None
    page_path: str | None = None
    save: str | None = None
    redraw: tuple[str, ...] = ()
    signals_json: str | None = None
    checks_json: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be measured.

        Raises:
            ConfigurationError: It says which option is wrong, and what to give.
        """
        if not (self.paths or self.fit or self.test or self.redraw):
            raise ConfigurationError(
                "There is nothing to measure on: give a folder or files of recorded answers, or "
                "--fit FILE... and --test FILE..."
            )
        if bool(self.fit) != bool(self.test):
            given, lacking = ("--fit", "--test") if self.fit else ("--test", "--fit")
            raise ConfigurationError(f"{given} needs {lacking}: what to {lacking[2:]} on was not given.")
        if self.fit and self.paths:
            raise ConfigurationError(
                f"Give either files to split ({self.paths[0]!r}) or --fit and --test, not both."
            )
        if self.redraw and (self.fit or self.paths):
            raise ConfigurationError("--redraw shows figures again; give no files to measure on with it.")
        if self.redraw and self.save is not None:
            raise ConfigurationError("--redraw fits nothing, so there is nothing to --save.")
        if not 0 <= self.max_quality_loss < 1:  # NaN fails too
            raise ConfigurationError(
                f"--max-quality-loss must be from 0 to below 1, got {self.max_quality_loss!r}: 0.02 for two."
            )
        if not 0.5 <= self.confidence < 1:
            raise ConfigurationError(f"--confidence must be from 0.5 to below 1, got {self.confidence!r}.")
        for name, least in (("folds", 2), ("jobs", 1), ("seed", 0)):
            value = getattr(self, name)
            if not least <= value < math.inf:
                raise ConfigurationError(f"--{name} must be at least {least}, got {value!r}.")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to a parser."""
    parser.add_argument(
        "paths",
        nargs="*",
        metavar="FOLDER|FILE",
        help="recorded answers (NAME.jsonl, NAME.jsonl.gz), each file a suite that is split into folds",
    )
    files = {"nargs": "+", "default": [], "action": "extend", "metavar": "FILE"}
    parser.add_argument("--fit", help="fit on these files, all in one", **files)  # type: ignore[arg-type]
    parser.add_argument("--test", help="and test on these, all in one", **files)  # type: ignore[arg-type]
    parser.add_argument(
        "--sets", default="", help="data sets of the folder, separated by commas; a+b pools two (the usual)"
    )
    parser.add_argument(
        "--folds", type=int, default=_FOLDS, help="parts that a file is split in (%(default)s)"
    )
    parser.add_argument(
        "--max-quality-loss",
        type=float,
        default=0.02,
        help="mean loss that is allowed, in score points (%(default)s)",
    )
    parser.add_argument("--confidence", type=float, default=0.9, help="that no more is lost (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all lots (%(default)s)")
    parser.add_argument(
        "--online",
        action="store_true",
        help="also let policies learn prompt by prompt, each seeing the score of its own choice alone",
    )
    parser.add_argument(
        "--jobs", type=int, default=2, help="suites measured at a time, a process each (%(default)s)"
    )
    parser.add_argument("--json", dest="json_path", metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--plot", dest="plot_path", metavar="FILE", help="draw them (.png, .svg, .pdf)")
    parser.add_argument(
        "--page", dest="page_path", metavar="FILE", help="write the page of figures and plots (.md)"
    )
    parser.add_argument("--save", metavar="DIR", help="keep each suite's figures as soon as they are known")
    parser.add_argument(
        "--redraw",
        help="show figures that --json or --save wrote, and measure nothing",
        **files,  # type: ignore[arg-type]
    )
    parser.add_argument("--signals-json", metavar="FILE", help="figures of bench-signals for the page")
    parser.add_argument("--checks-json", metavar="FILE", help="figures of bench-checks for the page")


def options_from(given: argparse.Namespace) -> Options:
    """Return the options that were given to a parser with `add_arguments`.

    Raises:
        ConfigurationError: They cannot be measured together.
    """
    values = {name: getattr(given, name) for name in Options.__dataclass_fields__ if name != "sets"}
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
    return Options(sets=tuple(filter(None, given.sets.split(","))), **values)
