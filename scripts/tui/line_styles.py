"""Color style of each line of a screen, for themes with colors."""

from __future__ import annotations

from collections.abc import Sequence

PLAIN, RULE, TITLE, TALK, SONG, BAR, FOOT = range(7)


def inks(lines: Sequence[str]) -> list[int]:
    """Return the style of each line: one of `PLAIN` to `FOOT`."""
    return [_ink(line, n, len(lines)) for n, line in enumerate(lines)]


def _ink(line: str, row: int, rows: int) -> int:
    if row == 1:
        return TITLE
    if row == rows - 1:
        return FOOT
    text = line.strip()
    if row in (0, 2, rows - 2) and text and not text[0].isalnum():
        return RULE
    if text.startswith(("[#", "[-", "[█", "[░")):
        return BAR
    if text.startswith("Llm-Music-Gen:"):
        return TALK
    if text.startswith("Playing song:"):
        return SONG
    if text and set(text) <= set(" .:#▁▂▃▄▅▆▇█"):
        return BAR
    return PLAIN
