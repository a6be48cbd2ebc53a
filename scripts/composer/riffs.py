"""Riffs: two bars that the model writes and the band repeats."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from scripts.composer.rhythm import SIXTEENTH, RhythmPlan, RhythmTable, plan_riff
from scripts.request.spec import SongSpec
from scripts.score.chords import Chord
from scripts.score.sheet import Bar, LeadSheet, Note
from scripts.styles.style import Style

RIFF = "riff"  # name of the pattern of tracks that play it
RIFF_BARS = 2
_LOW, _RANGE = 57, 14  # MIDI pitch and semitones; a track plays it in its own octave
_DENSITY = 2.2  # notes of a quarter
_MAX_SAME = 0.65  # share of notes with the most frequent pitch
_GOOD_PITCHES = 4


def has_riff(style: Style) -> bool:
    """Whether a track of the style plays a riff."""
    return any(RIFF in track.patterns for track in style.tracks.values())


def build_riff_spec(spec: SongSpec) -> SongSpec:
    """Build the specification of the riff of a song."""
    rules = replace(spec.style.melody, low=_LOW, high=_LOW + _RANGE, half_bar_chords=False)
    style = replace(spec.style, melody=rules, plan=())
    return replace(spec, parts=(RIFF_BARS,), motif=(), chords=(), style=style)


def riff_chords(spec: SongSpec) -> tuple[Chord, ...]:
    """The chords of the riff: the tonic."""
    tonic = Chord(spec.key.tonic_pc, "m" if spec.key.is_minor else "")
    return (tonic,) * RIFF_BARS


def riff_rhythm(table: RhythmTable, spec: SongSpec) -> RhythmPlan:
    """Plan the rhythm of the riff of a song."""
    density = _DENSITY * random.Random(f"riff density {spec.seed}").uniform(0.7, 1.2)
    return plan_riff(RIFF_BARS, table, f"riff {spec.style.name} {spec.seed}", density)


def repeat_beginning(sheet: LeadSheet, ticks: int) -> LeadSheet:
    """Give the second bar the pitches of the first for its first `ticks`.

    Both have the same rhythm there.
    """
    first, second = sheet.bars
    pitches = iter([note.pitch for note in _sounding_before(first, ticks)])
    changed = []
    at = 0
    for note in second.notes:
        if note.pitch is not None and at < ticks:
            note = replace(note, pitch=next(pitches, note.pitch))
        changed.append(note)
        at += note.ticks
    return replace(sheet, parts=((first, Bar(tuple(changed), second.chords)),))


def _sounding_before(bar: Bar, ticks: int) -> list[Note]:
    found, at = [], 0
    for note in bar.notes:
        if note.pitch is not None and at < ticks:
            found.append(note)
        at += note.ticks
    return found


def riff_cost(sheet: LeadSheet) -> float:
    """Compute the cost of a riff: 0 is best."""
    pitches = sheet.pitches
    if len(pitches) < RIFF_BARS:
        return 10.0
    share = max(map(pitches.count, pitches)) / len(pitches)
    total = 2.0 * max(0.0, share - _MAX_SAME)
    total += 0.3 * abs(len(set(pitches)) - _GOOD_PITCHES)
    total += 0.8 * (pitches[0] % 12 != sheet.key.tonic_pc)
    return total + 0.1 * max(0, max(pitches) - min(pitches) - 12)


def best_riff(sheets: Sequence[LeadSheet], table: RhythmTable) -> LeadSheet:
    """Return the best of several riffs, with its beginning repeated."""
    ticks = table.size * SIXTEENTH
    if table.size < table.bar:
        sheets = [repeat_beginning(sheet, ticks) for sheet in sheets]
    return min(sheets, key=riff_cost)
