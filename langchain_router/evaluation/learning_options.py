"""What the command that measures learning can be asked for; imports nothing heavy."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

SETS = (
    "conduit_gsm8k",
    "gb_humaneval+gb_svamp+gb_mawpsmultiarith+gb_flores",
    "routerbench_mbpp+routerbench_arc_challenge+routerbench_winogrande",
    "zeroeval_gsm+zeroeval_crux",
)
"""The data sets measured when none are named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to measure.

    Attributes:
        folder: Holds the recorded data sets.
        sets: Names of them; `"a+b"` pools two.
        seeds: How many orders of the prompts, with lots of their own.
        passes: How often all prompts are asked.
        cost_weight: Utility that the mean cost of the dearest model is worth.
        json_path: Where to write the figures as JSON.
        plot_path: Where to draw them.
    """

    folder: str
    sets: tuple[str, ...] = SETS
    seeds: int = 10
    passes: int = 1
    cost_weight: float = 0.1
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
    parser.add_argument("--seeds", type=int, default=10, help="orders of the prompts (%(default)s)")
    parser.add_argument(
        "--passes",
        type=int,
        default=1,
        help="ask all prompts so often: shows where learning ends, not what it does on fresh prompts "
        "(%(default)s)",
    )
    parser.add_argument(
        "--cost-weight",
        type=float,
        default=0.1,
        help="utility that the mean cost of the dearest model is worth (%(default)s)",
    )
    parser.add_argument("--json", dest="json_path", metavar="FILE", help="write the figures as JSON")
    parser.add_argument("--plot", dest="plot_path", metavar="FILE", help="draw the learning curves")


def options_from(given: argparse.Namespace) -> Options:
    """Return the options that were given to a parser with `add_arguments`."""
    values = {name: getattr(given, name) for name in Options.__dataclass_fields__ if name != "sets"}
    return Options(sets=tuple(filter(None, given.sets.split(","))), **values)
