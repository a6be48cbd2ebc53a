"""Access to the SQLite file of the order store; errors tell the user what to do."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scripts.batch.schema import MIGRATIONS
from scripts.core.errors import NewerFileError, StorageError
from scripts.core.sqlite import (
    LOCK_TIMEOUT,
    is_corrupt,
    is_full,
    is_locked,
    move_aside,
    open_database,
    transaction,
)

_log = logging.getLogger(__name__)


class OrderDatabase:
    """Connection to the order store, for the thread that created it only.

    Parameters
    ----------
    path : Path
    timeout : float
        Seconds to wait for another program's lock.

    Attributes
    ----------
    notice : str
        What the user should know about the file; may be empty.
    is_persistent : bool
        Whether orders outlive this process.

    Raises
    ------
    StorageError
        By any method, when the file stays locked or the disk is full.
    """

    def __init__(self, path: Path, timeout: float = LOCK_TIMEOUT) -> None:
        self.path = path
        opened = open_database(path, MIGRATIONS, timeout)
        self._connection, self._is_newer = opened.connection, opened.is_newer
        self.notice, self.is_persistent = opened.notice, opened.is_persistent
        if self.notice:
            _log.warning("%s", self.notice)

    def raise_if_newer(self) -> None:
        """Raise a NewerFileError when a newer version wrote the file, so it was not opened."""
        if self._is_newer:
            raise NewerFileError(self.notice)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _query(self, sql: str, values: tuple[object, ...] = ()) -> list[sqlite3.Row]:
        with self._translated_errors():
            return self._connection.execute(sql, values).fetchall()

    def _execute(self, sql: str, values: tuple[object, ...]) -> None:
        with self._translated_errors():
            self._connection.execute(sql, values)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._translated_errors(), transaction(self._connection) as connection:
            yield connection

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise self._storage_error(error) from error

    def _storage_error(self, error: sqlite3.Error) -> StorageError:
        if is_corrupt(error):
            self._connection.close()
            moved_to = move_aside(self.path)
            return StorageError(
                f"{self.path}: the list of orders was damaged; it was set aside "
                f"as {moved_to}, and the finished songs are safe; order the others again"
            )
        if is_locked(error):
            return StorageError(
                f"{self.path}: locked by another program; close that program, then run "
                "'generate --resume'"
            )
        if is_full(error):
            return StorageError(
                f"{self.path.parent}: the disk is full; free some space, then run "
                "'generate --resume'"
            )
        return StorageError(f"{self.path}: {error}; solve this, then run 'generate --resume'")
