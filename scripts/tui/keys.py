"""One table of keys: what curses delivers, by name, on Linux and Windows."""

from __future__ import annotations

ENTER, ESCAPE, BACKSPACE, RESIZE = "enter", "escape", "backspace", "resize"

# Codes beyond characters: curses', and those that windows-curses sends instead.
_CODES = {258: "down", 259: "up", 260: "left", 261: "right", 263: BACKSPACE, 330: "delete",
          338: "page down", 339: "page up", 343: ENTER, 410: RESIZE, 450: "up", 452: "left",
          454: "right", 456: "down", 459: ENTER, 546: RESIZE, 262: "home", 360: "end"}
_CHARACTERS = {"\n": ENTER, "\r": ENTER, "\x1b": ESCAPE, "\x08": BACKSPACE, "\x7f": BACKSPACE,
               "\x03": "ctrl-c"}


def name_of(key: str | int) -> str:
    """The name of a key, or the character itself."""
    if isinstance(key, int):
        return _CODES.get(key, "") if key > 255 else _CHARACTERS.get(chr(key), chr(key))
    return _CHARACTERS.get(key, key)
