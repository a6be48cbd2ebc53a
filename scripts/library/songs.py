"""The songs of a folder, read from their files."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.score.piece import MOST_VOICES
from scripts.styles.style import ROLES
from scripts.synth import BINAURAL

AUDIO = (".mp3", ".wav", ".ogg", ".flac")
_VOICES = tuple(f"voice{n}" for n in range(1, MOST_VOICES + 1))  # of somebody's own notes
STEMS = tuple(f".{role}.wav" for role in (*ROLES, BINAURAL, *_VOICES))
_LONGEST = 1e7  # seconds


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


class Shelf:
    """The songs of a folder; a song that has been read is not read again until it changes.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, tuple[int, int, Song]] = {}  # with times of audio and details
        self._stamp = -1

    def changed(self) -> bool:
        """Whether files have come or gone since the songs were listed."""
        return self._mark() != self._stamp

    def songs(self) -> list[Song]:
        """Every playable file, oldest first. Unreadable details are passed over."""
        self._stamp = self._mark()
        audio: dict[Path, int] = {}
        details: dict[str, int] = {}
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    path = Path(entry.path)
                    with contextlib.suppress(OSError):
                        if path.suffix.lower() in AUDIO and entry.is_file():
                            audio[path] = entry.stat().st_mtime_ns
                        elif path.suffix == ".json":
                            details[path.stem] = entry.stat().st_mtime_ns
        except OSError:
            return []
        found = {}
        for path, time in audio.items():
            if path.suffix.lower() == ".wav" and _is_part(path, audio):
                continue
            times = time, details.get(path.stem, 0)
            known = self._known.get(path)
            found[path] = known if known and known[:2] == times else (*times, read_song(path))
        self._known = found
        return [song for _, _, song in
                sorted(found.values(), key=lambda known: (known[0], known[2].path.name))]

    def _mark(self) -> int:
        try:
            return self._folder.stat().st_mtime_ns
        except OSError:
            return 0


def _is_part(path: Path, audio: Mapping[Path, int]) -> bool:
    """A WAV that is another form of a song beside it, or one of its tracks."""
    whole = path.with_name(path.stem.rpartition(".")[0] + ".mp3")
    return path.with_suffix(".mp3") in audio or (
        whole in audio and path.name.removeprefix(whole.stem) in STEMS)


def list_songs(folder: Path) -> list[Song]:
    """Every playable file of `folder`, oldest first."""
    return Shelf(folder).songs()


def read_song(path: Path) -> Song:
    """A song from its audio file and the ``.json`` beside it."""
    try:
        details = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if not isinstance(details, dict):
            details = {}
    except (OSError, ValueError, RecursionError):
        details = {}
    title = details.get("title")
    return Song(path, printable(title) if isinstance(title, str) and title else
                printable(path.stem),
                seconds_in(details.get("seconds")), details)


def seconds_in(value: Any) -> float:
    """A length that can be one; else 0."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < _LONGEST
    return float(value) if good else 0.0


def printable(text: str) -> str:
    """`text` without control characters, so that it cannot steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)[:200]
