"""What the scorecard says: a line at the end, a JSON file and a page for whoever operates this."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.scorecard.row import Result, Scale

_LEAST_SHARE = 0.95
_LIBRARIES = (
    "langchain-core",
    "langchain-litellm",
    "litellm",
    "langchain-openai",
    "openai",
    "httpx",
    "tenacity",
)
_GROUPS = {
    "U": "Faults of providers",
    "C": "Concurrency",
    "I": "Input",
    "S": "The store and its processes",
    "L": "Learning and feedback",
    "X": "Security",
}
NOT_YET = {
    "L4 to L7": "rollout: A/A, rollback, kill switch, shadows",
}


def summary(results: Sequence[Result]) -> tuple[bool, str]:
    """Return whether the rows that were run suffice for a release, and a sentence on them."""
    p0 = [result for result in results if result.row.is_p0]
    passed, p0_passed = (sum(result.passed for result in these) for these in (results, p0))
    enough = p0_passed == len(p0) and passed >= _LEAST_SHARE * len(results)
    return enough, f"{passed} of {len(results)} rows pass, {p0_passed} of {len(p0)} of those that are P0."


def to_json(results: Sequence[Result], *, scale: Scale, seconds: float) -> dict[str, Any]:
    """Return everything as plain data."""
    enough, text = summary(results)
    return {
        "enough_for_a_release": enough,
        "summary": text,
        "mode": "quick" if scale.is_quick else "full",
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(seconds),
        "machine": {
            "cores": _cores(),
            "python": platform.python_version(),
            "system": platform.system(),
        },
        "libraries": {name: _version(name) for name in _LIBRARIES},
        "rows": [result.to_dict() for result in results],
        "not_yet": NOT_YET,
    }


def page(data: Mapping[str, Any]) -> str:
    """Return the page as Markdown."""
    machine, libraries = data["machine"], data["libraries"]
    failing = [row["id"] for row in data["rows"] if not row["passed"]]
    command = "`make scorecard`"
    if data["mode"] == "quick":
        command += " in its QUICK mode (`ARGS=--quick`), with smaller counts than the scorecard's own"
    intro = (
        "This page says what the router does when providers, callers or inputs misbehave: each row is a "
        "scenario that was run, against a server that fails on purpose or models that do, and its figures "
        f"are what was measured. {data['summary'].rstrip('.')}"
        f"{'; these fail: ' + ', '.join(failing) if failing else ''}; a release needs every P0 row and 95 % "
        "of all. Times are those of one small shared machine: run `make scorecard` on yours before you rely "
        "on them."
    )
    lines = [
        "# Reliability",
        "",
        intro,
        "",
        f"Measured on {data['date']} in {data['seconds'] // 60} min {data['seconds'] % 60} s by "
        f"{command}, with {machine['cores']} cores, Python {machine['python']} on "
        f"{machine['system']}, and "
        + ", ".join(f"{name} {version}" for name, version in libraries.items())
        + ". The same figures as data: [reliability.json](reliability.json).",
        "",
    ]
    for letter, title in _GROUPS.items():
        rows = [row for row in data["rows"] if row["id"].startswith(letter)]
        if rows:
            lines += _table(title, rows)
    lines += [
        "## Not yet",
        "",
        "Not run and not counted above, because what they test is not built:",
        "",
        *(f"- {ids}: {what}." for ids, what in data["not_yet"].items()),
        "",
    ]
    return "\n".join(lines)


def _table(title: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        f"## {title}",
        "",
        "| id | | scenario, and when it passes | measured | |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        scenario = f"**{row['scenario']}.** {row['passes_when']}"
        verdict = "pass" if row["passed"] else "**FAIL**"
        priority = "P0" if row["priority"] == "P0" else ""
        cells = (row["id"], priority, scenario, str(row["measured"]), verdict)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return [*lines, ""]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
