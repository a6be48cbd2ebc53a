"""File names that are legal on Windows, Linux and macOS."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path

from scripts.core.errors import StorageError

LONGEST_NAME = 80  # characters
LONGEST_PATH = 259  # characters on Windows; ffmpeg and others do not know longer ones
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
    """Characters that a name in `folder` may have, next to `beside` more for its endings.

    Raises
    ------
    StorageError
        On Windows, when the folder's own path leaves too few.
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
    """A file name without extension for `title`, legal on Windows, Linux and macOS.

    Control characters, separators, trailing dots and device names are taken out; the name has
    at most `longest` characters.
    """
    text = unicodedata.normalize("NFC", title)
    text = "".join(c if c.isprintable() and c not in '<>:"/\\|?*' else " " for c in text)
    text = " ".join(text.split())[:longest].strip(" .")
    # Linux counts bytes, Windows the halves of letters outside the basic plane.
    while len(text.encode("utf-8")) > 200 or len(text.encode("utf-16-le")) > 2 * longest:
        text = text[:-1].strip(" .")
    if not text or re.split(r"[. ]", text.casefold())[0] in _RESERVED:
        text = f"Song {text}"[:longest].strip(" .")
    return text
