"""Tables of ``data/library.db``, the index of the songs on disk.

The index can be made again from the songs' files, apart from ratings and plays that could not yet
be written into them (``changed`` counts those).
"""

from __future__ import annotations

from collections.abc import Sequence

from scripts.core.sqlite import Migration

_VERSION_1 = """
CREATE TABLE IF NOT EXISTS songs (
    name BLOB PRIMARY KEY, id TEXT NOT NULL, file TEXT NOT NULL, audio INTEGER NOT NULL,
    details INTEGER NOT NULL, bytes INTEGER NOT NULL, title TEXT NOT NULL,
    seconds REAL NOT NULL, asked TEXT NOT NULL, styles TEXT NOT NULL, mood TEXT NOT NULL,
    key TEXT NOT NULL, tempo REAL, meter TEXT NOT NULL, model TEXT NOT NULL, made TEXT NOT NULL,
    seed INTEGER, facts TEXT NOT NULL, text TEXT NOT NULL,
    rating INTEGER NOT NULL DEFAULT 0, plays INTEGER NOT NULL DEFAULT 0,
    last REAL NOT NULL DEFAULT 0, thumb INTEGER NOT NULL DEFAULT 0,
    changed INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_id ON songs (id);
CREATE INDEX IF NOT EXISTS by_age ON songs (audio, file);
CREATE INDEX IF NOT EXISTS by_change ON songs (changed) WHERE changed > 0
"""

MIGRATIONS: Sequence[Migration] = (_VERSION_1,)
