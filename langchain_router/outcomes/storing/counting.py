"""How much there is in a store."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, func, or_, select

from langchain_router.outcomes.storing import schema

_LONGEST_REQUEST_S: Final = 3_600.0


def stored_counts(connection: Connection, *, now_s: float, opened_at_s: float) -> dict[str, int]:
    """Return how many rows there are of each kind.

    Args:
        connection: In a transaction.
        now_s: Now, in seconds since 1970.
        opened_at_s: When the store was opened: what was decided before it and has not ended is `unknown`.
    """
    decisions, outcomes, feedback = schema.decisions, schema.outcomes, schema.feedback
    has_ended = select(outcomes.c.decision_id).where(outcomes.c.decision_id == decisions.c.id).exists()
    is_over = or_(decisions.c.at_s < opened_at_s, decisions.c.at_s < now_s - _LONGEST_REQUEST_S)
    stands = feedback.c.revoked.is_(False)
    is_capped = (feedback.c.weight == 0) & (feedback.c.given_weight > 0)
    counted: dict[str, Any] = {
        "decisions": select(func.count()).select_from(decisions),
        "outcomes": select(func.count()).select_from(outcomes),
        "unknown": select(func.count()).select_from(decisions).where(~has_ended, is_over),
        "feedback": select(func.count()).select_from(feedback).where(stands),
        "capped": select(func.count()).select_from(feedback).where(stands, is_capped),
        "waiting": select(func.count()).select_from(schema.waiting),
        "lessons": select(func.count()).select_from(schema.lessons),
    }
    return {name: int(connection.execute(query).scalar() or 0) for name, query in counted.items()}
