"""Writes a LeadSheet as ABC, in the dialect that the models read and write.

``L:1/8`` always; every bar begins with its chord symbol; accidentals are written out; four
bars a line; parts end with ``||``, the tune with ``|]``.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from scripts.core.errors import NotationError
from scripts.score.chords import Chord
from scripts.score.keys import LETTER_PC, Key
from scripts.score.sheet import Bar, LeadSheet, Note
from scripts.score.time_signature import TICKS_PER_EIGHTH

_ACCIDENTALS = {-2: "__", -1: "_", 0: "=", 1: "^", 2: "^^"}


def format_duration(ticks: int) -> str:
    """Format a note length: ``""``, ``2``, ``3/2``, ``/2`` for 12, 24, 18, 6 ticks."""
    length = Fraction(ticks, TICKS_PER_EIGHTH)
    top = "" if length.numerator == 1 else str(length.numerator)
    return top if length.denominator == 1 else f"{top}/{length.denominator}"


def format_pitch(pitch: int, key: Key, altered: dict[str, int] | None = None) -> str:
    """Format a pitch as ABC, spelled in `key`.

    Parameters
    ----------
    pitch : int
        MIDI number.
    key : Key
    altered : dict, optional
        Letters altered so far in the bar, with their alterations; updated. A letter in it gets
        its accidental again, so that the text reads the same whether accidentals carry over
        octaves or not.
    """
    letter, alter = key.spell(pitch % 12)
    sign = ""
    if alter != key.signature[letter] or (altered is not None and letter in altered):
        sign = _ACCIDENTALS[alter]
        if altered is not None:
            altered[letter] = alter
    octave = (pitch - alter - LETTER_PC[letter]) // 12 - 5  # 0 for C4 to B4
    if octave >= 1:
        return sign + letter.lower() + "'" * (octave - 1)
    return sign + letter + "," * -octave


def format_body(sheet: LeadSheet) -> Iterable[str]:
    """Yield the music as lines of ABC, four bars each."""
    chord: Chord | None = None
    for index, part in enumerate(sheet.parts):
        final = index == len(sheet.parts) - 1
        row: list[str] = []
        for i, bar in enumerate(part):
            text, chord = _format_bar(bar, sheet.key, chord)
            row.append(text)
            last = i == len(part) - 1
            if last:
                yield "|".join(row) + ("|]" if final else "||")
            elif len(row) == 4:
                yield "|".join(row) + "|"
                row = []


def write_abc(sheet: LeadSheet, number: int = 1) -> str:
    """Format the whole tune as ABC text, ending in a line feed; `number` is its ``X:`` field."""
    head = [f"X:{number}"]
    if sheet.title:
        head.append(f"T:{_escape(sheet.title)}")
    if sheet.origin:
        head.append(f"C:{_escape(sheet.origin)}")
    if sheet.styles:
        head.append("R:" + " ".join(sheet.styles))
    head += [f"M:{sheet.meter}", "L:1/8", f"Q:1/4={sheet.tempo:g}", f"K:{sheet.key.abc}"]
    return "\n".join([*head, *format_body(sheet)]) + "\n"


def _escape(text: str) -> str:
    """Escape ``%``, which starts a comment."""
    return text.replace("%", "\\%")


def _format_bar(bar: Bar, key: Key, chord: Chord | None) -> tuple[str, Chord | None]:
    """Format a bar; also return the chord that sounds at its end."""
    chords = dict(bar.chords)
    if 0 not in chords and chord is not None:
        chords[0] = chord
    altered: dict[str, int] = {}
    out: list[str] = []
    at = 0
    notes = list(bar.notes)
    i = 0
    while i < len(notes):
        here = chords.pop(at, None)
        for tick in [t for t in chords if t < at]:  # a change within a note moves to the next
            here = chords.pop(tick)
        if here is not None:
            chord = here
            out.append(f'"{chord.symbol(key)}"')
        group = notes[i : i + 3] if notes[i].triplet else notes[i : i + 1]
        if notes[i].triplet:
            if len(group) != 3 or any(n.ticks != notes[i].ticks or not n.triplet for n in group):
                raise NotationError("ABC: a triplet must be three notes of equal length")
            out.append("(3")
        out += [_format_note(n, key, altered) for n in group]
        at += sum(n.ticks for n in group)
        i += len(group)
    return "".join(out), chord


def _format_note(note: Note, key: Key, altered: dict[str, int]) -> str:
    ticks = note.ticks * 3 // 2 if note.triplet else note.ticks
    if note.pitch is None:
        return "z" + format_duration(ticks)
    return format_pitch(note.pitch, key, altered) + format_duration(ticks) + "-" * note.tied
