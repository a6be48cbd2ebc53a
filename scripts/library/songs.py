"""The songs of a folder, read from their files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

AUDIO = (".mp3", ".wav", ".ogg", ".flac")


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


def list_songs(folder: Path) -> list[Song]:
    """Every playable file of `folder`, oldest first. Unreadable details are passed over."""
    try:
        files = [p for p in folder.iterdir() if p.suffix.lower() in AUDIO and p.is_file()]
    except OSError:
        return []
    wav_twins = {p for p in files if p.suffix.lower() == ".wav" and p.with_suffix(".mp3") in files}
    stamped = []
    for path in files:
        if path not in wav_twins:
            try:
                stamped.append((path.stat().st_mtime, path.name, path))
            except OSError:
                continue
    return [read_song(path) for _, _, path in sorted(stamped)]


def read_song(path: Path) -> Song:
    """A song from its audio file and the ``.json`` beside it."""
    try:
        details = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if not isinstance(details, dict):
            details = {}
    except (OSError, ValueError, RecursionError):
        details = {}
    title = details.get("title")
    seconds = details.get("seconds")
    return Song(path, printable(title) if isinstance(title, str) and title else
                printable(path.stem),
                float(seconds) if isinstance(seconds, (int, float)) else 0.0, details)


def printable(text: str) -> str:
    """`text` without control characters, so that it cannot steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)[:200]
