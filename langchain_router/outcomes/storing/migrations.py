"""Brings a store to the newest schema, step by step.

Each step is a transaction of its own that also records it, so a process killed at any point leaves the store
as it was before the step or after it, and the next one goes on from there. Steps are written out, not derived
from `schema.py`: what a step did must not change when the schema does. Steps that were released are never
edited; a change is a new step at the end.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, inspect, text

from langchain_router.exceptions import StoreCorruptError, StoreSchemaError

_LOCK: Final = 7_243_390_511
"""Names the lock under which PostgreSQL lets one process at a time write what is numbered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """One step.

    Attributes:
        name: What it does.
        statements: In order; `{real}`, `{blob}` and `{bool}` stand for the types' names.
        then: What else there is to do, or None.
    """

    name: str
    statements: tuple[str, ...]
    then: Callable[[Connection], None] | None = None


def _make_salt(connection: Connection) -> None:
    """Give the store a key of its own, for the hashes of prompts."""
    connection.execute(
        text("INSERT INTO router_settings (name, value) VALUES ('salt', :salt)"),
        {"salt": secrets.token_hex(32)},
    )


MIGRATIONS: Final = (
    Migration(
        name="requests",
        statements=(
            (
                "CREATE TABLE router_decisions (id TEXT NOT NULL PRIMARY KEY, at_s {real} NOT NULL, "
                "policy TEXT NOT NULL, arm TEXT NOT NULL, propensity {real} NOT NULL, intent TEXT NOT NULL, "
                "complexity {real} NOT NULL, situation TEXT NOT NULL, prompt_hmac TEXT NOT NULL, "
                "prompt_chars BIGINT NOT NULL, messages INTEGER NOT NULL, tools INTEGER NOT NULL, step TEXT, "
                "thread_hmac TEXT, tenant TEXT, captured TEXT, label_score {real}, label_weight {real})"
            ),
            "CREATE INDEX router_decisions_at ON router_decisions (at_s)",
            (
                "CREATE TABLE router_outcomes (decision_id TEXT NOT NULL PRIMARY KEY, at_s {real} NOT NULL, "
                "status TEXT NOT NULL, served_by TEXT, passed {bool}, latency_s {real} NOT NULL, "
                "first_token_s {real}, cost_usd {real}, known_cost_usd {real} NOT NULL)"
            ),
            (
                "CREATE TABLE router_attempts (decision_id TEXT NOT NULL, number INTEGER NOT NULL, "
                "candidate TEXT NOT NULL, role TEXT NOT NULL, latency_s {real} NOT NULL, error_kind TEXT, "
                "passed {bool}, score {real}, input_tokens BIGINT, output_tokens BIGINT, cost_usd {real}, "
                "estimated {bool} NOT NULL, PRIMARY KEY (decision_id, number))"
            ),
            "CREATE TABLE router_links (id TEXT NOT NULL PRIMARY KEY, decision_id TEXT NOT NULL)",
        ),
    ),
    Migration(
        name="feedback and lessons",
        statements=(
            (
                "CREATE TABLE router_feedback (decision_id TEXT NOT NULL, source TEXT NOT NULL, "
                "key TEXT NOT NULL, at_s {real} NOT NULL, score {real} NOT NULL, "
                "given_weight {real} NOT NULL, weight {real} NOT NULL, comment TEXT, "
                "revoked {bool} NOT NULL, "
                "PRIMARY KEY (decision_id, source, key))"
            ),
            "CREATE INDEX router_feedback_source ON router_feedback (source, at_s)",
            "CREATE INDEX router_feedback_at ON router_feedback (at_s)",
            (
                "CREATE TABLE router_waiting_feedback (any_id TEXT NOT NULL, source TEXT NOT NULL, "
                "key TEXT NOT NULL, at_s {real} NOT NULL, score {real} NOT NULL, weight {real} NOT NULL, "
                "comment TEXT, PRIMARY KEY (any_id, source, key))"
            ),
            "CREATE INDEX router_waiting_feedback_at ON router_waiting_feedback (at_s)",
            (
                "CREATE TABLE router_lessons (number BIGINT NOT NULL PRIMARY KEY, decision_id TEXT NOT NULL, "
                "at_s {real} NOT NULL, kind TEXT NOT NULL, old_score {real}, old_weight {real}, "
                "new_score {real}, new_weight {real})"
            ),
        ),
    ),
    Migration(
        name="beliefs and settings",
        statements=(
            (
                "CREATE TABLE router_beliefs (fingerprint TEXT NOT NULL PRIMARY KEY, after BIGINT NOT NULL, "
                "state {blob} NOT NULL, at_s {real} NOT NULL)"
            ),
            "CREATE TABLE router_settings (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)",
        ),
        then=_make_salt,
    ),
)

_TYPES: Final = {
    "sqlite": {"real": "REAL", "blob": "BLOB", "bool": "BOOLEAN"},
    "postgresql": {"real": "DOUBLE PRECISION", "blob": "BYTEA", "bool": "BOOLEAN"},
}
_RECORD: Final = (
    "CREATE TABLE router_migrations (number INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, "
    "at_s {real} NOT NULL)"
)


def take_turn(connection: Connection) -> None:
    """Wait until no other process writes what is numbered, until the end of this transaction.

    So numbers become visible in their order, and a reader that has seen one has missed none before it.
    SQLite lets only one write at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def next_migration(connection: Connection, url: str) -> int:
    """Return the number of the step that comes next; one more than there are when all are done.

    Args:
        connection: In a transaction.
        url: Of the store, for errors; without a password.

    Raises:
        StoreSchemaError: A newer version of this package has written the store.
        StoreCorruptError: The record of the steps makes no sense.
    """
    if not inspect(connection).has_table("router_migrations"):
        return 1
    done = connection.execute(text("SELECT number FROM router_migrations ORDER BY number")).scalars().all()
    if done and done[-1] > len(MIGRATIONS):
        raise StoreSchemaError(
            url,
            f"has schema {done[-1]}, and this version of langchain_router knows {len(MIGRATIONS)}. "
            "Nothing was changed. Update langchain_router, or use another store.",
        )
    if list(done) != list(range(1, len(done) + 1)):
        raise StoreCorruptError(
            url, "says that steps of its making are missing. Nothing was changed. Restore it from a backup."
        )
    return len(done) + 1


def migrate(connection: Connection, url: str, *, at_s: float) -> bool:
    """Do the step that comes next; return whether there was one.

    Args:
        connection: In a transaction for writing, which the caller commits.
        url: Of the store, for errors; without a password.
        at_s: Now, in seconds since 1970.

    Raises:
        StoreSchemaError: A newer version of this package has written the store.
    """
    take_turn(connection)
    number = next_migration(connection, url)
    if number > len(MIGRATIONS):
        return False
    migration = MIGRATIONS[number - 1]
    types = _TYPES[connection.dialect.name]
    if number == 1 and not inspect(connection).has_table("router_migrations"):
        connection.exec_driver_sql(_RECORD.format(**types))
    for statement in migration.statements:
        connection.exec_driver_sql(statement.format(**types))
    if migration.then is not None:
        migration.then(connection)
    connection.execute(
        text("INSERT INTO router_migrations (number, name, at_s) VALUES (:number, :name, :at_s)"),
        {"number": number, "name": migration.name, "at_s": at_s},
    )
    return True
