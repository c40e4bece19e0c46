"""Adds feedback and outcomes to the tables, and what follows from them to the log of lessons.

All of it happens in the transaction of whoever calls, who has taken the turn to write. The label of a
decision is computed from everything that was said of it, and the log gets the change.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, func, select, update

from langchain_router.outcomes.feedback import Feedback
from langchain_router.outcomes.judgements import Allowance, Kept, Place, Receipt, label_now, take
from langchain_router.outcomes.labels import DAY_S
from langchain_router.outcomes.lessons import Label
from langchain_router.outcomes.storing import schema
from langchain_router.outcomes.storing.rows import (
    add,
    clean,
    label_columns,
    label_in,
    parts,
    rows_where,
    storable,
)

WAITS_S: Final = 3_600.0
"""How long feedback waits for a decision that is not known yet, in seconds."""

MOST_WAITING: Final = 10_000

_feedback: Final = schema.feedback
_waiting: Final = schema.waiting


class FeedbackLog:
    """Writes what follows from feedback and from outcomes, within one transaction.

    Args:
        connection: In a transaction, whose turn it is to write.
        now_s: Now, in seconds since 1970.
        trusted: Sources without a limit.

    Attributes:
        given_up: How many feedbacks were not kept, or have waited too long.
    """

    def __init__(self, connection: Connection, *, now_s: float, trusted: Collection[str]) -> None:
        self.given_up = 0
        self._connection = connection
        self._now_s = now_s
        self._since_s = now_s - DAY_S
        self._allowance = Allowance(trusted, said_by=self._said_by, said_by_all=self._said_by_all)
        self._number: int | None = None

    def add(self, feedback: Sequence[Feedback]) -> list[Receipt]:
        """Store feedback, relabel the decisions that it is about, and keep the rest aside."""
        known = decisions_of(self._connection, [clean(one.decision_id) for one in feedback])
        kept = self._kept(known.values())
        receipts: list[Receipt] = []
        changed: dict[tuple[str, Place], Kept | None] = {}
        unknown: list[Feedback] = []
        for one in map(_cleaned, feedback):
            decision_id = known.get(one.decision_id)
            if decision_id is None:
                unknown.append(one)
                receipts.append(Receipt(decision_id=one.decision_id, status="late_unknown", label=None))
                continue
            place = (one.source, one.key)
            before = kept[decision_id].get(place)
            status = take(
                kept[decision_id], one, at_s=self._now_s, allowance=self._allowance, since_s=self._since_s
            )
            if status != "same":
                changed.setdefault((decision_id, place), before)
            receipts.append(Receipt(decision_id=decision_id, status=status, label=None))
        self._store(changed, kept)
        labels = {decision_id: label_now(said) for decision_id, said in kept.items()}
        self._relabel({decision_id: labels[decision_id] for decision_id, _ in changed})
        waits = self._keep_aside(unknown)
        return [_told(receipt, labels, waits) for receipt in receipts]

    def ended(self, decision_ids: Sequence[str]) -> None:
        """Enter into the log that requests have ended, and the labels that had to wait for that."""
        self._lesson({"decision_id": one, "kind": "ended"} for one in decision_ids)
        said = self._kept(decision_ids)
        self._relabel({one: label_now(kept) for one, kept in said.items() if kept})

    def came(self, any_ids: Iterable[str]) -> None:
        """Add the feedback that was waiting for these ids."""
        found = list(rows_where(self._connection, _waiting, _waiting.c.any_id, any_ids))
        if not found:
            return
        for some in parts(row["any_id"] for row in found):
            self._connection.execute(delete(_waiting).where(_waiting.c.any_id.in_(some)))
        self.add([_feedback_in(row) for row in sorted(found, key=lambda row: float(row["at_s"]))])

    def forget(self, source: str) -> int:
        """Take back all that a source has said; return how many feedbacks that were."""
        stands = (_feedback.c.source == source) & _feedback.c.revoked.is_(False)
        ids = self._connection.execute(select(_feedback.c.decision_id).where(stands)).scalars().all()
        self._connection.execute(update(_feedback).where(stands).values(revoked=True))
        self._connection.execute(delete(_waiting).where(_waiting.c.source == source))
        for some in parts(ids):
            self._relabel({one: label_now(kept) for one, kept in self._kept(some).items()})
        return len(ids)

    def _kept(self, decision_ids: Iterable[str]) -> defaultdict[str, dict[Place, Kept]]:
        found: defaultdict[str, dict[Place, Kept]] = defaultdict(dict)
        for row in rows_where(self._connection, _feedback, _feedback.c.decision_id, decision_ids):
            found[row["decision_id"]][row["source"], row["key"]] = Kept(
                score=row["score"],
                given_weight=row["given_weight"],
                weight=row["weight"],
                comment=row["comment"],
                at_s=row["at_s"],
                revoked=row["revoked"],
            )
        return found

    def _store(
        self, changed: dict[tuple[str, Place], Kept | None], kept: dict[str, dict[Place, Kept]]
    ) -> None:
        new: list[dict[str, Any]] = []
        replaced: list[dict[str, Any]] = []
        for (decision_id, place), before in changed.items():
            one = kept[decision_id][place]
            values = {
                "score": one.score,
                "given_weight": one.given_weight,
                "weight": one.weight,
                "comment": one.comment,
                "at_s": one.at_s,
                "revoked": one.revoked,
            }
            place_of = {"decision_id": decision_id, "source": place[0], "key": place[1]}
            if before is None:
                new.append({**place_of, **values})
            else:
                replaced.append({**{f"of_{name}": value for name, value in place_of.items()}, **values})
        add(self._connection, _feedback, new)
        if replaced:
            names = ("score", "given_weight", "weight", "comment", "at_s", "revoked")
            self._connection.execute(
                update(_feedback)
                .where(
                    _feedback.c.decision_id == bindparam("of_decision_id"),
                    _feedback.c.source == bindparam("of_source"),
                    _feedback.c.key == bindparam("of_key"),
                )
                .values({name: bindparam(name) for name in names}),
                replaced,
            )

    def _relabel(self, labels: dict[str, Label | None]) -> None:
        """Give decisions their label, if they were answered and it is another, and tell the log."""
        decisions, outcomes = schema.decisions, schema.outcomes
        answered = {
            row["decision_id"]
            for row in rows_where(self._connection, outcomes, outcomes.c.decision_id, labels)
            if row["served_by"] is not None
        }
        columns = (decisions.c.id, decisions.c.label_score, decisions.c.label_weight)
        changes: list[dict[str, Any]] = []
        old = {
            row["id"]: label_in(row, "label")
            for row in rows_where(self._connection, decisions, decisions.c.id, answered, *columns)
        }
        for decision_id, label in labels.items():
            if decision_id in old and old[decision_id] != label:
                changes.append(
                    {
                        "decision_id": decision_id,
                        "kind": "labelled",
                        **label_columns(old[decision_id], "old"),
                        **label_columns(label, "new"),
                    }
                )
        self._lesson(changes)
        if changes:
            self._connection.execute(
                update(decisions)
                .where(decisions.c.id == bindparam("of_id"))
                .values(label_score=bindparam("score"), label_weight=bindparam("weight")),
                [
                    {"of_id": one["decision_id"], "score": one["new_score"], "weight": one["new_weight"]}
                    for one in changes
                ],
            )

    def _lesson(self, lessons: Iterable[dict[str, Any]]) -> None:
        nothing = {**label_columns(None, "old"), **label_columns(None, "new")}
        rows = [{**nothing, **one, "at_s": self._now_s} for one in lessons]
        if rows and self._number is None:
            last = self._connection.execute(select(func.max(schema.lessons.c.number))).scalar()
            self._number = last or 0
        for row in rows:
            self._number = row["number"] = (self._number or 0) + 1
        add(self._connection, schema.lessons, rows)

    def _keep_aside(self, unknown: Sequence[Feedback]) -> bool:
        """Keep feedback for decisions that may still come; return False where there is no room for it."""
        if not unknown:
            return True
        is_over = _waiting.c.at_s < self._now_s - WAITS_S
        self.given_up += self._connection.execute(delete(_waiting).where(is_over)).rowcount
        waiting = self._connection.execute(select(func.count()).select_from(_waiting)).scalar() or 0
        rows = {(one.decision_id, one.source, one.key): one for one in unknown}
        if waiting + len(rows) > MOST_WAITING:
            self.given_up += len(unknown)
            return False
        for place in rows:
            self._connection.execute(
                delete(_waiting).where(
                    _waiting.c.any_id == place[0], _waiting.c.source == place[1], _waiting.c.key == place[2]
                )
            )
        add(
            self._connection,
            _waiting,
            [
                {
                    "any_id": one.decision_id,
                    "source": one.source,
                    "key": one.key,
                    "at_s": self._now_s,
                    "score": one.score,
                    "weight": one.weight,
                    "comment": one.comment,
                }
                for one in rows.values()
            ],
        )
        return True

    def _said_by(self, source: str) -> float:
        return self._weight(_feedback.c.source == source)

    def _said_by_all(self) -> float:
        return self._weight()

    def _weight(self, *where: Any) -> float:
        counts = (_feedback.c.at_s > self._since_s) & _feedback.c.revoked.is_(False)
        return float(
            self._connection.execute(select(func.sum(_feedback.c.weight)).where(counts, *where)).scalar() or 0
        )


def decisions_of(connection: Connection, any_ids: Iterable[str]) -> dict[str, str]:
    """Return, for ids of decisions, messages and runs, the decision's id; the unknown ones are missing."""
    ids = list(dict.fromkeys(any_ids))
    decisions, links = schema.decisions, schema.links
    found = {
        row["id"]: row["id"] for row in rows_where(connection, decisions, decisions.c.id, ids, decisions.c.id)
    }
    others = [one for one in ids if one not in found]
    for row in rows_where(connection, links, links.c.id, others):
        found[row["id"]] = row["decision_id"]
    return found


def _cleaned(feedback: Feedback) -> Feedback:
    return Feedback(
        decision_id=clean(feedback.decision_id),
        score=feedback.score,
        key=clean(feedback.key),
        source=clean(feedback.source),
        weight=feedback.weight,
        comment=None if feedback.comment is None else storable(feedback.comment),
    )


def _feedback_in(row: Any) -> Feedback:
    return Feedback(
        decision_id=row["any_id"],
        score=row["score"],
        key=row["key"],
        source=row["source"],
        weight=row["weight"],
        comment=row["comment"],
    )


def _told(receipt: Receipt, labels: dict[str, Label | None], waits: bool) -> Receipt:
    if receipt.status != "late_unknown":
        return Receipt(
            decision_id=receipt.decision_id, status=receipt.status, label=labels[receipt.decision_id]
        )
    return (
        receipt if waits else Receipt(decision_id=receipt.decision_id, status="unknown_decision", label=None)
    )
