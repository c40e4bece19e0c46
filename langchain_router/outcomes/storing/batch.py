"""Writes a batch of queued rows in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from langchain_router.outcomes.storing import schema
from langchain_router.outcomes.storing.feedback_log import FeedbackLog
from langchain_router.outcomes.storing.migrations import take_turn
from langchain_router.outcomes.storing.rows import (
    add,
    attempt_rows,
    clean,
    decision_row,
    outcome_row,
    rows_where,
)
from langchain_router.outcomes.storing.writer import Decided, Done, Linked, Row

_decision_id: Final = schema.decisions.c.id
_outcome_of: Final = schema.outcomes.c.decision_id
_link_id: Final = schema.links.c.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a batch left out.

    Attributes:
        orphaned: Outcomes and links whose decision is not in the store.
        given_up: Feedbacks that have waited for a decision for too long.
    """

    orphaned: int
    given_up: int


def write_batch(
    connection: Connection, rows: Sequence[Row], *, now_s: float, trusted: Collection[str]
) -> Tally:
    """Write rows, in a transaction; those that are there already are left as they are.

    So a batch may be written again when nobody knows whether its commit came through.
    """
    take_turn(connection)
    decided = {clean(row.situation.decision_id): row for row in rows if isinstance(row, Decided)}
    done = {clean(row.outcome.decision_id): row for row in rows if isinstance(row, Done)}
    links = _links(rows)
    asked_for = [*decided, *done, *(decision_id for decision_id in links.values())]
    there = {
        row["id"] for row in rows_where(connection, schema.decisions, _decision_id, asked_for, _decision_id)
    }
    new = [row for decision_id, row in decided.items() if decision_id not in there]
    add(connection, schema.decisions, [decision_row(row.situation, row.asked) for row in new])
    there.update(decided)

    had = rows_where(connection, schema.outcomes, _outcome_of, done, _outcome_of)
    had_ids = {row["decision_id"] for row in had}
    ended = [row for decision_id, row in done.items() if decision_id in there and decision_id not in had_ids]
    add(connection, schema.outcomes, [outcome_row(row.outcome, at_s=row.at_s) for row in ended])
    add(connection, schema.attempts, [one for row in ended for one in attempt_rows(row.outcome)])

    linked = {row["id"] for row in rows_where(connection, schema.links, _link_id, links)}
    new_links: list[dict[str, Any]] = [
        {"id": any_id, "decision_id": decision_id}
        for any_id, decision_id in links.items()
        if decision_id in there and any_id not in linked
    ]
    add(connection, schema.links, new_links)

    log = FeedbackLog(connection, now_s=now_s, trusted=trusted)
    log.ended([clean(row.outcome.decision_id) for row in ended])
    log.came([*(clean(row.situation.decision_id) for row in new), *(link["id"] for link in new_links)])
    orphans = [row for row in rows if not isinstance(row, Decided) and _decision_of(row) not in there]
    return Tally(orphaned=len(orphans), given_up=log.given_up)


def _links(rows: Sequence[Row]) -> dict[str, str]:
    """Return the decision by each message's and run's id; the first that has an id keeps it."""
    links: dict[str, str] = {}
    for row in rows:
        if isinstance(row, Linked):
            links.setdefault(clean(row.run_id), clean(row.decision_id))
        elif isinstance(row, Done) and row.message_id:
            links.setdefault(clean(row.message_id), clean(row.outcome.decision_id))
    return links


def _decision_of(row: Done | Linked) -> str:
    return clean(row.outcome.decision_id if isinstance(row, Done) else row.decision_id)
