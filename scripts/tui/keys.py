"""Names of the keys that curses delivers on Linux and Windows."""

from __future__ import annotations

ENTER, ESCAPE, BACKSPACE, RESIZE, TAB = "enter", "escape", "backspace", "resize", "tab"
WHEEL_UP, WHEEL_DOWN = "wheel up", "wheel down"
CLICK = "click"  # followed by column and line: ``click 9 5``

# Codes above those of characters: curses' own, on Linux and Windows.
_CURSES = {
    258: "down",
    259: "up",
    260: "left",
    261: "right",
    262: "home",
    263: BACKSPACE,
    330: "delete",
    338: "page down",
    339: "page up",
    343: ENTER,
    358: "end",
    360: "end",
    410: RESIZE,
    546: RESIZE,
}
# Keypad codes of windows-curses, which some consoles send for the arrow keys, too.
_KEYPAD = {
    449: "home",
    450: "up",
    451: "page up",
    452: "left",
    454: "right",
    455: "end",
    456: "down",
    457: "page down",
    458: "/",
    459: ENTER,
    462: "delete",
    463: "*",
    464: "-",
    465: "+",
}
_CODES = {**_CURSES, **_KEYPAD}
_CHARACTERS = {
    "\n": ENTER,
    "\r": ENTER,
    "\x1b": ESCAPE,
    "\x08": BACKSPACE,
    "\x7f": BACKSPACE,
    "\x01": "ctrl-a",
    "\x03": "ctrl-c",
    "\x05": "ctrl-e",
    "\x15": "ctrl-u",
    "\x17": "ctrl-w",
    "\t": TAB,
}


def key_name(key: str | int) -> str:
    """Return the name of a key, the character itself, or "" for an unknown code."""
    if isinstance(key, int):
        return _CODES.get(key, "") if key > 255 else _CHARACTERS.get(chr(key), chr(key))
    return _CHARACTERS.get(key, key)
