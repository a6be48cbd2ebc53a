"""Reads the library: songs, totals, searches and play statistics."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

from scripts.audio.play_stats import PlayStats
from scripts.core.errors import UsageError
from scripts.library.database import LibraryDatabase
from scripts.library.query import parse_query
from scripts.library.rows import clean_surrogates, display_name
from scripts.library.songs import Details, Song


class LibraryQueries(LibraryDatabase):
    """Queries of the songs in a folder.

    Parameters
    ----------
    path : Path
        The SQLite file.
    folder : Path
        The song folder.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        super().__init__(path)
        self.folder = folder

    def songs(self) -> list[Song]:
        """All songs, oldest first."""
        return [
            self._song_from_row(row)
            for row in self._query(
                "SELECT name, title, seconds, facts FROM songs ORDER BY audio, file"
            )
        ]

    def totals(self) -> tuple[int, float, int]:
        """Number of songs, their total seconds and total bytes of audio."""
        row = self._query("SELECT count(*) AS n, total(seconds) AS s, total(bytes) AS b FROM songs")
        return (int(row[0]["n"]), float(row[0]["s"]), int(row[0]["b"])) if row else (0, 0.0, 0)

    def latest_titles(self, count: int) -> list[str]:
        """Titles of the newest `count` songs, newest first."""
        return [
            row["title"]
            for row in self._query(
                "SELECT title FROM songs ORDER BY audio DESC, file DESC LIMIT ?", (count,)
            )
        ]

    def find(self, text: str, limit: int = -1) -> list[Song]:
        """Find songs by a query (:mod:`scripts.library.query`), oldest first; -1 for all."""
        return [self._song_from_row(row) for row in self.find_rows(text, limit)]

    def find_rows(self, text: str, limit: int = -1, columns: str = "*") -> list[sqlite3.Row]:
        """Find songs like :meth:`find`, as rows of the index with these SQL `columns`."""
        terms = parse_query(text)
        where = " AND ".join(f"({t.sql})" for t in terms) or "1"
        values = [clean_surrogates(v) for t in terms for v in t.values]
        return self._query(
            f"SELECT {columns} FROM songs WHERE {where} ORDER BY audio, file LIMIT ?",
            (*values, limit),
        )

    def find_names(self, text: str) -> list[str]:
        """File names of the songs that match a query, oldest first."""
        return [os.fsdecode(row["name"]) for row in self.find_rows(text, columns="name")]

    def find_song(self, name: str) -> Song:
        """Find one song by ID, file name, path or title.

        Raises
        ------
        UsageError
            When none or more than one matches.
        """
        file = Path(name)
        if file.name != name and file.absolute().parent.resolve() != self.folder.resolve():
            file = Path()  # a file in another folder is not in this library
        rows = self._query(
            "SELECT * FROM songs WHERE name = ? OR id = ?",
            (os.fsencode(file.name), clean_surrogates(name.lower())),
        ) or self._query(
            "SELECT * FROM songs WHERE casefold(title) = ? OR casefold(file) = ?",
            (clean_surrogates(name.casefold()), clean_surrogates(f"{name}.mp3".casefold())),
        )
        if not rows:
            raise UsageError(
                f'there is no song "{display_name(name)[:60]}"; '
                "'library list' shows IDs and titles"
            )
        if len(rows) > 1:
            raise UsageError(
                f'{len(rows)} songs are called "{display_name(name)[:60]}"; use one of these IDs: '
                + ", ".join(row["id"] for row in rows[:9])
            )
        return self._song_from_row(rows[0])

    def _song_from_row(self, row: sqlite3.Row) -> Song:
        path = self.folder / os.fsdecode(row["name"])
        return Song(
            path,
            row["title"],
            row["seconds"],
            Details(path.with_suffix(".json"), json.loads(row["facts"])),
        )

    def get_stats(self, song: Path) -> PlayStats:
        """Play statistics of a song; the defaults when it is not indexed."""
        rows = self._query(
            "SELECT rating, plays, last, thumb FROM songs WHERE name = ?", (os.fsencode(song.name),)
        )
        return PlayStats(*rows[0]) if rows else PlayStats()
