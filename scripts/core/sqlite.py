"""SQLite databases: opening, migration, recovery from damage, and error classification."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from scripts.core.atomic_files import make_private
from scripts.core.errors import NewerFileError, StorageError
from scripts.core.input_files import is_regular_file

LOCK_TIMEOUT = 10.0  # seconds to wait for another program's lock

# SQL statements separated by semicolons, or a function that runs them in the open transaction.
Migration = str | Callable[[sqlite3.Connection], None]


class OpenedDatabase(NamedTuple):
    """Result of :func:`open_database`.

    Parameters
    ----------
    connection : sqlite3.Connection
        In write-ahead mode, rows by name, autocommit. Only the opening thread may use it.
    notice : str
        Message for the user; may be empty.
    is_persistent : bool
        Whether the content outlives this process.
    is_newer : bool
        Whether a newer version wrote the file; a temporary database is open instead.
    """

    connection: sqlite3.Connection
    notice: str
    is_persistent: bool = True
    is_newer: bool = False


class _DamagedError(sqlite3.DatabaseError):
    """``PRAGMA quick_check`` found damage."""


def open_database(
    path: Path, migrations: Sequence[Migration], timeout: float = LOCK_TIMEOUT
) -> OpenedDatabase:
    """Open a database and bring its schema up to date.

    A damaged file is renamed and a new one created. If the file cannot be written, or was written
    by a newer version, a temporary database is opened instead.

    Parameters
    ----------
    path : Path
    migrations : sequence of Migration
        Migration n (from 1) upgrades schema version n - 1 to n; ``PRAGMA user_version`` stores the
        version. The first one must accept files without a version.
    timeout : float
        Seconds to wait for another program's lock.

    Raises
    ------
    StorageError
        When another program has locked the file for longer than `timeout`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return OpenedDatabase(_connect(path, migrations, timeout), "")
    except NewerFileError as error:
        memory = _connect(Path(":memory:"), migrations, timeout)
        return OpenedDatabase(memory, str(error), is_persistent=False, is_newer=True)
    except OSError:
        return open_temporary(path, migrations, timeout)
    except sqlite3.DatabaseError as error:
        moved_to = move_aside(path) if is_corrupt(error) else ""
    if not moved_to:
        return open_temporary(path, migrations, timeout)
    try:
        notice = f"{path.name} was damaged; it was set aside as {moved_to}."
        return OpenedDatabase(_connect(path, migrations, timeout), notice)
    except (sqlite3.Error, OSError):
        return open_temporary(path, migrations, timeout)


def open_temporary(
    path: Path, migrations: Sequence[Migration], timeout: float = LOCK_TIMEOUT
) -> OpenedDatabase:
    """Open a database that is deleted at exit; all threads of this process share it.

    It starts as a copy of `path` if that can be read.
    """
    notice = f"{path.name} cannot be written; changes are lost when the program ends."
    folder = Path(tempfile.gettempdir()) / f"llm-music-gen-{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        copy = folder / path.name
        if not copy.exists() and is_regular_file(path):
            with contextlib.suppress(OSError):
                for suffix in ("", "-wal"):
                    shutil.copyfile(f"{path}{suffix}", f"{copy}{suffix}")
        try:
            return OpenedDatabase(_connect(copy, migrations, timeout), notice, False)
        except sqlite3.DatabaseError:
            copy.unlink(missing_ok=True)
            return OpenedDatabase(_connect(copy, migrations, timeout), notice, False)
    except (sqlite3.Error, OSError):
        return OpenedDatabase(_connect(Path(":memory:"), migrations, timeout), notice, False)


def move_aside(path: Path) -> str:
    """Rename a damaged database and return its new name, or "" if renaming fails."""
    renamed = path.with_name(f"{path.name}.broken-{int(time.time())}")
    try:
        os.replace(path, renamed)
    except OSError:
        return ""
    for suffix in ("-wal", "-shm"):  # may contain the latest changes
        with contextlib.suppress(OSError):
            os.replace(path.with_name(path.name + suffix), renamed.with_name(renamed.name + suffix))
    return renamed.name


def is_corrupt(error: sqlite3.Error) -> bool:
    """Whether the file itself is damaged or is not a database."""
    codes = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
    return isinstance(error, _DamagedError) or _primary_code(error) in codes


def is_locked(error: sqlite3.Error) -> bool:
    """Whether another connection holds the lock."""
    return _primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_full(error: sqlite3.Error) -> bool:
    """Whether the disk is full."""
    return _primary_code(error) == sqlite3.SQLITE_FULL


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Run the block in a transaction: commit at its end, roll back on an exception."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def has_column(connection: sqlite3.Connection, table: str, column: str) -> bool:
    """Whether a table has a column."""
    found = connection.execute("SELECT 1 FROM pragma_table_info(?) WHERE name = ?", (table, column))
    return found.fetchone() is not None


def schema_version(connection: sqlite3.Connection) -> int:
    """Return the schema version of a database; 0 when it is new or has none."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _primary_code(error: sqlite3.Error) -> int:
    """Primary result code, which is the low byte of extended codes."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _connect(path: Path, migrations: Sequence[Migration], timeout: float) -> sqlite3.Connection:
    if str(path) != ":memory:":
        if path.exists() and not is_regular_file(path):
            raise OSError(f"{path} is not a regular file")
        make_private(path)  # its -wal and -shm files get the same rights
    try:
        connection = sqlite3.connect(path, timeout=timeout, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise OSError(str(error)) from error
    try:
        connection.row_factory = sqlite3.Row
        _check_version(path, schema_version(connection), len(migrations))
        _enter_wal_mode(connection, time.monotonic() + timeout)
        connection.execute("PRAGMA synchronous = FULL")
        if schema_version(connection) < len(migrations):
            _migrate(path, connection, migrations)
        for row in connection.execute("PRAGMA quick_check(1)"):
            if row[0] != "ok":
                raise _DamagedError(row[0])
    except sqlite3.OperationalError as error:
        connection.close()
        if is_locked(error):
            raise StorageError(
                f"{path}: locked by another program; close that program and try again"
            ) from error
        raise OSError(str(error)) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _check_version(path: Path, version: int, supported: int) -> None:
    if version > supported:
        raise NewerFileError(
            f"{path.name} was written by a newer version of Llm-Music-Gen (schema {version}, "
            f"this version supports {supported}); it was not changed; update the program to use it"
        )


def _migrate(path: Path, connection: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    try:
        with transaction(connection):
            version = schema_version(connection)  # another program may have migrated meanwhile
            _check_version(path, version, len(migrations))
            for migration in migrations[version:]:
                _run_migration(connection, migration)
            connection.execute(f"PRAGMA user_version = {len(migrations)}")
    except sqlite3.IntegrityError as error:
        raise StorageError(
            f"{path}: cannot be brought up to date ({error}); it is left as it was"
        ) from error


def _run_migration(connection: sqlite3.Connection, migration: Migration) -> None:
    if isinstance(migration, str):
        for statement in filter(str.strip, migration.split(";")):
            connection.execute(statement)  # executescript would commit
    else:
        migration(connection)


def _enter_wal_mode(connection: sqlite3.Connection, deadline: float) -> None:
    """Switch to write-ahead mode, with retries: SQLite's timeout does not apply to this."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if not is_locked(error) or time.monotonic() > deadline:
                raise
        time.sleep(0.02)
