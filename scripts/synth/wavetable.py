"""Band-limited single cycles, and oscillators that play them.

A cycle is built from its harmonics below the Nyquist frequency, so it cannot alias; a pair of
cycles, dark and bright, is cross-faded in time where an analogue synth would sweep its filter.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.synth import RATE

Mono = npt.NDArray[np.float32]
SIZE = 2048
_ORGAN = {1: 1.0, 2: 0.8, 3: 0.55, 4: 0.45, 6: 0.25, 8: 0.2}
_FORMANTS = ((700.0, 110.0, 1.0), (1150.0, 120.0, 0.5), (2600.0, 180.0, 0.2))


def harmonics(wave: str, frequency: float) -> npt.NDArray[Any]:
    """Amplitudes of harmonics 1, 2, ... below 18 kHz of a wave at `frequency` Hz."""
    count = max(1, min(SIZE // 2 - 1, int(18_000 / frequency)))
    k: npt.NDArray[Any] = np.arange(1, count + 1)
    if wave == "saw":
        return np.asarray(1.0 / k)
    if wave == "square":
        return np.where(k % 2 == 1, 1.0 / k, 0.0)
    if wave == "triangle":
        return np.where(k % 2 == 1, 1.0 / k**2, 0.06 / k)
    if wave == "organ":
        return np.array([_ORGAN.get(int(n), 0.0) for n in k])
    if wave == "reed":
        return np.asarray(np.where(k % 2 == 1, 1.0, 0.55) / k**0.9)
    if wave == "piano":
        # A string struck at 1/8 of its length lacks every eighth harmonic.
        return np.asarray(np.abs(np.sin(np.pi * k / 8)) / k**1.1 + 0.02 / k)
    if wave == "voice":
        f = k * frequency
        gain = sum(a / (1 + ((f - c) / w) ** 2) for c, w, a in _FORMANTS)
        return np.asarray((0.12 + gain) / k**0.8)
    return np.where(k == 1, 1.0, 0.08 / k**2)  # sine with a trace of colour


@lru_cache(maxsize=2048)
def cycle(wave: str, frequency: float, cutoff: float) -> Mono:
    """One cycle of SIZE + 1 samples, low-passed at `cutoff` Hz, of unit RMS before the filter."""
    amplitudes = harmonics(wave, frequency)
    k = np.arange(1, len(amplitudes) + 1)
    level = 1.0 / np.sqrt(0.5 * np.sum(amplitudes**2))
    shaped = amplitudes * level / np.sqrt(1 + (k * frequency / max(cutoff, frequency)) ** 6)
    spectrum = np.zeros(SIZE // 2 + 1, dtype=np.complex128)
    # Phases that spread the energy over the cycle (Schroeder 1970) keep peaks low.
    phase = -np.pi * k * (k - 1) / len(k)
    spectrum[1:len(k) + 1] = shaped * np.exp(1j * phase) * SIZE / 2
    table = np.fft.irfft(spectrum, SIZE).astype(np.float32)
    return np.append(table, table[:1])


def oscillate(tables: tuple[Mono, Mono], phase: npt.NDArray[np.float64], mix: Mono | float
              ) -> Mono:
    """Read both cycles at `phase` (cycles, any value) and cross-fade: 0 dark, 1 bright."""
    position = (phase % 1.0) * SIZE
    index = position.astype(np.int32)
    fraction = (position - index).astype(np.float32)

    def read(table: Mono) -> Mono:
        here = table[index]
        return here + (table[index + 1] - here) * fraction

    dark, bright = tables
    if dark is bright:
        return read(dark)
    low = read(dark)
    return low + (read(bright) - low) * mix


def times(seconds: float) -> npt.NDArray[np.float64]:
    """Sample times of a note."""
    return np.arange(max(1, round(seconds * RATE))) / RATE
