"""What A4 is tuned to, so that a wished-for frequency sounds exactly."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

from scripts.core.errors import UsageError

CONCERT = 440.0
LOWEST, HIGHEST = 400.0, 480.0  # Hz of A4
# Frequencies that are themselves to sound, as a note of the chord.
SACRED = (174, 285, 396, 417, 528, 639, 741, 852, 963)


@dataclass(frozen=True)
class Tuning:
    """A tuning.

    Parameters
    ----------
    a4 : float
        Hz.
    pitch : int or None
        MIDI number of the note that sounds at the frequency that was wished for.
    """

    a4: float = CONCERT
    pitch: int | None = None


def frequency(pitch: float, a4: float = CONCERT) -> float:
    """Hz of a MIDI number where A4 (69) has `a4` Hz."""
    return float(a4 * 2 ** ((pitch - 69) / 12))


def find_tuning(asked: float, classes: Collection[int] = ()) -> Tuning:
    """The tuning for what was asked: Hz of A4, or one of :data:`SACRED`.

    Parameters
    ----------
    classes : collection of int
        Pitch classes (0 = C) that may sound at a sacred frequency; empty allows any.

    Raises
    ------
    UsageError
        When it is neither.
    """
    if asked not in SACRED:
        if not LOWEST <= asked <= HIGHEST:
            raise UsageError(
                f"tuning {asked:g} is out of range; A4 may be {LOWEST:g} to "
                f"{HIGHEST:g} Hz, or take one of "
                + " ".join(map(str, SACRED))
                + ", which then sounds in the chords"
            )
        return Tuning(asked)
    exact = 69 + 12 * math.log2(asked / CONCERT)
    near = range(round(exact) - 6, round(exact) + 7)
    pitch = min((p for p in near if not classes or p % 12 in classes), key=lambda p: abs(p - exact))
    return Tuning(asked / 2 ** ((pitch - 69) / 12), pitch)
