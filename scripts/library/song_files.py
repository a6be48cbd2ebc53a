"""Crash-safe writing of a song's files: temporary names first, final names once complete."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.core.atomic_files import (
    PART,
    WAITS,
    flush,
    flush_folder,
    is_held,
    patiently,
    rename,
    storage_error,
    write_flushed,
)
from scripts.core.errors import HeldError, StorageError
from scripts.core.file_lock import Hold, hold
from scripts.core.filenames import legal_name, room_for_name
from scripts.library.songs import STEMS

SUFFIXES = (".mp3", ".json", ".wav", ".abc", ".musicxml", ".mid", *STEMS)  # of a song
LOCK = ".lmg-lock"
ABANDONED = 24 * 3600.0  # age in seconds at which a part without a lock is deleted
_ENDINGS = len(".percussion.wav.lmg-part") + len(" (9999)")


class SongFiles:
    """Files of one song being written: temporary names first, final names at the end.

    A lock file reserves the name for one process as long as it runs. Once everything is written,
    the lock file lists the song's files: from then on the song is complete, and any process that
    finds the list can finish the renaming.

    Parameters
    ----------
    folder : Path
        Created when missing.
    title : str
        Base of the file names; a number is added when the name is in use.

    Raises
    ------
    StorageError
        When the folder is not writable, or its path is too long.
    """

    def __init__(self, folder: Path, title: str) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            base = legal_name(title, room_for_name(folder, _ENDINGS))
            name, n = base, 1
            while not self._take(folder, name):
                n += 1
                name = f"{base} ({n})"
        except OSError as error:
            raise storage_error(error, folder / "song") from error
        self.name = name
        self._whole = False

    def _take(self, folder: Path, name: str) -> bool:
        """Reserve a name for this process; False when it is in use."""
        self.final, self._lock = folder / f"{name}.mp3", folder / f"{name}{LOCK}"
        if is_taken(folder, name):
            return False
        try:
            held = hold(self._lock, new=True)
        except FileExistsError:
            return False
        if held is None:
            return False
        self._held = held
        if is_taken(folder, name):  # created between the check and the lock
            held.remove()
            return False
        return True

    def part(self, suffix: str) -> Path:
        """Temporary path of the song's file with this suffix."""
        return self.final.with_name(f"{self.name}{suffix}{PART}")

    def finish(self, texts: Mapping[str, str], kept: Sequence[str] = ()) -> Path:
        """Write the text files and rename all files to their final names, the MP3 last.

        Parameters
        ----------
        texts : mapping
            Suffix to content of the text files.
        kept : sequence of str
            Suffixes of other files already written under their temporary names, besides the MP3.

        Returns
        -------
        Path
            The MP3.

        Raises
        ------
        StorageError
            When a file cannot be written.
        HeldError
            When another program keeps a file open too long: the complete song stays under temporary
            names until :func:`recover`.
        """
        try:
            for suffix, text in texts.items():
                write_flushed(self.part(suffix), text)
            others = (*kept, ".mp3")
            for suffix in others:
                _flush_if_free(self.part(suffix))
            write_flushed(self._lock, json.dumps([*texts, *others]))
            self._whole = True
            self.final = _name_all(self._lock, [*texts, *others], held=self._held)
        except OSError as error:
            if self._whole:
                raise HeldError(
                    f"{self.final}: another program holds it open (OneDrive, an antivirus?); the "
                    "song is complete and gets its name when songs are next generated in that "
                    "folder, or the menu is opened"
                ) from error
            raise storage_error(error, self.final) from error
        if not self.final.exists():
            raise StorageError(
                f"{self.final}: another program (an antivirus?) removed it; check its "
                "quarantine and generate the song again"
            )
        return self.final

    def tidy(self) -> None:
        """Delete unfinished files and release the name; a complete song is left to recover."""
        if self._whole and self._lock.exists():
            self._held.release()
            return
        _sweep_parts(self._lock)
        self._held.remove()


def _flush_if_free(path: Path) -> None:
    """Flush a file to disk, unless another program has it open."""
    try:
        flush(path)
    except OSError as error:
        if not is_held(error):
            raise


def is_taken(folder: Path, name: str) -> bool:
    """Whether any file of a song with this name exists."""
    return any((folder / f"{name}{s}").exists() for s in SUFFIXES)


def _name_all(lock: Path, suffixes: list[str], held: Hold, waits: Sequence[float] = WAITS) -> Path:
    """Rename the parts of a complete song in this order; return the path of the last."""
    name = lock.name.removesuffix(LOCK)
    final = lock
    for suffix in suffixes:
        part = lock.with_name(f"{name}{suffix}{PART}")
        final = lock.with_name(f"{name}{suffix}")
        if part.exists():
            final = _unused(final)  # a file may have been put there in the meantime
            with contextlib.suppress(FileNotFoundError):  # another process has renamed it
                rename(part, final, waits)
    flush_folder(lock.parent)
    _sweep_parts(lock)  # those not listed, such as a WAV needed only for the MP3
    held.remove()
    return final


def _sweep_parts(lock: Path) -> None:
    """Delete the temporary files of the song that a lock belongs to."""
    for suffix in SUFFIXES:
        _take_away(lock.with_name(f"{lock.name.removesuffix(LOCK)}{suffix}{PART}"))


def _unused(path: Path) -> Path:
    """`path`, with a number added when it exists."""
    n, free = 1, path
    while free.exists():
        n += 1
        free = path.with_name(f"{path.stem} ({n}){path.suffix}")
    return free


def _take_away(path: Path) -> None:
    with contextlib.suppress(OSError):
        patiently(lambda: path.unlink(missing_ok=True), (0.1, 0.2))


def recover(folder: Path, now: float) -> int:
    """Recover songs of interrupted processes: finish complete ones, delete unfinished ones.

    Songs of running processes are left alone, because those hold their locks.

    Parameters
    ----------
    folder : Path
        The song folder.
    now : float
        Current time, seconds since 1970. Parts without a lock are deleted after a day.

    Returns
    -------
    int
        Number of songs finished.
    """
    finished = 0
    for lock in _ending(folder, LOCK):
        with contextlib.suppress(OSError):
            finished += _recovered(lock)
    _sweep(folder, now)
    return finished


def _ending(folder: Path, suffix: str) -> list[Path]:
    """List the files with this suffix in a folder, which may hold very many."""
    try:
        return [folder / name for name in os.listdir(folder) if name.endswith(suffix)]
    except OSError:
        return []


def _recovered(lock: Path) -> bool:
    """Finish or delete one song; True when finished."""
    held = hold(lock)
    if held is None:
        return False
    with held:
        suffixes = _listed(lock)
        if suffixes:
            _name_all(lock, suffixes, held, ())
            return True
        _sweep_parts(lock)
        held.remove()
    return False


def _listed(lock: Path) -> list[str]:
    """Suffixes listed in the lock of a complete song; empty when incomplete or damaged."""
    try:
        found = json.loads(lock.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return []
    good = isinstance(found, list) and all(s in SUFFIXES for s in found)
    return found if good else []


def _sweep(folder: Path, now: float) -> None:
    """Delete parts without a lock that have not changed for a day."""
    locked = {p.name.removesuffix(LOCK) for p in _ending(folder, LOCK)}
    for path in _ending(folder, PART):
        name = path.name.removesuffix(PART)
        if any(name.removesuffix(s) in locked for s in SUFFIXES):
            continue
        with contextlib.suppress(OSError):
            if now - path.stat().st_mtime > ABANDONED:
                path.unlink(missing_ok=True)
