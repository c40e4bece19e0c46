"""What the demo prints: five decisions explained, then who answered what and what it cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean, median

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from langchain_router.chat_model import ChatRouter
from langchain_router.cli.demo.traffic import Served, Traffic
from langchain_router.decision import RoutingDecision

_EXPLAINED = 5
_CHECKED_SHOWN = 3
_LOOKED_AT = 60
_PROMPT_CHARS = 90


def print_explained(console: Console, router: ChatRouter, traffic: Traffic) -> None:
    """Print the decisions for a few prompts of different kinds, without calling anyone."""
    console.print("\n[bold]Five decisions, explained[/bold]")
    for prompt, decision in _varied(router, traffic.prompts):
        first_line = " ".join(prompt.split())
        shown = first_line if len(first_line) <= _PROMPT_CHARS else first_line[: _PROMPT_CHARS - 1] + "…"
        console.print(f"\n“{shown}”", style="bold cyan", markup=False, highlight=False)
        for line in decision.explain().splitlines():
            indent = len(line) - len(line.lstrip()) + 2
            console.print(Padding(line.strip(), (0, 0, 0, indent)), markup=False, highlight=False)
    console.print()


def print_report(
    console: Console, traffic: Traffic, *, served: Sequence[Served], always: Sequence[Served]
) -> None:
    """Print one row per candidate, then the whole beside the premium model for every request."""
    table = Table(title=traffic.title, title_style="bold")
    table.add_column("model")
    for heading in ("share", "cost", "quality", "latency p50"):
        table.add_column(heading, justify="right")
    for candidate in traffic.candidates:
        mine = [one for one in served if one.candidate == candidate.name]
        if mine:
            table.add_row(candidate.name, f"{len(mine) / len(served):.0%}", *_figures(mine))
    unused = [c.name for c in traffic.candidates if all(one.candidate != c.name for one in served)]
    table.add_section()
    table.add_row("routed", "100%", *_figures(served), style="bold")
    if always:
        table.add_row(f"always {traffic.premium}", "100%", *_figures(always))
    console.print(table)
    if unused:
        console.print(f"Never chosen: {', '.join(unused)}.")
    if len(unused) == len(traffic.candidates) - 1:
        console.print("One model answered everything: no cheaper one was predicted to be good enough.")
    _print_saving(console, traffic, served, always)


def print_cascade(
    console: Console, traffic: Traffic, *, served: Sequence[Served], always: Sequence[Served]
) -> None:
    """Print a cascade's own figures: where requests end, what one costs, what the checks cost in time."""
    checked = [one for one in served if one.is_checked]
    tiers = Counter(one.escalations for one in checked)
    shares = ", ".join(f"{tiers[tier] / len(checked):.0%} end at tier {tier + 1}" for tier in sorted(tiers))
    rest = (
        f"; the other {len(served) - len(checked)} were answered by one model"
        if len(checked) < len(served)
        else ""
    )
    console.print(f"{len(checked)} of {len(served)} answers were checked: {shares or 'none'}{rest}.")
    cost_usd, premium_usd = _total_cost_usd(served), _total_cost_usd(always)
    if cost_usd and premium_usd:
        console.print(
            f"A request costs ${cost_usd / len(served):.6f}, checks included, beside "
            f"${premium_usd / len(always):.6f} at {traffic.premium}: "
            f"{premium_usd / cost_usd:.1f} times cheaper."
        )
    if always:
        mine = sorted(one.latency_s for one in served)
        others = sorted(one.latency_s for one in always)
        added = [(_at(mine, share) - _at(others, share)) * 1000 for share in (0.5, 0.95)]
        console.print(
            f"Latency beside always {traffic.premium}, as served here: {added[0]:+.0f} ms at p50, "
            f"{added[1]:+.0f} ms at p95."
        )


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def _varied(router: ChatRouter, prompts: Sequence[str]) -> list[tuple[str, RoutingDecision]]:
    """Return a few decisions: one of each kind of request and choice first, then whatever comes."""
    decided = [(prompt, router.decide(prompt)) for prompt in prompts[:_LOOKED_AT]]
    first_of_kind: dict[tuple[str, str, bool], tuple[str, RoutingDecision]] = {}
    rest = []
    for prompt, decision in decided:
        kind = (decision.intent.label, decision.chosen.name, decision.has_checks)
        if kind in first_of_kind:
            rest.append((prompt, decision))
        else:
            first_of_kind[kind] = (prompt, decision)
    firsts = list(first_of_kind.values())
    checked = [one for one in firsts if one[1].has_checks][:_CHECKED_SHOWN]
    return [*checked, *(one for one in [*firsts, *rest] if one not in checked)][:_EXPLAINED]


def _figures(rows: Sequence[Served]) -> tuple[str, str, str]:
    cost, quality = _total_cost_usd(rows), _mean_score(rows)
    return (
        "unknown" if cost is None else f"${cost:.4f}",
        "not scored" if quality is None else f"{quality:.3f}",
        f"{median(one.latency_s for one in rows) * 1000:.0f} ms",
    )


def _print_saving(
    console: Console, traffic: Traffic, served: Sequence[Served], always: Sequence[Served]
) -> None:
    cost, premium_cost = _total_cost_usd(served), _total_cost_usd(always)
    if not always:
        _print_modelled(console, traffic, served)
        return
    if cost is None or not premium_cost:
        return
    quality, premium_quality = _mean_score(served), _mean_score(always)
    line = f"[bold]{1 - cost / premium_cost:.1%} of the cost of always {traffic.premium} saved[/bold]"
    if quality is not None and premium_quality is not None:
        line += f", quality {quality - premium_quality:+.3f} ({premium_quality:.3f} → {quality:.3f})"
    console.print(f"{line}.")


def _print_modelled(console: Console, traffic: Traffic, served: Sequence[Served]) -> None:
    modelled = [one.modelled_premium_cost_usd for one in served]
    if None in modelled or not served:
        return
    premium_usd = sum(cost for cost in modelled if cost is not None)
    console.print(
        f"Always {traffic.premium} would have cost about ${premium_usd:.4f}: modelled, as the same number of "
        "tokens at its price, not measured."
    )


def _total_cost_usd(rows: Sequence[Served]) -> float | None:
    costs = [one.cost_usd for one in rows]
    return None if not costs or None in costs else sum(cost for cost in costs if cost is not None)


def _mean_score(rows: Sequence[Served]) -> float | None:
    scores = [one.score for one in rows if one.score is not None]
    return fmean(scores) if len(scores) == len(rows) and scores else None
