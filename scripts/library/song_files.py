"""A song's files while it is made: temporary names first, final names once all is written."""

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

SUFFIXES = (".mp3", ".json", ".wav", ".abc", ".musicxml", ".mid", *STEMS)  # of a song's files
LOCK = ".lmg-lock"
ABANDONED = 24 * 3600.0  # seconds after which nobody is at a part without a lock any more
_ENDINGS = len(".percussion.wav.lmg-part") + len(" (9999)")


class SongFiles:
    """The files of one song while it is made: temporary names first, final names at the end.

    The lock file keeps the name for one program, which holds it as long as it lives. Once
    everything is written it lists the song's files: from then on the song is whole, and whoever
    finds the list can finish the renaming.

    Parameters
    ----------
    folder : Path
        Made when it is not there.
    title : str
        The files are called after it; a number is added when the name is taken.

    Raises
    ------
    StorageError
        When the folder cannot be written, or its path is too long.
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
        """Reserve a name; two programs never take one."""
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
        if is_taken(folder, name):  # between looking and locking
            held.remove()
            return False
        return True

    def part(self, suffix: str) -> Path:
        """The temporary name for a file of the song."""
        return self.final.with_name(f"{self.name}{suffix}{PART}")

    def finish(self, texts: Mapping[str, str], kept: Sequence[str] = ()) -> Path:
        """Write the texts beside the song and give every file its name, the MP3 last.

        `kept` are the endings of files that stand under their temporary names already.

        Raises
        ------
        StorageError
            When a file cannot be written.
        HeldError
            When another program holds one open for long: the whole song stays under temporary
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
                    "song is whole and gets its name when songs are next made in that folder, or "
                    "the menu is opened"
                ) from error
            raise storage_error(error, self.final) from error
        if not self.final.exists():
            raise StorageError(
                f"{self.final}: another program (an antivirus?) took it away; look "
                "there and make it again"
            )
        return self.final

    def tidy(self) -> None:
        """Take away what is unfinished, and let go of the name."""
        if self._whole and self._lock.exists():
            self._held.release()
            return
        _sweep_parts(self._lock)
        self._held.remove()


def _flush_if_free(path: Path) -> None:
    """Have the disk keep a file; when somebody holds it, the disk will do so in its own time."""
    try:
        flush(path)
    except OSError as error:
        if not is_held(error):
            raise


def is_taken(folder: Path, name: str) -> bool:
    """Whether a song of this name is there."""
    return any((folder / f"{name}{s}").exists() for s in SUFFIXES)


def _name_all(lock: Path, suffixes: list[str], held: Hold, waits: Sequence[float] = WAITS) -> Path:
    """Give the files of a whole song their names, in this order; the last one's path."""
    name = lock.name.removesuffix(LOCK)
    final = lock
    for suffix in suffixes:
        part = lock.with_name(f"{name}{suffix}{PART}")
        final = lock.with_name(f"{name}{suffix}")
        if part.exists():
            final = _unused(final)  # somebody may have put a file there meanwhile
            with contextlib.suppress(FileNotFoundError):  # another program was faster
                rename(part, final, waits)
    flush_folder(lock.parent)
    _sweep_parts(lock)  # such as the WAV, when only the MP3 is kept
    held.remove()
    return final


def _sweep_parts(lock: Path) -> None:
    """Take away the parts of the song that a lock is for."""
    for suffix in SUFFIXES:
        _take_away(lock.with_name(f"{lock.name.removesuffix(LOCK)}{suffix}{PART}"))


def _unused(path: Path) -> Path:
    """`path`, or the next number when it is taken."""
    n, free = 1, path
    while free.exists():
        n += 1
        free = path.with_name(f"{path.stem} ({n}){path.suffix}")
    return free


def _take_away(path: Path) -> None:
    with contextlib.suppress(OSError):
        patiently(lambda: path.unlink(missing_ok=True), (0.1, 0.2))


def recover(folder: Path, now: float) -> int:
    """Finish what a killed or hindered program left whole, and take away what it left unfinished.

    What a living program is at is left alone: it holds its locks.

    Parameters
    ----------
    now : float
        The time, seconds since 1970. Parts without a lock may still be written to for a day.

    Returns
    -------
    int
        Songs finished.
    """
    finished = 0
    for lock in _ending(folder, LOCK):
        with contextlib.suppress(OSError):
            finished += _recovered(lock)
    _sweep(folder, now)
    return finished


def _ending(folder: Path, suffix: str) -> list[Path]:
    """Files of a folder, which may hold very many, by their ending."""
    try:
        return [folder / name for name in os.listdir(folder) if name.endswith(suffix)]
    except OSError:
        return []


def _recovered(lock: Path) -> bool:
    """Finish one song, or take it away; whether it is finished."""
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
    """The endings of a whole song's files; none when it is not whole, or the list is damaged."""
    try:
        found = json.loads(lock.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return []
    good = isinstance(found, list) and all(s in SUFFIXES for s in found)
    return found if good else []


def _sweep(folder: Path, now: float) -> None:
    """Take away parts that nobody has touched for a day and that no lock is for."""
    locked = {p.name.removesuffix(LOCK) for p in _ending(folder, LOCK)}
    for path in _ending(folder, PART):
        name = path.name.removesuffix(PART)
        if any(name.removesuffix(s) in locked for s in SUFFIXES):
            continue
        with contextlib.suppress(OSError):
            if now - path.stat().st_mtime > ABANDONED:
                path.unlink(missing_ok=True)
