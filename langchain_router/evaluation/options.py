"""What the command that measures checks can be asked for; imports nothing heavy."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

SETS = (
    "zeroeval_gsm",
    "zeroeval_crux",
    "gb_svamp",
    "gb_mawpsmultiarith",
    "alpacaeval",
    "routerbench_arc_challenge",
)
"""The data sets measured when none are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to measure.

    Attributes:
        folder: Holds the recorded data sets.
        sets: Names of them; `"a+b"` pools two.
        draft: Takes this model as the draft's, instead of the one chosen by rule.
        second: Likewise.
        premium: Likewise.
        all_rows: Whether to report on all rows, the development rows included.
        every_pair: Whether to measure agreement of every pair of cheap models too.
        resamples: How many bootstrap resamples the intervals rest on.
        seed: Of the resampling.
        json_path: Where to write the figures as JSON.
        plot_path: Where to draw them.
    """

    folder: str
    sets: tuple[str, ...] = SETS
    draft: str | None = None
    second: str | None = None
    premium: str | None = None
    all_rows: bool = False
    every_pair: bool = False
    resamples: int = 1_000
    seed: int = 0
    json_path: str | None = None
    plot_path: str | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command to a parser."""
    parser.add_argument("folder", help="folder of recorded answers: NAME.jsonl or NAME.jsonl.gz each")
    parser.add_argument(
        "--sets",
        default=",".join(SETS),
        help="data sets, separated by commas; a+b pools two (default: %(default)s)",
    )
    parser.add_argument("--draft", help="take this model as the draft's, not the one chosen by rule")
    parser.add_argument("--second", help="take this model as the second")
    parser.add_argument("--premium", help="take this model as the premium one")
    parser.add_argument(
        "--all-rows", action="store_true", help="report on the rows on which models were chosen too"
    )
    parser.add_argument(
        "--every-pair", action="store_true", help="measure agreement of every pair of cheap models too"
    )
    parser.add_argument("--resamples", type=int, default=1_000, help="bootstrap resamples (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the resampling (%(default)s)")
    parser.add_argument("--json", dest="json_path", metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--plot", dest="plot_path", metavar="FILE", help="draw quality against cost")


def options_from(given: argparse.Namespace) -> Options:
    """Return the options that were given to a parser with `add_arguments`."""
    values = {name: getattr(given, name) for name in Options.__dataclass_fields__ if name != "sets"}
    return Options(sets=tuple(filter(None, given.sets.split(","))), **values)
