"""Chord voicings with smooth voice leading, and bass notes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from scripts.score.chords import Chord

LOW, HIGH = 50, 74  # D3 to D5
_CHORDS_LOW, _CHORDS_HIGH = 44, 68  # of a chords track, which the tune may limit
_PAD_RANGE = (57, 79)
_MIN_RANGE = 12  # semitones
_LOW_STRINGS = 12  # semitones above it up to which a power chord has an octave
_POWER_LOW = 40  # E2, the lowest string of a guitar


@lru_cache(maxsize=4096)
def voice_chord(
    chord: Chord, previous: tuple[int, ...], low: int = LOW, high: int = HIGH
) -> tuple[int, ...]:
    """Voice a chord with as little movement as possible from the voicing before.

    Parameters
    ----------
    previous : tuple of int
        MIDI pitches of the previous voicing; may be empty.
    low, high : int
        Range of MIDI pitches; the top note may be up to 3 semitones higher.

    Returns
    -------
    tuple of int
        Ascending MIDI pitches.
    """
    classes = [(chord.root + i) % 12 for i in chord.intervals]
    if len(classes) > 4:  # leave the fifth to the bass
        classes.remove((chord.root + 7) % 12) if (chord.root + 7) % 12 in classes else None
        classes = classes[:4]
    center = sum(previous) / len(previous) if previous else (low + high) / 2
    options = []
    for lowest in range(len(classes)):
        order = classes[lowest:] + classes[:lowest]
        for base in range(low, high):
            if base % 12 != order[0]:
                continue
            pitches = [base]
            for pc in order[1:]:
                step = (pc - pitches[-1]) % 12
                pitches.append(pitches[-1] + (step or 12))
            if pitches[-1] <= high + 3:
                options.append(tuple(pitches))
    if not options:
        return tuple(sorted(low + (pc - low) % 12 for pc in classes))

    def effort(pitches: tuple[int, ...]) -> float:
        middle = abs(sum(pitches) / len(pitches) - (low + high) / 2) * 0.15
        if not previous:
            return middle
        moved = sum(min(abs(p - q) for q in previous) for p in pitches)
        return moved + abs(sum(pitches) / len(pitches) - center) * 0.5 + middle

    return min(options, key=effort)


def voicing_range(role: str, tune: Sequence[int]) -> tuple[int, int]:
    """Return the range of a role's chords as (lowest, highest) MIDI pitch.

    A pad lies above the chords track, and that below the tune.
    """
    if role != "chords":
        return _PAD_RANGE if role == "pad" else (LOW, HIGH)
    top = sorted(tune)[len(tune) // 4] - 1 if tune else _CHORDS_HIGH
    return _CHORDS_LOW, min(_CHORDS_HIGH, max(_CHORDS_LOW + _MIN_RANGE, top))


def power_chord(chord: Chord) -> tuple[int, ...]:
    """Return root, fifth and octave, the root from E2 upwards."""
    root = _POWER_LOW + (chord.root - _POWER_LOW) % 12
    is_diminished = 6 in chord.intervals and 7 not in chord.intervals
    return power_tones(root, is_diminished)


def power_tones(root: int, is_diminished: bool) -> tuple[int, ...]:
    """Return root and fifth, and the octave where the root is on the two lowest strings."""
    tones = (root, root + (6 if is_diminished else 7))
    return (*tones, root + 12) if root < _POWER_LOW + _LOW_STRINGS else tones


def bass_note(chord: Chord, low: int = 31) -> int:
    """Return the root in the octave from `low` (MIDI pitch 31, G1) upwards."""
    return low + (chord.root - low) % 12
