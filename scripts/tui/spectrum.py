"""The spectrum of what is heard, in bands as the ear hears them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scripts.core.audio_format import RATE

BANDS = 22
_LOWEST, _HIGHEST = 45.0, 14_000.0  # Hz
_FLOOR = 62.0  # dB below a full tone at which a column is empty
_TILT = 3.0  # dB an octave that high bands are raised: music falls off so
_FALL = 0.12  # of its height that a column sinks at most from frame to frame


def spectrum(samples: npt.NDArray[np.float32]) -> tuple[float, ...]:
    """Level of each band, 0 to 1."""
    n = len(samples)
    power = np.abs(np.fft.rfft(samples * np.hanning(n).astype(np.float32)) / (n / 4)) ** 2
    edges = _LOWEST * (_HIGHEST / _LOWEST) ** (np.arange(BANDS + 1) / BANDS)
    places = np.maximum(np.arange(BANDS + 1), np.round(edges * n / RATE)).astype(int)
    bands = np.add.reduceat(power, places)[:BANDS]
    middle = np.sqrt(edges[1:] * edges[:-1])
    level = 10 * np.log10(np.maximum(bands, 1e-12)) + _TILT * np.log2(middle / 500)
    return tuple(np.clip(level / _FLOOR + 1, 0, 1).tolist())


def sunk(before: tuple[float, ...], now: tuple[float, ...]) -> tuple[float, ...]:
    """Columns rise at once and sink slowly."""
    if len(before) != len(now):
        return now
    return tuple(max(new, old - _FALL) for old, new in zip(before, now, strict=True))
