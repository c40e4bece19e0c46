"""Prints a what-if and a diff as plain text."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime

from langchain_router.evaluation.log_diff import LogDiff, Moved
from langchain_router.evaluation.offpolicy.intervals import Estimate
from langchain_router.evaluation.whatif import WhatIf
from langchain_router.evaluation.whatif_figure import Figure

_THOUSAND = 1_000


def whatif_lines(found: WhatIf) -> Iterator[str]:
    """Yield the lines that say what another policy would have come to."""
    yield f"{found.policy} on {found.requests:,} recorded requests."
    yield f"It would have sent {found.elsewhere:.1%} of them elsewhere."
    yield ""
    columns = ("recorded", "what if (DR)", "SNIPS", "IPS", "difference")
    yield f"{'':<16}" + "".join(f"{one:>28}" for one in columns)
    yield _row("$ per 1,000", found.cost_usd, scale=_THOUSAND, digits=4)
    if found.quality is not None:
        yield _row("quality", found.quality, scale=1, digits=3)
    yield ""
    recorded_usd = found.cost_usd.recorded.value
    if recorded_usd > 0:
        yield f"Cost: {_change(found.cost_usd.difference.value / recorded_usd)} the recorded cost."
    for name, figure in (("cost", found.cost_usd), ("quality", found.quality)):
        if figure is not None:
            yield (
                f"Evidence on {name}: known of {figure.known:,} requests, "
                f"an effective sample of {figure.effective_sample:,.0f}."
            )
    weights = f"Weights have a mean of {found.mean_weight.value:.3f} (1 where the log holds all it would do)"
    yield f"{weights}; {found.clipped:,} were clipped."
    yield f"Intervals hold the truth in {found.confidence:.0%} of cases."
    yield ""
    yield f"{'share of requests':<50}{'recorded':>10}{'what if':>10}"
    for arm, (recorded, other) in sorted(found.shares.items(), key=lambda item: -max(item[1])):
        yield f"{_short(arm, 50):<50}{recorded:>10.1%}{other:>10.1%}"
    yield from (f"Note: {remark}" for remark in found.remarks)


def diff_lines(found: LogDiff, *, limit: int) -> Iterator[str]:
    """Yield the lines that say which requests go elsewhere.

    Args:
        found: What differs.
        limit: Most requests listed.
    """
    yield f"A: {found.policies[0]}"
    yield f"B: {found.policies[1]}"
    yield ""
    for one in found.moved[:limit]:
        yield from _moved(one)
    if len(found.moved) > limit:
        yield f"... and {len(found.moved) - limit:,} more; --limit shows them, --json holds all."
    if found.moved:
        yield ""
    share = len(found.moved) / found.requests
    yield f"{len(found.moved):,} of {found.requests:,} requests ({share:.1%}) go elsewhere."
    change_usd = found.to_usd - found.from_usd
    relative = f" ({change_usd / found.from_usd:+.1%})" if found.from_usd > 0 else ""
    yield (
        f"Expected cost of all: ${found.from_usd:.6f} under A, ${found.to_usd:.6f} under B: "
        f"{_signed(change_usd)}{relative}."
    )
    if found.unknown:
        yield f"Without {found.unknown:,} requests whose expected cost is not known of both."
    yield from (f"Note: {remark}" for remark in found.remarks)


def _row(name: str, figure: Figure, *, scale: float, digits: int) -> str:
    shown = [
        _shown(one, scale=scale, digits=digits)
        for one in (figure.recorded, figure.doubly_robust, figure.snips, figure.ips)
    ]
    shown.append(_shown(figure.difference, scale=scale, digits=digits, sign="+"))
    return f"{name:<16}" + "".join(f"{one:>28}" for one in shown)


def _shown(one: Estimate, *, scale: float, digits: int, sign: str = "") -> str:
    kind = f"{sign}.{digits}f"
    ends = [format(scale * end, kind) if math.isfinite(end) else "?" for end in (one.low, one.high)]
    return f"{format(scale * one.value, kind)} [{ends[0]}, {ends[1]}]"


def _change(share: float) -> str:
    return f"{abs(share):.1%} {'less than' if share < 0 else 'more than'}"


def _moved(one: Moved) -> Iterator[str]:
    when = datetime.fromtimestamp(one.at_s, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    change = "unknown cost" if one.change_usd is None else _signed(one.change_usd)
    yield f"{one.decision_id}  {when}  {one.intent}, complexity {one.complexity:.2f}"
    yield f"    {one.from_arm} -> {one.to_arm}  {change}"


def _signed(usd: float) -> str:
    return f"{'-' if usd < 0 else '+'}${abs(usd):.6f}"


def _short(text: str, width: int) -> str:
    return text if len(text) < width else f"{text[: width - 4]}..."
