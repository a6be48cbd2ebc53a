"""Rhythm patterns as strings, fitted to any metre."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from scripts.errors import UsageError
from scripts.score.meter import Meter

STEP = 6  # ticks of one character, a sixteenth
VELOCITY = {"X": 1.0, "x": 0.78, "o": 0.45}


@dataclass(frozen=True)
class Step:
    """A stroke within a bar: start and length in ticks, and its character."""

    start: int
    ticks: int
    mark: str


@dataclass(frozen=True)
class Patterns:
    """``data/patterns.toml``: role, then name, then metre, to a string or (drums) strings."""

    drums: Mapping[str, Mapping[str, Mapping[str, str]]]
    chords: Mapping[str, Mapping[str, str]]
    bass: Mapping[str, Mapping[str, str]]

    def drum_lines(self, name: str, meter: Meter) -> dict[str, str]:
        """One string a piece of the kit for one bar of `meter`."""
        by_meter = self.drums.get(name) or self.drums["pop"]
        pieces = {piece for lines in by_meter.values() for piece in lines}
        return {p: fit({m: lines.get(p, "") for m, lines in by_meter.items()}, meter)
                for p in sorted(pieces)}

    def line(self, role: str, name: str, meter: Meter) -> str:
        """The string of a chord or bass pattern for one bar of `meter`."""
        table = self.chords if role in ("chords", "pad") else self.bass
        fallback = "halves"
        return fit(dict(table.get(name) or table[fallback]), meter)


@lru_cache(maxsize=4)
def load_patterns(path: Path) -> Patterns:
    """Read the patterns file."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return Patterns(data["drums"], data["chords"], data["bass"])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as error:
        raise UsageError(f"{path.name}: {error}; restore the file") from error


def fit(by_meter: Mapping[str, str], meter: Meter) -> str:
    """Cut one bar of `meter` from the patterns for 4/4, 3/4 and 6/8."""
    steps = meter.bar_ticks // STEP
    exact = by_meter.get(str(meter))
    if exact is not None and len(exact) == steps:
        return exact
    four = by_meter.get("4/4", "").ljust(16, ".")
    three = by_meter.get("3/4", "").ljust(12, ".") if by_meter.get("3/4") else four[:12]
    six = by_meter.get("6/8", "").ljust(12, ".") if by_meter.get("6/8") else three
    if meter.is_compound:
        text = (six * 3)[:steps]
    elif meter.unit == 8:
        text = ""
        for n, group in enumerate(meter.groups):
            source = six if group == 36 else four[8:] if n % 2 else four
            text += source[:group // STEP]
    elif steps == 8:
        text = four[:8]
    elif steps == 20:
        text = three + four[8:16]
    else:
        text = (four * 4)[:steps]
    return text.ljust(steps, ".")[:steps]


def steps_of(line: str) -> list[Step]:
    """Strokes of a pattern; a stroke lasts over the ``-`` that follow it."""
    found: list[Step] = []
    for i, mark in enumerate(line):
        if mark not in ".-":
            length = 1
            while i + length < len(line) and line[i + length] == "-":
                length += 1
            found.append(Step(i * STEP, length * STEP, mark))
    return found
