"""`langchain-router calibrate`: how far routing may go so that quality holds, with a certificate."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from langchain_router.exceptions import ConfigurationError

if TYPE_CHECKING:
    from langchain_router.evaluation.calibration.found import Found


def add_calibrate(commands: Any) -> None:
    """Add the subcommand.

    Args:
        commands: What `ArgumentParser.add_subparsers` returned.
    """
    parser = commands.add_parser(
        "calibrate",
        help="certify, for each intent, how much predicted quality may be given up",
        description="Finds for each intent the largest slack of which it is proved that no more quality is "
        "lost than allowed, on recorded answers or on a log with feedback, and refuses where there are too "
        "few. Calls no model.",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--data", nargs="+", metavar="FILE", help="recorded answers of several models (.jsonl, .jsonl.gz)"
    )
    source.add_argument(
        "--store", metavar="URL", help="a log with feedback and choices by lot: sqlite:///router.db, ..."
    )
    parser.add_argument("--since", metavar="LENGTH", help="how far back to look in a log: 30d, 12h (all)")
    parser.add_argument(
        "--max-quality-loss",
        type=float,
        default=0.02,
        help="mean loss that is allowed, in score points (%(default)s)",
    )
    parser.add_argument("--confidence", type=float, default=0.95, help="of each certificate (%(default)s)")
    parser.add_argument(
        "--together", action="store_true", help="let the confidence hold for all certificates at once"
    )
    parser.add_argument(
        "--method",
        choices=("auto", "hoeffding-bentkus", "betting"),
        help="which p-value (auto; of a log always betting)",
    )
    parser.add_argument(
        "--save", metavar="FILE", help="write the plans that the certificates are about (.npz), with --data"
    )
    parser.add_argument("--json", dest="json_path", metavar="FILE", help="write the calibration as JSON")


def run_calibrate(chosen: argparse.Namespace) -> None:
    """Run it with what the parser gave.

    Raises:
        InsufficientEvidenceError: Nothing could be certified.
        ConfigurationError: A file cannot be read, or a value is out of range.
        StoreError: The store could not be read.
    """
    from langchain_router.exceptions import InsufficientEvidenceError

    options: dict[str, Any] = {
        "max_quality_loss": chosen.max_quality_loss,
        "confidence": chosen.confidence,
        "together": chosen.together,
    }
    found = _of_log(chosen, options) if chosen.data is None else _of_data(chosen, options)
    print("\n".join(found.lines()))
    if chosen.json_path is not None:
        found.calibration.save(chosen.json_path)
    if chosen.save is not None and found.plans is not None:
        found.plans.save(chosen.save)
    if not found.calibration.certificates:
        raise InsufficientEvidenceError(
            "No threshold could be certified for any intent; the reasons are above. Give more requests, or "
            "allow more loss with --max-quality-loss."
        )


def _of_data(chosen: argparse.Namespace, options: dict[str, Any]) -> Found:
    from langchain_router.evaluation.calibration.from_recorded import calibrate_recorded
    from langchain_router.testing.replay import read_replay

    if chosen.since is not None:
        raise ConfigurationError("--since is for a log; leave it out with --data.")
    rows = [row for path in chosen.data for row in read_replay(path)]
    return calibrate_recorded(rows, method=chosen.method or "auto", **options)


def _of_log(chosen: argparse.Namespace, options: dict[str, Any]) -> Found:
    from langchain_router.cli.whatif import store_of
    from langchain_router.evaluation.calibration.from_log import calibrate_log
    from langchain_router.evaluation.whatif_since import seconds_from

    if chosen.save is not None:
        raise ConfigurationError("--save is for plans fitted on recorded answers; leave it out with --store.")
    if chosen.method not in {None, "betting"}:
        raise ConfigurationError("--method is always betting with --store: a log's rows are not independent.")
    since_s = None if chosen.since is None else seconds_from(chosen.since)
    with store_of(chosen.store) as store:
        return calibrate_log(store, since_s=since_s, **options)
