"""Crash-safe writing of a song's files: temporary names first, final names once complete."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.core.atomic_files import (
    PART_SUFFIX,
    RETRY_DELAYS,
    fsync_file,
    fsync_folder,
    is_open_elsewhere,
    rename,
    retry_while_open_elsewhere,
    storage_error,
    write_and_fsync,
)
from scripts.core.errors import FileInUseError, StorageError
from scripts.core.file_lock import FileLock, try_lock
from scripts.core.filenames import available_name_length, sanitize_filename
from scripts.core.input_files import read_input_text
from scripts.library.songs import STEM_SUFFIXES

SONG_SUFFIXES = (
    ".mp3",
    ".json",
    ".light.json",
    ".wav",
    ".abc",
    ".musicxml",
    ".mid",
    *STEM_SUFFIXES,
)
LOCK_SUFFIX = ".lmg-lock"
ABANDONED_AFTER = 24 * 3600.0  # age in seconds at which a part without a lock is deleted
_MAX_LOCK_BYTES = 1 << 16
_MAX_SUFFIX_LENGTH = len(".percussion.wav.lmg-part") + len(" (9999)")


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
            base = sanitize_filename(title, available_name_length(folder, _MAX_SUFFIX_LENGTH))
            name, n = base, 1
            while not self._reserve(folder, name):
                n += 1
                name = f"{base} ({n})"
        except OSError as error:
            raise storage_error(error, folder / "song") from error
        self.name = name
        self._complete = False

    def _reserve(self, folder: Path, name: str) -> bool:
        """Reserve a name for this process; False when it is in use."""
        self.final, self._lock = folder / f"{name}.mp3", folder / f"{name}{LOCK_SUFFIX}"
        if is_name_used(folder, name):
            return False
        try:
            file_lock = try_lock(self._lock, new=True)
        except FileExistsError:
            return False
        if file_lock is None:
            return False
        self._file_lock = file_lock
        if is_name_used(folder, name):  # created between the check and the lock
            file_lock.remove()
            return False
        return True

    def part(self, suffix: str) -> Path:
        """Temporary path of the song's file with this suffix."""
        return self.final.with_name(f"{self.name}{suffix}{PART_SUFFIX}")

    def finish(self, texts: Mapping[str, str], written: Sequence[str] = ()) -> Path:
        """Write the text files and rename all files to their final names, the MP3 last.

        Parameters
        ----------
        texts : mapping
            Suffix to content of the text files.
        written : sequence of str
            Suffixes of other files already written under their temporary names, besides the MP3.

        Returns
        -------
        Path
            The MP3.

        Raises
        ------
        StorageError
            When a file cannot be written.
        FileInUseError
            When another program keeps a file open too long: the complete song stays under temporary
            names until :func:`recover`.
        """
        try:
            for suffix, text in texts.items():
                write_and_fsync(self.part(suffix), text)
            others = (*written, ".mp3")
            for suffix in others:
                _flush_if_free(self.part(suffix))
            write_and_fsync(self._lock, json.dumps([*texts, *others]))
            self._complete = True
            self.final = _rename_parts(self._lock, [*texts, *others], file_lock=self._file_lock)
        except OSError as error:
            if self._complete:
                raise FileInUseError(
                    f"{self.final}: another program holds it open (OneDrive?); the song is "
                    "complete and gets its name when songs are next made there"
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
        if self._complete and self._lock.exists():
            self._file_lock.release()
            return
        _delete_parts(self._lock)
        self._file_lock.remove()


def _flush_if_free(path: Path) -> None:
    """Flush a file to disk, unless another program has it open."""
    try:
        fsync_file(path)
    except OSError as error:
        if not is_open_elsewhere(error):
            raise


def is_name_used(folder: Path, name: str) -> bool:
    """Whether any file of a song with this name exists."""
    return any((folder / f"{name}{s}").exists() for s in SONG_SUFFIXES)


def _rename_parts(
    lock: Path, suffixes: list[str], file_lock: FileLock, waits: Sequence[float] = RETRY_DELAYS
) -> Path:
    """Rename the parts of a complete song in this order; return the path of the last."""
    name = lock.name.removesuffix(LOCK_SUFFIX)
    final = lock
    for suffix in suffixes:
        part = lock.with_name(f"{name}{suffix}{PART_SUFFIX}")
        final = lock.with_name(f"{name}{suffix}")
        if part.exists():
            final = _free_path(final)  # a file may have been put there in the meantime
            with contextlib.suppress(FileNotFoundError):  # another process has renamed it
                rename(part, final, waits)
    fsync_folder(lock.parent)
    _delete_parts(lock)  # those not listed, such as a WAV needed only for the MP3
    file_lock.remove()
    return final


def _delete_parts(lock: Path) -> None:
    """Delete the temporary files of the song that a lock belongs to."""
    for suffix in SONG_SUFFIXES:
        _delete(lock.with_name(f"{lock.name.removesuffix(LOCK_SUFFIX)}{suffix}{PART_SUFFIX}"))


def _free_path(path: Path) -> Path:
    """`path`, with a number added when it exists."""
    n, free = 1, path
    while free.exists():
        n += 1
        free = path.with_name(f"{path.stem} ({n}){path.suffix}")
    return free


def _delete(path: Path) -> None:
    with contextlib.suppress(OSError):
        retry_while_open_elsewhere(lambda: path.unlink(missing_ok=True), (0.1, 0.2))


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
    for lock in _list_by_suffix(folder, LOCK_SUFFIX):
        with contextlib.suppress(OSError):
            finished += _recover_song(lock)
    _delete_abandoned(folder, now)
    return finished


def _list_by_suffix(folder: Path, suffix: str) -> list[Path]:
    """List the files with this suffix in a folder, which may hold very many."""
    try:
        return [folder / name for name in os.listdir(folder) if name.endswith(suffix)]
    except OSError:
        return []


def _recover_song(lock: Path) -> bool:
    """Finish or delete one song; True when finished."""
    file_lock = try_lock(lock)
    if file_lock is None:
        return False
    with file_lock:
        suffixes = _read_suffixes(lock)
        if suffixes:
            _rename_parts(lock, suffixes, file_lock, ())
            return True
        _delete_parts(lock)
        file_lock.remove()
    return False


def _read_suffixes(lock: Path) -> list[str]:
    """Suffixes listed in the lock of a complete song; empty when incomplete or damaged."""
    try:
        found = json.loads(read_input_text(lock, _MAX_LOCK_BYTES))
    except (ValueError, RecursionError):
        return []
    good = isinstance(found, list) and all(s in SONG_SUFFIXES for s in found)
    return found if good else []


def _delete_abandoned(folder: Path, now: float) -> None:
    """Delete parts without a lock that have not changed for a day."""
    locked = {p.name.removesuffix(LOCK_SUFFIX) for p in _list_by_suffix(folder, LOCK_SUFFIX)}
    for path in _list_by_suffix(folder, PART_SUFFIX):
        name = path.name.removesuffix(PART_SUFFIX)
        if any(name.removesuffix(s) in locked for s in SONG_SUFFIXES):
            continue
        with contextlib.suppress(OSError):
            if now - path.stat().st_mtime > ABANDONED_AFTER:
                path.unlink(missing_ok=True)
