"""Atomic file writes, with retries while another program has a file open."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from scripts.core.errors import FileInUseError, StorageError

PART_SUFFIX = ".lmg-part"  # appended to the name of an unfinished file
RETRY_DELAYS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 3.2)  # seconds between tries; OneDrive needs a few


def write_text(
    path: Path, text: str, delays: Sequence[float] = RETRY_DELAYS, private: bool = False
) -> None:
    """Write a text file atomically: write a temporary file, fsync it, rename it to `path`.

    Parameters
    ----------
    path : Path
        Its folder is created when missing.
    text : str
        Written as UTF-8 with ``\\n`` line ends.
    delays : sequence of float
        Seconds between tries to rename it while another program has `path` open.
    private : bool
        Whether other users must not read it, as with what a listener played and rated.

    Raises
    ------
    StorageError
        When it cannot be written; FileInUseError while another program has `path` open.
    """
    part = path.with_name(path.name + PART_SUFFIX)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_and_fsync(part, text, private)
        rename(part, path, delays)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise storage_error(error, path) from error


def open_private(path: str | Path, flags: int) -> int:
    """Opener for ``open()`` that gives new files to their owner alone.

    On Windows they have the rights of their folder: in a user's profile, the user's own.
    """
    return os.open(path, flags, 0o600)


def make_private(path: Path) -> None:
    """Create a file for its owner alone, or take the rights of others from it.

    An existing file is never opened: closing it would drop the locks that SQLite holds on it in
    this process.
    """
    with contextlib.suppress(OSError):  # there already, or its folder cannot be written
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        return
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):  # somebody else's, or on a file system without rights
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode) and mode & 0o077:
            path.chmod(0o600)


def write_and_fsync(path: Path, text: str, private: bool = False) -> None:
    """Write a UTF-8 text file and fsync it; with `private`, for its owner alone."""
    opener = open_private if private else None
    with open(path, "w", encoding="utf-8", newline="\n", opener=opener) as file:
        if private and sys.platform != "win32":
            os.fchmod(file.fileno(), 0o600)  # it may be left from a version that did not
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def ensure_writable_folder(folder: Path) -> None:
    """Create `folder` if it is missing and check that files can be written there.

    Raises
    ------
    StorageError
        When it cannot be created or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{os.getpid()}{PART_SUFFIX}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise storage_error(error, folder / "song") from error


def nearest_existing_folder(folder: Path) -> Path:
    """Return `folder`, or its nearest parent that exists."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def fsync_file(path: Path) -> None:
    """Flush a file that another program wrote to the disk."""

    def sync() -> None:
        with path.open("rb+") as file:
            os.fsync(file.fileno())

    retry_while_open_elsewhere(sync)


def fsync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk; not needed on Windows."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):  # unsupported on some network drives
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def rename(part: Path, path: Path, delays: Sequence[float] = RETRY_DELAYS) -> None:
    """Rename `part` to `path`, retrying while another program has one of them open."""
    retry_while_open_elsewhere(lambda: os.replace(part, path), delays)


def retry_while_open_elsewhere(
    action: Callable[[], None],
    delays: Sequence[float] = RETRY_DELAYS,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Call `action`, retrying while Windows reports that another program has the file open.

    Parameters
    ----------
    action : callable
    delays : sequence of float
        Seconds between tries.
    sleep : callable
        Replaces :func:`time.sleep` in tests.

    Raises
    ------
    OSError
        Any other error at once; the last one when all tries failed.
    """
    for wait in delays:
        try:
            return action()
        except OSError as error:
            if not is_open_elsewhere(error):
                raise
            sleep(wait)
    return action()


def storage_error(error: OSError, path: Path) -> StorageError:
    """Build the error for a failed access to `path`, with advice for the user."""
    if error.errno == errno.ENOSPC:
        return StorageError(f"{path.parent}: the disk is full; free some space and try again")
    if is_open_elsewhere(error):
        return FileInUseError(
            f"{path}: another program has it open, or it is write-protected; close a player, "
            "OneDrive or antivirus that uses it"
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageError(
            f"{path.parent}: no permission to write here; choose another folder "
            "or change its permissions"
        )
    reason = (error.strerror or str(error)).lower()
    return StorageError(f"{path.parent}: {reason}; check the folder or choose another")


def is_open_elsewhere(error: OSError) -> bool:
    """Whether Windows denied access, most likely because another program has the file open."""
    code = getattr(error, "winerror", None)
    if code is None:  # open() sets no winerror
        return os.name == "nt" and error.errno == errno.EACCES
    return code in (5, 32, 33)  # access denied, sharing violation, lock violation
