"""Scores lead sheets to select the best of several candidates.

Each flaw adds to the cost. The accepted ranges lie inside those of real tunes held out from
training (models/starter.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from scripts.composer.training_filter import TrainingFilter
from scripts.score.piece import PitchClassWeights, chord_weights, fit_key
from scripts.score.sheet import Bar, LeadSheet, join_tied_notes

PITCH_CLASS_ENTROPY = (2.3, 3.1)  # bits of the pitch-class histogram
GROOVE_CONSISTENCY = (0.895, 0.973)  # share of onset positions that neighboring bars have in common
MEAN_INTERVAL = (1.2, 4.0)  # mean interval in semitones
MAX_COPIED_SHARE = 0.12  # share of bars in one run copied from training
PITCH_RANGE = (16, 22)  # semitones from lowest to highest
MIN_KEY_MARGIN = 0.1  # by which the key fits better than others, as a correlation
LEAP_SHARE = (0.16, 0.3)  # share of intervals over four semitones


def cost(
    sheet: LeadSheet,
    density: int | None = None,
    harmony: int = 3,
    training_filter: TrainingFilter | None = None,
    has_planned_rhythm: bool = False,
) -> float:
    """Compute the cost of `sheet`: 0 is flawless, more than 3 is poor.

    Parameters
    ----------
    sheet : LeadSheet
        A sheet with fewer than four notes costs 10.
    density : int, optional
        Requested notes per quarter times two; by default any density is accepted.
    harmony : int
        Requested number of different chords; at most four are required.
    training_filter : TrainingFilter, optional
        Figures of the training tunes, which must not be copied.
    has_planned_rhythm : bool
        Whether the rhythm was given, so that only the pitches are judged.
    """
    pitches = np.array(sheet.pitches)
    if len(pitches) < 4:
        return 10.0
    steps = np.abs(np.diff(pitches))
    quarters = sum(bar.ticks for bar in sheet.bars) / 24
    silence = sum(n.ticks for b in sheet.bars for n in b.notes if n.pitch is None) / 24 / quarters
    total = 4.0 * _distance_outside(_pitch_class_entropy(pitches), *PITCH_CLASS_ENTROPY)
    if not has_planned_rhythm:
        total += _rhythm_cost(sheet, silence)
    total += 1.0 * _distance_outside(float(steps.mean()), *MEAN_INTERVAL)
    total += 0.15 * _distance_outside(float(np.ptp(pitches)), *PITCH_RANGE)
    total += 5.0 * _distance_outside(float((steps > 4).mean()), *LEAP_SHARE)
    total += 4.0 * max(0.0, float((steps > 9).mean()) - 0.04)
    total += 4.0 * max(0.0, float((steps == 0).mean()) - 0.3)
    total += repetition_cost(sheet.bars)
    total += 2.0 * max(0.0, 0.55 - strong_beat_chord_tone_ratio(sheet))
    total += 0.8 * max(0, min(harmony, 4) - len({c for b in sheet.bars for _, c in b.chords}))
    total += 0.3 * max(0, _longest_chord_run(sheet.bars) - 4)
    is_in_key, margin = fit_key(_pitch_class_durations(sheet), sheet.key)
    total += 0.0 if is_in_key else 1.5
    total += 8.0 * max(0.0, MIN_KEY_MARGIN - max(0.0, margin))
    if training_filter is not None:
        share = training_filter.longest_run(sheet) / len(sheet.bars)
        total += (2.0 + 10.0 * share) * (share > MAX_COPIED_SHARE)
    if density is not None:
        total += 0.25 * abs(2 * len(pitches) / quarters - density)
    return float(total)


def _rhythm_cost(sheet: LeadSheet, silence: float) -> float:
    """Cost of a rhythm that the model wrote; `silence` is the share of rests."""
    total = 80.0 * _distance_outside(groove_consistency(sheet), *GROOVE_CONSISTENCY)
    total += 3.0 * max(0.0, silence - 0.25)
    return total + 3.2 * max(0.0, 0.25 - _repeated_rhythm_share(sheet.bars))


def groove_consistency(sheet: LeadSheet) -> float:
    """Compute MusPy's groove consistency (Dong et al. 2020), 0 to 1, at 12 positions a quarter."""
    size = sheet.meter.bar_ticks // 2
    grid = np.zeros((len(sheet.bars), size), bool)
    for start, _, _ in join_tied_notes(sheet.bars):
        bar, tick = divmod(start, sheet.meter.bar_ticks)
        grid[bar, tick // 2] = True
    return float(1 - np.mean(grid[1:] != grid[:-1])) if len(grid) > 1 else GROOVE_CONSISTENCY[1]


def repetition_cost(bars: Sequence[Bar]) -> float:
    """Compute the cost of repeating the same bar too often (0 for real tunes)."""
    names = [bar.notes for bar in bars]
    most = Counter(names).most_common(1)[0][1] / len(names)
    run = longest = 1
    for a, b in pairwise(names):
        run = run + 1 if a == b else 1
        longest = max(longest, run)
    return 6.0 * max(0.0, most - 0.34) + 1.5 * max(0, longest - 2)


def strong_beat_chord_tone_ratio(sheet: LeadSheet) -> float:
    """Compute the share of notes on the first and middle beats that are chord tones, 0 to 1."""
    hits = total = 0
    half = sheet.meter.half_bar
    for bar in sheet.bars:
        at = 0
        for note in bar.notes:
            if at in (0, half) and note.pitch is not None:
                chord = [c for t, c in bar.chords if t <= at]
                if chord:
                    total += 1
                    hits += note.pitch % 12 in chord[-1].pitch_classes
            at += note.ticks
    return hits / total if total else 1.0


def _longest_chord_run(bars: Sequence[Bar]) -> int:
    """Longest run of bars with the same chords."""
    run = longest = 1
    for a, b in pairwise(bars):
        run = run + 1 if {c for _, c in a.chords} == {c for _, c in b.chords} else 1
        longest = max(longest, run)
    return longest


def _pitch_class_durations(sheet: LeadSheet) -> PitchClassWeights:
    """Total duration of each pitch class in melody, chords and bass, in quarters; shape (12,)."""
    weights = np.zeros(12)
    for _, ticks, pitch in join_tied_notes(sheet.bars):
        weights[pitch % 12] += ticks / 24
    return weights + chord_weights(
        (chord, (end - tick) / 24)
        for bar in sheet.bars
        for (tick, chord), end in zip(
            bar.chords, [*(tick for tick, _ in bar.chords[1:]), bar.ticks], strict=False
        )
    )


def _repeated_rhythm_share(bars: Sequence[Bar]) -> float:
    """Share of bars whose rhythm occurs more than once."""
    rhythms = Counter(tuple(n.ticks for n in bar.notes) for bar in bars)
    return sum(c for c in rhythms.values() if c > 1) / len(bars)


def _pitch_class_entropy(pitches: np.ndarray) -> float:
    share = np.bincount(pitches % 12, minlength=12) / len(pitches)
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())


def _distance_outside(value: float, low: float, high: float) -> float:
    return max(low - value, value - high, 0.0)
