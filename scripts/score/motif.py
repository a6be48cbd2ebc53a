"""Parses a motif given by the user and writes it into a tune."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from scripts.core.errors import UsageError
from scripts.score.keys import Key, key_from_pc, pitch_class
from scripts.score.sheet import Bar, LeadSheet, Note

MAX_MOTIF_NOTES = 16  # notes
_NAME = re.compile(r"([A-Ga-g])(##|bb|[#b♯♭]?)(-?\d)")
_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


def parse_motif(text: str) -> tuple[int, ...]:
    """Parse notes such as ``C4 E4 G4`` into MIDI pitches (C4, middle C, is 60).

    Parameters
    ----------
    text : str
        1 to :data:`MAX_MOTIF_NOTES` note names with octaves, separated by spaces or commas.

    Raises
    ------
    UsageError
        If a note is invalid, or there are none or too many.
    """
    names = text.replace(",", " ").split()
    if not names or len(names) > MAX_MOTIF_NOTES:
        raise UsageError(
            f'the motif has {len(names)} notes; write 1 to {MAX_MOTIF_NOTES}, such as "C4 E4 G4"'
        )
    found = []
    for name in names:
        match = _NAME.fullmatch(name)
        if match is None:
            raise UsageError(
                f'motif: invalid note "{name[:12]}"; write notes with their octave, '
                'such as "C4 E4 G4" or "F#4 Bb3"'
            )
        letter, sign, octave = match.groups()
        sign = sign.replace("♯", "#").replace("♭", "b")
        shift = sign.count("#") - sign.count("b")
        pitch = pitch_class(letter.upper()) + shift + 12 * (int(octave) + 1)
        found.append(pitch)
    return tuple(found)


def fit_motif(pitches: Sequence[int], low: int, high: int) -> tuple[int, ...]:
    """Move a motif by octaves into a range, as a whole if it fits, else note by note.

    Parameters
    ----------
    pitches : sequence of int
        MIDI pitches.
    low, high : int
        Lowest and highest pitch allowed; at least an octave.
    """
    if not pitches:
        return ()
    for octaves in sorted(range(-10, 11), key=abs):
        moved = tuple(pitch + 12 * octaves for pitch in pitches)
        if low <= min(moved) and max(moved) <= high:
            return moved
    return tuple(_fit_pitch(pitch, low, high) for pitch in pitches)


def _fit_pitch(pitch: int, low: int, high: int) -> int:
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return pitch


def format_pitch_name(pitch: int) -> str:
    """Format a MIDI pitch as a note name, ``C4`` for 60."""
    return f"{_NAMES[pitch % 12]}{pitch // 12 - 1}"


def find_motif_key(pitches: Sequence[int], scale: str) -> Key:
    """Find the key of `scale` with most of the motif's notes; its ends suggest the tonic."""

    def fit(key: Key) -> float:
        inside = sum(p % 12 in key.pitch_classes for p in pitches)
        return (
            inside
            + 0.4 * (pitches[0] % 12 == key.tonic_pc)
            + 0.5 * (pitches[-1] % 12 == key.tonic_pc)
        )

    return max((key_from_pc(pc, scale) for pc in range(12)), key=fit)


def with_motif(sheet: LeadSheet, pitches: Sequence[int]) -> LeadSheet:
    """Return `sheet` with the motif at its start and, if it fits, halfway through its first part.

    Only pitches are replaced; the tune keeps its rhythm.
    """
    if not pitches:
        return sheet
    first = list(sheet.parts[0])
    half = len(first) // 2
    places = [0, half] if half and _count_notes(first[half:]) >= len(pitches) else [0]
    for place in places:
        stop = half if len(places) == 2 and place == 0 else len(first)
        first[place:stop] = _replace_pitches(first[place:stop], pitches)
    return replace(sheet, parts=(tuple(first), *sheet.parts[1:]))


def _count_notes(bars: Sequence[Bar]) -> int:
    """Count the notes in `bars`, tied ones as one."""
    return sum(n.pitch is not None and not n.tied for bar in bars for n in bar.notes)


def _replace_pitches(bars: Sequence[Bar], pitches: Sequence[int]) -> list[Bar]:
    """Replace the pitches of the first notes of `bars`; tied notes count as one."""
    out, at = [], 0
    for bar in bars:
        notes: list[Note] = []
        for note in bar.notes:
            if note.pitch is None or at >= len(pitches):
                notes.append(note)
                continue
            # Do not tie the motif's last note to a note of another pitch.
            tied = note.tied and at < len(pitches) - 1
            notes.append(replace(note, pitch=pitches[at], tied=tied))
            at += not tied
        out.append(Bar(tuple(notes), bar.chords))
    return out
