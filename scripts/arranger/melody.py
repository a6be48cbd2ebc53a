"""The sheet's melody in a section, varied when it comes again."""

from __future__ import annotations

import random
from collections.abc import Sequence

from scripts.arranger.events import NoteEvent, Section
from scripts.score.keys import Key
from scripts.score.meter import Meter
from scripts.score.sheet import Bar, held_notes


def sing(section: Section, meter: Meter, key: Key, bars: Sequence[Bar], top: int,
         rng: random.Random) -> list[NoteEvent]:
    """Notes of the melody over a section.

    Parameters
    ----------
    bars : sequence of Bar
        One for each bar of the section.
    top : int
        Highest pitch of the style's melodies.
    """
    notes = held_notes(bars)
    lift = 12 if section.turn % 3 == 1 and section.energy >= 0.75 and notes \
        and max(p for _, _, p in notes) + 12 <= top + 5 else 0
    busy = 0.0 if section.turn == 0 else min(0.35, 0.12 + 0.06 * section.turn)
    busy += 0.25 if section.name == "solo" else 0.0
    inside = sorted(set(key.pitch_classes))
    at = section.start * meter.bar_ticks
    out: list[NoteEvent] = []
    strong = set(meter.beat_starts)
    for i, (start, ticks, pitch) in enumerate(notes):
        accent = 1.0 if start % meter.bar_ticks in strong else 0.86
        level = min(1.0, (0.62 + 0.25 * section.energy) * accent * rng.uniform(0.93, 1.05))
        pitch += lift
        following = notes[i + 1][2] + lift if i + 1 < len(notes) else pitch
        if ticks >= 24 and rng.random() < busy:
            # Fill a long note with a passing or neighbouring tone of the scale.
            between = _neighbour(pitch, following, inside)
            first = ticks - max(12, ticks // 4)
            out.append(NoteEvent(at + start, first * 0.95, pitch, level))
            out.append(NoteEvent(at + start + first, (ticks - first) * 0.9, between, level * 0.85))
            continue
        out.append(NoteEvent(at + start, ticks * 0.95, pitch, level))
    return out


def _neighbour(pitch: int, following: int, classes: Sequence[int]) -> int:
    step = 1 if following >= pitch else -1
    for distance in (1, 2, 3, 4):
        if (pitch + step * distance) % 12 in classes:
            return pitch + step * distance
    return pitch
