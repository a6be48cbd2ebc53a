"""Fixed filters: biquads (second-order sections) and decimation by two.

Sounds are filtered as a whole by multiplying their spectrum with the response of the biquads.
(``scipy.signal`` filters as well but takes half a second to import.)
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft

from scripts.core.audio_format import RATE

Biquad = tuple[float, float, float, float, float]  # b0, b1, b2, a1, a2; a0 is 1
Sound = npt.NDArray[np.float32]

_PADDING = 8192  # samples of zero padding in which a filter's response decays
_TAP_PAIRS = 10  # nonzero taps on either side of the center tap
_ODD = np.arange(_TAP_PAIRS) * 2 + 1
_TAPS = (
    np.sinc(_ODD / 2) / 2 * np.i0(5.0 * np.sqrt(1 - (_ODD / (2 * _TAP_PAIRS)) ** 2)) / np.i0(5.0)
).astype(np.float32)
_CENTER_TAP = np.float32(1 - 2 * float(_TAPS.sum()))


def low_pass(cutoff: float) -> Biquad:
    """Butterworth low-pass biquad: 12 dB per octave above `cutoff` Hz."""
    k, a0 = _bilinear(cutoff)
    return k * k / a0, 2 * k * k / a0, k * k / a0, 2 * (k * k - 1) / a0, (a0 - 2 * 2**0.5 * k) / a0


def high_pass(cutoff: float) -> Biquad:
    """Butterworth high-pass biquad: 12 dB per octave below `cutoff` Hz."""
    k, a0 = _bilinear(cutoff)
    return 1 / a0, -2 / a0, 1 / a0, 2 * (k * k - 1) / a0, (a0 - 2 * 2**0.5 * k) / a0


def _bilinear(cutoff: float) -> tuple[float, float]:
    k = float(np.tan(np.pi * cutoff / RATE))
    return k, 1 + 2**0.5 * k + k * k


def apply_biquads(sound: Sound, *sections: Biquad) -> Sound:
    """Filter `sound`, of shape (..., n), with `sections` in series."""
    count = sound.shape[-1]
    size = fft.next_fast_len(-(-(count + _PADDING) // _PADDING) * _PADDING, real=True)
    spectrum = fft.rfft(sound, size, axis=-1)
    spectrum *= frequency_response(sections, size)
    return np.asarray(fft.irfft(spectrum, size, axis=-1, overwrite_x=True)[..., :count])


@lru_cache(maxsize=32)
def frequency_response(sections: tuple[Biquad, ...], size: int) -> npt.NDArray[np.complex64]:
    """Frequency response of `sections` at the bins of a real FFT of `size` samples."""
    z = np.exp(-2j * np.pi / size * np.arange(size // 2 + 1))
    out = np.ones(len(z), np.complex128)
    for b0, b1, b2, a1, a2 in sections:
        out *= (b0 + z * (b1 + z * b2)) / (1 + z * (a1 + z * a2))
    return out.astype(np.complex64)


def decimate_by_two(sound: Sound) -> Sound:
    """Decimate `sound`, of shape (..., n), to half its sample rate.

    Aliases below 17 kHz are attenuated by 60 dB (from 88.2 to 44.1 kHz).
    """
    count = -(-sound.shape[-1] // 2)
    edges = [(0, 0)] * (sound.ndim - 1)
    odd = np.pad(sound[..., 1::2], [*edges, (_TAP_PAIRS, _TAP_PAIRS + 1)])
    out = sound[..., ::2] * _CENTER_TAP
    pair = np.empty_like(out)
    for n, tap in enumerate(_TAPS):
        after, before = _TAP_PAIRS + n, _TAP_PAIRS - n - 1
        np.add(odd[..., after : after + count], odd[..., before : before + count], out=pair)
        pair *= tap
        out += pair
    return out
