"""The command `langchain-router`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

from langchain_core.exceptions import ModelError

from langchain_router.cli.bench import add_bench, run_bench
from langchain_router.cli.calibrate import add_calibrate, run_calibrate
from langchain_router.cli.checks import add_bench_checks, run_bench_checks
from langchain_router.cli.diff import add_diff, run_diff
from langchain_router.cli.implicit import add_bench_implicit, run_bench_implicit
from langchain_router.cli.learning import add_bench_learning, run_bench_learning
from langchain_router.cli.signals import add_bench_signals, run_bench_signals
from langchain_router.cli.whatif import add_whatif, run_whatif
from langchain_router.exceptions import RouterError

_COMMANDS: dict[str, tuple[Callable[[Any], None], Callable[[argparse.Namespace], None]]] = {
    "bench": (add_bench, run_bench),
    "bench-checks": (add_bench_checks, run_bench_checks),
    "bench-learning": (add_bench_learning, run_bench_learning),
    "bench-signals": (add_bench_signals, run_bench_signals),
    "bench-implicit": (add_bench_implicit, run_bench_implicit),
    "calibrate": (add_calibrate, run_calibrate),
    "whatif": (add_whatif, run_whatif),
    "diff": (add_diff, run_diff),
}
"""How each command but the demo adds itself to a parser, and runs with what that gave."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status.

    Args:
        arguments: Words after the command's name; those of this process when None.
    """
    parser = argparse.ArgumentParser(prog="langchain-router", description=__doc__)
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('langchain-llm-router')}")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser(
        "demo",
        help="route prompts over HTTP through LiteLLM and show what it saves",
        description="Routes prompts through prompt | router | parser. Without options, the prompts "
        "are the project's own and the provider is simulated on this machine; nothing is spent.",
    )
    demo.add_argument("--data", help="a file of recorded prompts and answers to route (.jsonl, .jsonl.gz)")
    demo.add_argument(
        "--live", action="store_true", help="use the real providers whose keys are set; costs money"
    )
    demo.add_argument("--policy", default="cost", help="cost (the default), threshold or cascade")
    demo.add_argument(
        "--quality", type=float, help="least predicted quality for --policy cost or cascade, 0..1"
    )
    demo.add_argument("--limit", type=int, help="route at most this many prompts")
    demo.add_argument(
        "--store", help="where to keep what is learned: a URL, a path or none; a file of the demo's own"
    )
    demo.add_argument("--fresh", action="store_true", help="start as if nothing had been learned")
    for add, _ in _COMMANDS.values():
        add(commands)
    chosen = parser.parse_args(arguments)
    if chosen.command in _COMMANDS:
        _, run = _COMMANDS[chosen.command]
        return _guarded(lambda: run(chosen))
    try:
        from langchain_router.cli.demo.run import run_demo
    except ModuleNotFoundError as error:
        if error.name != "rich":
            raise
        print("The demo needs rich: pip install 'langchain-llm-router[cli]'", file=sys.stderr)
        return 2
    return _guarded(
        lambda: run_demo(
            data=chosen.data,
            live=chosen.live,
            policy=chosen.policy,
            quality=chosen.quality,
            limit=chosen.limit,
            store=chosen.store,
            fresh=chosen.fresh,
        )
    )


def _guarded(run: Callable[[], None]) -> int:
    """Run a command; what a user can mend is said in a line, without a traceback."""
    try:
        run()
    except (RouterError, ModelError) as error:
        print(f"langchain-router: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0
