"""The bin: songs that were removed, and can come back. It lies in ``.bin`` beside the songs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from scripts.core.atomic_files import patiently, storage_error
from scripts.core.errors import StorageError, UsageError
from scripts.library.song_files import SUFFIXES
from scripts.library.songs import AUDIO

FOLDER = ".bin"


@dataclass(frozen=True)
class Binned:
    """A song in the bin.

    Parameters
    ----------
    number : int
        The one that was removed last has the highest.
    name : str
        Its files' name without ending.
    files : tuple of Path
    """

    number: int
    name: str
    files: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(p.stat().st_size for p in self.files if p.exists())


def remove(song: Path) -> Binned:
    """Move a song's files into the bin; the audio goes last.

    Raises
    ------
    StorageError
        When a file cannot be moved; it is told which.
    """
    folder = song.parent / FOLDER
    try:
        number = max((int(p.name) for p in _places(song.parent)), default=0) + 1
        place = folder / f"{number:06}"
        place.mkdir(parents=True, exist_ok=True)
        files = _files(song)
        try:
            for file in files:
                _move(file, place / file.name)
        except OSError:
            for file in place.iterdir():
                _move(file, song.with_name(file.name))
            place.rmdir()
            raise
    except OSError as error:
        raise storage_error(error, song) from error
    return Binned(number, song.stem, tuple(place / f.name for f in files))


def binned(folder: Path) -> list[Binned]:
    """What lies in the bin of a folder of songs, the latest first."""
    found = []
    for place in sorted(_places(folder), reverse=True):
        files = tuple(sorted(p for p in place.iterdir() if p.is_file()))
        if files:
            audio = next((f for f in files if f.suffix.lower() in AUDIO), files[0])
            found.append(Binned(int(place.name), audio.stem, files))
    return found


def restore(folder: Path, number: int | None = None) -> Path:
    """Put a song back: the one of a number, or the one that was removed last.

    Raises
    ------
    UsageError
        When there is none in the bin.
    StorageError
        When a song of its name has come in meanwhile, or a file cannot be moved.
    """
    found = [b for b in binned(folder) if number is None or b.number == number]
    if not found:
        raise UsageError(
            "there is no such song in the bin; 'library bin' shows them"
            if number is not None
            else "the bin is empty"
        )
    song = found[0]
    taken = [folder / f.name for f in song.files if (folder / f.name).exists()]
    if taken:
        raise StorageError(f"{taken[0]}: another song is called so now; rename it first")
    try:
        for file in sorted(song.files, key=lambda f: f.suffix == ".mp3"):
            _move(file, folder / file.name)
        song.files[0].parent.rmdir()
    except OSError as error:
        raise storage_error(error, folder / song.name) from error
    audio = [folder / f.name for f in song.files if f.suffix.lower() in AUDIO]
    whole = [a for a in audio if a.stem == song.name]
    return next((a for a in whole if a.suffix == ".mp3"), (whole or audio or [folder])[0])


def empty(folder: Path) -> int:
    """Delete what is in the bin for good; how many songs that were."""
    found = binned(folder)
    try:
        for song in found:
            for file in song.files:
                file.unlink(missing_ok=True)
            song.files[0].parent.rmdir()
    except OSError as error:
        raise storage_error(error, folder / FOLDER) from error
    return len(found)


def _places(folder: Path) -> list[Path]:
    """A folder for each removal."""
    try:
        return [
            p
            for p in (folder / FOLDER).iterdir()
            if p.name.isascii() and p.name.isdigit() and p.is_dir()
        ]
    except OSError:
        return []


def _files(song: Path) -> list[Path]:
    """A song's files, its audio last; what belongs to another song of the same name stays."""
    beside = [
        p
        for p in (song.with_name(f"{song.stem}{ending}") for ending in SUFFIXES)
        if p.exists() and not p.samefile(song)
    ]
    if song.suffix != ".mp3":
        others = [
            song.with_name(name)
            for name in os.listdir(song.parent)
            if Path(name).stem == song.stem and Path(name).suffix.lower() in AUDIO
        ]
        if any(not p.samefile(song) for p in others):
            beside = []
        beside = [p for p in beside if p.suffix not in AUDIO]
    return [*beside, song]


def _move(file: Path, place: Path) -> None:
    patiently(lambda: os.replace(file, place), (0.1, 0.2, 0.4))
