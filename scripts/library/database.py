"""Access to the SQLite file of the library; errors become a notice, never an exception."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from scripts.core.errors import StorageError
from scripts.core.sqlite import open_database, open_temporary, transaction
from scripts.library.schema import MIGRATIONS

_log = logging.getLogger(__name__)


class LibraryDatabase:
    """Connection to the library, for the thread that created it only.

    A damaged database is set aside and rebuilt. Where none can be written, a temporary one is used.

    Parameters
    ----------
    path : Path
        The SQLite file.

    Attributes
    ----------
    notice : str
        What the user should know about the file; may be empty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._connection, self.notice, *_ = open_database(path, MIGRATIONS)
        except StorageError as error:
            self._connection = open_temporary(path, MIGRATIONS).connection
            self.notice = f"{error}; until then, ratings may be lost when the program ends."
        if self.notice:
            _log.warning("%s", self.notice)
        self._connection.create_function(
            "casefold", 1, lambda text: str(text).casefold(), deterministic=True
        )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _query(self, sql: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        try:
            return self._connection.execute(sql, tuple(values)).fetchall()
        except sqlite3.Error as error:
            self._report_error(error)
            return []

    def _execute_many(
        self, sql: str, rows: Sequence[tuple[object, ...]] | Sequence[dict[str, object]]
    ) -> None:
        """Run a statement for each row, all or none."""
        if not rows:
            return
        try:
            with transaction(self._connection) as connection:
                connection.executemany(sql, rows)
        except sqlite3.Error as error:
            self._report_error(error)

    def _report_error(self, error: sqlite3.Error) -> None:
        self.notice = f"{self.path.name}: {error}; recent ratings and plays may not be saved."
        _log.error("%s", self.notice)
