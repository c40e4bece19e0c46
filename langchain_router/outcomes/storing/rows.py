"""What is stored, as rows, and rows as what they were made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, RowMapping, insert, select

from langchain_router.outcomes.asked import Asked
from langchain_router.outcomes.lessons import Call, Ended, Label, Labelled, Lesson, Situation
from langchain_router.outcomes.records import Outcome
from langchain_router.outcomes.storing import schema

Value = TypeVar("Value")

_AT_ONCE: Final = 500
_LONGEST: Final = 1_000


def clean(text: str) -> str:
    """Return a name as every database takes it: without NUL and half characters, and not too long."""
    return storable(text[:_LONGEST])


def storable(text: str) -> str:
    """Return a text as every database takes it: without NUL and half characters."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def decision_row(situation: Situation, asked: Asked) -> dict[str, Any]:
    """Return the row of a decision."""
    return {
        "id": clean(situation.decision_id),
        "at_s": situation.at_s,
        "policy": clean(situation.policy),
        "arm": clean(situation.arm),
        "propensity": situation.propensity,
        "intent": situation.intent,
        "complexity": situation.complexity,
        "situation": json.dumps(
            {
                "arm": situation.arm,
                "plan": situation.plan,
                "intents": dict(situation.intent_probabilities),
                "features": situation.features,
                "costs_usd": dict(situation.expected_cost_usd),
            },
            separators=(",", ":"),
            default=_plain,
        ),
        "prompt_hmac": asked.prompt_hmac,
        "prompt_chars": asked.prompt_chars,
        "messages": asked.messages,
        "tools": asked.tools,
        "step": None if asked.step is None else clean(asked.step),
        "thread_hmac": asked.thread_hmac,
        "tenant": None if asked.tenant is None else clean(asked.tenant),
        "captured": None if asked.captured is None else storable(asked.captured),
        "label_score": None,
        "label_weight": None,
    }


def outcome_row(outcome: Outcome, *, at_s: float) -> dict[str, Any]:
    """Return the row of an outcome."""
    return {
        "decision_id": clean(outcome.decision_id),
        "at_s": at_s,
        "status": outcome.status,
        "served_by": None if outcome.served_by is None else clean(outcome.served_by),
        "passed": outcome.passed,
        "latency_s": outcome.latency_s,
        "first_token_s": outcome.first_token_s,
        "cost_usd": outcome.cost_usd,
        "known_cost_usd": outcome.known_cost_usd,
    }


def attempt_rows(outcome: Outcome) -> Iterator[dict[str, Any]]:
    """Yield the rows of an outcome's calls."""
    for number, one in enumerate(outcome.attempts):
        yield {
            "decision_id": clean(outcome.decision_id),
            "number": number,
            "candidate": clean(one.candidate),
            "role": one.role,
            "latency_s": one.latency_s,
            "error_kind": None if one.error_kind is None else one.error_kind.value,
            "passed": None if one.verdict is None else one.verdict.passed,
            "score": None if one.verdict is None else one.verdict.score,
            "input_tokens": one.input_tokens,
            "output_tokens": one.output_tokens,
            "cost_usd": one.cost_usd,
            "estimated": one.estimated,
        }


def label_in(row: RowMapping, prefix: str) -> Label | None:
    """Return the label that a row holds in two of its columns, or None."""
    score = row[f"{prefix}_score"]
    return None if score is None else Label(score=score, weight=row[f"{prefix}_weight"])


def label_columns(label: Label | None, prefix: str) -> dict[str, float | None]:
    """Return a label as two columns."""
    return {
        f"{prefix}_score": None if label is None else label.score,
        f"{prefix}_weight": None if label is None else label.weight,
    }


def add(connection: Connection, table: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows to a table; none is fine."""
    if rows:
        connection.execute(insert(table), list(rows))


def parts(values: Iterable[Value]) -> Iterator[list[Value]]:
    """Yield values, each once, in lists short enough for one query."""
    each = list(dict.fromkeys(values))
    for start in range(0, len(each), _AT_ONCE):
        yield each[start : start + _AT_ONCE]


def rows_where(
    connection: Connection, table: Any, column: Any, values: Iterable[str], *columns: Any
) -> Iterator[Any]:
    """Yield the rows, as mappings, in which a column has one of the values."""
    for some in parts(values):
        yield from connection.execute(select(*(columns or (table,))).where(column.in_(some))).mappings()


def read_lessons(connection: Connection, after: int, limit: int) -> list[tuple[int, Lesson]]:
    """Return the lessons that come after a number, in their order, without those whose rows were damaged."""
    log = schema.lessons
    lessons: list[tuple[int, Lesson]] = []
    while not lessons:
        query = select(log).where(log.c.number > after).order_by(log.c.number).limit(limit)
        found = connection.execute(query).mappings().all()
        if not found:
            break
        ended = _ended(connection, [row["decision_id"] for row in found])
        lessons = [(row["number"], _lesson(row, ended)) for row in found if row["decision_id"] in ended]
        after = found[-1]["number"]
    return lessons


def _lesson(row: RowMapping, ended: Mapping[str, Ended]) -> Lesson:
    one = ended[row["decision_id"]]
    if row["kind"] == "ended":
        return one
    return Labelled(ended=one, old=label_in(row, "old"), new=label_in(row, "new"))


def _plain(number: Any) -> Any:
    """Return one of numpy's numbers as Python's."""
    return number.item()


def _ended(connection: Connection, ids: Sequence[str]) -> dict[str, Ended]:
    calls: dict[str, dict[int, Call]] = {}
    attempts, decisions, outcomes = schema.attempts, schema.decisions, schema.outcomes
    for row in rows_where(connection, attempts, attempts.c.decision_id, ids):
        calls.setdefault(row["decision_id"], {})[row["number"]] = Call(
            candidate=row["candidate"],
            role=row["role"],
            passed=row["passed"],
            failed=row["error_kind"] is not None,
            cost_usd=row["cost_usd"],
            estimated=row["estimated"],
        )
    situations = {
        row["id"]: _situation(row) for row in rows_where(connection, decisions, decisions.c.id, ids)
    }
    ended: dict[str, Ended] = {}
    for row in rows_where(connection, outcomes, outcomes.c.decision_id, ids):
        situation = situations.get(row["decision_id"])
        if situation is not None:
            ended[row["decision_id"]] = Ended(
                situation=situation,
                status=row["status"],
                served_by=row["served_by"],
                calls=tuple(one for _, one in sorted(calls.get(row["decision_id"], {}).items())),
                latency_s=row["latency_s"],
            )
    return ended


def _situation(row: RowMapping) -> Situation | None:
    """Return what a decision was made on; None where somebody has changed or damaged the row."""
    try:
        told = json.loads(row["situation"])
        return Situation(
            decision_id=row["id"],
            at_s=row["at_s"],
            intent=row["intent"],
            intent_probabilities=told["intents"],
            complexity=row["complexity"],
            features=tuple(told["features"]),
            arm=told["arm"],
            plan=tuple((candidate, check) for candidate, check in told["plan"]),
            policy=row["policy"],
            propensity=row["propensity"],
            expected_cost_usd=told["costs_usd"],
        )
    except (ValueError, KeyError, TypeError):
        return None
