"""The library: an SQLite file that is made from the songs' own files, and can be made again.

Nothing is in it alone: ratings, plays and thumbs are written to the files too, soon after.
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

WRITING = "writing-tags.lmg-lock"  # held by the program that writes into the songs' files
_GROUP = 200  # songs that are read between two writings
_FACTS = ("asked", "key", "meter", "model", "tempo", "loudness", "seed")  # kept for the screens
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
# What the listener changed since the file was read is not taken back, here or by another program.
_NEWER = "changed > 0 OR " + " OR ".join(f"{c} IS NOT :seen_{c}" for c in _HEARD)
_PUT = (
    f"INSERT INTO songs ({', '.join(_COLUMNS)}) VALUES (:{', :'.join(_COLUMNS)}) "
    f"ON CONFLICT (name) DO UPDATE SET "
    + ", ".join(f"{c} = excluded.{c}" for c in _COLUMNS if c not in ("name", *_HEARD))
    + ", "
    + ", ".join(f"{c} = iif({_NEWER}, {c}, excluded.{c})" for c in _HEARD)
)


def usual_moods() -> list[str]:
    """The styles of the program that are moods."""
    try:
        styles = load_styles(paths.DATA / "styles")
    except MusicGenError:  # told when songs are made; the library is read all the same
        return []
    return [style.name for style in styles.values() if style.kind == "mood"]


class Catalogue:
    """The songs of a folder. Only the thread that made it may use it.

    A file that is no database is set aside and made again; where none can be kept, it lasts as
    long as the program.

    Parameters
    ----------
    path : Path
    folder : Path
        Of the songs.
    moods : callable
        Gives the styles that are moods, once they are needed.
    """

    def __init__(
        self, path: Path, folder: Path, moods: Callable[[], Iterable[str]] = usual_moods
    ) -> None:
        self.path, self.folder, self._moods = path, folder, moods
        self.unwritten = ""  # why the last change could not be written into a song's file
        try:
            self._database, self.notice, _ = open_database(path, MIGRATIONS)
        except StorageError as error:
            self._database = open_temporary(path, MIGRATIONS).connection
            self.notice = f"{error}; ratings last until the program ends."
        self._database.create_function(
            "casefold", 1, lambda text: str(text).casefold(), deterministic=True
        )

    @cached_property
    def moods(self) -> frozenset[str]:
        """Styles that are moods."""
        return frozenset(self._moods())

    def close(self) -> None:
        self._database.close()

    # -- from the files --------------------------------------------------------------------

    def scan(
        self, again: bool = False, heard: Callable[[int, int], None] = lambda done, of: None
    ) -> bool:
        """Take in what has changed in the folder; whether anything has.

        Parameters
        ----------
        again : bool
            Read every file anew.
        heard : callable
            Told how many files of how many are read.
        """
        try:
            there = songs_in(self.folder)
        except OSError:
            return False  # a drive that is not plugged in has not lost its songs
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
        """One song that was just made, or has come back."""
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
        """One song that is gone."""
        self._many("DELETE FROM songs WHERE name = ?", [(os.fsencode(path.name),)])

    def _row(self, name: str, stamp: Stamp) -> dict[str, object]:
        """What is known of a song, and what was known of its listener when it was read."""
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
        """What was known of the listener, and what is by the file, too."""
        own = tags.heard
        rows = self._all(
            "SELECT rating, plays, last, thumb, changed, made, details FROM songs WHERE name = ?",
            (os.fsencode(name),),
        )
        if rows and made and rows[0]["details"] and rows[0]["made"] != made:
            self.forget(self.folder / name)  # another song that was called so
            return None, own
        if not rows:
            return None, own
        here = Heard(*rows[0][:4])
        written = tags.readable and not rows[0]["changed"]  # then what the file lacks was taken out
        if own == Heard() and not written:
            return here, here
        if own.plays < here.plays:  # plays are never taken back
            return here, replace(own, plays=here.plays, last=max(own.last, here.last))
        return here, own

    # -- what is there ---------------------------------------------------------------------

    def songs(self) -> list[Song]:
        """Every song, oldest first."""
        return [
            self._song(row)
            for row in self._all(
                "SELECT name, title, seconds, facts FROM songs ORDER BY audio, file"
            )
        ]

    def totals(self) -> tuple[int, float, int]:
        """Number of songs, their seconds and bytes (of the audio)."""
        row = self._all("SELECT count(*) AS n, total(seconds) AS s, total(bytes) AS b FROM songs")
        return (int(row[0]["n"]), float(row[0]["s"]), int(row[0]["b"])) if row else (0, 0.0, 0)

    def latest(self, count: int) -> list[str]:
        """Titles of the newest songs, the newest first."""
        return [
            row["title"]
            for row in self._all(
                "SELECT title FROM songs ORDER BY audio DESC, file DESC LIMIT ?", (count,)
            )
        ]

    def find(self, text: str, most: int = -1) -> list[Song]:
        """Songs that meet a query (:mod:`scripts.library.query`), oldest first."""
        return [self._song(row) for row in self.find_rows(text, most)]

    def find_rows(self, text: str, most: int = -1, columns: str = "*") -> list[sqlite3.Row]:
        """The same, with all that is known of each song."""
        terms = conditions(text)
        where = " AND ".join(f"({t.words})" for t in terms) or "1"
        values = [_bindable(v) for t in terms for v in t.values]
        return self._all(
            f"SELECT {columns} FROM songs WHERE {where} ORDER BY audio, file LIMIT ?",
            (*values, most),
        )

    def names(self, text: str) -> list[str]:
        """Names of the files that meet a query, oldest first."""
        return [os.fsdecode(row["name"]) for row in self.find_rows(text, columns="name")]

    def song(self, name: str) -> Song:
        """The song of an ID, a file name or a title.

        Raises
        ------
        UsageError
            When there is none, or more than one.
        """
        file = Path(name)
        if file.name != name and file.absolute().parent.resolve() != self.folder.resolve():
            file = Path()  # a file of another folder is no song of this one
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
                f'{len(rows)} songs are called "{_shown(name)[:60]}": take an ID: '
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

    # -- what the listener thinks ----------------------------------------------------------

    def heard(self, song: Path) -> Heard:
        """Rating, plays and thumb of a song."""
        rows = self._all(
            "SELECT rating, plays, last, thumb FROM songs WHERE name = ?", (os.fsencode(song.name),)
        )
        return Heard(*rows[0]) if rows else Heard()

    def rate(self, song: Path, rating: int) -> None:
        """Keep a rating; 0 takes it back."""
        self._change(song, "rating = ?", max(0, min(BEST, rating)))

    def thumb(self, song: Path, thumb: int) -> None:
        """Keep a thumb: 1 up, -1 down, 0 neither."""
        self._change(song, "thumb = ?", max(-1, min(1, thumb)))

    def played(self, song: Path) -> None:
        """Count a song that has begun."""
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
        """Write ratings, plays and thumbs into the songs' files; how many could not be.

        One program does so at a time; the others leave it to the next time.

        Parameters
        ----------
        leave : sequence of Path
            Songs that are not touched now, such as the one that plays.
        """
        try:
            held = hold(self.path.with_name(WRITING))
        except OSError:
            held = None  # nothing can be kept there
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
            # What was changed meanwhile is written the next time.
            self._many(
                "UPDATE songs SET changed = 0, audio = ?, bytes = ? WHERE name = ? AND changed = ?",
                [(stamp.st_mtime_ns, stamp.st_size, row["name"], row["changed"])],
            )
        return left

    # -- inside ----------------------------------------------------------------------------

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
        self.notice = f"{self.path.name}: {error}; ratings may not be kept."


def id_of(name: str) -> str:
    """The ID of a song, the same as long as its file has this name."""
    return hashlib.sha1(os.fsencode(name)).hexdigest()[:10]


def _shown(name: str) -> str:
    """A file name as it can be shown and kept as text, whatever bytes it is made of."""
    return strip_control_chars(os.fsencode(name).decode("utf-8", "replace"), LONGEST_TEXT)


def _bindable(value: object) -> object:
    """A value that SQLite can take: text without halves of letters."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    """A fact as it is kept: no structure, no endless text."""
    if isinstance(value, str):
        return strip_control_chars(value, LONGEST_TEXT)
    return value if isinstance(value, (int, float)) and abs(value) < 1e15 else None
