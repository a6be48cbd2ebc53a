"""SQLite index of the song library, built from the song files and rebuilt at any time.

The files stay authoritative: ratings, plays and thumbs are soon written to their tags, too.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from scripts.audio.play_stats import MAX_PLAYS, MAX_RATING, PlayStats, write_stats
from scripts.core import paths
from scripts.core.errors import MusicGenError, StorageError
from scripts.core.file_lock import try_lock
from scripts.library.folder import FileStamp, scan_folder
from scripts.library.queries import LibraryQueries
from scripts.library.rows import UPSERT, SongFacts, read_facts
from scripts.styles.style import load_styles

WRITE_LOCK = "writing-tags.lmg-lock"  # locked by the process that writes tags into song files
_BATCH_SIZE = 200  # songs per transaction


def load_moods() -> list[str]:
    """Names of the built-in styles that are moods."""
    try:
        styles = load_styles(paths.DATA / "styles")
    except MusicGenError:  # reported when songs are generated; not needed to read the library
        return []
    return [style.name for style in styles.values() if style.kind == "mood"]


class LibraryIndex(LibraryQueries):
    """Index of the songs in a folder, for the thread that created it only.

    Parameters
    ----------
    path : Path
        The SQLite file.
    folder : Path
        The song folder.
    moods : callable
        Returns the names of styles that are moods; called when first needed.

    Attributes
    ----------
    write_error : str
        Why tags could not be written to a song file the last time; may be empty.
    """

    def __init__(
        self, path: Path, folder: Path, moods: Callable[[], Iterable[str]] = load_moods
    ) -> None:
        super().__init__(path, folder)
        self._moods = moods
        self.write_error = ""

    @cached_property
    def moods(self) -> frozenset[str]:
        """Names of styles that are moods."""
        return frozenset(self._moods())

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
            self._execute_many(UPSERT, [self._read_row(name, on_disk[name]) for name in group])
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
            self._execute_many(UPSERT, [self._read_row(path.name, stamp)])

    def remove_song(self, path: Path) -> None:
        """Remove one song from the index; its file is not touched."""
        self._execute_many("DELETE FROM songs WHERE name = ?", [(os.fsencode(path.name),)])

    def _read_row(self, name: str, stamp: FileStamp) -> dict[str, object]:
        facts = read_facts(self.folder, name, stamp, self.moods)
        return facts.to_row(*self._merge_stats(facts))

    def _merge_stats(self, facts: SongFacts) -> tuple[PlayStats | None, PlayStats]:
        """Statistics in the index (None for a new song), and those merged with the file's tags."""
        file_stats, name, made = facts.tags.stats, facts.name, facts.made
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
        written = facts.tags.readable and not rows[0]["changed"]  # then missing tags were removed
        if file_stats == PlayStats() and not written:
            return indexed_stats, indexed_stats
        if file_stats.plays < indexed_stats.plays:  # the play count never decreases
            return indexed_stats, replace(
                file_stats, plays=indexed_stats.plays, last=max(file_stats.last, indexed_stats.last)
            )
        return indexed_stats, file_stats

    # -- play statistics -------------------------------------------------------------------

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
