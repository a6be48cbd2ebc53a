"""Band-limited noise, and low and high cuts."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from scripts.core.audio_format import RATE
from scripts.synth.additive import Mono
from scripts.synth.filters import apply_biquads, high_pass, low_pass

_LOOP_LENGTH = 1 << 17  # samples of a loop, 3 s


@lru_cache(maxsize=64)
def _noise_loop(low: float, high: float) -> Mono:
    """Seamless loop of noise between two frequencies in Hz, RMS 1."""
    rng = np.random.default_rng(int(low * 7 + high))
    f = np.arange(_LOOP_LENGTH // 2 + 1, dtype=np.float32) * np.float32(RATE / _LOOP_LENGTH)
    gain = 1 / np.sqrt((1 + (low / np.maximum(f, 1)) ** 4) * (1 + (f / high) ** 4))
    gain[0] = 0.0
    phase = rng.random(len(f), dtype=np.float32) * np.float32(2 * np.pi)
    spectrum = np.empty(len(f), np.complex64)
    spectrum.real, spectrum.imag = gain * np.cos(phase), gain * np.sin(phase)
    sound = fft.irfft(spectrum, _LOOP_LENGTH)
    return np.asarray(sound / np.sqrt(np.mean(sound * sound)), dtype=np.float32)


def band_noise(low: float, high: float, count: int, seed: int) -> Mono:
    """Return `count` samples of noise from `low` to `high` Hz, RMS 1; `seed` selects the start."""
    loop = _noise_loop(low, min(high, 19_000.0))
    start = seed * 7919 % _LOOP_LENGTH
    if start + count <= _LOOP_LENGTH:
        return loop[start : start + count]
    return np.take(loop, np.arange(start, start + count), mode="wrap")


def cut_gain(frequencies: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[np.float64]:
    """Gain of a low cut and a high cut (Hz; 0 for none) at `frequencies`, to apply to partials."""
    gain = np.ones(len(frequencies))
    if low:
        gain /= np.sqrt(1 + (low / np.maximum(frequencies, 1.0)) ** 4)
    if high:
        gain /= np.sqrt(1 + (frequencies / high) ** 4)
    return gain


def cut_lows(sound: npt.NDArray[np.float32], cutoff: float) -> npt.NDArray[np.float32]:
    """Apply a high-pass of 12 dB per octave below `cutoff` Hz."""
    return apply_biquads(sound, high_pass(cutoff))


def cut_highs(sound: npt.NDArray[np.float32], cutoff: float) -> npt.NDArray[np.float32]:
    """Apply a low-pass of 12 dB per octave above `cutoff` Hz."""
    return apply_biquads(sound, low_pass(cutoff))
