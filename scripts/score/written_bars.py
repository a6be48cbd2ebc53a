"""Bars as a score writes them, and their notes laid out in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from scripts.score.chords import Chord
from scripts.score.piece import MusicTooLargeError, PieceNote

MAX_BARS = 40_000  # of all voices, and of one when it is played
MAX_NOTES = 200_000

Warn = Callable[[int, str], None]  # line of the file from 1 (or number of the bar), what is wrong


class Budget:
    """Counts the bars and notes of all voices of a tune.

    Raises
    ------
    MusicTooLargeError
        When there are more than the program plays.
    """

    def __init__(self) -> None:
        self._bars = self._notes = 0

    def count_bar(self, notes: int) -> None:
        """Count a bar with so many notes."""
        self._bars += 1
        self._notes += notes
        if self._bars > MAX_BARS:
            raise MusicTooLargeError(f"the tune has more than {MAX_BARS:,} bars")
        if self._notes > MAX_NOTES:
            raise MusicTooLargeError(f"the tune has more than {MAX_NOTES:,} notes")


@dataclass(slots=True)
class WrittenNote:
    """A note as written: start and length in ticks from the start of its bar.

    Parameters
    ----------
    staff_place : str
        Letter and octave, which an accidental applies to.
    alteration : int
        Semitones by which key and accidentals change it.
    """

    start: Fraction
    ticks: Fraction
    pitch: int
    velocity: float
    is_tied: bool
    staff_place: str = ""
    alteration: int = 0


@dataclass(slots=True)
class WrittenBar:
    """A bar as written, with the repeats, endings and parts that its bar lines mark.

    Parameters
    ----------
    full : Fraction or None
        Length that the time signature asks for, in ticks; None where bars are free.
    line : int
        Line of the file, from 1.
    ticks : Fraction
        Length of what is written.
    part : str
        Letter of the ``P:`` field in force.
    starts_repeat, ends_repeat : int
        Number of times that the section is played again.
    marks : frozenset of str
        Of "da capo", "dal segno", "segno", "coda" and "fine".
    """

    full: Fraction | None
    line: int
    part: str = ""
    notes: list[WrittenNote] = field(default_factory=list)
    chords: list[tuple[Fraction, Chord]] = field(default_factory=list)
    tempos: list[tuple[Fraction, float]] = field(default_factory=list)
    ticks: Fraction = Fraction(0)
    starts_part: bool = False
    starts_repeat: int = 0
    ends_repeat: int = 0
    endings: frozenset[int] = frozenset()
    marks: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Tie:
    """A tie from note `index`, which ends at tick `end` of bar `bar`."""

    index: int
    bar: int
    end: Fraction
    at_bar_line: bool

    def reaches(self, bar: int, note: WrittenNote) -> bool:
        """Whether `note` follows directly."""
        if bar == self.bar:
            return note.start == self.end
        return bar == self.bar + 1 and self.at_bar_line and note.start == 0


def place_notes(bars: Sequence[WrittenBar], starts: Sequence[Fraction]) -> list[PieceNote]:
    """Lay the notes of a voice out in time, in ticks, and join those that are tied."""
    notes: list[list[float]] = []  # start, ticks, pitch, velocity
    tied: dict[int, _Tie] = {}  # by pitch
    for number, (bar, start) in enumerate(zip(bars, starts, strict=True)):
        for note in sorted(bar.notes, key=lambda n: n.start):
            tie = tied.pop(note.pitch, None)
            if tie is not None and tie.reaches(number, note):
                index = tie.index
                notes[index][1] = float(start + note.start + note.ticks) - notes[index][0]
            else:
                index = len(notes)
                at = float(start + note.start)
                notes.append([at, float(note.ticks), note.pitch, note.velocity])
            if note.is_tied:
                end = note.start + note.ticks
                tied[note.pitch] = _Tie(index, number, end, end == bar.ticks)
    found = [PieceNote(s, t, int(p), v) for s, t, p, v in notes]
    return sorted(found, key=lambda n: (n.start, n.pitch))


def place_chords(
    bars: Sequence[WrittenBar], starts: Sequence[Fraction]
) -> list[tuple[float, Chord]]:
    found = [(float(s + t), c) for bar, s in zip(bars, starts, strict=True) for t, c in bar.chords]
    return sorted(found, key=lambda chord: chord[0])
