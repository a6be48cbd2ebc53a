"""Finds chords for a melody: a Viterbi search over candidate chords per half bar or bar.

The costs are hand-set from common practice: chord tones are cheap, diatonic triads are
cheaper than altered ones, falling fifths are cheaper than other moves, and a change off the
strong beat costs more than one on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from scripts.score.chords import Chord, parse_roman_numeral
from scripts.score.keys import Key
from scripts.score.sheet import Bar, LeadSheet, split_into_parts

PitchClassWeights = npt.NDArray[np.float64]

# Cost of using each chord at all, by Roman numeral.
_MAJOR = {
    "I": 0.0,
    "IV": 0.3,
    "V": 0.25,
    "V7": 0.35,
    "vi": 0.5,
    "ii": 0.5,
    "iii": 1.2,
    "bVII": 1.4,
    "II7": 1.3,
    "viidim": 1.6,
    "VI7": 1.6,
    "III7": 1.9,
    "I7": 1.6,
    "iv": 2.0,
}
_MINOR = {
    "i": 0.0,
    "iv": 0.4,
    "V": 0.5,
    "V7": 0.6,
    "v": 0.9,
    "VII": 0.4,
    "III": 0.5,
    "VI": 0.5,
    "iidim": 1.6,
    "IV": 1.3,
    "bII": 2.2,
    "I7": 2.2,
    "VI7": 2.2,
}
_DORIAN = {"i": 0.0, "VII": 0.3, "IV": 0.5, "v": 0.6, "III": 0.7, "ii": 0.9, "VI": 1.6, "V": 1.3}
_MIXOLYDIAN = {"I": 0.0, "bVII": 0.2, "IV": 0.4, "v": 0.7, "V": 0.8, "ii": 0.7, "vi": 0.8}
_VOCABULARY = {
    "major": _MAJOR,
    "lydian": _MAJOR,
    "minor": _MINOR,
    "harmonic minor": _MINOR,
    "dorian": _DORIAN,
    "mixolydian": _MIXOLYDIAN,
    "phrygian": _MINOR,
}


@dataclass(frozen=True)
class Slot:
    """Part of a bar that carries one chord.

    Parameters
    ----------
    bar : int
        Index of the bar.
    tick : int
        Start within the bar.
    weights : (12,) float array
        Duration of each pitch class, in quarters; accents and low notes may weigh more.
    """

    bar: int
    tick: int
    weights: PitchClassWeights


def split_into_slots(sheet: LeadSheet) -> list[Slot]:
    """Split each bar into its two halves (one slot when the meter has a single beat)."""
    half = sheet.meter.half_bar
    slots = []
    for b, bar in enumerate(sheet.bars):
        cells = {0: np.zeros(12)}
        if half < sheet.meter.bar_ticks:
            cells[half] = np.zeros(12)
        at = 0
        for note in bar.notes:
            if note.pitch is not None:
                start = half if at >= half and half in cells else 0
                accent = 1.5 if at in (0, half) else 1.0
                cells[start][note.pitch % 12] += accent * note.ticks / 24
            at += note.ticks
        slots += [Slot(b, tick, weights) for tick, weights in cells.items()]
    return slots


def candidate_chords(key: Key) -> list[tuple[Chord, float]]:
    """List the chords allowed in `key`, each with its cost."""
    family = _VOCABULARY.get(key.scale, _MINOR if key.is_minor else _MAJOR)
    found = []
    for roman, cost in family.items():
        chord = parse_roman_numeral(roman, key)
        if chord:
            found.append((chord, cost))
    return found


def viterbi(slots: list[Slot], choices: list[tuple[Chord, float]], key: Key) -> list[Chord]:
    """Find the cheapest chord sequence.

    Parameters
    ----------
    slots : list of Slot
        At least one, in order.
    choices : list of (Chord, float)
        Candidate chords, each with its cost.
    key : Key
        Its tonic is preferred at both ends.

    Returns
    -------
    list of Chord
        One for each slot.
    """
    chords = [c for c, _ in choices]
    own = np.array([cost for _, cost in choices])
    tones = np.array([[1.0 if pc in c.pitch_classes else 0.0 for pc in range(12)] for c in chords])
    roots = np.eye(12)[[c.root for c in chords]]
    emission = np.stack([s.weights for s in slots])
    total = emission.sum(axis=1, keepdims=True)
    cost = (total - emission @ tones.T) * 1.6 - 0.25 * (emission @ roots.T) + 0.45 * own
    step = np.array([[_transition_cost(a, b) for b in chords] for a in chords])
    best = cost[0] + [0.0 if c.root == key.tonic_pc else 0.5 for c in chords]
    back = []
    for t in range(1, len(slots)):
        change = step * (1.0 if slots[t].tick == 0 else 2.2)
        table = best[:, None] + change
        back.append(table.argmin(axis=0))
        best = table.min(axis=0) + cost[t]
    best = best + [0.0 if c.root == key.tonic_pc else 1.5 for c in chords]
    path = [int(best.argmin())]
    for pointers in reversed(back):
        path.append(int(pointers[path[-1]]))
    return [chords[i] for i in reversed(path)]


def harmonize(sheet: LeadSheet) -> LeadSheet:
    """Return `sheet` with chords that fit its melody, replacing any it has."""
    slots = split_into_slots(sheet)
    return with_chords(sheet, slots, viterbi(slots, candidate_chords(sheet.key), sheet.key))


def with_chords(sheet: LeadSheet, slots: list[Slot], chords: list[Chord]) -> LeadSheet:
    """Return `sheet` with one chord per slot, written at bar starts and where it changes."""
    found = group_by_bar(slots, chords)
    bars = [Bar(bar.notes, tuple(found[b])) for b, bar in enumerate(sheet.bars)]
    return replace(sheet, parts=split_into_parts(bars, map(len, sheet.parts)))


def group_by_bar(slots: list[Slot], chords: list[Chord]) -> dict[int, list[tuple[int, Chord]]]:
    """Group chords by bar, as (tick, chord); repeats within a bar are left out."""
    found: dict[int, list[tuple[int, Chord]]] = {}
    for slot, chord in zip(slots, chords, strict=True):
        held = found.setdefault(slot.bar, [])
        if not held or held[-1][1] != chord:
            held.append((slot.tick, chord))
    return found


def _transition_cost(a: Chord, b: Chord) -> float:
    """Cost of going from chord `a` to chord `b`."""
    if a == b:
        return 0.0
    interval = (b.root - a.root) % 12
    return {5: 0.55, 7: 0.75, 0: 0.9, 2: 0.8, 10: 0.8, 9: 0.8, 8: 0.9, 3: 1.0, 4: 1.0}.get(
        interval, 1.3
    )
