"""The tables of a store: the same in SQLite and PostgreSQL.

A decision, the calls made for it and what it came to; what was said of it; and the log of lessons that
follows from these. All times are seconds since 1970. `migrations.py` makes the
tables; a test holds the two together.
Only the store imports this module, so that SQLAlchemy is loaded only where there is one.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

tables: Final = MetaData()

decisions: Final = Table(
    "router_decisions",
    tables,
    Column("id", Text, primary_key=True),
    Column("at_s", Double, nullable=False),
    Column("policy", Text, nullable=False),
    Column("arm", Text, nullable=False),
    Column("propensity", Double, nullable=False),
    Column("intent", Text, nullable=False),
    Column("complexity", Double, nullable=False),
    Column("situation", Text, nullable=False),  # JSON: plan, probabilities, features, expected costs
    Column("prompt_hmac", Text, nullable=False),
    Column("prompt_chars", BigInteger, nullable=False),
    Column("messages", Integer, nullable=False),
    Column("tools", Integer, nullable=False),
    Column("step", Text),
    Column("thread_hmac", Text),
    Column("tenant", Text),
    Column("captured", Text),  # NULL unless the user asked for the text to be kept
    Column("label_score", Double),  # the label that the log has come to
    Column("label_weight", Double),
    Index("router_decisions_at", "at_s"),
)

outcomes: Final = Table(
    "router_outcomes",
    tables,
    Column("decision_id", Text, primary_key=True),
    Column("at_s", Double, nullable=False),
    Column("status", Text, nullable=False),
    Column("served_by", Text),
    Column("passed", Boolean),
    Column("latency_s", Double, nullable=False),
    Column("first_token_s", Double),
    Column("cost_usd", Double),
    Column("known_cost_usd", Double, nullable=False),
)

attempts: Final = Table(
    "router_attempts",
    tables,
    Column("decision_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("candidate", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("latency_s", Double, nullable=False),
    Column("error_kind", Text),
    Column("passed", Boolean),
    Column("score", Double),
    Column("input_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("cost_usd", Double),
    Column("estimated", Boolean, nullable=False),
)

links: Final = Table(
    "router_links",
    tables,
    Column("id", Text, primary_key=True),  # a message's or a run's
    Column("decision_id", Text, nullable=False),
)

feedback: Final = Table(
    "router_feedback",
    tables,
    Column("decision_id", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("at_s", Double, nullable=False),
    Column("score", Double, nullable=False),
    Column("given_weight", Double, nullable=False),
    Column("weight", Double, nullable=False),  # 0 where the source had said too much that day
    Column("comment", Text),
    Column("revoked", Boolean, nullable=False),
    Index("router_feedback_source", "source", "at_s"),
    Index("router_feedback_at", "at_s"),
)

waiting: Final = Table(
    "router_waiting_feedback",  # about decisions that are not known yet
    tables,
    Column("any_id", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("at_s", Double, nullable=False),
    Column("score", Double, nullable=False),
    Column("weight", Double, nullable=False),
    Column("comment", Text),
    Index("router_waiting_feedback_at", "at_s"),
)

lessons: Final = Table(
    "router_lessons",
    tables,
    Column("number", BigInteger, primary_key=True, autoincrement=False),  # in the order of the commits
    Column("decision_id", Text, nullable=False),
    Column("at_s", Double, nullable=False),
    Column("kind", Text, nullable=False),  # "ended" or "labelled"
    Column("old_score", Double),
    Column("old_weight", Double),
    Column("new_score", Double),
    Column("new_weight", Double),
)

beliefs: Final = Table(
    "router_beliefs",  # what was learned, so that a start need not replay the log
    tables,
    Column("fingerprint", Text, primary_key=True),
    Column("after", BigInteger, nullable=False),
    Column("state", LargeBinary, nullable=False),
    Column("at_s", Double, nullable=False),
)

settings: Final = Table(
    "router_settings",
    tables,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

migrations: Final = Table(
    "router_migrations",
    tables,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("at_s", Double, nullable=False),
)
