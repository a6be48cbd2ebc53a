"""Metrics of tunes from MusPy (Dong et al. 2020), and measures of copying."""

from __future__ import annotations

from collections import defaultdict

import muspy

from scripts.score.sheet import LeadSheet, join_tied_notes, relative_to_first

RESOLUTION = 12  # positions per quarter note


def to_muspy(sheet: LeadSheet) -> muspy.Music:
    """Convert the melody to MusPy music with 12 positions per quarter note."""
    notes = [
        muspy.Note(time=start // 2, pitch=pitch, duration=max(1, ticks // 2), velocity=64)
        for start, ticks, pitch in join_tied_notes(sheet.bars)
    ]
    return muspy.Music(resolution=RESOLUTION, tracks=[muspy.Track(notes=notes)])


def pitch_class_entropy(sheet: LeadSheet) -> float:
    """Compute the entropy of the pitch-class histogram in bits."""
    return float(muspy.pitch_class_entropy(to_muspy(sheet)))


def scale_consistency(sheet: LeadSheet) -> float:
    """Compute the largest fraction of notes (0 to 1) within one major or minor scale."""
    return float(muspy.scale_consistency(to_muspy(sheet)))


def groove_consistency(sheet: LeadSheet) -> float:
    """Compute 1 minus the mean fraction of onset positions that differ between adjacent bars."""
    return float(muspy.groove_consistency(to_muspy(sheet), sheet.meter.bar_ticks // 2))


def _first_pitches(sheet: LeadSheet) -> list[int]:
    return [next((n.pitch for n in b.notes if n.pitch is not None), 0) for b in sheet.bars]


class CopyIndex:
    """Index for the longest run of bars that a tune shares with a training tune, in any key."""

    def __init__(self, sheets: list[LeadSheet]) -> None:
        self._positions: dict[object, list[tuple[int, int]]] = defaultdict(list)
        self._pitches = [_first_pitches(s) for s in sheets]
        for t, sheet in enumerate(sheets):
            for b, bar in enumerate(sheet.bars):
                self._positions[relative_to_first(bar.notes)].append((t, b))

    def longest_run(self, sheet: LeadSheet) -> int:
        """Return the number of bars in the longest run copied from one training tune."""
        bases, best = _first_pitches(sheet), 0
        before: dict[tuple[int, int], int] = {}
        for i, bar in enumerate(sheet.bars):
            here: dict[tuple[int, int], int] = {}
            for t, b in self._positions.get(relative_to_first(bar.notes), ()):
                run = before.get((t, b - 1), 0)
                if run and bases[i] - bases[i - 1] != self._pitches[t][b] - self._pitches[t][b - 1]:
                    run = 0
                here[(t, b)] = run + 1
                best = max(best, run + 1)
            before = here
        return best


def repeats_one_bar(sheet: LeadSheet) -> bool:
    """Return whether one bar makes up over half of a tune, or occurs four times in a row."""
    names = [bar.notes for bar in sheet.bars]
    if max(names.count(n) for n in names) > len(names) / 2:
        return True
    return any(
        names[i] == names[i + 1] == names[i + 2] == names[i + 3] for i in range(len(names) - 3)
    )
