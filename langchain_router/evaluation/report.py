"""Prints what checks came to on recorded answers."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from langchain_router.evaluation.bench import CheckResult, PairResult, SetResult
from langchain_router.evaluation.curve import Measured

_ALL, _NONE = 0.995, 0.005
_SHOWN_PAIRS = 12
_FIGURES = ("esca-\nlated", "saved", "vs pre-\nmium", "gain at\nequal rate", "gain at\nequal cost")
_BEATS = {1: "[green]yes[/green]", 0: "not shown", -1: "[red]worse[/red]"}


def print_intro(console: Console, *, rows: str, resamples: int, seed: int) -> None:
    """Print how to read the tables."""
    console.print(
        f"Rows: {rows}. Quality is in points, hundredths of the mean score. Gains are over a random cascade "
        "that spends as much (equal cost: an agreement check pays for a second answer), or escalates as many "
        "requests (equal rate). Over coin: beside a coin toss between both models at equal cost, for which "
        "no draft is wasted. AUC: of telling right drafts from wrong. Brackets are the 95 % interval of a "
        f"paired bootstrap over prompts ({resamples} resamples, seed {seed}), by which a check beats random "
        "or not; --json holds the intervals of all figures.\n",
        highlight=False,
    )


def print_set(console: Console, result: SetResult) -> None:
    """Print a data set's table, one row for each check that escalates some but not all requests."""
    told = [c for c in result.checks if _NONE < c.measured.escalated < _ALL]
    table = _table(f"{result.name}, {result.rows} rows", ("check",), (*_FIGURES, "over\ncoin", "AUC"))
    for one in told:
        table.add_row(*_row(one), style="dim" if one.contender.baseline else None)
    console.print(_alone(result), highlight=False)
    console.print(table)
    for what, some in (
        ("nothing", [c for c in result.checks if c.measured.escalated <= _NONE]),
        ("everything", [c for c in result.checks if c.measured.escalated >= _ALL]),
    ):
        if some:
            listed = ", ".join(f"{c.contender.name} ({c.measured.escalated:.1%})" for c in some)
            console.print(f"Escalate {what} here: {listed}.", highlight=False)
    console.print()


def print_pairs(console: Console, name: str, premium: str, pairs: Sequence[PairResult]) -> None:
    """Print how agreement did with other pairs of cheap models than the one chosen by rule."""
    if not pairs:
        console.print(f"{name}: no two models together cost less than {premium}.", highlight=False)
        return
    ranked = sorted(pairs, key=lambda pair: -pair.measured.gain_at_cost.value)
    title = f"{name}: agreement of every pair cheaper than {premium}"
    table = _table(title, ("draft", "second"), _FIGURES)
    for pair in ranked[:_SHOWN_PAIRS]:
        m = pair.measured
        table.add_row(
            pair.draft,
            pair.second,
            *_figures(m),
            _BEATS[m.gain_at_cost.side],
        )
    console.print(table)
    gains = [pair.measured.gain_at_cost for pair in pairs]
    beaten, worse = (sum(gain.side == side for gain in gains) for side in (1, -1))
    console.print(
        f"{len(pairs)} pairs: {beaten} beat random at equal cost, {worse} are worse, "
        f"median gain {median(gain.value for gain in gains):+.1f} points.\n",
        highlight=False,
    )


def print_summary(console: Console, results: Sequence[SetResult]) -> None:
    """Print on how many data sets each check beats random escalation at equal cost."""
    table = Table(title="Beats random at equal cost, over all data sets", title_style="bold")
    table.add_column("check", no_wrap=True)
    for heading in ("yes", "not shown", "worse", "mean gain", "mean saved", "mean vs premium"):
        table.add_column(heading, justify="right", no_wrap=True)
    for index, one in enumerate(results[0].checks):
        figures = [result.checks[index].measured for result in results]
        sides = [figure.gain_at_cost.side for figure in figures]
        table.add_row(
            one.contender.name,
            *(str(sides.count(side)) for side in (1, 0, -1)),
            f"{_mean([figure.gain_at_cost.value for figure in figures]):+.1f}",
            f"{_mean([figure.saved.value for figure in figures]):.1%}",
            f"{_mean([figure.versus_premium.value for figure in figures]):+.1f}",
            style="dim" if one.contender.baseline else None,
        )
    console.print(table)
    if not any(result.with_schema for result in results):
        console.print("SchemaCheck is not measured: no request carries a schema or tools.", highlight=False)


def _row(one: CheckResult) -> tuple[str, ...]:
    m = one.measured
    more = f"{m.gain_over_coin.value:+.1f}", f"{m.auc_right:.2f}"
    return one.contender.name, *_figures(m), *more, _BEATS[m.gain_at_cost.side]


def _figures(m: Measured) -> tuple[str, ...]:
    gain = m.gain_at_cost
    return (
        f"{m.escalated:.1%}",
        f"{m.saved.value:.1%}",
        f"{m.versus_premium.value:+.1f}",
        f"{m.gain_at_rate.value:+.1f}",
        f"{gain.value:+.1f} \\[{gain.low:+.1f}, {gain.high:+.1f}]",
    )


def _table(title: str, names: Sequence[str], figures: Sequence[str]) -> Table:
    """Return an empty table; narrow enough for 100 columns, whatever the figures are."""
    table = Table(title=title, title_style="bold", title_justify="left", box=SIMPLE_HEAD, padding=(0, 0))
    for name in names:
        table.add_column(name, no_wrap=len(names) == 1, overflow="fold")
    for heading in figures:
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("beats\nrandom", no_wrap=True)
    return table


def _alone(result: SetResult) -> str:
    parts = [
        f"{part} {one.model} ({one.score:.3f}, ${1_000 * one.cost_usd:.3f} per 1,000)"
        for part, one in result.standings.items()
    ]
    return "; ".join(parts) + "."


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
