"""Portable file names: valid on Windows, Linux and macOS."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from scripts.core.errors import StorageError

LONGEST_NAME = 80  # characters
LONGEST_PATH = 259  # characters on Windows; ffmpeg and others support no longer ones
SHORTEST_NAME = 12
_RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    "conin$",
    "conout$",
    *(f"{port}{i}" for port in ("com", "lpt") for i in "0123456789¹²³"),
}


def room_for_name(folder: Path, beside: int) -> int:
    """Return the most characters that a file name in `folder` may have.

    Parameters
    ----------
    folder : Path
    beside : int
        Characters to reserve for suffixes.

    Raises
    ------
    StorageError
        On Windows, when the folder's own path is too long.
    """
    if os.name != "nt":
        return LONGEST_NAME
    room = LONGEST_PATH - len(str(folder.resolve())) - 1 - beside
    if room < SHORTEST_NAME:
        raise StorageError(
            f"{folder}: the path is too long for Windows; choose a shorter folder with --out"
        )
    return min(room, LONGEST_NAME)


def legal_name(title: str, longest: int = LONGEST_NAME) -> str:
    """Turn a title into a file name (without extension) for Windows, Linux and macOS.

    Control characters, separators and trailing dots are removed; device names such as ``CON``
    get the prefix ``Song``.

    Parameters
    ----------
    title : str
    longest : int
        Most characters of the name.
    """
    text = unicodedata.normalize("NFC", title)
    text = "".join(c if c.isprintable() and c not in '<>:"/\\|?*' else " " for c in text)
    text = " ".join(text.split())[:longest].strip(" .")
    # Linux limits the bytes of UTF-8, Windows the code units of UTF-16.
    while len(text.encode("utf-8")) > 200 or len(text.encode("utf-16-le")) > 2 * longest:
        text = text[:-1].strip(" .")
    if not text or re.split(r"[. ]", text.casefold())[0] in _RESERVED:
        text = f"Song {text}"[:longest].strip(" .")
    return text
