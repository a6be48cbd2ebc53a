"""Schema of ``data/jobs.db`` and its migrations.

orders
    One row per order: ``batch`` groups orders submitted together, ``rank`` sorts all orders,
    ``words`` is the order as JSON.
songs
    One row per song that has been started: number within the order, state, recipe as JSON.
turns
    Melodic n-grams of the songs of each order, to find similar songs.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from scripts.core.sqlite import Migration, has_column

_TABLES = (
    """CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT, uid TEXT NOT NULL UNIQUE, rank REAL NOT NULL,
    state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', made REAL NOT NULL,
    batch TEXT NOT NULL, words TEXT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS songs (
    job INTEGER NOT NULL REFERENCES orders ON DELETE CASCADE, number INTEGER NOT NULL,
    state TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, title TEXT NOT NULL DEFAULT '',
    recipe TEXT, reason TEXT NOT NULL DEFAULT '', chords INTEGER NOT NULL DEFAULT 0,
    turns INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (job, number)) WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS turns (
    job INTEGER NOT NULL, turn INTEGER NOT NULL, number INTEGER NOT NULL,
    PRIMARY KEY (job, turn, number)) WITHOUT ROWID""",
)


def _create_tables(connection: sqlite3.Connection) -> None:
    """Create version 1; also upgrades files without a schema version."""
    for statement in _TABLES:
        connection.execute(statement)
    if not has_column(connection, "orders", "batch"):  # each order was its own batch
        connection.execute("ALTER TABLE orders ADD COLUMN batch TEXT NOT NULL DEFAULT ''")
        connection.execute("UPDATE orders SET batch = uid")
    connection.execute("CREATE INDEX IF NOT EXISTS by_batch ON orders (batch)")


MIGRATIONS: Sequence[Migration] = (_create_tables,)
