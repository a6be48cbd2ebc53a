"""Portable file names: valid on Windows, Linux and macOS."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from scripts.core.errors import StorageError

MAX_NAME_LENGTH = 80  # characters
MAX_PATH_LENGTH = 259  # characters on Windows; ffmpeg and others support no longer ones
MIN_NAME_LENGTH = 12
_RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    "conin$",
    "conout$",
    *(f"{port}{i}" for port in ("com", "lpt") for i in "0123456789¹²³"),
}


def available_name_length(folder: Path, suffix_length: int) -> int:
    """Return the most characters that a file name in `folder` may have.

    Parameters
    ----------
    folder : Path
    suffix_length : int
        Characters to reserve for suffixes.

    Raises
    ------
    StorageError
        On Windows, when the folder's own path is too long.
    """
    if os.name != "nt":
        return MAX_NAME_LENGTH
    room = MAX_PATH_LENGTH - len(str(folder.resolve())) - 1 - suffix_length
    if room < MIN_NAME_LENGTH:
        raise StorageError(
            f"{folder}: the path is too long for Windows; choose a shorter folder with --out"
        )
    return min(room, MAX_NAME_LENGTH)


def is_reserved_name(name: str) -> bool:
    """Whether a file name is a device on Windows, such as ``CON`` or ``nul.txt``."""
    return re.split(r"[. :]", name.casefold())[0] in _RESERVED


def sanitize_filename(title: str, max_length: int = MAX_NAME_LENGTH) -> str:
    """Turn a title into a file name (without extension) for Windows, Linux and macOS.

    Control characters, separators and trailing dots are removed; device names such as ``CON``
    get the prefix ``Song``.

    Parameters
    ----------
    title : str
    max_length : int
        Most characters of the name.
    """
    text = unicodedata.normalize("NFC", title)
    text = "".join(c if c.isprintable() and c not in '<>:"/\\|?*' else " " for c in text)
    text = " ".join(text.split())[:max_length].strip(" .")
    # Linux limits the bytes of UTF-8, Windows the code units of UTF-16.
    while len(text.encode("utf-8")) > 200 or len(text.encode("utf-16-le")) > 2 * max_length:
        text = text[:-1].strip(" .")
    if not text or is_reserved_name(text):
        text = f"Song {text}"[:max_length].strip(" .")
    return text
