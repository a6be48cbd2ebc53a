"""Tuning of A4, such that a requested frequency sounds exactly."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from scripts.core.errors import UsageError

CONCERT = 440.0
LOWEST, HIGHEST = 400.0, 480.0  # Hz of A4
# Solfeggio frequencies in Hz: the requested one sounds exactly, as a note of the chords.
SACRED = (174, 285, 396, 417, 528, 639, 741, 852, 963)


@dataclass(frozen=True)
class Tuning:
    """A tuning of all notes.

    Parameters
    ----------
    a4 : float
        Frequency of A4, in Hz.
    pitch : int or None
        MIDI number of the note that sounds at the requested solfeggio frequency.
    """

    a4: float = CONCERT
    pitch: int | None = None


def frequency(pitch: float, a4: float = CONCERT) -> float:
    """Compute the frequency in Hz of a MIDI pitch, with A4 (69) at `a4` Hz."""
    return float(a4 * 2 ** ((pitch - 69) / 12))


def find_tuning(asked: float, classes: Collection[int] = ()) -> Tuning:
    """Find the tuning for a frequency: that of A4, or one of :data:`SACRED`.

    Parameters
    ----------
    asked : float
        Hz.
    classes : collection of int
        Pitch classes (0 = C) that may sound at a solfeggio frequency; empty allows any.

    Raises
    ------
    UsageError
        If it is neither.
    """
    if asked not in SACRED:
        if not LOWEST <= asked <= HIGHEST:
            raise UsageError(
                f"tuning {asked:g} is out of range: expected {LOWEST:g} to "
                f"{HIGHEST:g} Hz for A4, or one of "
                + " ".join(map(str, SACRED))
                + ", which then sounds in the chords"
            )
        return Tuning(asked)
    exact = 69 + 12 * math.log2(asked / CONCERT)
    near = range(round(exact) - 6, round(exact) + 7)
    pitch = min((p for p in near if not classes or p % 12 in classes), key=lambda p: abs(p - exact))
    return Tuning(asked / 2 ** ((pitch - 69) / 12), pitch)
