"""Octave-band equalizer of the mix, and its automatic setting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from scripts.core.audio_format import RATE
from scripts.styles.mastering import POPULAR_SPECTRUM
from scripts.synth.convolution import Convolver, minimum_phase, response_frequencies

OCTAVE_CENTERS = np.array([31.5, 63, 125, 250, 500, 1000, 2000, 4000, 8000, 16_000])  # Hz
_OCTAVE_WEIGHTS = np.array([0.0, 1, 1, 1, 1, 1, 1, 1, 1, 0.3])
_TOLERANCE = 2.0  # dB by which the style may differ from the reference
_MAX_CUT, _MAX_BOOST = -10.0, 9.0  # limits of a gain in dB
_ITERATIONS = 5  # iterations of the fit
_BANDS_PER_OCTAVE = 3  # bands per octave
BAND_CENTERS = (
    OCTAVE_CENTERS[:, None]
    * 2 ** ((np.arange(_BANDS_PER_OCTAVE) - (_BANDS_PER_OCTAVE - 1) / 2) / _BANDS_PER_OCTAVE)
).reshape(-1)


@dataclass(frozen=True)
class EqualizerCurve:
    """Equalizer curve with a gain for each octave.

    Parameters
    ----------
    gains : tuple of float
        dB at :data:`OCTAVE_CENTERS`, interpolated linearly over log frequency.
    """

    gains: tuple[float, ...] = (0.0,) * len(OCTAVE_CENTERS)

    @property
    def is_flat(self) -> bool:
        return not any(self.gains)

    def gain_at(self, frequencies: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Gain factors at `frequencies` in Hz."""
        octave = np.log2(np.maximum(frequencies, 10.0))
        return np.asarray(10 ** (np.interp(octave, np.log2(OCTAVE_CENTERS), self.gains) / 20))

    @cached_property
    def impulse_response(self) -> npt.NDArray[np.float32]:
        """Minimum-phase impulse response."""
        return minimum_phase(self.gain_at(response_frequencies(RATE)))


class Equalizer:
    """Streaming equalizer.

    Parameters
    ----------
    curve : EqualizerCurve
        Equalizer curve to apply.
    """

    def __init__(self, curve: EqualizerCurve) -> None:
        self._convolver = None if curve.is_flat else Convolver(curve.impulse_response)

    def __call__(self, block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Filter the next (2, n) samples; the buffer returned is reused by the next call."""
        return self._convolver(block) if self._convolver else block


def band_powers(sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Power per sample of (2, n) audio in each of :data:`BAND_CENTERS`, channels summed."""
    size = fft.next_fast_len(sound.shape[1], real=True)
    spectrum = np.abs(fft.rfft(sound, size, axis=1)) ** 2
    edges = np.searchsorted(
        np.arange(spectrum.shape[1]) * (RATE / size),
        np.append(
            BAND_CENTERS * 2 ** (-0.5 / _BANDS_PER_OCTAVE),
            BAND_CENTERS[-1] * 2 ** (0.5 / _BANDS_PER_OCTAVE),
        ),
    )
    total = np.concatenate(([0.0], np.cumsum(spectrum.sum(axis=0, dtype=np.float64))))
    return np.asarray((total[edges[1:]] - total[edges[:-1]]) / sound.shape[1])


def fit_equalizer(
    power: npt.NDArray[np.float64], spectrum: Sequence[float] = POPULAR_SPECTRUM
) -> EqualizerCurve:
    """Fit an equalizer curve that brings a spectrum close to that of mastered music.

    The bands overlap, so the gains are adjusted iteratively.

    Parameters
    ----------
    power : (len(BAND_CENTERS),) array
        As from :func:`band_powers`; all zero for silence.
    spectrum : sequence of float
        Level of each octave to come close to, in dB.
    """
    gains = np.zeros(len(OCTAVE_CENTERS))
    if not power.any():  # silence
        return EqualizerCurve(tuple(gains.tolist()))
    for _ in range(_ITERATIONS):
        equalized = power * EqualizerCurve(tuple(gains)).gain_at(BAND_CENTERS) ** 2
        octaves = equalized.reshape(len(OCTAVE_CENTERS), _BANDS_PER_OCTAVE).sum(axis=1)
        level = 10 * np.log10(np.maximum(octaves, 1e-12 * octaves.max()))
        deviation = level - np.array(spectrum)
        deviation = deviation - np.average(deviation, weights=_OCTAVE_WEIGHTS)
        gains -= np.sign(deviation) * np.maximum(np.abs(deviation) - _TOLERANCE, 0)
        gains = np.clip(gains, _MAX_CUT, _MAX_BOOST)
        gains[0] = min(gains[0], 0.0)  # never boost rumble
    return EqualizerCurve(tuple(np.round(gains, 1).tolist()))
