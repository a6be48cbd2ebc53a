"""Counts the rhythms of sung melodies, half bar by half bar, for ``data/rhythms.toml``.

From the Billboard part of CoCoPops (Computational and Cognitive Musicology Lab, Georgia Tech): 214
transcriptions of popular songs in the Humdrum format. Only counts of figures that many songs share
are kept, none of their tunes.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

HALF_BAR = 8  # sixteenths
_MIN_SONGS = 6  # that share a figure
_MIN_COUNT = 3  # of a figure after another
_NOTE = re.compile(r"(\[|\]|_)?(\d+)(\.*)([a-gA-Gr])")
_METER = "*M4/4"
_ONSET, _HELD, _REST = "x", "-", "."
START = "start"  # in place of the figure before the first


def count_rhythms(folder: Path, out: Path) -> int:
    """Count the figures of the ``.hum`` files below `folder`; return the number of figures."""
    songs = [list(read_song(path)) for path in sorted(folder.rglob("*.hum"))]
    users: Counter[str] = Counter()
    for song in songs:
        users.update(set(song))
    known = {figure for figure, count in users.items() if count >= _MIN_SONGS}
    follows: dict[str, Counter[str]] = defaultdict(Counter)
    for song in songs:
        for before, after in zip([START, *song], song, strict=False):
            if after in known and (before in known or before == START):
                follows[before][after] += 1
    lines = [
        "# Rhythms of sung melodies in 4/4, half bar by half bar: x begins a note, - holds it,",
        "# . is a rest; how often each figure follows another in 214 popular songs.",
        "# Made by: python -m training rhythms",
        "[song]",
    ]
    for before in (START, *sorted(known)):
        counts = {a: n for a, n in follows[before].most_common() if n >= _MIN_COUNT}
        if counts:
            cells = ", ".join(f'"{figure}" = {count}' for figure, count in counts.items())
            lines.append(f'"{before}" = {{ {cells} }}')
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(known)


def read_song(path: Path) -> Iterator[str]:
    """Yield the half bars of a song's melody; a bar that is not on the grid ends in none."""
    grid: list[str] = []
    column: int | None = None
    is_common_time = False
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = line.split("\t")
        if line.startswith("**"):
            column = cells.index("**kern") if "**kern" in cells else None
            continue
        if column is None or line.startswith("!") or column >= len(cells):
            continue
        cell = cells[column]
        if cell.startswith("*M"):
            is_common_time = cell == _METER
        elif cell.startswith("="):
            if is_common_time and len(grid) == 2 * HALF_BAR:
                yield "".join(grid[:HALF_BAR])
                yield "".join(grid[HALF_BAR:])
            grid = []
        elif not cell.startswith(("*", ".")):
            grid += _read_note(cell)


def _read_note(cell: str) -> list[str]:
    """Sixteenths of a note or rest; a wrong number of them where it is not on the grid."""
    match = _NOTE.match(cell)
    if match is None:
        return []
    length = Fraction(16, int(match[2])) if int(match[2]) else Fraction(32)
    length *= 2 - Fraction(1, 2 ** len(match[3]))
    if length.denominator != 1:
        return [""] * 99
    count = int(length)
    if match[4] == "r":
        return [_REST] * count
    is_held = "_" in cell or "]" in cell
    return [_HELD if is_held else _ONSET, *[_HELD] * (count - 1)]
