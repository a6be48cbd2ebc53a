"""What only the listener knows of songs: ratings and plays, in an SQLite file."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from pathlib import Path

BEST = 5

_TABLE = """CREATE TABLE IF NOT EXISTS heard (
    song TEXT PRIMARY KEY, rating INTEGER NOT NULL DEFAULT 0, plays INTEGER NOT NULL DEFAULT 0,
    last REAL NOT NULL DEFAULT 0)"""


def _key(song: Path) -> str:
    """The file's name, whatever bytes it is made of."""
    return os.fsencode(song.name).decode("utf-8", "replace")


class Listener:
    """Ratings and plays by file name. Only the thread that made it may use it.

    A file that is no database is set aside; where none can be kept, they last for the evening.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notice = ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = self._open(path)
        except sqlite3.DatabaseError:
            aside = path.with_name(f"{path.name}.broken-{int(time.time())}")
            with contextlib.suppress(OSError):
                os.replace(path, aside)
            self.notice = f"{path.name} was damaged; it was set aside as {aside.name}."
            try:
                self._database = self._open(path)
            except (sqlite3.Error, OSError):
                self._database = self._open(Path(":memory:"))
        except OSError:
            self.notice = f"{path.name} cannot be written; ratings last until the program ends."
            self._database = self._open(Path(":memory:"))

    def rating(self, song: Path) -> int:
        """1 to 5; 0 when there is none."""
        found = self._kept("rating", song)
        return found if 0 <= found <= BEST else 0

    def rate(self, song: Path, rating: int) -> None:
        """Keep a rating; 0 takes it back."""
        self._change("INSERT INTO heard (song, rating) VALUES (?, ?) "
                     "ON CONFLICT (song) DO UPDATE SET rating = excluded.rating",
                     (_key(song), max(0, min(BEST, rating))))

    def played(self, song: Path) -> None:
        """Count a song that has begun."""
        self._change("INSERT INTO heard (song, plays, last) VALUES (?, 1, ?) ON CONFLICT (song) "
                     "DO UPDATE SET plays = plays + 1, last = excluded.last",
                     (_key(song), time.time()))

    def plays(self, song: Path) -> int:
        """How often a song has begun."""
        return self._kept("plays", song)

    def close(self) -> None:
        self._database.close()

    def _kept(self, column: str, song: Path) -> int:
        """A number that is kept of a song; 0 when there is none."""
        with contextlib.suppress(sqlite3.Error):
            found = self._database.execute(f"SELECT {column} FROM heard WHERE song = ?",
                                           (_key(song),)).fetchone()
            if found and isinstance(found[0], int):
                return found[0]
        return 0

    def _change(self, words: str, values: tuple[object, ...]) -> None:
        try:
            with self._database:
                self._database.execute(words, values)
        except sqlite3.Error as error:
            self.notice = f"{self.path.name}: {error}; ratings are not kept."

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection:
        database = sqlite3.connect(path, timeout=2.0)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute(_TABLE)
            database.commit()
        except sqlite3.OperationalError as error:
            database.close()
            raise OSError(str(error)) from error
        except sqlite3.DatabaseError:
            database.close()
            raise
        return database
