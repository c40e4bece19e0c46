"""Prints how fast policies learned."""

from __future__ import annotations

from statistics import median

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from langchain_router.evaluation.curve import Interval
from langchain_router.evaluation.learning_curves import Baseline, Learned, SetLearned

_HEADINGS = (
    "quality",
    "at least\n0.85",
    "$ per\n1,000",
    "utility",
    "gain over\nbest single",
    "gain in the\nlast quarter",
    "ahead from\n(seeds)",
)


def print_intro(console: Console, *, seeds: int, passes: int, cost_weight: float) -> None:
    """Print how to read the tables."""
    times = "once" if passes == 1 else f"{passes} times"
    console.print(
        "A policy sees the score of the model that it chose, at once, and nothing else; it starts from "
        f"prices alone. {seeds} seeds, each an order of the prompts with lots of its own; each prompt is "
        f"asked {times}. Utility is the score less {cost_weight:g} times the cost as a share of the mean "
        "cost of the dearest model. Gains are in points of utility a request, hundredths, beyond the best "
        "single model, which nobody knows beforehand; \u00b1 is the 95 % interval over seeds, so it tells of "
        "luck, not of other prompts. Ahead from: the median request from which on the sum of utilities stays "
        "above the best single model's, and in how many seeds it does.\n",
        highlight=False,
    )


def print_set(console: Console, result: SetLearned) -> None:
    """Print a data set's table: what does not learn, then what does."""
    title = f"{result.name}: {result.prompts} prompts, {result.models} models"
    table = Table(title=title, title_style="bold", title_justify="left", box=SIMPLE_HEAD, padding=(0, 0))
    table.add_column("who", no_wrap=True)
    for heading in _HEADINGS:
        table.add_column(heading, justify="right", no_wrap=True)
    for baseline in result.baselines:
        table.add_row(*_baseline(baseline, result.best_single), style="dim")
    for policy in result.policies:
        table.add_row(*_learned(policy))
    console.print(table)
    shares = ", ".join(f"{label} {count}" for label, count in sorted(result.intents.items(), key=_most))
    used = "; ".join(f"{one.name}: {one.models}" for one in result.baselines if one.models)
    sparse = f" {result.complete:.0%} of all answers were recorded." if result.complete < 1 else ""
    console.print(f"Intents: {shares}. {used}.{sparse}\n", highlight=False)


def _baseline(one: Baseline, single: Baseline) -> tuple[str, ...]:
    gain = 100 * (one.utility - single.utility)
    return (
        one.name,
        f"{one.score:.3f}",
        f"{one.success:.1%}",
        f"{1_000 * one.cost_usd:.3f}",
        f"{one.utility:.3f}",
        f"{gain:+.1f}" if one is not single else "0",
        "",
        "",
    )


def _learned(one: Learned) -> tuple[str, ...]:
    reached = [request for request in one.ahead_from if request is not None]
    return (
        one.name,
        f"{one.score.value:.3f}",
        f"{one.success.value:.1%}",
        f"{1_000 * one.cost_usd.value:.3f}",
        f"{one.utility.value:.3f}",
        _points(one.gain),
        _points(one.last_gain),
        f"{median(reached):.0f} ({len(reached)}/{len(one.ahead_from)})" if reached else "never",
    )


def _points(interval: Interval) -> str:
    return f"{100 * interval.value:+.1f} \u00b1{100 * (interval.high - interval.value):.1f}"


def _most(pair: tuple[str, int]) -> int:
    return -pair[1]
