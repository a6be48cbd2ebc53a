"""Files written whole, and names that are legal everywhere."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import time
import unicodedata
from pathlib import Path

from scripts.errors import StorageError

_RESERVED = {"con", "prn", "aux", "nul", *(f"com{i}" for i in range(10)),
             *(f"lpt{i}" for i in range(10))}
LONGEST_NAME = 80


def write_text(path: Path, text: str) -> None:
    """Write `text` under a temporary name, flush it, and rename it to `path`."""
    part = path.with_name(path.name + ".lmg-part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        rename(part, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise storage_error(error, path) from error


def check_folder(folder: Path) -> None:
    """Make `folder` and try to write in it.

    Raises
    ------
    StorageError
        When it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".{os.getpid()}.lmg-part"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise storage_error(error, folder / "song") from error


def flush(path: Path) -> None:
    """Have the disk keep what was written to `path` by someone else."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def rename(part: Path, path: Path) -> None:
    """Give a finished file its name; waits a while for whoever holds the old one open."""
    for wait in (0.1, 0.2, 0.4, 0.8, 1.6, 0.0):
        try:
            os.replace(part, path)
            return
        except PermissionError:
            if not wait or os.name != "nt":
                raise
            time.sleep(wait)


def storage_error(error: OSError, path: Path) -> StorageError:
    """What went wrong with `path`, in words."""
    if error.errno == errno.ENOSPC:
        return StorageError(f"{path.parent}: the disk is full; free some space and try again")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageError(f"{path.parent}: it may not be written to; choose another folder "
                            "with --out or mend its permissions")
    words = (error.strerror or str(error)).lower()
    return StorageError(f"{path.parent}: {words}; check the folder or choose another with --out")


def legal_name(title: str) -> str:
    """A file name without extension for `title`, legal on Windows, Linux and macOS.

    Control characters, separators, trailing dots and device names are taken out; the name has
    at most 80 characters.
    """
    text = unicodedata.normalize("NFC", title)
    text = "".join(c if c.isprintable() and c not in '<>:"/\\|?*' else " " for c in text)
    text = " ".join(text.split())[:LONGEST_NAME].strip(" .")
    while len(text.encode("utf-8")) > 200:
        text = text[:-1].strip(" .")
    if not text or re.split(r"[. ]", text.casefold())[0] in _RESERVED:
        text = f"Song {text}".strip()
    return text
