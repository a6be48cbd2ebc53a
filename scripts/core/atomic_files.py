"""Files written whole, and names that are legal everywhere."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts.core.errors import HeldError, StorageError

PART = ".lmg-part"  # behind the name of a file that is not whole yet
WAITS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 3.2)  # seconds between tries; OneDrive lets go in a few


def write_text(path: Path, text: str, waits: Sequence[float] = WAITS) -> None:
    """Write `text` under a temporary name, flush it, and rename it to `path`."""
    part = path.with_name(path.name + PART)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_flushed(part, text)
        rename(part, path, waits)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise storage_error(error, path) from error


def write_flushed(path: Path, text: str) -> None:
    """Write `text` to a temporary name and have the disk keep it."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def check_folder(folder: Path) -> None:
    """Make `folder` and try to write in it.

    Raises
    ------
    StorageError
        When it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{os.getpid()}{PART}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise storage_error(error, folder / "song") from error


def nearest_folder(folder: Path) -> Path:
    """`folder`, or the nearest one above it that is there."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def flush(path: Path) -> None:
    """Have the disk keep what was written to `path` by someone else."""

    def sync() -> None:
        with path.open("rb+") as file:
            os.fsync(file.fileno())

    patiently(sync)


def flush_folder(folder: Path) -> None:
    """Have the disk keep the names in `folder`; Windows does so by itself."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):  # some network disks cannot
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def rename(part: Path, path: Path, waits: Sequence[float] = WAITS) -> None:
    """Give a finished file its name, waiting for whoever holds either of them open."""
    patiently(lambda: os.replace(part, path), waits)


def patiently(
    action: Callable[[], None],
    waits: Sequence[float] = WAITS,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Do something to a file, again and again while Windows says that somebody holds it open."""
    for wait in waits:
        try:
            return action()
        except OSError as error:
            if not is_held(error):
                raise
            sleep(wait)
    return action()


def storage_error(error: OSError, path: Path) -> StorageError:
    """What went wrong with `path`, in words."""
    if error.errno == errno.ENOSPC:
        return StorageError(f"{path.parent}: the disk is full; free some space and try again")
    if is_held(error):
        return HeldError(
            f"{path}: another program holds it open (a player, OneDrive, an "
            "antivirus?), or it may not be written to; close that program or mend "
            "the folder's permissions"
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageError(
            f"{path.parent}: it may not be written to; choose another folder "
            "or mend its permissions"
        )
    words = (error.strerror or str(error)).lower()
    return StorageError(f"{path.parent}: {words}; check the folder or choose another")


def is_held(error: OSError) -> bool:
    """True when Windows refused, most likely because someone else has the file open."""
    code = getattr(error, "winerror", None)
    if code is None:  # open() tells only this much
        return os.name == "nt" and error.errno == errno.EACCES
    return code in (5, 32, 33)  # access denied, sharing, lock
