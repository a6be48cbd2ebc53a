"""Bin for removed songs, which can be restored: the folder ``.bin`` beside the songs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from scripts.core.atomic_files import retry_while_open_elsewhere, storage_error
from scripts.core.errors import StorageError, UsageError
from scripts.library.song_files import SONG_SUFFIXES
from scripts.library.songs import AUDIO_SUFFIXES

BIN_FOLDER = ".bin"
_SPACE_MARK = ".space"  # file in the folder of a song that was moved to free disk space


@dataclass(frozen=True)
class BinnedSong:
    """A song in the bin.

    Parameters
    ----------
    number : int
        Counts up; the song removed last has the highest.
    name : str
        File name of the audio without suffix.
    files : tuple of Path
    frees_space : bool
        Whether the program moved it, to free disk space.
    """

    number: int
    name: str
    files: tuple[Path, ...]
    frees_space: bool = False

    @property
    def size(self) -> int:
        """Total size of the files, bytes."""
        return sum(p.stat().st_size for p in self.files if p.exists())


def move_to_bin(song: Path, frees_space: bool = False) -> BinnedSong:
    """Move a song's files into the bin, the audio last.

    Parameters
    ----------
    song : Path
        Its audio file.
    frees_space : bool
        Whether it is moved to free disk space, and not because the user removed it.

    Raises
    ------
    StorageError
        When a file cannot be moved; files moved before are put back.
    """
    folder = song.parent / BIN_FOLDER
    try:
        number = max((int(p.name) for p in _entry_folders(song.parent)), default=0) + 1
        place = folder / f"{number:06}"
        place.mkdir(parents=True, exist_ok=True)
        files = song_files(song)
        try:
            if frees_space:
                (place / _SPACE_MARK).touch()
            for file in files:
                _move(file, place / file.name)
        except OSError:
            (place / _SPACE_MARK).unlink(missing_ok=True)
            for file in place.iterdir():
                _move(file, song.with_name(file.name))
            place.rmdir()
            raise
    except OSError as error:
        raise storage_error(error, song) from error
    return BinnedSong(number, song.stem, tuple(place / f.name for f in files), frees_space)


def list_bin(folder: Path) -> list[BinnedSong]:
    """List the songs in the bin of a song folder, latest first."""
    found = []
    for place in sorted(_entry_folders(folder), reverse=True):
        present = sorted(p for p in place.iterdir() if p.is_file())
        files = tuple(p for p in present if p.name != _SPACE_MARK)
        if files:
            audio = next((f for f in files if f.suffix.lower() in AUDIO_SUFFIXES), files[0])
            found.append(BinnedSong(int(place.name), audio.stem, files, files != tuple(present)))
    return found


def restore_song(folder: Path, number: int | None = None) -> Path:
    """Restore a song from the bin.

    Parameters
    ----------
    folder : Path
        Of the songs.
    number : int, optional
        :attr:`BinnedSong.number`; by default the song removed last.

    Returns
    -------
    Path
        The restored audio file.

    Raises
    ------
    UsageError
        When there is no such song in the bin.
    StorageError
        When a file of that name exists by now, or a file cannot be moved.
    """
    found = [b for b in list_bin(folder) if number is None or b.number == number]
    if not found:
        raise UsageError(
            "no song with this number is in the bin; run 'library bin' to list them"
            if number is not None
            else "the bin is empty"
        )
    song = found[0]
    conflicts = [folder / f.name for f in song.files if (folder / f.name).exists()]
    if conflicts:
        raise StorageError(f"{conflicts[0]}: a song of this name exists; rename it and try again")
    try:
        for file in sorted(song.files, key=lambda f: f.suffix == ".mp3"):
            _move(file, folder / file.name)
        _remove_folder(song.files[0].parent)
    except OSError as error:
        raise storage_error(error, folder / song.name) from error
    audio = [folder / f.name for f in song.files if f.suffix.lower() in AUDIO_SUFFIXES]
    whole = [a for a in audio if a.stem == song.name]
    return next((a for a in whole if a.suffix == ".mp3"), (whole or audio or [folder])[0])


def empty_bin(folder: Path) -> int:
    """Permanently delete all songs in the bin; return how many.

    Raises
    ------
    StorageError
        When a file cannot be deleted.
    """
    found = list_bin(folder)
    try:
        for song in found:
            _delete(song)
    except OSError as error:
        raise storage_error(error, folder / BIN_FOLDER) from error
    return len(found)


def delete_binned(song: BinnedSong) -> None:
    """Permanently delete one song in the bin.

    Raises
    ------
    StorageError
        When a file cannot be deleted.
    """
    try:
        _delete(song)
    except OSError as error:
        raise storage_error(error, song.files[0]) from error


def _delete(song: BinnedSong) -> None:
    for file in song.files:
        file.unlink(missing_ok=True)
    _remove_folder(song.files[0].parent)


def _remove_folder(place: Path) -> None:
    (place / _SPACE_MARK).unlink(missing_ok=True)
    place.rmdir()


def _entry_folders(folder: Path) -> list[Path]:
    """Folders of the bin, one per removed song."""
    try:
        return [
            p
            for p in (folder / BIN_FOLDER).iterdir()
            if p.name.isascii() and p.name.isdigit() and p.is_dir()
        ]
    except OSError:
        return []


def song_files(song: Path) -> list[Path]:
    """List a song's files, its audio last, without those that belong to a song of the same name."""
    beside = [
        p
        for p in (song.with_name(f"{song.stem}{ending}") for ending in SONG_SUFFIXES)
        if p.exists() and not p.samefile(song)
    ]
    if song.suffix != ".mp3":
        others = [
            song.with_name(name)
            for name in os.listdir(song.parent)
            if Path(name).stem == song.stem and Path(name).suffix.lower() in AUDIO_SUFFIXES
        ]
        if any(not p.samefile(song) for p in others):
            beside = []
        beside = [p for p in beside if p.suffix not in AUDIO_SUFFIXES]
    return [*beside, song]


def _move(file: Path, place: Path) -> None:
    retry_while_open_elsewhere(lambda: os.replace(file, place), (0.1, 0.2, 0.4))
