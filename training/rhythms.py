"""Counts the rhythms of sung melodies, figure by figure, for ``data/rhythms.toml``.

Three collections: the Billboard part of CoCoPops (Computational and Cognitive Musicology Lab,
Georgia Tech), transcriptions of popular songs in the Humdrum format; the lead sheets of OpenEWLD;
the voices of the OpenScore Lieder. Only counts of figures that many songs share are kept, none of
their tunes.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path

from scripts.composer.rhythm import HELD, METERS, ONSET, REST, SIXTEENTH, START
from scripts.score.sheet import LeadSheet
from training.sources import read_lieder, read_open_ewld

_FIGURE_SIZES = {meter: size for meter, (_, _, size, _) in METERS.items()}  # in sixteenths
_MIN_SONGS = 6  # that share a figure
_MIN_COUNT = 3  # of a figure after another
_MIN_FIGURES = 20  # of a table
_NOTE = re.compile(r"(\[|\]|_)?(\d+)(\.*)([a-gA-Gr])")
_METER = "*M4/4"
_HEADER = """\
# Rhythms of sung melodies: x begins a note, - holds it, . is a rest, each a sixteenth; how often
# each figure of half a bar (4/4) or a bar (other meters) follows another.
# Made by: python -m training rhythms"""

Song = list[str]  # its figures in order


def count_rhythms(cocopops: Path, collections: Path, out: Path) -> int:
    """Count the figures of the three collections; return the number of figures.

    Parameters
    ----------
    cocopops : Path
        Folder with ``.hum`` files.
    collections : Path
        Folder with the archives of OpenEWLD and OpenScore Lieder.
    out : Path
        The file to write.
    """
    tables: dict[tuple[str, str], list[Song]] = {
        ("song", "4/4"): [list(read_song(path)) for path in sorted(cocopops.rglob("*.hum"))]
    }
    for name, sheets in (
        ("standard", read_open_ewld(collections)),
        ("lied", read_lieder(collections)),
    ):
        for meter, songs in _by_meter(sheets).items():
            tables[name, meter] = songs
    lines, total = [_HEADER], 0
    for (name, meter), songs in tables.items():
        rows = _count_followers(songs)
        if len(rows) >= _MIN_FIGURES:
            lines.append(f'[{name}."{meter}"]')
            lines += rows
            total += len(rows)
    out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return total


def _by_meter(sheets: Iterable[LeadSheet]) -> Mapping[str, list[Song]]:
    found: dict[str, list[Song]] = {meter: [] for meter in _FIGURE_SIZES}
    for sheet in sheets:
        meter = str(sheet.meter)
        if meter in found:
            found[meter] += _split_figures(sheet, _FIGURE_SIZES[meter])
    return found


def _split_figures(sheet: LeadSheet, size: int) -> Iterator[Song]:
    """Yield the figures of a sheet; where a bar is not on the grid, another run begins."""
    run: Song = []
    held = False
    for bar in sheet.bars:
        text = ""
        for note in bar.notes:
            count = note.ticks // SIXTEENTH
            if note.triplet or note.ticks % SIXTEENTH:
                text = ""
                break
            if note.pitch is None:
                text += REST * count
            else:
                text += (HELD if held else ONSET) + HELD * (count - 1)
            held = note.tied
        if not text or len(text) % size:
            yield run
            run, held = [], False
            continue
        run += [text[at : at + size] for at in range(0, len(text), size)]
    yield run


def _count_followers(songs: list[Song]) -> list[str]:
    """Rows of a table: each figure with those that follow it."""
    users: Counter[str] = Counter()
    for song in songs:
        users.update(set(song))
    known = {figure for figure, count in users.items() if count >= _MIN_SONGS}
    follows: dict[str, Counter[str]] = defaultdict(Counter)
    for song in songs:
        for before, after in zip([START, *song], song, strict=False):
            if after in known and (before in known or before == START):
                follows[before][after] += 1
    rows = []
    for before in (START, *sorted(known)):
        counts = {a: n for a, n in follows[before].most_common() if n >= _MIN_COUNT}
        if counts:
            cells = ", ".join(f'"{figure}" = {count}' for figure, count in counts.items())
            rows.append(f'"{before}" = {{ {cells} }}')
    return rows


def read_song(path: Path) -> Iterator[str]:
    """Yield the half bars of a song's melody; a bar that is not on the grid ends in none."""
    grid: list[str] = []
    column: int | None = None
    is_common_time = False
    size = _FIGURE_SIZES["4/4"]
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
            if is_common_time and len(grid) == 2 * size:
                yield "".join(grid[:size])
                yield "".join(grid[size:])
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
        return [REST] * count
    is_held = "_" in cell or "]" in cell
    return [HELD if is_held else ONSET, *[HELD] * (count - 1)]
