"""Text layout: clipping, wrapping and the frame of a screen."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence

from scripts.core.theme import ASCII, Theme

SMALLEST = (60, 16)
MARGINS = 6  # lines of a screen outside its body: header and footer

Size = tuple[int, int]  # columns, lines
Part = tuple[int, list[str]]  # drop order (0: never, highest: first) and lines


def width_of(text: str) -> int:
    """Compute the terminal columns `text` takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def clip(text: str, columns: int) -> str:
    """Replace control characters by spaces and cut `text` to `columns`, marked by ``...``."""
    if text.isascii() and text.isprintable() and len(text) <= columns:
        return text
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


def end_of(text: str, columns: int) -> str:
    """Cut `text` at its start to `columns`, so that the cursor stays visible."""
    return text if len(text) <= columns else "..." + text[-(columns - 3) :]


def fold(line: str, columns: int) -> list[str]:
    """Wrap a message to `columns`, with later rows indented."""
    return textwrap.wrap(line, max(columns - 1, 8), subsequent_indent="    ") or [""]


def question(
    problem: str, asked: str, typed: str, columns: int, speaker: str = "    ", margin: str = "    "
) -> list[str]:
    """Lines of a text input: problem with the last answer, question, and text typed so far."""
    wrong = fold(speaker + problem, columns) if problem else []
    prompt = f"{margin}User Input: "
    return [
        *wrong,
        *fold(speaker + asked, columns),
        f"{prompt}{end_of(typed, columns - len(prompt) - 2)}_",
    ]


def listed(offers: Sequence[str], chosen: int, rows: int, columns: int) -> list[str]:
    """Rows of a list, scrolled to the chosen entry, which is marked with ``>``."""
    first = max(0, min(chosen - rows // 2, len(offers) - rows))
    return [
        clip(f"{' >' if n == chosen else '  '} {offers[n]}", columns)
        for n in range(first, min(first + rows, len(offers)))
    ]


def paged(lines: Iterable[str], columns: int) -> list[str]:
    """Wrap the lines of a page to `columns`."""
    return [
        row
        for line in lines
        for row in textwrap.wrap(
            line, max(columns - 1, 8), subsequent_indent="      ", drop_whitespace=False
        )
        or [""]
    ]


def wrap(label: str, titles: Iterable[str], columns: int) -> list[str]:
    """Wrap comma-separated titles to `columns`, aligned after a label."""
    lines, row = [], label
    names = list(titles)
    for i, title in enumerate(names):
        piece = title + (", " if i < len(names) - 1 else "")
        if len(row) > len(label) and width_of(row) + width_of(piece) > columns:
            lines.append(row.rstrip())
            row = " " * len(label)
        row += piece
    return [*lines, row.rstrip()]


def fitted(parts: Iterable[Part], room: int) -> list[str]:
    """Lines of the parts from top to bottom; small windows drop the least important parts first.

    Parameters
    ----------
    parts : iterable of Part
        Those of the highest number are dropped first, the lowest on the screen before others;
        those of number 0 are never dropped, only cut.
    room : int
        Lines available.
    """
    kept = [part for part in parts if part[1]]
    while sum(len(lines) for _, lines in kept) > room:
        most = max(n for n, _ in kept)
        if not most:
            break
        place = max(i for i, (n, _) in enumerate(kept) if n == most)
        del kept[place]
    return [line for _, lines in kept for line in lines][: max(room, 0)]


def head(title: str, columns: int, theme: Theme = ASCII) -> list[str]:
    """Header of a screen: rule, title, rule, empty line."""
    rule = theme.rule * columns
    return [rule, clip(f"    Llm-Music-Gen: {title}", columns), rule, ""]


def framed(
    title: str,
    body: list[str],
    foot: str,
    size: Size,
    theme: Theme = ASCII,
    last: Sequence[str] = (),
) -> list[str]:
    """Build a whole screen of exactly `size`: header, body, rule and selection line.

    Parameters
    ----------
    title : str
    body : list of str
        Clipped or filled up with empty lines.
    foot : str
        Selection line.
    size : tuple of int
        Columns and lines; a window that is too small shows a notice instead.
    theme : Theme
    last : sequence of str
        Lines at the end of the body that are always shown.
    """
    columns, lines = size
    if is_too_small(size):
        notice = [
            f"This window is {columns} x {lines}.",
            "Please make it at least 60 x 16.",
            "(X exits)",
        ]
        return ([clip(n, columns) for n in notice] + [""] * lines)[:lines]
    top = head(title, columns, theme)
    room = lines - len(top) - 2
    shown = [clip(line, columns) for line in body[: room - len(last)]]
    shown += [""] * (room - len(last) - len(shown)) + [clip(line, columns) for line in last]
    bottom = [theme.thin * columns, clip(foot, columns - 1)]
    return top + shown + bottom


def is_too_small(size: Size) -> bool:
    """Whether a window is too small for any screen."""
    return size[0] < SMALLEST[0] or size[1] < SMALLEST[1]
