"""SQLite files that survive damage: what is broken is set aside, what cannot be kept is told."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from scripts.core.errors import StorageError

PATIENCE = 10.0  # seconds that another program may hold the file locked


class Opened(NamedTuple):
    """A database that has been opened.

    Parameters
    ----------
    database : sqlite3.Connection
        In write-ahead mode, rows by name, every statement on its own (``BEGIN`` begins a group).
        Only the thread that opened it may use it.
    notice : str
        What the user should know, or nothing.
    lasts : bool
        Whether what is kept in it outlives this process.
    """

    database: sqlite3.Connection
    notice: str
    lasts: bool = True


def open_database(path: Path, tables: str, patience: float = PATIENCE) -> Opened:
    """Open a database, made with `tables` when it is new, and what the user should know.

    A file that is damaged is set aside; where none can be kept, it lasts as long as the program.

    Parameters
    ----------
    path : Path
    tables : str
        ``CREATE ... IF NOT EXISTS`` statements.
    patience : float
        Seconds that another program may hold it locked.

    Raises
    ------
    StorageError
        When another program has held it for longer than `patience`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return Opened(_opened(path, tables, patience), "")
    except OSError:
        return open_for_now(path, tables, patience)
    except sqlite3.DatabaseError:
        aside = set_aside(path)
    if not aside:
        return open_for_now(path, tables, patience)
    try:
        told = f"{path.name} was damaged; it was set aside as {aside}."
        return Opened(_opened(path, tables, patience), told)
    except (sqlite3.Error, OSError):
        return open_for_now(path, tables, patience)


def open_for_now(path: Path, tables: str, patience: float = PATIENCE) -> Opened:
    """A database that lasts as long as this process, whose threads share it.

    It begins with what the file holds, where that can be read.
    """
    told = f"{path.name} cannot be written; what it holds lasts until the program ends."
    folder = Path(tempfile.gettempdir()) / f"llm-music-gen-{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        copy = folder / path.name
        if not copy.exists():
            with contextlib.suppress(OSError):
                for ending in ("", "-wal"):
                    shutil.copyfile(f"{path}{ending}", f"{copy}{ending}")
        try:
            return Opened(_opened(copy, tables, patience), told, lasts=False)
        except sqlite3.DatabaseError:
            set_aside(copy)
            return Opened(_opened(copy, tables, patience), told, lasts=False)
    except (sqlite3.Error, OSError):
        return Opened(_opened(Path(":memory:"), tables, patience), told, lasts=False)


def set_aside(path: Path) -> str:
    """Give a damaged database another name, which is returned; nothing when that cannot be."""
    aside = path.with_name(f"{path.name}.broken-{int(time.time())}")
    try:
        os.replace(path, aside)
    except OSError:
        return ""
    for ending in ("-wal", "-shm"):  # what was written last may be in there
        with contextlib.suppress(OSError):
            os.replace(path.with_name(path.name + ending), aside.with_name(aside.name + ending))
    return aside.name


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is at fault, and neither another program nor the disk."""
    return isinstance(error, sqlite3.DatabaseError) and not isinstance(
        error,
        (
            sqlite3.OperationalError,
            sqlite3.IntegrityError,
            sqlite3.ProgrammingError,
            sqlite3.InterfaceError,
            sqlite3.NotSupportedError,
            sqlite3.DataError,
        ),
    )


def _into_wal(database: sqlite3.Connection, deadline: float) -> None:
    """Switch to write-ahead mode; where others are doing so too, SQLite does not wait by itself."""
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def _opened(path: Path, tables: str, patience: float) -> sqlite3.Connection:
    try:
        database = sqlite3.connect(path, timeout=patience, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise OSError(str(error)) from error
    try:
        database.row_factory = sqlite3.Row
        _into_wal(database, time.monotonic() + patience)
        database.execute("PRAGMA synchronous = FULL")
        database.executescript(tables)
        for row in database.execute("PRAGMA quick_check(1)"):
            if row[0] != "ok":
                raise sqlite3.DatabaseError(row[0])
    except sqlite3.OperationalError as error:
        database.close()
        if "locked" in str(error):
            raise StorageError(
                f"{path}: another program has held it for long; close that program and try again"
            ) from error
        raise OSError(str(error)) from error
    except BaseException:
        database.close()
        raise
    return database
