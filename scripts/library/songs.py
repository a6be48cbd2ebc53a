"""Reads songs from their files on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.audio.tags import FileTags, read_tags
from scripts.core.audio_format import BINAURAL
from scripts.core.input_files import read_input_text
from scripts.core.text import strip_control_chars
from scripts.score.piece import MAX_VOICES
from scripts.styles.style import ROLES

AUDIO_SUFFIXES = (".mp3", ".wav", ".ogg", ".flac")
_VOICES = tuple(f"voice{n}" for n in range(1, MAX_VOICES + 1))  # of imported scores
STEM_SUFFIXES = tuple(f".{role}.wav" for role in (*ROLES, BINAURAL, *_VOICES))
MAX_TEXT_LENGTH = 200  # characters of a title or another stored fact
_MAX_SECONDS = 1e7  # seconds
_MAX_DETAILS_BYTES = 4_000_000  # bytes of a ``.json``


class Details(Mapping[str, Any]):
    """Details of a song: known facts, and the rest loaded from its ``.json`` on first use.

    Parameters
    ----------
    path : Path
        The ``.json``.
    known : mapping
        Facts that need not be loaded.
    """

    def __init__(self, path: Path, known: Mapping[str, Any]) -> None:
        self._path, self._known = path, known
        self._loaded: Mapping[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        return self._known[name] if name in self._known else self._read()[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._read(), **self._known})

    def __len__(self) -> int:
        return len({**self._read(), **self._known})

    def __bool__(self) -> bool:
        return bool(self._known) or bool(self._read())

    def _read(self) -> Mapping[str, Any]:
        if self._loaded is None:
            self._loaded = read_details(self._path)
        return self._loaded


@dataclass(frozen=True)
class Song:
    """A song in the library.

    Parameters
    ----------
    path : Path
        The audio file.
    title : str
    seconds : float
        Duration; 0 when unknown.
    details : mapping
        Content of the ``.json`` beside it; for other songs, what their tags tell.
    """

    path: Path
    title: str
    seconds: float
    details: Mapping[str, Any]


def read_details(path: Path) -> dict[str, Any]:
    """Read the ``.json`` of a song; empty when it is missing, invalid or larger than 4 MB."""
    try:
        details = json.loads(read_input_text(path, _MAX_DETAILS_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return details if isinstance(details, dict) else {}


def read_song(path: Path) -> Song:
    """Read a song from the ``.json`` beside its audio file, else from the file's tags."""
    details = read_details(path.with_suffix(".json"))
    return build_song(path, details, FileTags.empty() if details else read_tags(path))


def build_song(path: Path, details: dict[str, Any], tags: FileTags) -> Song:
    """Build a song from its ``.json`` and tags; the ``.json`` takes precedence."""
    title = details.get("title")
    if not isinstance(title, str) or not title.strip():
        title = tags.texts.get("title", "").strip() or path.stem
    return Song(
        path,
        strip_control_chars(title, MAX_TEXT_LENGTH),
        parse_seconds(details.get("seconds")) or tags.seconds,
        details or details_from_tags(tags),
    )


def details_from_tags(tags: FileTags) -> dict[str, Any]:
    """Details of a song without a ``.json``, from its tags."""
    known: dict[str, Any] = {
        name: strip_control_chars(tags.texts[name], MAX_TEXT_LENGTH)
        for name in ("asked", "model", "key")
        if name in tags.texts
    }
    try:
        known["tempo"] = float(tags.texts["tempo"])
    except (KeyError, ValueError):
        pass
    return known


def parse_seconds(value: Any) -> float:
    """Validate a duration in seconds; 0 when it is not a plausible number."""
    good = (
        isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < _MAX_SECONDS
    )
    return float(value) if good else 0.0
