"""Reads samples at places between them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.float32] | npt.NDArray[np.int16]  # (channels, n)

_CHUNK = 8192  # places at a time, whose samples stay in the processor's cache


def interpolate(samples: Frames, places: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Read `samples` at `places` by cubic Hermite interpolation (Catmull-Rom).

    Parameters
    ----------
    samples : (channels, n) array
    places : (m,) array
        From 0 to n - 1.

    Returns
    -------
    (channels, m) float32 array
    """
    padded = np.pad(samples, ((0, 0), (1, 3))).astype(np.float32)
    out = np.empty((len(samples), len(places)), np.float32)
    for start in range(0, len(places), _CHUNK):
        part = places[start : start + _CHUNK]
        whole = part.astype(np.int64)
        x = (part - whole).astype(np.float32)
        first, last = int(whole.min()), int(whole.max())
        whole -= first
        a, b, c, d = (
            padded[:, first + offset : last + offset + 1].take(whole, axis=1) for offset in range(4)
        )
        read = c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a))
        read *= np.float32(0.5) * x
        read += b
        out[:, start : start + _CHUNK] = read
    return out
