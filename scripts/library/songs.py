"""A song on disk, read from its files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.audio.tags import FileTags, read_tags
from scripts.core.audio_format import BINAURAL
from scripts.core.text import strip_control_chars
from scripts.score.piece import MOST_VOICES
from scripts.styles.style import ROLES

AUDIO = (".mp3", ".wav", ".ogg", ".flac")
_VOICES = tuple(f"voice{n}" for n in range(1, MOST_VOICES + 1))  # of somebody's own notes
STEMS = tuple(f".{role}.wav" for role in (*ROLES, BINAURAL, *_VOICES))
LONGEST_TEXT = 200  # characters of a title or another fact that is kept
_LONGEST = 1e7  # seconds
_LARGEST = 4_000_000  # bytes of details


class Details(Mapping[str, Any]):
    """What a song was made of: the facts that are known, and the ``.json`` for all others.

    Parameters
    ----------
    path : Path
        The ``.json``; it is read when something is asked for that is not known.
    known : mapping
    """

    def __init__(self, path: Path, known: Mapping[str, Any]) -> None:
        self._path, self._known = path, known
        self._whole: Mapping[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        return self._known[name] if name in self._known else self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._read(), **self._known})

    def __len__(self) -> int:
        return len({**self._read(), **self._known})

    def __bool__(self) -> bool:
        return bool(self._known) or bool(self._read())

    def _read(self) -> Mapping[str, Any]:
        if self._whole is None:
            self._whole = read_details(self._path)
        return self._whole


@dataclass(frozen=True)
class Song:
    """A song in the library.

    Parameters
    ----------
    path : Path
        The audio file.
    title : str
    seconds : float
        0 when nothing says how long it is.
    details : mapping
        The ``.json`` beside it; empty for songs from elsewhere.
    """

    path: Path
    title: str
    seconds: float
    details: Mapping[str, Any]


def read_details(path: Path) -> dict[str, Any]:
    """The ``.json`` beside a song; empty when there is none, or none that can be read."""
    try:
        if path.stat().st_size > _LARGEST:
            return {}
        details = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return details if isinstance(details, dict) else {}


def read_song(path: Path) -> Song:
    """A song from the ``.json`` beside its audio file, else from the file's tags."""
    details = read_details(path.with_suffix(".json"))
    return song_of(path, details, FileTags.none() if details else read_tags(path))


def song_of(path: Path, details: dict[str, Any], tags: FileTags) -> Song:
    """A song from what was read; the ``.json`` is believed before the tags."""
    title = details.get("title")
    if not isinstance(title, str) or not title.strip():
        title = tags.words.get("title", "").strip() or path.stem
    return Song(
        path,
        strip_control_chars(title, LONGEST_TEXT),
        seconds_in(details.get("seconds")) or tags.seconds,
        details or known_from(tags),
    )


def known_from(tags: FileTags) -> dict[str, Any]:
    """Details of a song from elsewhere, as far as its tags have them."""
    known: dict[str, Any] = {
        name: strip_control_chars(tags.words[name], LONGEST_TEXT)
        for name in ("asked", "model", "key")
        if name in tags.words
    }
    try:
        known["tempo"] = float(tags.words["tempo"])
    except (KeyError, ValueError):
        pass
    return known


def seconds_in(value: Any) -> float:
    """A length that can be one; else 0."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < _LONGEST
    return float(value) if good else 0.0
