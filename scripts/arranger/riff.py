"""Riff of a band: two bars of the model, moved to every chord."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from scripts.arranger.accompany import Harmony, chord_at
from scripts.arranger.events import NoteEvent, Section, base_velocity
from scripts.arranger.voicing import voice_chord
from scripts.score.keys import Key
from scripts.score.sheet import Bar, join_tied_notes
from scripts.score.time_signature import TimeSignature

# Lowest pitch of a riff by role: a guitar's low E, a bass's low E, above middle C.
_LOWEST = {"chords": 40, "bass": 28, "arp": 60}
_POWER = (0, 7, 12)


def arrange_riff(
    section: Section,
    meter: TimeSignature,
    key: Key,
    harmony: Harmony,
    riff: Sequence[Bar],
    role: str,
    power: bool,
    manners: Sequence[str],
    rng: random.Random,
) -> list[NoteEvent]:
    """Arrange the riff of a section.

    The bass and arpeggios play its notes, distorted guitars power chords on them, other chord
    instruments the chords of the song in its rhythm.

    Parameters
    ----------
    harmony : sequence
        Chords of each bar of the section.
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
    out: list[NoteEvent] = []
    voicing: tuple[int, ...] = ()
    level = base_velocity(section.energy)
    lowest = _LOWEST.get(role, _LOWEST["chords"])
    bottom = min((pitch for _, _, pitch in join_tied_notes(riff)), default=lowest)
    octaves = (lowest + 11 - bottom) // 12 * 12
    for n, (start, ticks, pitch) in enumerate(_repeat(riff, len(harmony), meter.bar_ticks)):
        bar, tick = divmod(start, meter.bar_ticks)
        chord = chord_at(harmony[bar], tick)
        strong = tick in meter.beat_starts
        velocity = min(1.0, level * (1.05 if strong else 0.9) * rng.uniform(0.94, 1.05))
        at = float(section.start * meter.bar_ticks + start)
        if role == "chords" and not power:
            voicing = voice_chord(chord, voicing)
            out += [NoteEvent(at, ticks * 0.9, tone, velocity * 0.92) for tone in voicing]
            continue
        root = move_to_chord(pitch, key, chord.root) + octaves
        if move_to_chord(bottom, key, chord.root) + octaves - 12 >= lowest:
            root -= 12
        manner = manners[n % len(manners)] if manners else ""
        steps = _POWER if role == "chords" else (0,)
        out += [NoteEvent(at, ticks * 0.92, root + step, velocity, manner) for step in steps]
    return out


def _repeat(riff: Sequence[Bar], bars: int, full: int) -> Iterator[tuple[int, int, int]]:
    """Yield (start, ticks, pitch) of the riff's notes over `bars` bars."""
    notes = join_tied_notes(riff)
    length = len(riff) * full
    for first in range(0, bars * full, length):
        for start, ticks, pitch in notes:
            if first + start < bars * full:
                yield first + start, ticks, pitch


def move_to_chord(pitch: int, key: Key, root: int) -> int:
    """Move a pitch from the tonic to another root, by steps of the scale where both are in it."""
    scale = sorted((pc - key.tonic_pc) % 12 for pc in key.pitch_classes)
    degree, interval = (pitch - key.tonic_pc) % 12, (root - key.tonic_pc) % 12
    if degree not in scale or interval not in scale:
        return pitch + interval
    octave, index = divmod(scale.index(degree) + scale.index(interval), len(scale))
    return pitch - degree + scale[index] + 12 * octave
