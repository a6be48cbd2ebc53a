"""What lies in a folder of songs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from scripts.library.songs import AUDIO, STEMS


class Stamp(NamedTuple):
    """When a song's files were changed (ns), and the bytes of the audio."""

    audio: int
    details: int
    size: int


def songs_in(folder: Path) -> dict[str, Stamp]:
    """Names of the playable files of a folder.

    Raises
    ------
    OSError
        When the folder cannot be read.
    """
    audio: dict[str, tuple[int, int]] = {}
    details: dict[str, int] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            stem, ending = parted(entry.name)
            with contextlib.suppress(OSError):
                if ending.lower() in AUDIO and entry.is_file():
                    found = entry.stat()
                    audio[entry.name] = found.st_mtime_ns, found.st_size
                elif ending == ".json":
                    details[stem] = entry.stat().st_mtime_ns
    return {
        name: Stamp(time, details.get(parted(name)[0], 0), size)
        for name, (time, size) in audio.items()
        if not _is_part(name, audio)
    }


def parted(name: str) -> tuple[str, str]:
    """A file name before its last point, and its ending; quicker than a Path."""
    stem, point, ending = name.rpartition(".")
    return (stem, f".{ending}") if point and stem else (name, "")


def _is_part(name: str, audio: Mapping[str, object]) -> bool:
    """A WAV that is another form of a song beside it, or one of its tracks."""
    stem, ending = parted(name)
    if ending.lower() != ".wav":
        return False
    whole = stem.rpartition(".")[0]
    return f"{stem}.mp3" in audio or (f"{whole}.mp3" in audio and name.removeprefix(whole) in STEMS)
