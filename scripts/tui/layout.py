"""Pieces of a screen as text."""

from __future__ import annotations

import unicodedata

from scripts.theme import ASCII, Theme

SMALLEST = (60, 16)


def width_of(text: str) -> int:
    """Columns that `text` takes on a console."""
    return sum(0 if unicodedata.combining(c) else
               2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def clip(text: str, columns: int) -> str:
    """`text` without control characters, cut to `columns`."""
    out: list[str] = []
    used = 0
    for char in text:
        if not char.isprintable():
            char = " "
        size = width_of(char)
        if used + size > columns:
            while out and used + 3 > columns:
                used -= width_of(out.pop())
            return "".join(out) + "..." if columns >= 3 else "".join(out)
        out.append(char)
        used += size
    return "".join(out)


def head(title: str, columns: int, theme: Theme = ASCII) -> list[str]:
    """The top rule, the title and its rule."""
    rule = theme.rule * columns
    return [rule, clip(f"    Llm-Music-Gen: {title}", columns), rule, ""]


def framed(title: str, body: list[str], foot: str, size: tuple[int, int],
           theme: Theme = ASCII) -> list[str]:
    """A whole screen of exactly `size` (columns, lines): head, body, rule and selection line."""
    columns, lines = size
    if columns < SMALLEST[0] or lines < SMALLEST[1]:
        notice = [f"This window is {columns} x {lines}.", "Please make it at least 60 x 16.",
                  "(X exits)"]
        return ([clip(n, columns) for n in notice] + [""] * lines)[:lines]
    top = head(title, columns, theme)
    room = lines - len(top) - 2
    shown = [clip(line, columns) for line in body[:room]]
    bottom = [theme.thin * columns, clip(foot, columns - 1)]
    return top + shown + [""] * (room - len(shown)) + bottom
