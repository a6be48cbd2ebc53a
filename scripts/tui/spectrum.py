"""Spectrum of the audio being played, in logarithmic bands."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scripts.core.audio_format import RATE

BANDS = 22
_LOWEST, _HIGHEST = 45.0, 14_000.0  # Hz
_FLOOR = 62.0  # dB below a full-scale sine at which a band is empty
_TILT = 3.0  # dB per octave, relative to 500 Hz: offsets the roll-off of music
_MAX_DROP = 0.12  # largest drop of a level (0 to 1) from frame to frame


def spectrum(samples: npt.NDArray[np.float32]) -> tuple[float, ...]:
    """Compute the level of each band.

    Parameters
    ----------
    samples : ndarray of float32
        Mono, -1 to 1, at `RATE`.

    Returns
    -------
    tuple of float
        `BANDS` levels from 0 to 1, from 45 Hz to 14 kHz.
    """
    n = len(samples)
    power = np.abs(np.fft.rfft(samples * np.hanning(n).astype(np.float32)) / (n / 4)) ** 2
    edges = _LOWEST * (_HIGHEST / _LOWEST) ** (np.arange(BANDS + 1) / BANDS)
    bins = np.maximum(np.arange(BANDS + 1), np.round(edges * n / RATE)).astype(int)
    bands = np.add.reduceat(power, bins)[:BANDS]
    centers = np.sqrt(edges[1:] * edges[:-1])
    level = 10 * np.log10(np.maximum(bands, 1e-12)) + _TILT * np.log2(centers / 500)
    return tuple(np.clip(level / _FLOOR + 1, 0, 1).tolist())


def decay(previous: tuple[float, ...], current: tuple[float, ...]) -> tuple[float, ...]:
    """Let levels rise at once, but fall only slowly from one frame to the next."""
    if len(previous) != len(current):
        return current
    return tuple(max(new, old - _MAX_DROP) for old, new in zip(previous, current, strict=True))
