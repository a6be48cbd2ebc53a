"""Parameters of one note for the synthesis engines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scripts.core.audio_format import RATE

Sound = npt.NDArray[np.float32]  # (channels, n); mono (1) or stereo (2)
C4 = 261.63  # Hz
MIN_SAMPLES = RATE // 20  # minimum length of a sound in samples


@dataclass(frozen=True)
class NoteParams:
    """Parameters of one note for a synthesis engine.

    Parameters
    ----------
    frequency : float
        Hz; for drums the tonic they are tuned to (0 for none); textures ignore it.
    velocity : float
        0 to 1.
    seconds : float
        Maximum length of the sound.
    quarter_seconds : float
        Duration of a quarter note in seconds.
    seed : int
        Seed of all random details.
    key : int
        MIDI key, used by drums and textures.
    wobble : float
        Filter sweeps per quarter note; 0 uses the instrument's own.
    take : int
        Which of several recordings is played.
    """

    frequency: float
    velocity: float
    seconds: float
    quarter_seconds: float
    seed: int
    key: int = 60
    wobble: float = 0.0
    take: int = 0


def decay_time(seconds: float, frequency: float) -> float:
    """Scale the decay time of C4 to frequency `frequency` in Hz.

    Low notes decay longer: by a factor of 1.6 per octave, from 0.25 to 3 times `seconds`.
    """
    return float(seconds * np.clip((C4 / frequency) ** 0.68, 0.25, 3.0))
