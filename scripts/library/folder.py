"""Lists the songs in a folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from scripts.library.songs import AUDIO_SUFFIXES, STEM_SUFFIXES


class FileStamp(NamedTuple):
    """Modification times (ns) of a song's audio and ``.json``, and bytes of the audio."""

    audio: int
    details: int
    size: int


def scan_folder(folder: Path) -> dict[str, FileStamp]:
    """List the playable files of a folder by name, without stems of other songs.

    Raises
    ------
    OSError
        When the folder cannot be read.
    """
    audio: dict[str, tuple[int, int]] = {}
    details: dict[str, int] = {}
    with os.scandir(folder) as entries:
        for entry in entries:
            stem, ending = split_suffix(entry.name)
            with contextlib.suppress(OSError):
                if ending.lower() in AUDIO_SUFFIXES and entry.is_file():
                    found = entry.stat()
                    audio[entry.name] = found.st_mtime_ns, found.st_size
                elif ending == ".json":
                    details[stem] = entry.stat().st_mtime_ns
    return {
        name: FileStamp(time, details.get(split_suffix(name)[0], 0), size)
        for name, (time, size) in audio.items()
        if not _belongs_to_song(name, audio)
    }


def split_suffix(name: str) -> tuple[str, str]:
    """Split a file name into stem and suffix; faster than a Path."""
    stem, point, ending = name.rpartition(".")
    return (stem, f".{ending}") if point and stem else (name, "")


def _belongs_to_song(name: str, audio: Mapping[str, object]) -> bool:
    """Whether this is the WAV version or a stem of an MP3 in the same folder."""
    stem, ending = split_suffix(name)
    if ending.lower() != ".wav":
        return False
    whole = stem.rpartition(".")[0]
    return f"{stem}.mp3" in audio or (
        f"{whole}.mp3" in audio and name.removeprefix(whole) in STEM_SUFFIXES
    )
