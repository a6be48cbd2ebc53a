"""SQLite files that survive damage: what is broken is set aside, what cannot be kept is told."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path

PATIENCE = 10.0  # seconds that another program may hold the file locked


def open_database(path: Path, tables: str, patience: float = PATIENCE
                  ) -> tuple[sqlite3.Connection, str]:
    """Open a database, made with `tables` when it is new, and what the user should know.

    A file that is damaged is set aside; where none can be kept, it lasts as long as the program.

    Parameters
    ----------
    path : Path
    tables : str
        ``CREATE ... IF NOT EXISTS`` statements.
    patience : float
        Seconds that another program may hold it locked.

    Returns
    -------
    sqlite3.Connection
        In write-ahead mode, rows by name, every statement on its own (``BEGIN`` begins a group).
        Only the thread that opened it may use it.
    str
        A notice, or nothing.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _opened(path, tables, patience), ""
    except OSError:
        return (_opened(Path(":memory:"), tables, patience),
                f"{path.name} cannot be written; what it holds lasts until the program ends.")
    except sqlite3.DatabaseError:
        aside = set_aside(path)
    try:
        told = f"{path.name} was damaged; it was set aside as {aside}."
        return _opened(path, tables, patience), told
    except (sqlite3.Error, OSError):
        return (_opened(Path(":memory:"), tables, patience),
                f"{path.name} is damaged and cannot be set aside; what is new lasts until the "
                "program ends.")


def set_aside(path: Path) -> str:
    """Give a damaged database another name, which is returned."""
    aside = path.with_name(f"{path.name}.broken-{int(time.time())}")
    with contextlib.suppress(OSError):
        os.replace(path, aside)
    for ending in ("-wal", "-shm"):
        with contextlib.suppress(OSError):
            path.with_name(path.name + ending).unlink(missing_ok=True)
    return aside.name


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is at fault, and neither another program nor the disk."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error, (sqlite3.OperationalError, sqlite3.IntegrityError, sqlite3.ProgrammingError,
                sqlite3.InterfaceError, sqlite3.NotSupportedError, sqlite3.DataError))


def _opened(path: Path, tables: str, patience: float) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=patience, isolation_level=None)
    try:
        database.row_factory = sqlite3.Row
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.executescript(tables)
        for row in database.execute("PRAGMA quick_check(1)"):
            if row[0] != "ok":
                raise sqlite3.DatabaseError(row[0])
    except sqlite3.OperationalError as error:
        database.close()
        raise OSError(str(error)) from error
    except BaseException:
        database.close()
        raise
    return database
