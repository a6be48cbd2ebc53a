"""Loudness by ITU-R BS.1770-4, and peaks between samples."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scripts.core.audio_format import RATE
from scripts.synth.filters import Biquad, apply_biquads

Planar = npt.NDArray[np.float32]  # (2, n)
SILENCE = -70.0  # LUFS
TENTH_SECOND = RATE // 10  # samples of a tenth of a second

# The K-weighting filters of BS.1770, computed for 44,100 Hz from their analog prototypes: a shelf
# of 4 dB above 1.7 kHz for the acoustics of the head, and a high-pass at 38 Hz.


def _shelf() -> Biquad:
    gain, q, center = 3.999843853973347, 0.7071752369554196, 1681.974450955533
    k = np.tan(np.pi * center / RATE)
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


def _high_pass() -> Biquad:
    q, center = 0.5003270373238773, 38.13547087602444
    k = np.tan(np.pi * center / RATE)
    a0 = 1 + k / q + k * k
    return 1.0, -2.0, 1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0


_K_WEIGHTING = _shelf(), _high_pass()


def apply_k_weighting(sound: Planar) -> Planar:
    """Apply K-weighting to (2, n) audio."""
    return apply_biquads(sound, *_K_WEIGHTING)


def block_powers(sound: Planar) -> npt.NDArray[np.float64]:
    """K-weighted power of (2, n) audio in 400 ms blocks, one every 100 ms, channels summed."""
    return mean_block_powers((apply_k_weighting(sound) ** 2).sum(axis=0))


def mean_block_powers(power: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Mean of power per sample in 400 ms blocks, one every 100 ms.

    Audio shorter than 400 ms gives one block.
    """
    if len(power) < 4 * TENTH_SECOND:
        return np.atleast_1d(power.mean())
    return _mean_of_four(_tenths(power))


def _tenths(power: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Mean power of each complete tenth of a second."""
    whole = len(power) // TENTH_SECOND * TENTH_SECOND
    return np.asarray(power[:whole].reshape(-1, TENTH_SECOND).mean(axis=1, dtype=np.float64))


def _mean_of_four(tenths: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Moving average of four tenths of a second."""
    return np.asarray((tenths[:-3] + tenths[1:-2] + tenths[2:-1] + tenths[3:]) / 4)


class LoudnessMeter:
    """Integrated loudness of audio that arrives in blocks.

    Each block is filtered from silence; with blocks of a second or more the error is about a
    hundredth of a decibel.
    """

    def __init__(self) -> None:
        self._remainder = np.zeros((2, 0), np.float32)
        self._tenths: list[npt.NDArray[np.float64]] = []

    def add(self, sound: Planar) -> None:
        """Add the next (2, n) samples."""
        sound = np.concatenate((self._remainder, sound), axis=1)
        whole = sound.shape[1] // TENTH_SECOND * TENTH_SECOND
        self._remainder = sound[:, whole:].copy()
        if whole:
            power = (apply_k_weighting(sound[:, :whole]) ** 2).sum(axis=0)
            self._tenths.append(_tenths(power))

    def loudness(self) -> float:
        """Integrated loudness so far in LUFS; -70 for silence or less than 0.4 s."""
        tenths = np.concatenate(self._tenths) if self._tenths else np.zeros(0)
        return gated_loudness(_mean_of_four(tenths)) if len(tenths) >= 4 else SILENCE


def gated_loudness(
    powers: npt.NDArray[np.float64], weights: npt.NDArray[np.float64] | None = None
) -> float:
    """Integrated loudness of block powers with the gates of BS.1770 (-70 LUFS and -10 LU).

    Parameters
    ----------
    powers : (n,) array
        As from :func:`block_powers`.
    weights : (n,) array, optional
        Relative duration that each block represents; equal by default.

    Returns
    -------
    float
        LUFS; -70 for silence.
    """
    weights = np.ones_like(powers) if weights is None else weights
    with np.errstate(divide="ignore"):
        loud = -0.691 + 10 * np.log10(np.maximum(powers, 1e-12))
    above_gate = loud > SILENCE
    if not above_gate.any():
        return SILENCE
    gate = -0.691 + 10 * np.log10(np.average(powers[above_gate], weights=weights[above_gate])) - 10
    above_gate &= loud > gate
    return float(
        -0.691 + 10 * np.log10(np.average(powers[above_gate], weights=weights[above_gate]))
    )


def integrated_loudness(sound: Planar) -> float:
    """Integrated loudness of (2, n) audio in LUFS."""
    return gated_loudness(block_powers(sound))


# Half-sample interpolation (2x oversampling) with a windowed sinc of eight taps.
_TAP_OFFSETS = np.arange(-3.5, 4.0)
_HALF_SAMPLE_TAPS = (np.sinc(_TAP_OFFSETS) * np.cos(np.pi * _TAP_OFFSETS / 9) ** 2).astype(
    np.float32
)
_HALF_SAMPLE_TAPS /= _HALF_SAMPLE_TAPS.sum()
_BLOCKS_AT_ONCE = 64  # blocks measured at once: small arrays stay in the CPU cache


def true_peaks(sound: Planar, block_size: int) -> npt.NDArray[np.float32]:
    """Peak of each block of `block_size` samples, with 2x oversampling.

    Parameters
    ----------
    sound : (2, n + 7) array
        Audio with three samples of context before and four after: the blocks start at sample 3.
    block_size : int
        Samples of a block.

    Returns
    -------
    (ceil(n / size),) float32 array
        Largest absolute value of both channels, at samples and halfway between them.
    """
    n = sound.shape[1] - 7
    peaks = [
        _chunk_peaks(sound[:, at : min(at + _BLOCKS_AT_ONCE * block_size, n) + 7], block_size)
        for at in range(0, n, _BLOCKS_AT_ONCE * block_size)
    ]
    return np.concatenate(peaks) if peaks else np.zeros(0, np.float32)


def _chunk_peaks(sound: Planar, size: int) -> npt.NDArray[np.float32]:
    """Peaks of a few blocks; as for :func:`true_peaks`."""
    n = sound.shape[1] - 7
    between = np.zeros((2, n), np.float32)
    for i, factor in enumerate(_HALF_SAMPLE_TAPS[:4]):
        between += factor * (sound[:, i : i + n] + sound[:, 7 - i : 7 - i + n])
    peaks = np.maximum(np.abs(between), np.abs(sound[:, 3 : 3 + n])).max(axis=0)
    return np.asarray(np.maximum.reduceat(peaks, np.arange(0, n, size)))
