"""Opens files from outside: regular files only, and no more of them than asked.

A FIFO or a device blocks, or never ends; a name such as ``CON`` or ``\\\\.\\pipe\\x`` is one on
Windows. Every reader of outside files opens them here.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
import unicodedata
from pathlib import Path, PureWindowsPath
from typing import BinaryIO

from scripts.core.errors import UsageError
from scripts.core.filenames import is_reserved_name

# ``\\\\?\\C:\\`` and ``\\\\?\\UNC\\`` are long paths of files.
_DEVICE_PREFIX = re.compile(r"[\\/]{2}(?:\.|\?[\\/](?![A-Za-z]:|UNC[\\/]))", re.IGNORECASE)
_ORDINARY = (stat.S_IFREG, stat.S_IFDIR)
_NONBLOCKING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_input(path: Path) -> BinaryIO:
    """Open a regular file for reading.

    Raises
    ------
    OSError
        When it cannot be opened, or is a folder, a pipe, a device or a socket.
    """
    if names_device(str(path)):
        raise OSError(errno.EINVAL, "this is the name of a device")
    if "\0" in str(path):
        raise OSError(errno.EINVAL, "the name has a null character")
    # Look first, since opening alone acts on some devices; and again at what was opened.
    _check_kind(path.stat().st_mode)
    descriptor = os.open(path, os.O_RDONLY | _NONBLOCKING)
    try:
        _check_kind(os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_input(path: Path, max_bytes: int) -> bytes:
    """Read a regular file of at most `max_bytes` bytes.

    Raises
    ------
    OSError
        As for :func:`open_input`; also when the file is larger.
    """
    with open_input(path) as file:
        too_large = os.fstat(file.fileno()).st_size > max_bytes
        data = b"" if too_large else file.read(max_bytes + 1)
    if too_large or len(data) > max_bytes:
        raise OSError(errno.EFBIG, f"larger than {_format_size(max_bytes)}")
    return data


def read_input_text(
    path: Path, max_bytes: int, encoding: str = "utf-8", errors: str = "strict"
) -> str:
    """Read a text file of at most `max_bytes` bytes, with its line ends as line feeds.

    Raises
    ------
    OSError
        As for :func:`read_input`.
    UnicodeDecodeError
        When it is not text in `encoding`.
    """
    text = read_input(path, max_bytes).decode(encoding, errors)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def is_regular_file(path: Path) -> bool:
    """Whether `path` is a regular file; False for anything that cannot be found out."""
    try:
        return not names_device(str(path)) and path.is_file()
    except (OSError, ValueError):  # name too long, or with a null character
        return False


def is_special_file(path: Path) -> bool:
    """Whether `path` is there and neither a regular file nor a folder."""
    try:
        return names_device(str(path)) or stat.S_IFMT(path.stat().st_mode) not in _ORDINARY
    except (OSError, ValueError):
        return False


def names_device(path: str) -> bool:
    """Whether a path names a device of Windows; always False elsewhere."""
    if sys.platform != "win32":
        return False
    return bool(_DEVICE_PREFIX.match(path)) or is_reserved_name(PureWindowsPath(path).name)


def find_beside(source: Path, name: str) -> Path:
    """Path of a file that another file names; it may only lie beside it, or below.

    Parameters
    ----------
    source : Path
        File that names the other, such as a recipe that somebody sent.
    name : str
        Relative path, with the separators of any system.

    Raises
    ------
    UsageError
        When the name leads elsewhere: an absolute path, a drive, a network share, ``..``, a device
        or a link.
    """
    path = PureWindowsPath(name)
    shown = f"{source.name} names the file {name[:60]!a}"
    if path.anchor or not name or not path.parts or ".." in path.parts:
        raise UsageError(
            f"{shown}: expected one in its own folder; copy it there and write its name without a "
            "folder"
        )
    is_portable = all(unicodedata.category(c) not in ("Cc", "Cs") for c in name)
    if not is_portable or any(is_reserved_name(part) or ":" in part for part in path.parts):
        raise UsageError(
            f"{shown}: expected one in its own folder whose name every system allows; rename it"
        )
    found = source.parent.absolute().joinpath(*path.parts)
    if not found.resolve().is_relative_to(source.parent.resolve()):
        raise UsageError(
            f"{shown}: expected one in its own folder, but this is a link; copy the file there"
        )
    return found


def _check_kind(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, "this is a folder")
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "not a regular file")


def _format_size(size: int) -> str:
    for unit, shift in (("MB", 20), ("kB", 10)):
        if size >= 1 << shift:
            return f"{size >> shift} {unit}"
    return f"{size} bytes"
