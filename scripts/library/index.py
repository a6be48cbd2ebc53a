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

from scripts.audio.play_stats import BEST, MOST_PLAYS, Heard, write_heard
from scripts.audio.tags import FileTags, read_tags
from scripts.core import paths
from scripts.core.errors import MusicGenError, StorageError, UsageError
from scripts.core.file_lock import hold
from scripts.core.sqlite import open_database, open_temporary
from scripts.core.text import strip_control_chars
from scripts.library.folder import Stamp, songs_in
from scripts.library.query import conditions
from scripts.library.schema import MIGRATIONS
from scripts.library.songs import LONGEST_TEXT, Details, Song, known_from, read_details, song_of
from scripts.styles.style import load_styles

WRITING = "writing-tags.lmg-lock"  # locked by the process that writes tags into song files
_GROUP = 200  # songs per transaction
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
_HEARD = ("rating", "plays", "last", "thumb")
# Statistics changed since the file was read win, whichever process changed them.
_NEWER = "changed > 0 OR " + " OR ".join(f"{c} IS NOT :seen_{c}" for c in _HEARD)
_PUT = (
    f"INSERT INTO songs ({', '.join(_COLUMNS)}) VALUES (:{', :'.join(_COLUMNS)}) "
    f"ON CONFLICT (name) DO UPDATE SET "
    + ", ".join(f"{c} = excluded.{c}" for c in _COLUMNS if c not in ("name", *_HEARD))
    + ", "
    + ", ".join(f"{c} = iif({_NEWER}, {c}, excluded.{c})" for c in _HEARD)
)


def usual_moods() -> list[str]:
    """Names of the built-in styles that are moods."""
    try:
        styles = load_styles(paths.DATA / "styles")
    except MusicGenError:  # reported when songs are generated; not needed to read the library
        return []
    return [style.name for style in styles.values() if style.kind == "mood"]


class Catalogue:
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
        self, path: Path, folder: Path, moods: Callable[[], Iterable[str]] = usual_moods
    ) -> None:
        self.path, self.folder, self._moods = path, folder, moods
        self.unwritten = ""  # why tags could not be written to a song file the last time
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
        self, again: bool = False, heard: Callable[[int, int], None] = lambda done, of: None
    ) -> bool:
        """Index new and changed songs and remove missing ones.

        Parameters
        ----------
        again : bool
            Read unchanged files, too.
        heard : callable
            Called with the number of files read and their total.

        Returns
        -------
        bool
            Whether anything has changed.
        """
        try:
            there = songs_in(self.folder)
        except OSError:
            return False  # keep the songs of a drive that is not connected
        known = {
            os.fsdecode(row["name"]): (row["audio"], row["details"], row["bytes"])
            for row in self._all("SELECT name, audio, details, bytes FROM songs")
        }
        fresh = [name for name, stamp in there.items() if again or known.get(name) != stamp]
        gone = [name for name in known if name not in there]
        for start in range(0, len(fresh), _GROUP):
            group = fresh[start : start + _GROUP]
            self._many(_PUT, [self._row(name, there[name]) for name in group])
            heard(start + len(group), len(fresh))
        self._many("DELETE FROM songs WHERE name = ?", [(os.fsencode(n),) for n in gone])
        return bool(fresh or gone)

    def take_in(self, path: Path) -> None:
        """Index one song that was just created or restored."""
        with contextlib.suppress(OSError):
            found = path.stat()
            details = path.with_suffix(".json")
            stamp = Stamp(
                found.st_mtime_ns,
                details.stat().st_mtime_ns if details.exists() else 0,
                found.st_size,
            )
            self._many(_PUT, [self._row(path.name, stamp)])

    def forget(self, path: Path) -> None:
        """Remove one song from the index; its file is not touched."""
        self._many("DELETE FROM songs WHERE name = ?", [(os.fsencode(path.name),)])

    def _row(self, name: str, stamp: Stamp) -> dict[str, object]:
        """Read a song into a row, with the statistics the index had at that time as ``seen_*``."""
        path = self.folder / name
        details, tags = read_details(path.with_suffix(".json")), read_tags(path)
        song = song_of(path, details, tags)
        facts = {k: _plain(details[k]) for k in _FACTS if k in details} or known_from(tags)
        words = {
            k: strip_control_chars(str(facts[k]), LONGEST_TEXT)
            if isinstance(facts.get(k), str)
            else ""
            for k in ("asked", "key", "meter", "model")
        }
        given = details.get("styles")
        styles = [s for s in given if isinstance(s, str)] if isinstance(given, list) else []
        told = details["made"][:40] if isinstance(details.get("made"), str) else None
        made = (
            time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(stamp.audio / 1e9))
            if told is None
            else told
        )
        tempo, seed = facts.get("tempo"), facts.get("seed")
        tempo = float(tempo) if isinstance(tempo, (int, float)) else None
        seen, heard = self._merged(name, tags, told or "")
        file = _shown(name)
        shown = [
            song.title,
            file,
            *words.values(),
            *(strip_control_chars(s, LONGEST_TEXT) for s in styles),
        ]
        if tempo is not None:
            shown.append(f"{tempo:g} bpm")
        row = (
            os.fsencode(name),
            id_of(name),
            file,
            stamp.audio,
            stamp.details,
            stamp.size,
            song.title,
            song.seconds,
            words["asked"],
            ", ".join(styles)[:400],
            ", ".join(s for s in styles if s in self.moods)[:400],
            words["key"],
            tempo,
            words["meter"],
            words["model"],
            made,
            seed if isinstance(seed, int) and abs(seed) < 1 << 62 else None,
            json.dumps(facts),
            " ".join(shown).casefold(),
            heard.rating,
            heard.plays,
            heard.last,
            heard.thumb,
        )
        before = vars(seen).items() if seen else ((c, None) for c in _HEARD)
        return {
            **{c: _bindable(value) for c, value in zip(_COLUMNS, row, strict=True)},
            **{f"seen_{c}": value for c, value in before},
        }

    def _merged(self, name: str, tags: FileTags, made: str) -> tuple[Heard | None, Heard]:
        """Statistics in the index (None for a new song), and those merged with the file's tags."""
        own = tags.heard
        rows = self._all(
            "SELECT rating, plays, last, thumb, changed, made, details FROM songs WHERE name = ?",
            (os.fsencode(name),),
        )
        if rows and made and rows[0]["details"] and rows[0]["made"] != made:
            self.forget(self.folder / name)  # the file now is another song
            return None, own
        if not rows:
            return None, own
        here = Heard(*rows[0][:4])
        written = tags.readable and not rows[0]["changed"]  # then missing tags were removed
        if own == Heard() and not written:
            return here, here
        if own.plays < here.plays:  # the play count never decreases
            return here, replace(own, plays=here.plays, last=max(own.last, here.last))
        return here, own

    # -- queries ---------------------------------------------------------------------------

    def songs(self) -> list[Song]:
        """All songs, oldest first."""
        return [
            self._song(row)
            for row in self._all(
                "SELECT name, title, seconds, facts FROM songs ORDER BY audio, file"
            )
        ]

    def totals(self) -> tuple[int, float, int]:
        """Number of songs, their total seconds and total bytes of audio."""
        row = self._all("SELECT count(*) AS n, total(seconds) AS s, total(bytes) AS b FROM songs")
        return (int(row[0]["n"]), float(row[0]["s"]), int(row[0]["b"])) if row else (0, 0.0, 0)

    def latest(self, count: int) -> list[str]:
        """Titles of the newest `count` songs, newest first."""
        return [
            row["title"]
            for row in self._all(
                "SELECT title FROM songs ORDER BY audio DESC, file DESC LIMIT ?", (count,)
            )
        ]

    def find(self, text: str, most: int = -1) -> list[Song]:
        """Find songs by a query (:mod:`scripts.library.query`), oldest first; `most` -1 for all."""
        return [self._song(row) for row in self.find_rows(text, most)]

    def find_rows(self, text: str, most: int = -1, columns: str = "*") -> list[sqlite3.Row]:
        """Find songs like :meth:`find`, as rows of the index with these SQL `columns`."""
        terms = conditions(text)
        where = " AND ".join(f"({t.words})" for t in terms) or "1"
        values = [_bindable(v) for t in terms for v in t.values]
        return self._all(
            f"SELECT {columns} FROM songs WHERE {where} ORDER BY audio, file LIMIT ?",
            (*values, most),
        )

    def names(self, text: str) -> list[str]:
        """File names of the songs that match a query, oldest first."""
        return [os.fsdecode(row["name"]) for row in self.find_rows(text, columns="name")]

    def song(self, name: str) -> Song:
        """Find one song by ID, file name, path or title.

        Raises
        ------
        UsageError
            When none or more than one matches.
        """
        file = Path(name)
        if file.name != name and file.absolute().parent.resolve() != self.folder.resolve():
            file = Path()  # a file in another folder is not in this library
        rows = self._all(
            "SELECT * FROM songs WHERE name = ? OR id = ?", (os.fsencode(file.name), name.lower())
        ) or self._all(
            "SELECT * FROM songs WHERE casefold(title) = ? OR casefold(file) = ?",
            (_bindable(name.casefold()), _bindable(f"{name}.mp3".casefold())),
        )
        if not rows:
            raise UsageError(
                f"there is no song \"{_shown(name)[:60]}\"; 'library list' shows IDs and titles"
            )
        if len(rows) > 1:
            raise UsageError(
                f'{len(rows)} songs are called "{_shown(name)[:60]}"; use one of these IDs: '
                + ", ".join(row["id"] for row in rows[:9])
            )
        return self._song(rows[0])

    def _song(self, row: sqlite3.Row) -> Song:
        path = self.folder / os.fsdecode(row["name"])
        return Song(
            path,
            row["title"],
            row["seconds"],
            Details(path.with_suffix(".json"), json.loads(row["facts"])),
        )

    # -- play statistics -------------------------------------------------------------------

    def heard(self, song: Path) -> Heard:
        """Play statistics of a song; the defaults when it is not indexed."""
        rows = self._all(
            "SELECT rating, plays, last, thumb FROM songs WHERE name = ?", (os.fsencode(song.name),)
        )
        return Heard(*rows[0]) if rows else Heard()

    def rate(self, song: Path, rating: int) -> None:
        """Set the rating of a song, 1 to 5; 0 removes it. Values are clipped."""
        self._change(song, "rating = ?", max(0, min(BEST, rating)))

    def thumb(self, song: Path, thumb: int) -> None:
        """Set the thumb of a song: 1 up, -1 down, 0 none."""
        self._change(song, "thumb = ?", max(-1, min(1, thumb)))

    def played(self, song: Path) -> None:
        """Add a play of a song, now."""
        self._change(song, f"plays = min(plays + 1, {MOST_PLAYS}), last = ?", time.time())

    def _change(self, song: Path, what: str, value: float) -> None:
        name = os.fsencode(song.name)
        if song.parent == self.folder and not self._all(
            "SELECT 1 FROM songs WHERE name = ?", (name,)
        ):
            self.take_in(song)
        self._many(
            f"UPDATE songs SET {what}, changed = changed + 1 WHERE name = ?", [(value, name)]
        )

    def write_changes(self, leave: Sequence[Path] = ()) -> int:
        """Write changed ratings, plays and thumbs to the tags of the song files.

        Only one process writes at a time; others leave their changes for the next call. A failure
        is described in :attr:`unwritten`.

        Parameters
        ----------
        leave : sequence of Path
            Songs to skip for now, such as the one that is playing.

        Returns
        -------
        int
            Number of songs still to be written.
        """
        try:
            held = hold(self.path.with_name(WRITING))
        except OSError:
            held = None  # the folder is not writable
        if held is None:
            return len(self._all("SELECT 1 FROM songs WHERE changed > 0"))
        with held:
            return self._write_changes(leave)

    def _write_changes(self, leave: Sequence[Path]) -> int:
        left, self.unwritten = 0, ""
        kept = {path.name for path in leave}
        for row in self._all(
            "SELECT name, rating, plays, last, thumb, changed FROM songs WHERE changed > 0"
        ):
            name = os.fsdecode(row["name"])
            if name in kept:
                left += 1
                continue
            path = self.folder / name
            heard = Heard(row["rating"], row["plays"], row["last"], row["thumb"])
            try:
                if path.is_file():
                    write_heard(path, heard)
                stamp = path.stat()
            except (StorageError, OSError) as error:
                left += 1
                self.unwritten = str(error)
                continue
            # A change made in the meantime stays marked for the next call.
            self._many(
                "UPDATE songs SET changed = 0, audio = ?, bytes = ? WHERE name = ? AND changed = ?",
                [(stamp.st_mtime_ns, stamp.st_size, row["name"], row["changed"])],
            )
        return left

    # -- database access -------------------------------------------------------------------

    def _all(self, words: str, values: Sequence[object] = ()) -> list[sqlite3.Row]:
        try:
            return self._database.execute(words, tuple(values)).fetchall()
        except sqlite3.Error as error:
            self._trouble(error)
            return []

    def _many(
        self, words: str, rows: Sequence[tuple[object, ...]] | Sequence[dict[str, object]]
    ) -> None:
        if not rows:
            return
        try:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany(words, rows)
            self._database.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self._database.execute("ROLLBACK")
            self._trouble(error)

    def _trouble(self, error: sqlite3.Error) -> None:
        self.notice = f"{self.path.name}: {error}; recent ratings and plays may not be saved."


def id_of(name: str) -> str:
    """ID of a song: 10 hex digits of the SHA-1 of its file name."""
    return hashlib.sha1(os.fsencode(name)).hexdigest()[:10]


def _shown(name: str) -> str:
    """File name as valid, printable text, whatever bytes it consists of."""
    return strip_control_chars(os.fsencode(name).decode("utf-8", "replace"), LONGEST_TEXT)


def _bindable(value: object) -> object:
    """Replace lone surrogates in text, which SQLite rejects; other values pass through."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    """Reduce a fact to a short text or a number; None for anything else."""
    if isinstance(value, str):
        return strip_control_chars(value, LONGEST_TEXT)
    return value if isinstance(value, (int, float)) and abs(value) < 1e15 else None
