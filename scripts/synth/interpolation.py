"""Reads samples at places between them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Frames = npt.NDArray[np.float32] | npt.NDArray[np.int16]  # (channels, n)


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
    whole = places.astype(np.int64)
    x = (places - whole).astype(np.float32)
    padded = np.pad(samples, ((0, 0), (1, 3))).astype(np.float32)
    a, b, c, d = (padded[:, whole + offset] for offset in range(4))
    out = c - a + x * (2 * a - 5 * b + 4 * c - d + x * (3 * (b - c) + d - a))
    out *= np.float32(0.5) * x
    out += b
    return np.asarray(out, dtype=np.float32)
