"""The lead sheet: a melody with chord symbols, bar by bar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from scripts.core.text import MAX_NAME_LENGTH, clean_line
from scripts.score.chords import Chord
from scripts.score.keys import Key, transpose_key
from scripts.score.time_signature import TimeSignature


@dataclass(frozen=True, slots=True)
class Note:
    """One note or rest of a melody.

    Parameters
    ----------
    pitch : int or None
        MIDI number, or None for a rest.
    ticks : int
        Length in ticks (24 per quarter).
    tied : bool
        True when the note is tied to the next one of the same pitch.
    triplet : bool
        True when the note is one of three in the time of two.
    """

    pitch: int | None
    ticks: int
    tied: bool = False
    triplet: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its notes in order and its chords as (tick within the bar, chord)."""

    notes: tuple[Note, ...]
    chords: tuple[tuple[int, Chord], ...] = ()

    @property
    def ticks(self) -> int:
        """Total length of the notes."""
        return sum(note.ticks for note in self.notes)


@dataclass(frozen=True)
class LeadSheet:
    """A tune of one or more parts.

    Parameters
    ----------
    key, meter
        As printed at the head of the sheet.
    parts : tuple of tuple of Bar
        The sections (A, B, ...), each a run of whole bars.
    tempo : float
        Quarter notes per minute.
    title, styles, origin
        Text at the head of the sheet; `origin` is the composer.
    """

    key: Key
    meter: TimeSignature
    parts: tuple[tuple[Bar, ...], ...]
    tempo: float = 120.0
    title: str = ""
    styles: tuple[str, ...] = ()
    origin: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", clean_line(self.title, MAX_NAME_LENGTH))
        object.__setattr__(self, "origin", clean_line(self.origin, MAX_NAME_LENGTH))

    @property
    def bars(self) -> tuple[Bar, ...]:
        """All bars in order."""
        return tuple(bar for part in self.parts for bar in part)

    @property
    def pitches(self) -> tuple[int, ...]:
        """All sounding pitches in order."""
        return tuple(n.pitch for bar in self.bars for n in bar.notes if n.pitch is not None)


def split_into_parts(bars: Sequence[Bar], sizes: Iterable[int]) -> tuple[tuple[Bar, ...], ...]:
    """Split a run of bars into parts of `sizes` bars."""
    rest = iter(bars)
    return tuple(tuple(islice(rest, size)) for size in sizes)


def transpose(sheet: LeadSheet, semitones: int) -> LeadSheet:
    """Move every note and chord of `sheet` by `semitones`, and its key with them."""

    def moved(bar: Bar) -> Bar:
        notes = tuple(
            n if n.pitch is None else replace(n, pitch=n.pitch + semitones) for n in bar.notes
        )
        chords = tuple((at, replace(c, root=(c.root + semitones) % 12)) for at, c in bar.chords)
        return Bar(notes, chords)

    return replace(
        sheet,
        key=transpose_key(sheet.key, semitones),
        parts=tuple(tuple(moved(b) for b in part) for part in sheet.parts),
    )


def scale_share(sheet: LeadSheet) -> float:
    """Share (0 to 1) of the melody's notes that lie in the key's scale."""
    pitches = sheet.pitches
    inside = set(sheet.key.pitch_classes)
    return sum(p % 12 in inside for p in pitches) / len(pitches) if pitches else 1.0


def join_tied_notes(bars: Sequence[Bar]) -> list[tuple[int, int, int]]:
    """Return the notes of a run of bars as (start tick, ticks, pitch), with ties joined."""
    events: list[tuple[int, int, int]] = []
    at, held = 0, False
    for note in [n for bar in bars for n in bar.notes]:
        if note.pitch is not None:
            if (
                held
                and events
                and events[-1][2] == note.pitch
                and events[-1][0] + events[-1][1] == at
            ):
                start, length, pitch = events[-1]
                events[-1] = (start, length + note.ticks, pitch)
            else:
                events.append((at, note.ticks, note.pitch))
        held = note.tied
        at += note.ticks
    return events


def relative_to_first(notes: Sequence[Note]) -> tuple[tuple[int | None, int], ...]:
    """Return notes as (semitones above the first pitch or None for a rest, ticks)."""
    base = next((n.pitch for n in notes if n.pitch is not None), 0)
    return tuple((None if n.pitch is None else n.pitch - base, n.ticks) for n in notes)
