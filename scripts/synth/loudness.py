"""Loudness as ITU-R BS.1770-4 measures it, and peaks between the samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scripts.core.audio_format import RATE
from scripts.synth.filters import Section, filtered

Planar = npt.NDArray[np.float32]  # (2, n)
TENTH = RATE // 10  # samples

# The two filters of BS.1770, worked out for 44,100 Hz from their analogue prototypes: a shelf of
# 4 dB above 1.7 kHz for the head, and a high-pass at 38 Hz.


def _shelf() -> Section:
    gain, q, centre = 3.999843853973347, 0.7071752369554196, 1681.974450955533
    k = np.tan(np.pi * centre / RATE)
    high = 10 ** (gain / 20)
    band = high**0.4996667741545416
    a0 = 1 + k / q + k * k
    return (
        (high + band * k / q + k * k) / a0,
        2 * (k * k - high) / a0,
        (high - band * k / q + k * k) / a0,
        2 * (k * k - 1) / a0,
        (1 - k / q + k * k) / a0,
    )


def _high_pass() -> Section:
    q, centre = 0.5003270373238773, 38.13547087602444
    k = np.tan(np.pi * centre / RATE)
    a0 = 1 + k / q + k * k
    return 1.0, -2.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0


_WEIGHTING = _shelf(), _high_pass()


def weighted(sound: Planar) -> Planar:
    """`sound` as the ear weighs it."""
    return filtered(sound, *_WEIGHTING)


def block_powers(sound: Planar) -> npt.NDArray[np.float64]:
    """Power of blocks of 400 ms, a new one every 100 ms, of both channels together."""
    return overlapping((weighted(sound) ** 2).sum(axis=0))


def overlapping(power: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Mean of each such block of a power that is known for each sample."""
    if len(power) < 4 * TENTH:
        return np.atleast_1d(power.mean())
    return _of_four(_tenths(power))


def _tenths(power: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Mean of each whole tenth of a second."""
    whole = len(power) // TENTH * TENTH
    return np.asarray(power[:whole].reshape(-1, TENTH).mean(axis=1, dtype=np.float64))


def _of_four(tenths: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray((tenths[:-3] + tenths[1:-2] + tenths[2:-1] + tenths[3:]) / 4)


class Meter:
    """Integrated loudness of sound that comes in blocks.

    Each is filtered from silence, which is heard in a hundredth of a decibel where blocks last
    a second or more.
    """

    def __init__(self) -> None:
        self._rest = np.zeros((2, 0), np.float32)
        self._tenths: list[npt.NDArray[np.float64]] = []

    def add(self, sound: Planar) -> None:
        """The next (2, n) samples."""
        sound = np.concatenate((self._rest, sound), axis=1)
        whole = sound.shape[1] // TENTH * TENTH
        self._rest = sound[:, whole:].copy()
        if whole:
            power = (weighted(sound[:, :whole]) ** 2).sum(axis=0)
            self._tenths.append(_tenths(power))

    def loudness(self) -> float:
        """LUFS so far; -70 for silence."""
        tenths = np.concatenate(self._tenths) if self._tenths else np.zeros(0)
        return gated(_of_four(tenths)) if len(tenths) >= 4 else -70.0


def gated(powers: npt.NDArray[np.float64], weights: npt.NDArray[np.float64] | None = None) -> float:
    """Integrated loudness in LUFS of block powers; `weights` say how long each one stands for."""
    weights = np.ones_like(powers) if weights is None else weights
    with np.errstate(divide="ignore"):
        loud = -0.691 + 10 * np.log10(np.maximum(powers, 1e-12))
    kept = loud > -70
    if not kept.any():
        return -70.0
    gate = -0.691 + 10 * np.log10(np.average(powers[kept], weights=weights[kept])) - 10
    kept &= loud > gate
    return float(-0.691 + 10 * np.log10(np.average(powers[kept], weights=weights[kept])))


def integrated(sound: Planar) -> float:
    """Integrated loudness of (2, n) audio in LUFS."""
    return gated(block_powers(sound))


# Half-sample interpolation by a windowed sinc of eight points.
_AT = np.arange(-3.5, 4.0)
_HALF = (np.sinc(_AT) * np.cos(np.pi * _AT / 9) ** 2).astype(np.float32)
_HALF /= _HALF.sum()
_CHUNK = 64  # peaks found at once: what is small stays in the cache


def true_peaks(sound: Planar, size: int) -> npt.NDArray[np.float32]:
    """Largest level in each `size` samples of (2, n + 7) audio, also halfway between samples.

    Sample i of the result's blocks is sample i + 3 of `sound`: three samples before and four
    after belong to the neighbours.
    """
    n = sound.shape[1] - 7
    peaks = [
        _peaks(sound[:, at : min(at + _CHUNK * size, n) + 7], size)
        for at in range(0, n, _CHUNK * size)
    ]
    return np.concatenate(peaks) if peaks else np.zeros(0, np.float32)


def _peaks(sound: Planar, size: int) -> npt.NDArray[np.float32]:
    n = sound.shape[1] - 7
    between = np.zeros((2, n), np.float32)
    for i, factor in enumerate(_HALF[:4]):
        between += factor * (sound[:, i : i + n] + sound[:, 7 - i : 7 - i + n])
    peaks = np.maximum(np.abs(between), np.abs(sound[:, 3 : 3 + n])).max(axis=0)
    return np.asarray(np.maximum.reduceat(peaks, np.arange(0, n, size)))
