"""Guitar amplifier and loudspeaker, through which all notes of a track go together.

Notes of a chord intermodulate in the distortion, as they do in an amplifier; the loudspeaker then
removes the highs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from scripts.core.audio_format import RATE
from scripts.synth.convolution import Convolver, minimum_phase, response_frequencies
from scripts.synth.effects import Planar
from scripts.synth.filters import decimate_by_two

_CONTEXT = 64  # samples before a block that the filters of the oversampling need
_LEVEL = 0.1  # amplitude of a note at which the drive is measured: instruments have -20 dB
_BIAS = 0.18  # of the distortion, which gives even harmonics
# Responses in dB at frequencies in Hz: what goes into the distortion, and a closed-back cabinet
# with four 12-inch speakers and a microphone close to one, after published curves of such speakers.
_BEFORE = ((20, -30), (90, -9), (250, -2), (800, 2), (2000, 3), (6000, -3), (20_000, -12))
_CABINET = (
    *((20, -40), (60, -14), (95, 2), (130, 3), (250, -1), (420, -3), (800, 0), (1500, 2)),
    *((2600, 6), (3600, 4), (4500, -2), (5500, -14), (7000, -28), (10_000, -45), (20_000, -70)),
)


@dataclass(frozen=True)
class AmplifierSettings:
    """Settings of an amplifier.

    Parameters
    ----------
    drive : float
        Gain in dB before the distortion: 6 is barely overdriven, 30 is metal.
    level : float
        Gain in dB after the loudspeaker.
    """

    drive: float
    level: float = 0.0


class Amplifier:
    """Streaming amplifier for stereo blocks; each channel has a distortion of its own."""

    def __init__(self, settings: AmplifierSettings) -> None:
        self._before, self._after = Convolver(_response(_BEFORE)), Convolver(_response(_CABINET))
        self._drive = np.float32(10 ** (settings.drive / 20) / _LEVEL)
        # The louder it is driven, the less louder it becomes.
        loudness = float(np.tanh(10 ** (settings.drive / 20)))
        self._gain = np.float32(10 ** (settings.level / 20) * _LEVEL / loudness)
        self._history = np.zeros((2, _CONTEXT), np.float32)
        self._is_silent = True

    def __call__(self, block: Planar) -> Planar:
        """Process the next (2, n) samples; the buffer returned is reused by the next call."""
        if self._is_silent and not block.any():
            return block
        self._is_silent = False
        tone = np.concatenate((self._history, self._before(block)), axis=1)
        self._history = tone[:, -_CONTEXT:].copy()
        driven = np.tanh(_oversample(tone) * self._drive + np.float32(_BIAS))
        driven -= np.float32(np.tanh(_BIAS))
        shaped = decimate_by_two(driven)[:, _CONTEXT // 2 : _CONTEXT // 2 + block.shape[1]]
        return self._after(shaped * self._gain)


def _oversample(sound: Planar) -> Planar:
    """Double the sample rate, by cubic interpolation of the samples between."""
    padded = np.pad(sound, ((0, 0), (1, 2)))
    between = np.float32(9 / 16) * (padded[:, 1:-2] + padded[:, 2:-1])
    between -= np.float32(1 / 16) * (padded[:, :-3] + padded[:, 3:])
    out = np.empty((2, 2 * sound.shape[1]), np.float32)
    out[:, ::2], out[:, 1::2] = sound, between
    return out


@lru_cache(maxsize=4)
def _response(points: tuple[tuple[float, float], ...]) -> npt.NDArray[np.float32]:
    """Impulse response of gains in dB at frequencies in Hz, linear over log frequency."""
    frequencies, gains = zip(*points, strict=True)
    octaves = np.log2(np.maximum(response_frequencies(RATE), 10.0))
    return minimum_phase(10 ** (np.interp(octaves, np.log2(frequencies), gains) / 20))
