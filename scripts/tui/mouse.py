"""Mouse clicks: find the key or the song position at a place on the screen."""

from __future__ import annotations

import re
from collections.abc import Sequence

from scripts.core.formatting import BAR_WIDTH

_ITEM = re.compile(r"    (\d)\. ")
_BAR = re.compile(rf"\[.{{{BAR_WIDTH}}}\] [\d:]+/[\d:]+")
_ENTRY = re.compile(r"[^;,]* = ([A-Z])(?=[,:]|$)")


def key_at(lines: Sequence[str], x: int, y: int) -> str | float:
    """Find what a click means.

    Parameters
    ----------
    lines : sequence of str
        Lines of the screen.
    x, y : int
        Column and line, from 0.

    Returns
    -------
    str or float
        Key of the menu item or footer entry there, or the position (0 to 1) on the progress bar
        of the song; "" for anything else.
    """
    if not 0 <= y < len(lines):
        return ""
    line = lines[y]
    if _BAR.match(line) and 1 <= x <= BAR_WIDTH:
        return (x - 0.5) / BAR_WIDTH
    item = _ITEM.match(line)
    if item:
        return item[1]
    if y == len(lines) - 1:
        for entry in _ENTRY.finditer(line):
            if entry.start() <= x < entry.end():
                return entry[1].lower()
    return ""
