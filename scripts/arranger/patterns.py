"""Rhythm patterns as strings, fitted to any meter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from scripts.arranger.events import DRUM_KEYS
from scripts.core.toml import parse_tables
from scripts.score.time_signature import TimeSignature

STEP = 6  # ticks of one pattern character, a sixteenth
VELOCITY = {"X": 1.0, "x": 0.78, "o": 0.45}
MARKS = {"drums": "Xxo.", "chords": "Xxo012345-.", "bass": "R5837w-."}  # allowed, by role
BAR_STEPS = {"4/4": 16, "3/4": 12, "6/8": 12}


@dataclass(frozen=True)
class Step:
    """Stroke within a bar: start and length in ticks, and its pattern character."""

    start: int
    ticks: int
    mark: str


ByMeter = Mapping[str, str]  # "4/4", "3/4" or "6/8" -> a string of whole bars


@dataclass(frozen=True)
class Patterns:
    """Written rhythm patterns by role and name."""

    drums: Mapping[str, Mapping[str, Mapping[str, str]]]  # name -> meter -> piece -> string
    chords: Mapping[str, ByMeter]
    bass: Mapping[str, ByMeter]

    def drum_bars(self, name: str, meter: TimeSignature) -> list[dict[str, str]]:
        """Return one dict for each bar of a drum pattern: piece of the kit -> string."""
        by_meter = self.drums[name]
        pieces = sorted({piece for lines in by_meter.values() for piece in lines})
        each = {
            p: fit_bars({m: lines[p] for m, lines in by_meter.items() if p in lines}, meter)
            for p in pieces
        }
        count = max(len(bars) for bars in each.values())
        return [{p: bars[i % len(bars)] for p, bars in each.items()} for i in range(count)]

    def bars(self, role: str, name: str, meter: TimeSignature) -> list[str]:
        """Return one string for each bar of a chord, pad, arpeggio or bass pattern."""
        return fit_bars((self.bass if role == "bass" else self.chords)[name], meter)


@lru_cache(maxsize=4)
def load_patterns(folder: Path) -> Patterns:
    """Read ``drums.toml``, ``chords.toml`` and ``bass.toml``.

    Raises
    ------
    UsageError
        When a file is invalid; the message names the file and the line.
    """
    return Patterns(*(_read(folder / f"{role}.toml", marks) for role, marks in MARKS.items()))


def _read(path: Path, marks: str) -> dict[str, Any]:
    return parse_tables(path, lambda name, by_meter: check_pattern(by_meter, marks))


def check_pattern(by_meter: Mapping[str, Any], marks: str) -> Mapping[str, Any]:
    """Validate a pattern and return it unchanged.

    Parameters
    ----------
    by_meter : mapping
        Meter -> string, or for drums meter -> piece -> string.
    marks : str
        Allowed characters, from :data:`MARKS`.

    Raises
    ------
    ValueError
        When a meter or piece is unknown, a bar is incomplete, or a character is not allowed.
    """
    if "4/4" not in by_meter:
        raise ValueError('missing "4/4"; every pattern needs it')
    for meter, found in by_meter.items():
        size = BAR_STEPS.get(meter)
        if size is None:
            raise ValueError(f'unknown meter "{meter}"; expected one of {", ".join(BAR_STEPS)}')
        drums = marks == MARKS["drums"]
        lines = found if drums else {"": found}
        for piece, line in lines.items():
            if drums and piece not in DRUM_KEYS:
                raise ValueError(f'unknown drum piece "{piece}"; expected kick, snare, hat, ...')
            if not isinstance(line, str) or not line or len(line) % size:
                raise ValueError(f"{meter} {piece}: expected bars of {size} characters")
            if set(line) - set(marks):
                raise ValueError(f"{meter} {piece}: expected only the characters {' '.join(marks)}")
    return by_meter


def fit_bars(by_meter: ByMeter, meter: TimeSignature) -> list[str]:
    """Return the bars of a pattern in `meter`, as many as its longest cycle has."""
    cycles = {
        m: [line[i : i + BAR_STEPS[m]] for i in range(0, len(line), BAR_STEPS[m])]
        for m, line in by_meter.items()
    }
    count = max((len(c) for c in cycles.values()), default=1)
    return [fit_bar({m: c[i % len(c)] for m, c in cycles.items()}, meter) for i in range(count)]


def fit_bar(by_meter: ByMeter, meter: TimeSignature) -> str:
    """Build one bar of `meter` from the bars written for 4/4, 3/4 and 6/8."""
    steps = meter.bar_ticks // STEP
    exact = by_meter.get(str(meter))
    if exact is not None and len(exact) == steps:
        return exact
    four = by_meter.get("4/4", "").ljust(16, ".")
    three = by_meter.get("3/4", "").ljust(12, ".") if by_meter.get("3/4") else four[:12]
    six = by_meter.get("6/8", "").ljust(12, ".") if by_meter.get("6/8") else three
    if meter.is_compound:
        text = (six * 3)[:steps]
    elif meter.denominator == 8:
        text = ""
        for n, group in enumerate(meter.groups):
            source = six if group == 36 else four[8:] if n % 2 else four
            text += source[: group // STEP]
    elif steps == 8:
        text = four[:8]
    elif steps == 20:
        text = three + four[8:16]
    else:
        text = (four * 4)[:steps]
    return text.ljust(steps, ".")[:steps]


def parse_steps(line: str) -> list[Step]:
    """Parse the strokes of a pattern; each ``-`` extends the stroke before it."""
    found: list[Step] = []
    for i, mark in enumerate(line):
        if mark not in ".-":
            length = 1
            while i + length < len(line) and line[i + length] == "-":
                length += 1
            found.append(Step(i * STEP, length * STEP, mark))
    return found
