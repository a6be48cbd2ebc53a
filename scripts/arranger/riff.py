"""Riff of a band: two bars of the model, moved to every chord."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from scripts.arranger.accompany import chord_at
from scripts.arranger.events import NoteEvent, Passage, base_velocity
from scripts.arranger.voicing import power_tones
from scripts.score.chords import Chord
from scripts.score.keys import Key
from scripts.score.sheet import Bar, join_tied_notes

# Lowest pitch of a riff by role: a guitar's low E, a bass's low E, above middle C.
_LOWEST = {"chords": 40, "bass": 28, "arp": 60}
_CHORDS_BOTTOM = 48  # lowest top note of chords that are no power chords


def arrange_riff(
    passage: Passage,
    riff: Sequence[Bar],
    role: str,
    power: bool,
    manners: Sequence[str],
    rng: random.Random,
) -> list[NoteEvent]:
    """Arrange the riff of a section.

    The bass and arpeggios play its notes, distorted guitars power chords on them, other chord
    instruments the chords of the song under them.

    Parameters
    ----------
    passage : Passage
    riff : sequence of Bar
        Repeated as needed.
    role : str
        ``chords``, ``bass`` or ``arp``.
    power : bool
        Whether the chords are power chords.
    manners : sequence of str
        Playing techniques to alternate between.

    Returns
    -------
    list of NoteEvent
        In ticks from the start of the song.
    """
    full, key = passage.meter.bar_ticks, passage.key
    is_chordal = role == "chords" and not power
    lowest = _CHORDS_BOTTOM if is_chordal else _LOWEST[role]
    bottom = min((pitch for _, _, pitch in join_tied_notes(riff)), default=lowest)
    octaves = (lowest + 11 - bottom) // 12 * 12
    level = base_velocity(passage.section.energy)
    out: list[NoteEvent] = []
    for n, (start, ticks, pitch) in enumerate(_repeat(riff, len(passage.harmony), full)):
        bar, tick = divmod(start, full)
        chord = chord_at(passage.harmony[bar], tick)
        moved = move_to_chord(pitch, key, chord.root) + octaves
        if move_to_chord(bottom, key, chord.root) + octaves - 12 >= lowest:
            moved -= 12
        tones: tuple[int, ...] = (moved,)
        if is_chordal:
            tones = chord_under(moved, chord)
        elif role == "chords":
            tones = power_tones(moved, _has_flat_fifth(moved, key))
        is_strong = tick in passage.meter.beat_starts
        velocity = min(1.0, level * (1.05 if is_strong else 0.9) * rng.uniform(0.94, 1.05))
        at = float(passage.section.start * full + start)
        manner = manners[n % len(manners)] if manners else ""
        out += [NoteEvent(at, ticks * 0.92, tone, velocity, manner) for tone in tones]
    return out


def _repeat(riff: Sequence[Bar], bars: int, full: int) -> Iterator[tuple[int, int, int]]:
    """Yield (start, ticks, pitch) of the riff's notes over `bars` bars."""
    notes = join_tied_notes(riff)
    length = len(riff) * full
    for first in range(0, bars * full, length):
        for start, ticks, pitch in notes:
            if first + start < bars * full:
                yield first + start, ticks, pitch


def _has_flat_fifth(root: int, key: Key) -> bool:
    """Whether the scale has the diminished fifth above a note and not the perfect one."""
    fifth, flat = ((root + step) % 12 in key.pitch_classes for step in (7, 6))
    return flat and not fifth


def chord_under(top: int, chord: Chord) -> tuple[int, ...]:
    """Return a note with the chord's tones in the octave below it, but none a semitone away."""
    tones = {top - (top - pc) % 12 for pc in chord.pitch_classes}
    return (*sorted(tone for tone in tones if top - tone > 1), top)


def move_to_chord(pitch: int, key: Key, root: int) -> int:
    """Move a pitch from the tonic to another root, by steps of the scale where both are in it."""
    scale = sorted((pc - key.tonic_pc) % 12 for pc in key.pitch_classes)
    degree, interval = (pitch - key.tonic_pc) % 12, (root - key.tonic_pc) % 12
    if degree not in scale or interval not in scale:
        return pitch + interval
    octave, index = divmod(scale.index(degree) + scale.index(interval), len(scale))
    return pitch - degree + scale[index] + 12 * octave
