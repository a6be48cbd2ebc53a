"""SQLite index of the song library, built from the song files and rebuilt at any time.

The files stay authoritative: ratings, plays and thumbs are soon written to their tags, too.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from scripts.audio.play_stats import MAX_PLAYS, MAX_RATING, PlayStats, write_stats
from scripts.audio.tags import FileTags, read_tags
from scripts.core import paths
from scripts.core.errors import MusicGenError, StorageError, UsageError
from scripts.core.file_lock import try_lock
from scripts.core.sqlite import open_database, open_temporary
from scripts.core.text import strip_control_chars
from scripts.library.folder import FileStamp, scan_folder
from scripts.library.query import parse_query
from scripts.library.schema import MIGRATIONS
from scripts.library.songs import (
    MAX_TEXT_LENGTH,
    Details,
    Song,
    build_song,
    details_from_tags,
    read_details,
)
from scripts.styles.style import load_styles

WRITE_LOCK = "writing-tags.lmg-lock"  # locked by the process that writes tags into song files
_BATCH_SIZE = 200  # songs per transaction
_FACTS = ("asked", "key", "meter", "model", "tempo", "loudness", "seed")  # stored for display
_COLUMNS = (
    "name",
    "id",
    "file",
    "audio",
    "details",
    "bytes",
    "title",
    "seconds",
    "asked",
    "styles",
    "mood",
    "key",
    "tempo",
    "meter",
    "model",
    "made",
    "seed",
    "facts",
    "text",
    "rating",
    "plays",
    "last",
    "thumb",
)
_STATS = ("rating", "plays", "last", "thumb")
# Statistics changed since the file was read win, whichever process changed them.
_CHANGED_SINCE_READ = "changed > 0 OR " + " OR ".join(f"{c} IS NOT :seen_{c}" for c in _STATS)
_UPSERT = (
    f"INSERT INTO songs ({', '.join(_COLUMNS)}) VALUES (:{', :'.join(_COLUMNS)}) "
    f"ON CONFLICT (name) DO UPDATE SET "
    + ", ".join(f"{c} = excluded.{c}" for c in _COLUMNS if c not in ("name", *_STATS))
    + ", "
    + ", ".join(f"{c} = iif({_CHANGED_SINCE_READ}, {c}, excluded.{c})" for c in _STATS)
)


def load_moods() -> list[str]:
    """Names of the built-in styles that are moods."""
    try:
        styles = load_styles(paths.DATA / "styles")
    except MusicGenError:  # reported when songs are generated; not needed to read the library
        return []
    return [style.name for style in styles.values() if style.kind == "mood"]


class LibraryIndex:
    """Index of the songs in a folder, for the thread that created it only.

    A damaged database is set aside and rebuilt. Where none can be written, a temporary one is used.
    Later database errors do not raise but set :attr:`notice`.

    Parameters
    ----------
    path : Path
        The SQLite file.
    folder : Path
        The song folder.
    moods : callable
        Returns the names of styles that are moods; called when first needed.
    """

    def __init__(
        self, path: Path, folder: Path, moods: Callable[[], Iterable[str]] = load_moods
    ) -> None:
        self.path, self.folder, self._moods = path, folder, moods
        self.write_error = ""  # why tags could not be written to a song file the last time
        try:
            self._database, self.notice, _ = open_database(path, MIGRATIONS)
        except StorageError as error:
            self._database = open_temporary(path, MIGRATIONS).connection
            self.notice = f"{error}; until then, ratings may be lost when the program ends."
        self._database.create_function(
            "casefold", 1, lambda text: str(text).casefold(), deterministic=True
        )

    @cached_property
    def moods(self) -> frozenset[str]:
        """Names of styles that are moods."""
        return frozenset(self._moods())

    def close(self) -> None:
        self._database.close()

    # -- indexing --------------------------------------------------------------------------

    def scan(
        self, force: bool = False, progress: Callable[[int, int], None] = lambda done, of: None
    ) -> bool:
        """Index new and changed songs and remove missing ones.

        Parameters
        ----------
        force : bool
            Read unchanged files, too.
        progress : callable
            Called with the number of files read and their total.

        Returns
        -------
        bool
            Whether anything has changed.
        """
        try:
            on_disk = scan_folder(self.folder)
        except OSError:
            return False  # keep the songs of a drive that is not connected
        indexed = {
            os.fsdecode(row["name"]): (row["audio"], row["details"], row["bytes"])
            for row in self._query("SELECT name, audio, details, bytes FROM songs")
        }
        changed = [name for name, stamp in on_disk.items() if force or indexed.get(name) != stamp]
        missing = [name for name in indexed if name not in on_disk]
        for start in range(0, len(changed), _BATCH_SIZE):
            group = changed[start : start + _BATCH_SIZE]
            self._execute_many(_UPSERT, [self._build_row(name, on_disk[name]) for name in group])
            progress(start + len(group), len(changed))
        self._execute_many("DELETE FROM songs WHERE name = ?", [(os.fsencode(n),) for n in missing])
        return bool(changed or missing)

    def index_song(self, path: Path) -> None:
        """Index one song that was just created or restored."""
        with contextlib.suppress(OSError):
            found = path.stat()
            details = path.with_suffix(".json")
            stamp = FileStamp(
                found.st_mtime_ns,
                details.stat().st_mtime_ns if details.exists() else 0,
                found.st_size,
            )
            self._execute_many(_UPSERT, [self._build_row(path.name, stamp)])

    def remove_song(self, path: Path) -> None:
        """Remove one song from the index; its file is not touched."""
        self._execute_many("DELETE FROM songs WHERE name = ?", [(os.fsencode(path.name),)])

    def _build_row(self, name: str, stamp: FileStamp) -> dict[str, object]:
        """Read a song into a row, with the statistics the index had at that time as ``seen_*``."""
        path = self.folder / name
        details, tags = read_details(path.with_suffix(".json")), read_tags(path)
        song = build_song(path, details, tags)
        facts = {k: _scalar(details[k]) for k in _FACTS if k in details} or details_from_tags(tags)
        texts = {
            k: strip_control_chars(str(facts[k]), MAX_TEXT_LENGTH)
            if isinstance(facts.get(k), str)
            else ""
            for k in ("asked", "key", "meter", "model")
        }
        style_list = details.get("styles")
        styles = (
            [s for s in style_list if isinstance(s, str)] if isinstance(style_list, list) else []
        )
        made_field = details["made"][:40] if isinstance(details.get("made"), str) else None
        made = (
            time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(stamp.audio / 1e9))
            if made_field is None
            else made_field
        )
        tempo, seed = facts.get("tempo"), facts.get("seed")
        tempo = float(tempo) if isinstance(tempo, (int, float)) else None
        seen, stats = self._merge_file_stats(name, tags, made_field or "")
        file = _display_name(name)
        shown = [
            song.title,
            file,
            *texts.values(),
            *(strip_control_chars(s, MAX_TEXT_LENGTH) for s in styles),
        ]
        if tempo is not None:
            shown.append(f"{tempo:g} bpm")
        row = (
            os.fsencode(name),
            song_id(name),
            file,
            stamp.audio,
            stamp.details,
            stamp.size,
            song.title,
            song.seconds,
            texts["asked"],
            ", ".join(styles)[:400],
            ", ".join(s for s in styles if s in self.moods)[:400],
            texts["key"],
            tempo,
            texts["meter"],
            texts["model"],
            made,
            seed if isinstance(seed, int) and abs(seed) < 1 << 62 else None,
            json.dumps(facts),
            " ".join(shown).casefold(),
            stats.rating,
            stats.plays,
            stats.last,
            stats.thumb,
        )
        before = vars(seen).items() if seen else ((c, None) for c in _STATS)
        return {
            **{c: _clean_surrogates(value) for c, value in zip(_COLUMNS, row, strict=True)},
            **{f"seen_{c}": value for c, value in before},
        }

    def _merge_file_stats(
        self, name: str, tags: FileTags, made: str
    ) -> tuple[PlayStats | None, PlayStats]:
        """Statistics in the index (None for a new song), and those merged with the file's tags."""
        file_stats = tags.stats
        rows = self._query(
            "SELECT rating, plays, last, thumb, changed, made, details FROM songs WHERE name = ?",
            (os.fsencode(name),),
        )
        if rows and made and rows[0]["details"] and rows[0]["made"] != made:
            self.remove_song(self.folder / name)  # the file now is another song
            return None, file_stats
        if not rows:
            return None, file_stats
        indexed_stats = PlayStats(*rows[0][:4])
        written = tags.readable and not rows[0]["changed"]  # then missing tags were removed
        if file_stats == PlayStats() and not written:
            return indexed_stats, indexed_stats
        if file_stats.plays < indexed_stats.plays:  # the play count never decreases
            return indexed_stats, replace(
                file_stats, plays=indexed_stats.plays, last=max(file_stats.last, indexed_stats.last)
            )
        return indexed_stats, file_stats

    # -- queries ---------------------------------------------------------------------------

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
        """Find songs like :meth:`update_search`, as rows of the index with these SQL `columns`."""
        terms = parse_query(text)
        where = " AND ".join(f"({t.sql})" for t in terms) or "1"
        values = [_clean_surrogates(v) for t in terms for v in t.values]
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
            "SELECT * FROM songs WHERE name = ? OR id = ?", (os.fsencode(file.name), name.lower())
        ) or self._query(
            "SELECT * FROM songs WHERE casefold(title) = ? OR casefold(file) = ?",
            (_clean_surrogates(name.casefold()), _clean_surrogates(f"{name}.mp3".casefold())),
        )
        if not rows:
            raise UsageError(
                f'there is no song "{_display_name(name)[:60]}"; '
                "'library list' shows IDs and titles"
            )
        if len(rows) > 1:
            raise UsageError(
                f'{len(rows)} songs are called "{_display_name(name)[:60]}"; use one of these IDs: '
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

    # -- play statistics -------------------------------------------------------------------

    def get_stats(self, song: Path) -> PlayStats:
        """Play statistics of a song; the defaults when it is not indexed."""
        rows = self._query(
            "SELECT rating, plays, last, thumb FROM songs WHERE name = ?", (os.fsencode(song.name),)
        )
        return PlayStats(*rows[0]) if rows else PlayStats()

    def rate(self, song: Path, rating: int) -> None:
        """Set the rating of a song, 1 to 5; 0 removes it. Values are clipped."""
        self._update_stats(song, "rating = ?", max(0, min(MAX_RATING, rating)))

    def set_thumb(self, song: Path, thumb: int) -> None:
        """Set the thumb of a song: 1 up, -1 down, 0 none."""
        self._update_stats(song, "thumb = ?", max(-1, min(1, thumb)))

    def count_play(self, song: Path) -> None:
        """Add a play of a song, now."""
        self._update_stats(song, f"plays = min(plays + 1, {MAX_PLAYS}), last = ?", time.time())

    def _update_stats(self, song: Path, assignment: str, value: float) -> None:
        name = os.fsencode(song.name)
        if song.parent == self.folder and not self._query(
            "SELECT 1 FROM songs WHERE name = ?", (name,)
        ):
            self.index_song(song)
        self._execute_many(
            f"UPDATE songs SET {assignment}, changed = changed + 1 WHERE name = ?", [(value, name)]
        )

    def write_changes(self, skip: Sequence[Path] = ()) -> int:
        """Write changed ratings, plays and thumbs to the tags of the song files.

        Only one process writes at a time; others leave their changes for the next call. A failure
        is described in :attr:`write_error`.

        Parameters
        ----------
        skip : sequence of Path
            Songs to skip for now, such as the one that is playing.

        Returns
        -------
        int
            Number of songs still to be written.
        """
        try:
            lock = try_lock(self.path.with_name(WRITE_LOCK))
        except OSError:
            lock = None  # the folder is not writable
        if lock is None:
            return len(self._query("SELECT 1 FROM songs WHERE changed > 0"))
        with lock:
            return self._write_changes(skip)

    def _write_changes(self, skip: Sequence[Path]) -> int:
        remaining, self.write_error = 0, ""
        skipped_names = {path.name for path in skip}
        for row in self._query(
            "SELECT name, rating, plays, last, thumb, changed FROM songs WHERE changed > 0"
        ):
            name = os.fsdecode(row["name"])
            if name in skipped_names:
                remaining += 1
                continue
            path = self.folder / name
            stats = PlayStats(row["rating"], row["plays"], row["last"], row["thumb"])
            try:
                if path.is_file():
                    write_stats(path, stats)
                stamp = path.stat()
            except (StorageError, OSError) as error:
                remaining += 1
                self.write_error = str(error)
                continue
            # A change made in the meantime stays marked for the next call.
            self._execute_many(
                "UPDATE songs SET changed = 0, audio = ?, bytes = ? WHERE name = ? AND changed = ?",
                [(stamp.st_mtime_ns, stamp.st_size, row["name"], row["changed"])],
            )
        return remaining

    # -- database access -------------------------------------------------------------------

    def _query(self, sql: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        try:
            return self._database.execute(sql, tuple(values)).fetchall()
        except sqlite3.Error as error:
            self._report_error(error)
            return []

    def _execute_many(
        self, sql: str, rows: Sequence[tuple[object, ...]] | Sequence[dict[str, object]]
    ) -> None:
        if not rows:
            return
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(sql, rows)
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            self._report_error(error)

    def _report_error(self, error: sqlite3.Error) -> None:
        self.notice = f"{self.path.name}: {error}; recent ratings and plays may not be saved."


def song_id(name: str) -> str:
    """ID of a song: 10 hex digits of the SHA-1 of its file name."""
    return hashlib.sha1(os.fsencode(name)).hexdigest()[:10]


def _display_name(name: str) -> str:
    """File name as valid, printable text, whatever bytes it consists of."""
    return strip_control_chars(os.fsencode(name).decode("utf-8", "replace"), MAX_TEXT_LENGTH)


def _clean_surrogates(value: object) -> object:
    """Replace lone surrogates in text, which SQLite rejects; other values pass through."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


def _scalar(value: Any) -> Any:
    """Reduce a fact to a short text or a number; None for anything else."""
    if isinstance(value, str):
        return strip_control_chars(value, MAX_TEXT_LENGTH)
    return value if isinstance(value, (int, float)) and abs(value) < 1e15 else None
