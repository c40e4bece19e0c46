"""The stores behind `outcomes.store`: in memory, SQLite and PostgreSQL."""
