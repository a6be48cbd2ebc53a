"""Color style of each line of a screen, for themes with colors."""

from __future__ import annotations

from collections.abc import Sequence

PLAIN, RULE, TITLE, MESSAGE, SONG, BAR, FOOTER = range(7)


def line_styles(lines: Sequence[str]) -> list[int]:
    """Return the style of each line: one of `PLAIN` to `FOOT`."""
    return [_line_style(line, n, len(lines)) for n, line in enumerate(lines)]


def _line_style(line: str, row: int, rows: int) -> int:
    if row == 1:
        return TITLE
    if row == rows - 1:
        return FOOTER
    text = line.strip()
    if row in (0, 2, rows - 2) and text and not text[0].isalnum():
        return RULE
    if text.startswith(("[#", "[-", "[█", "[░")):
        return BAR
    if text.startswith("Llm-Music-Gen:"):
        return MESSAGE
    if text.startswith("Playing song:"):
        return SONG
    if text and set(text) <= set(" .:#▁▂▃▄▅▆▇█"):
        return BAR
    return PLAIN
