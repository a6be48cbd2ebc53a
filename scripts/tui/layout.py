"""Text layout: clipping, wrapping and the frame of a screen."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence

from scripts.core.theme import ASCII, Theme

MIN_SIZE = (60, 16)
FRAME_LINES = 6  # lines of a screen outside its body: header and footer

Size = tuple[int, int]  # columns, lines
Block = tuple[int, list[str]]  # drop order (0: never, highest: first) and lines


def display_width(text: str) -> int:
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
        size = display_width(char)
        if used + size > columns:
            while out and used + 3 > columns:
                used -= display_width(out.pop())
            return "".join(out) + "..." if columns >= 3 else "".join(out)
        out.append(char)
        used += size
    return "".join(out)


def clip_around_cursor(before: str, after: str, columns: int) -> str:
    """Show a text with its cursor as ``_``, cut to `columns` around the cursor."""
    shown = f"{before}_{after}"
    if display_width(shown) <= columns:
        return shown
    tail = clip(after, max(3, columns // 3)) if after else ""
    room = columns - display_width(tail) - 1
    head = before
    while head and display_width(head) > room - (3 if head != before else 0):
        head = head[1:]
    return f"{'...' if head != before else ''}{head}_{tail}"


def wrap_text(text: str, columns: int) -> list[str]:
    """Wrap a message to `columns`, with later rows indented."""
    return textwrap.wrap(text, max(columns - 1, 8), subsequent_indent="    ") or [""]


def prompt_lines(
    problem: str,
    question: str,
    typed: tuple[str, str],
    columns: int,
    prefix: str = "    ",
    margin: str = "    ",
) -> list[str]:
    """Lines of a text input: problem with the last answer, question, and text typed so far.

    `typed` is the text before and after the cursor.
    """
    problem_lines = wrap_text(prefix + problem, columns) if problem else []
    prompt = f"{margin}User Input: "
    return [
        *problem_lines,
        *wrap_text(prefix + question, columns),
        prompt + clip_around_cursor(*typed, columns - len(prompt) - 1),
    ]


def scroll_list(items: Sequence[str], selected: int, rows: int, columns: int) -> list[str]:
    """Rows of a list, scrolled to the chosen entry, which is marked with ``>``."""
    first = max(0, min(selected - rows // 2, len(items) - rows))
    return [
        clip(f"{' >' if n == selected else '  '} {items[n]}", columns)
        for n in range(first, min(first + rows, len(items)))
    ]


def wrap_page(lines: Iterable[str], columns: int) -> list[str]:
    """Wrap the lines of a page to `columns`."""
    return [
        row
        for line in lines
        for row in textwrap.wrap(
            line, max(columns - 1, 8), subsequent_indent="      ", drop_whitespace=False
        )
        or [""]
    ]


def wrap_titles(label: str, titles: Iterable[str], columns: int) -> list[str]:
    """Wrap comma-separated titles to `columns`, aligned after a label."""
    lines, row = [], label
    names = list(titles)
    for i, title in enumerate(names):
        piece = title + (", " if i < len(names) - 1 else "")
        if len(row) > len(label) and display_width(row) + display_width(piece) > columns:
            lines.append(row.rstrip())
            row = " " * len(label)
        row += piece
    return [*lines, row.rstrip()]


def fit_blocks(blocks: Iterable[Block], max_lines: int) -> list[str]:
    """Lines of the parts from top to bottom; small windows drop the least important parts first.

    Parameters
    ----------
    blocks : iterable of Block
        Those of the highest number are dropped first, the lowest on the screen before others;
        those of number 0 are never dropped, only cut.
    max_lines : int
        Lines available.
    """
    kept = [part for part in blocks if part[1]]
    while sum(len(lines) for _, lines in kept) > max_lines:
        lowest = max(n for n, _ in kept)
        if not lowest:
            break
        index = max(i for i, (n, _) in enumerate(kept) if n == lowest)
        del kept[index]
    return [line for _, lines in kept for line in lines][: max(max_lines, 0)]


def header(title: str, columns: int, theme: Theme = ASCII) -> list[str]:
    """Header of a screen: rule, title, rule, empty line."""
    rule = theme.rule * columns
    return [rule, clip(f"    Llm-Music-Gen: {title}", columns), rule, ""]


def build_frame(
    title: str,
    body: list[str],
    footer: str,
    size: Size,
    theme: Theme = ASCII,
    pinned: Sequence[str] = (),
) -> list[str]:
    """Build a whole screen of exactly `size`: header, body, rule and selection line.

    Parameters
    ----------
    title : str
    body : list of str
        Clipped or filled up with empty lines.
    footer : str
        Selection line.
    size : tuple of int
        Columns and lines; a window that is too small shows a notice instead.
    theme : Theme
    pinned : sequence of str
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
    top = header(title, columns, theme)
    room = lines - len(top) - 2
    body_lines = [clip(line, columns) for line in body[: room - len(pinned)]]
    body_lines += [""] * (room - len(pinned) - len(body_lines)) + [
        clip(line, columns) for line in pinned
    ]
    bottom = [theme.thin_rule * columns, clip(footer, columns - 1)]
    return top + body_lines + bottom


def is_too_small(size: Size) -> bool:
    """Whether a window is too small for any screen."""
    return size[0] < MIN_SIZE[0] or size[1] < MIN_SIZE[1]
