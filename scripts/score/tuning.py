"""Tuning of A4, such that a requested frequency sounds exactly."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from scripts.core.errors import UsageError

CONCERT_PITCH = 440.0
MIN_A4, MAX_A4 = 400.0, 480.0  # Hz of A4
# Solfeggio frequencies in Hz: the requested one sounds exactly, as a note of the chords.
SOLFEGGIO_FREQUENCIES = (174, 285, 396, 417, 528, 639, 741, 852, 963)


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

    a4: float = CONCERT_PITCH
    pitch: int | None = None


def frequency(pitch: float, a4: float = CONCERT_PITCH) -> float:
    """Compute the frequency in Hz of a MIDI pitch, with A4 (69) at `a4` Hz."""
    return float(a4 * 2 ** ((pitch - 69) / 12))


def find_tuning(hertz: float, pitch_classes: Collection[int] = ()) -> Tuning:
    """Find the tuning for a frequency: that of A4, or one of :data:`SOLFEGGIO_FREQUENCIES`.

    Parameters
    ----------
    hertz : float
        Hz.
    pitch_classes : collection of int
        Pitch classes (0 = C) that may sound at a solfeggio frequency; empty allows any.

    Raises
    ------
    UsageError
        If it is neither.
    """
    if hertz not in SOLFEGGIO_FREQUENCIES:
        if not MIN_A4 <= hertz <= MAX_A4:
            raise UsageError(
                f"tuning {hertz:g} is out of range: expected {MIN_A4:g} to "
                f"{MAX_A4:g} Hz for A4, or one of "
                + " ".join(map(str, SOLFEGGIO_FREQUENCIES))
                + ", which then sounds in the chords"
            )
        return Tuning(hertz)
    exact = 69 + 12 * math.log2(hertz / CONCERT_PITCH)
    near = range(round(exact) - 6, round(exact) + 7)
    pitch = min(
        (p for p in near if not pitch_classes or p % 12 in pitch_classes),
        key=lambda p: abs(p - exact),
    )
    return Tuning(hertz / 2 ** ((pitch - 69) / 12), pitch)
