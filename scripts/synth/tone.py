"""The tone of a mix: a gentle equaliser with a knob for each octave, and plain cuts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from scripts.synth import RATE

OCTAVES = np.array([31.5, 63, 125, 250, 500, 1000, 2000, 4000, 8000, 16_000])
# Level of each octave in mastered music, dB: the mean of popular recordings falls by about 5 dB
# an octave in power density from 100 Hz to 4 kHz and faster above (Pestana et al., "Spectral
# Characteristics of Popular Commercial Recordings 1950-2010", AES 135, 2013); an octave holds 3 dB
# more than the one below it.
MASTERED = np.array([-10.0, -1.5, 0.0, -2.0, -4.0, -6.0, -8.0, -10.5, -14.5, -21.0])
_FLAT = 2.5  # dB from the reference that are left to the style
_CUT, _BOOST = -9.0, 8.0
TAPS = 1024


@dataclass(frozen=True)
class Tone:
    """An equaliser.

    Parameters
    ----------
    gains : tuple of float
        dB at :data:`OCTAVES`; straight lines between them over the octaves.
    """

    gains: tuple[float, ...] = (0.0,) * len(OCTAVES)

    @property
    def is_flat(self) -> bool:
        return not any(self.gains)

    def at(self, frequencies: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Factors at `frequencies` in Hz."""
        place = np.log2(np.maximum(frequencies, 10.0))
        return np.asarray(10 ** (np.interp(place, np.log2(OCTAVES), self.gains) / 20))

    @cached_property
    def response(self) -> npt.NDArray[np.float32]:
        """Minimum-phase impulse response, by way of the cepstrum (Oppenheim and Schafer)."""
        size = TAPS * 8
        gain = np.log(self.at(np.fft.rfftfreq(size, 1 / RATE)))
        cepstrum = np.fft.irfft(gain, size)
        cepstrum[1:size // 2] *= 2
        cepstrum[size // 2 + 1:] = 0
        response = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)), size)[:TAPS]
        response[-256:] *= np.linspace(1, 0, 256)
        return np.asarray(response, dtype=np.float32)


class Equaliser:
    """A tone for sound that comes in blocks.

    Parameters
    ----------
    tone : Tone
    """

    def __init__(self, tone: Tone) -> None:
        self._response = None if tone.is_flat else tone.response
        self._spectra: dict[int, npt.NDArray[np.complex64]] = {}
        self._rest = np.zeros((2, TAPS), np.float32)

    def __call__(self, block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The next (2, n) samples, at least 1,024 of them but for the last."""
        if self._response is None:
            return block
        n = block.shape[1]
        size = fft.next_fast_len(n + TAPS, real=True)
        if size not in self._spectra:
            self._spectra = {size: fft.rfft(self._response, size)}
        wet = fft.irfft(fft.rfft(block, size, axis=1) * self._spectra[size], size, axis=1)
        out = wet[:, :n]
        out[:, :TAPS] += self._rest[:, :n]
        rest = wet[:, n:n + TAPS]
        if n < TAPS:
            rest[:, :TAPS - n] += self._rest[:, n:]
        self._rest = np.array(rest)
        return np.asarray(out)


def octave_levels(sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Power in each octave of (2, n) audio."""
    n = sound.shape[1]
    spectrum = np.abs(fft.rfft(sound, fft.next_fast_len(n, real=True), axis=1)) ** 2
    f = np.arange(spectrum.shape[1]) * (RATE / fft.next_fast_len(n, real=True))
    edges = np.searchsorted(f, np.append(OCTAVES / 2**0.5, OCTAVES[-1] * 2**0.5))
    total = np.concatenate(([0.0], np.cumsum(spectrum.sum(axis=0, dtype=np.float64))))
    return np.asarray((total[edges[1:]] - total[edges[:-1]]) / n)


def balanced(power: npt.NDArray[np.float64]) -> Tone:
    """The tone that brings octaves of `power` near to those of mastered music."""
    level = 10 * np.log10(np.maximum(power, 1e-12 * power.max()))
    weights = np.array([0.3, 1, 1, 1, 1, 1, 1, 1, 0.7, 0.2])
    away = level - MASTERED
    away = away - np.average(away, weights=weights)
    gains = -np.sign(away) * np.maximum(np.abs(away) - _FLAT, 0)
    gains[0] = min(gains[0], 0.0)  # nothing is gained by more rumble
    return Tone(tuple(np.round(np.clip(gains, _CUT, _BOOST), 1).tolist()))
