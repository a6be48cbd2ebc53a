"""A song's files while it is made: temporary names first, final names once all is written."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.errors import HeldError, StorageError
from scripts.files import (
    WAITS,
    flush,
    is_held,
    legal_name,
    patiently,
    rename,
    room_for_name,
    storage_error,
    write_flushed,
)
from scripts.library.songs import STEMS

SUFFIXES = (".mp3", ".json", ".wav", ".abc", ".musicxml", ".mid", *STEMS)  # of a song's files
PART, LOCK = ".lmg-part", ".lmg-lock"
SETTLED = 60.0  # seconds, longer than all waiting, after which nobody is at a whole song any more
ABANDONED = 24 * 3600.0
_ENDINGS = len(".percussion.wav.lmg-part") + len(" (9999)")


class SongFiles:
    """The files of one song while it is made: temporary names first, final names at the end.

    The lock file keeps the name for one program. Once everything is written it lists the song's
    files: from then on the song is whole, and whoever finds the list can finish the renaming.

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
        try:
            self._lock.touch(exist_ok=False)
        except FileExistsError:
            return False
        if any((folder / f"{name}{s}").exists() for s in SUFFIXES):
            self._lock.unlink(missing_ok=True)
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
            self.final = _name_all(self._lock, [*texts, *others])
        except OSError as error:
            if self._whole:
                raise HeldError(
                    f"{self.final}: another program holds it open (OneDrive, an antivirus?); the "
                    "song is whole and gets its name when songs are next made in that folder, or "
                    "the menu is opened") from error
            raise storage_error(error, self.final) from error
        if not self.final.exists():
            raise StorageError(f"{self.final}: another program (an antivirus?) took it away; look "
                               "there and make it again")
        return self.final

    def tidy(self) -> None:
        """Take away what is unfinished."""
        if self._whole and self._lock.exists():
            return
        for path in (*(self.part(s) for s in SUFFIXES), self._lock):
            _take_away(path)


def _flush_if_free(path: Path) -> None:
    """Have the disk keep a file; when somebody holds it, the disk will do so in its own time."""
    try:
        flush(path)
    except OSError as error:
        if not is_held(error):
            raise


def _name_all(lock: Path, suffixes: list[str], waits: Sequence[float] = WAITS) -> Path:
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
    for suffix in SUFFIXES:  # such as the WAV, when only the MP3 is kept
        _take_away(lock.with_name(f"{name}{suffix}{PART}"))
    _take_away(lock)
    return final


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

    Parameters
    ----------
    now : float
        The time, seconds since 1970. Younger things than a minute (whole) or a day (unfinished)
        belong to a program that is at work.

    Returns
    -------
    int
        Songs finished.
    """
    finished = 0
    try:
        locks = [p for p in folder.iterdir() if p.name.endswith(LOCK)]
    except OSError:
        return 0
    for lock in locks:
        with contextlib.suppress(OSError):
            suffixes = _listed(lock)
            if suffixes and now - lock.stat().st_mtime >= SETTLED:
                _name_all(lock, suffixes, ())
                finished += 1
    _sweep(folder, now)
    return finished


def _listed(lock: Path) -> list[str]:
    """The endings of a whole song's files; none when it is not whole, or the list is damaged."""
    try:
        found = json.loads(lock.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return []
    good = isinstance(found, list) and all(s in SUFFIXES for s in found)
    return found if good else []


def _sweep(folder: Path, now: float) -> None:
    """Take away parts and locks that nobody has touched for a day and that no list names."""
    try:
        listed = {p.name.removesuffix(LOCK) for p in folder.iterdir()
                  if p.name.endswith(LOCK) and _listed(p)}
        for path in folder.iterdir():
            name = path.name.removesuffix(PART)
            ours = path.name.endswith((PART, LOCK))
            whole = any(name.removesuffix(s) in listed for s in (*SUFFIXES, LOCK))
            if ours and not whole and now - path.stat().st_mtime > ABANDONED:
                path.unlink(missing_ok=True)
    except OSError:
        pass
