"""Rows of the library index: what is stored of a song, read from its files."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.audio.play_stats import PlayStats
from scripts.audio.tags import FileTags, read_tags
from scripts.core.text import strip_control_chars
from scripts.library.folder import FileStamp
from scripts.library.songs import MAX_TEXT_LENGTH, build_song, details_from_tags, read_details

STATS_COLUMNS = ("rating", "plays", "last", "thumb")
COLUMNS = (
    *("name", "id", "file", "audio", "details", "bytes", "title", "seconds", "asked", "styles"),
    *("mood", "key", "tempo", "meter", "model", "made", "seed", "facts", "text"),
    *STATS_COLUMNS,
)
_FACTS = ("asked", "key", "meter", "model", "tempo", "loudness", "seed")  # stored for display
# Statistics changed since the file was read win, whichever process changed them.
_CHANGED_SINCE_READ = "changed > 0 OR " + " OR ".join(
    f"{c} IS NOT :seen_{c}" for c in STATS_COLUMNS
)
UPSERT = (
    f"INSERT INTO songs ({', '.join(COLUMNS)}) VALUES (:{', :'.join(COLUMNS)}) "
    f"ON CONFLICT (name) DO UPDATE SET "
    + ", ".join(f"{c} = excluded.{c}" for c in COLUMNS if c not in ("name", *STATS_COLUMNS))
    + ", "
    + ", ".join(f"{c} = iif({_CHANGED_SINCE_READ}, {c}, excluded.{c})" for c in STATS_COLUMNS)
)


@dataclass(frozen=True)
class SongFacts:
    """Facts of a song, read from its files.

    Parameters
    ----------
    name : str
        File name of the audio.
    stamp : FileStamp
    columns : dict
        Values of all columns but the statistics.
    made : str
        When it was made, by its own ``.json``; empty if that does not say.
    tags : FileTags
    """

    name: str
    stamp: FileStamp
    columns: dict[str, object]
    made: str
    tags: FileTags

    def to_row(self, seen: PlayStats | None, stats: PlayStats) -> dict[str, object]:
        """Build the values for :data:`UPSERT`.

        Parameters
        ----------
        seen : PlayStats or None
            Statistics in the index when the files were read; None for a new song.
        stats : PlayStats
            Statistics to store.
        """
        before = vars(seen) if seen else dict.fromkeys(STATS_COLUMNS)
        row = {**self.columns, **vars(stats)}
        return {
            **{column: clean_surrogates(row[column]) for column in COLUMNS},
            **{f"seen_{column}": before[column] for column in STATS_COLUMNS},
        }


def read_facts(folder: Path, name: str, stamp: FileStamp, moods: Collection[str]) -> SongFacts:
    """Read the facts of a song from its audio tags and its ``.json``.

    Parameters
    ----------
    folder : Path
    name : str
        File name of the audio.
    stamp : FileStamp
    moods : collection of str
        Names of the styles that are moods.
    """
    path = folder / name
    details, tags = read_details(path.with_suffix(".json")), read_tags(path)
    song = build_song(path, details, tags)
    facts = {k: _scalar(details[k]) for k in _FACTS if k in details} or details_from_tags(tags)
    texts = {name: _text(facts.get(name)) for name in ("asked", "key", "meter", "model")}
    style_list = details.get("styles")
    styles = [s for s in style_list if isinstance(s, str)] if isinstance(style_list, list) else []
    made = details["made"][:40] if isinstance(details.get("made"), str) else ""
    tempo, seed = facts.get("tempo"), facts.get("seed")
    tempo = float(tempo) if isinstance(tempo, (int, float)) else None
    file = display_name(name)
    searchable = [song.title, file, *texts.values(), *map(_text, styles)]
    if tempo is not None:
        searchable.append(f"{tempo:g} bpm")
    columns: dict[str, object] = {
        **texts,
        "name": os.fsencode(name),
        "id": song_id(name),
        "file": file,
        "audio": stamp.audio,
        "details": stamp.details,
        "bytes": stamp.size,
        "title": song.title,
        "seconds": song.seconds,
        "styles": ", ".join(styles)[:400],
        "mood": ", ".join(s for s in styles if s in moods)[:400],
        "tempo": tempo,
        "made": made or time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(stamp.audio / 1e9)),
        "seed": seed if isinstance(seed, int) and abs(seed) < 1 << 62 else None,
        "facts": json.dumps(facts),
        "text": " ".join(searchable).casefold(),
    }
    return SongFacts(name, stamp, columns, made, tags)


def song_id(name: str) -> str:
    """ID of a song: 10 hex digits of the SHA-1 of its file name."""
    return hashlib.sha1(os.fsencode(name)).hexdigest()[:10]


def display_name(name: str) -> str:
    """File name as valid, printable text, whatever bytes it consists of."""
    return strip_control_chars(os.fsencode(name).decode("utf-8", "replace"), MAX_TEXT_LENGTH)


def clean_surrogates(value: object) -> object:
    """Replace lone surrogates in text, which SQLite rejects; other values pass through."""
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


def _scalar(value: Any) -> Any:
    """Reduce a fact to a short text or a number; None for anything else."""
    if isinstance(value, str):
        return strip_control_chars(value, MAX_TEXT_LENGTH)
    return value if isinstance(value, (int, float)) and abs(value) < 1e15 else None


def _text(value: Any) -> str:
    """Text of a fact, without control characters; empty for anything else."""
    return strip_control_chars(value, MAX_TEXT_LENGTH) if isinstance(value, str) else ""
