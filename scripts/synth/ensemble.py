"""Ensemble synthesis: harmonics as bands of noise (Nasca's PADsynth, 2005).

One inverse Fourier transform gives a seamless loop of three seconds, so a tone can last
indefinitely. Each band is symmetrical about its harmonic, which keeps the pitch exact; left and
right have different phases, which makes the sound wide.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft

from scripts.core.audio_format import RATE
from scripts.synth.additive import MAX_FREQUENCY
from scripts.synth.instruments import Ensemble, FormantPeaks
from scripts.synth.noise import cut_gain
from scripts.synth.spectra import formant_gain, harmonic_levels
from scripts.synth.stroke import C4

LOOP_LENGTH = 1 << 17  # samples of a loop, 3 s


@lru_cache(maxsize=48)  # about a megabyte each
def _render_loop(
    wave: str,
    peaks: FormantPeaks,
    spread: float,
    slope: float,
    frequency: float,
    cutoff: float,
    width: float,
    cuts: tuple[float, float],
) -> npt.NDArray[np.float32]:
    """Seamless loop of a tone, (1 or 2, LENGTH), low-passed at `cutoff` Hz."""
    levels = harmonic_levels(wave, frequency, min(MAX_FREQUENCY, max(cutoff * 6, frequency * 1.5)))
    k = np.arange(1, len(levels) + 1)
    f = k * frequency
    levels = levels / np.sqrt(1 + (f / cutoff) ** (2 * slope))
    levels = levels * cut_gain(f, *cuts)
    if peaks:
        levels = levels * formant_gain(f, peaks)
    sides = 2 if width else 1
    spectrum = np.zeros((sides, LOOP_LENGTH // 2 + 1), np.complex64)
    rng = np.random.default_rng(int(frequency * 100) ^ 0x5EED)
    bin_hz = RATE / LOOP_LENGTH
    for center, level in zip(f, levels, strict=True):
        sigma = max(center * (2 ** (spread / 1200) - 1), 0.7 * bin_hz)
        low, high = int((center - 3 * sigma) / bin_hz), int((center + 3 * sigma) / bin_hz) + 2
        low, high = max(low, 1), min(high, LOOP_LENGTH // 2)
        bins = np.arange(low, high) * bin_hz
        shape = np.exp(-0.5 * ((bins - center) / sigma) ** 2)
        shape *= level / np.sqrt(np.sum(shape**2))
        cycles = rng.random((2, high - low))
        cycles = cycles[0] + width * np.arange(sides)[:, None] * cycles[1]
        spectrum[:, low:high] += shape * np.exp(2j * np.pi * cycles)
    return np.asarray(
        fft.irfft(spectrum, LOOP_LENGTH, axis=1) * (0.5 * LOOP_LENGTH), dtype=np.float32
    )


def render_ensemble(
    voice: Ensemble,
    frequency: float,
    velocity: float,
    seconds: float,
    seed: int,
    width: float,
    cuts: tuple[float, float] = (0.0, 0.0),
) -> npt.NDArray[np.float32]:
    """Render a held tone by crossfading from a bright loop to a dark one.

    Parameters
    ----------
    voice : Ensemble
    frequency : float
        Hz.
    velocity : float
        0 to 1; higher is brighter at the onset.
    seconds : float
        Length; at least 0.1 s is rendered.
    seed : int
        Selects the position in the loop.
    width : float
        Stereo width, 0 (mono) to 1.
    cuts : tuple of float
        Low-cut and high-cut frequency in Hz; 0 for none.

    Returns
    -------
    (1 or 2, n) float32 array, 44,100 Hz
    """
    follow = (frequency / C4) ** voice.follow
    bright = voice.bright * follow
    dark = min(voice.dark * follow, bright)
    count = max(RATE // 10, round(seconds * RATE))
    loops = [
        _render_loop(
            voice.wave,
            voice.formants,
            voice.spread,
            voice.slope,
            frequency,
            round(c, 1),
            width,
            cuts,
        )
        for c in (dark, bright)
    ]
    t = np.arange(count, dtype=np.float32) / np.float32(RATE)
    mix = np.float32(0.25 + 0.75 * velocity) * np.exp(-t / np.float32(voice.fall))
    low, high = (_read_loop(loop, seed * 104_729 % LOOP_LENGTH, count) for loop in loops)
    return np.asarray(low + (high - low) * mix)


def _read_loop(loop: npt.NDArray[np.float32], at: int, count: int) -> npt.NDArray[np.float32]:
    """Read `count` samples of a loop from sample `at`, repeating it as needed."""
    if at + count <= LOOP_LENGTH:
        return loop[:, at : at + count]
    times = -(-(at + count) // LOOP_LENGTH)
    return np.concatenate([loop] * times, axis=1)[:, at : at + count]
