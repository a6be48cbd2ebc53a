"""What is played: a key, how hard, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scripts.core.audio_format import RATE

Sound = npt.NDArray[np.float32]  # (channels, n); one channel is the middle
C4 = 261.63
SHORTEST = RATE // 20  # samples


@dataclass(frozen=True)
class Stroke:
    """What is played.

    Parameters
    ----------
    frequency : float
        Hz; for drums that of the tonic they are tuned to (0: none); textures have none.
    velocity : float
        0 to 1.
    seconds : float
        How long the sound may be needed.
    quarter : float
        Seconds of a quarter note.
    seed : int
    key : int
        MIDI key, for drums.
    wobble : float
        Sweeps in a quarter, where the note has its own; else 0.
    """

    frequency: float
    velocity: float
    seconds: float
    quarter: float
    seed: int
    key: int = 60
    wobble: float = 0.0


def ring_time(seconds: float, f: float) -> float:
    """Low strings ring longer: by a factor of 1.6 an octave, within bounds."""
    return float(seconds * np.clip((C4 / f) ** 0.68, 0.25, 3.0))
