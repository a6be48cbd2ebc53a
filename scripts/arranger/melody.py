"""Melody track of a section, varied when the section repeats."""

from __future__ import annotations

import random
from collections.abc import Sequence

from scripts.arranger.events import NoteEvent, Section, base_velocity
from scripts.score.keys import Key
from scripts.score.sheet import Bar, join_tied_notes
from scripts.score.time_signature import TimeSignature

TREATMENTS = ("plain", "ornamented", "octave", "sparse", "thirds", "answer")


def arrange_melody(
    section: Section,
    meter: TimeSignature,
    key: Key,
    bars: Sequence[Bar],
    top: int,
    treatment: str,
    rng: random.Random,
) -> list[NoteEvent]:
    """Arrange the melody of a section.

    Parameters
    ----------
    bars : sequence of Bar
        One for each bar of the section.
    top : int
        Highest pitch of the style's melodies.
    treatment : str
        One of :data:`TREATMENTS`.

    Returns
    -------
    list of NoteEvent
        In ticks from the start of the song.
    """
    notes = join_tied_notes(bars)
    highest = max((p for _, _, p in notes), default=0)
    lifted = treatment == "octave" or (section.occurrence % 3 == 1 and section.energy >= 0.75)
    lift = 12 if lifted and highest + 12 <= top + 1 else 0
    busy = 0.0 if section.occurrence == 0 else min(0.35, 0.12 + 0.06 * section.occurrence)
    busy += 0.25 if section.name == "solo" or treatment == "ornamented" else 0.0
    if treatment == "sparse":
        notes = _thin_out(notes, meter, rng)
        busy = 0.0
    inside = sorted(set(key.pitch_classes))
    at = section.start * meter.bar_ticks
    out: list[NoteEvent] = []
    strong = set(meter.beat_starts)
    for i, (start, ticks, pitch) in enumerate(notes):
        accent = 1.0 if start % meter.bar_ticks in strong else 0.86
        level = min(1.0, (0.12 + base_velocity(section.energy)) * accent * rng.uniform(0.93, 1.05))
        pitch += lift
        following = notes[i + 1][2] + lift if i + 1 < len(notes) else pitch
        bar = start // meter.bar_ticks
        same = 4 <= bar < len(bars) and bars[bar] == bars[bar - 4] and treatment != "sparse"
        again = 0.3 if same else 0.0
        if ticks >= 24 and rng.random() < busy + again:
            # Fill a long note with a passing or neighbor tone of the scale.
            between = _neighbor_tone(pitch, following, inside)
            first = ticks - max(12, ticks // 4)
            out.append(NoteEvent(at + start, first * 0.95, pitch, level))
            out.append(NoteEvent(at + start + first, (ticks - first) * 0.9, between, level * 0.85))
            continue
        out.append(NoteEvent(at + start, ticks * 0.95, pitch, level))
    if treatment == "thirds":
        out += [
            NoteEvent(e.start, e.ticks, _third_below(e.pitch, inside), e.velocity * 0.72)
            for e in out
            if e.ticks >= 8
        ]
    elif treatment == "answer":
        out += _answers(notes, section, meter, lift, rng)
    return out


def _thin_out(
    notes: Sequence[tuple[int, int, int]], meter: TimeSignature, rng: random.Random
) -> list[tuple[int, int, int]]:
    """Reduce the melody to its main notes, each extended towards the next."""
    strong = set(meter.beat_starts)
    main = [
        n for n in notes if n[0] % meter.bar_ticks in strong or n[1] >= 36 or rng.random() < 0.15
    ]
    ends = [n[0] for n in main[1:]] + [notes[-1][0] + notes[-1][1] if notes else 0]
    return [
        (start, min(end - start, ticks * 2), pitch)
        for (start, ticks, pitch), end in zip(main, ends, strict=True)
    ]


def _third_below(pitch: int, classes: Sequence[int]) -> int:
    """Return the pitch two scale steps below."""
    below = [p for p in range(pitch - 1, pitch - 8, -1) if p % 12 in classes]
    return below[1] if len(below) > 1 else pitch - 12


def _answers(
    notes: Sequence[tuple[int, int, int]],
    section: Section,
    meter: TimeSignature,
    lift: int,
    rng: random.Random,
) -> list[NoteEvent]:
    """Repeat the last short notes softly where the melody pauses for two quarters or more."""
    out: list[NoteEvent] = []
    at = section.start * meter.bar_ticks
    end_of_section = section.bars * meter.bar_ticks
    for i, (start, ticks, _) in enumerate(notes):
        following = notes[i + 1][0] if i + 1 < len(notes) else end_of_section
        gap = start + min(ticks, 24), following
        said = [n for n in notes[max(0, i - 2) : i + 1] if n[1] <= 24]
        if gap[1] - gap[0] < 48 or len(said) < 2 or rng.random() < 0.3:
            continue
        place = gap[0] + 12
        for _, length, pitch in said:
            if place + length > gap[1]:
                break
            low = pitch + lift - 12 if pitch + lift > 64 else pitch + lift
            out.append(NoteEvent(at + place, length * 0.9, low, rng.uniform(0.38, 0.5)))
            place += length
    return out


def _neighbor_tone(pitch: int, following: int, classes: Sequence[int]) -> int:
    step = 1 if following >= pitch else -1
    for distance in (1, 2, 3, 4):
        if (pitch + step * distance) % 12 in classes:
            return pitch + step * distance
    return pitch
