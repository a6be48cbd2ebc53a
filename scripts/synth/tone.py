"""The tone of a mix: a gentle equaliser with a knob for each octave, and plain cuts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from scripts.core.audio_format import RATE

OCTAVES = np.array([31.5, 63, 125, 250, 500, 1000, 2000, 4000, 8000, 16_000])
# Level of each octave in mastered music, dB: the mean of popular recordings falls by about 5 dB
# an octave in power density from 100 Hz to 4 kHz and faster above (Pestana et al., "Spectral
# Characteristics of Popular Commercial Recordings 1950-2010", AES 135, 2013); an octave holds 3 dB
# more than the one below it.
MASTERED = np.array([-10.0, -1.5, 0.0, -2.0, -4.0, -6.0, -8.0, -10.5, -14.5, -21.0])
_WEIGHTS = np.array([0.0, 1, 1, 1, 1, 1, 1, 1, 1, 0.3])
_LEFT = 2.0  # dB from the reference that are left to the style
_CUT, _BOOST = -10.0, 9.0
_TURNS = 5
_FINE = 3  # bands in an octave
BANDS = (OCTAVES[:, None] * 2 ** ((np.arange(_FINE) - (_FINE - 1) / 2) / _FINE)).reshape(-1)
TAPS = 1024
_FRAME = 8192
_BATCH = 4


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
        cepstrum[1 : size // 2] *= 2
        cepstrum[size // 2 + 1 :] = 0
        response = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)), size)[:TAPS]
        response[-256:] *= np.linspace(1, 0, 256)
        return np.asarray(response, dtype=np.float32)


class Equaliser:
    """A tone for sound that comes in blocks, by overlap-save in frames that fit the cache.

    Parameters
    ----------
    tone : Tone
    """

    def __init__(self, tone: Tone) -> None:
        self._spectrum = None if tone.is_flat else fft.rfft(tone.response, _FRAME)
        self._before = np.zeros((2, TAPS), np.float32)
        self._padded = self._out = np.zeros((2, 0), np.float32)

    def __call__(self, block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The next (2, n) samples; they are good until the next call."""
        if self._spectrum is None:
            return block
        n, hop = block.shape[1], _FRAME - TAPS
        frames = -(-n // hop)
        if self._padded.shape[1] != TAPS + frames * hop:
            self._padded = np.zeros((2, TAPS + frames * hop), np.float32)
            self._out = np.empty((2, frames * hop), np.float32)
        padded, out = self._padded, self._out
        padded[:, :TAPS] = self._before
        padded[:, TAPS : TAPS + n] = block
        padded[:, TAPS + n :] = 0
        self._before = padded[:, n : n + TAPS].copy()
        cut = np.lib.stride_tricks.sliding_window_view(padded, _FRAME, axis=1)[:, ::hop]
        for at in range(0, frames, _BATCH):  # few at a time stay in the cache
            spectra = fft.rfft(cut[:, at : at + _BATCH], axis=2)
            spectra *= self._spectrum
            wet = fft.irfft(spectra, _FRAME, axis=2, overwrite_x=True)[:, :, TAPS:]
            out[:, at * hop : (at + wet.shape[1]) * hop].reshape(2, -1, hop)[:] = wet
        return out[:, :n]


def bands(sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Power of (2, n) audio in each of :data:`BANDS`."""
    size = fft.next_fast_len(sound.shape[1], real=True)
    spectrum = np.abs(fft.rfft(sound, size, axis=1)) ** 2
    edges = np.searchsorted(
        np.arange(spectrum.shape[1]) * (RATE / size),
        np.append(BANDS * 2 ** (-0.5 / _FINE), BANDS[-1] * 2 ** (0.5 / _FINE)),
    )
    total = np.concatenate(([0.0], np.cumsum(spectrum.sum(axis=0, dtype=np.float64))))
    return np.asarray((total[edges[1:]] - total[edges[:-1]]) / sound.shape[1])


def balanced(power: npt.NDArray[np.float64]) -> Tone:
    """The tone that brings `power` in the bands near to that of mastered music.

    The knobs overlap, so they are turned again until the octaves come out right.
    """
    gains = np.zeros(len(OCTAVES))
    for _ in range(_TURNS):
        heard = power * Tone(tuple(gains)).at(BANDS) ** 2
        octaves = heard.reshape(len(OCTAVES), _FINE).sum(axis=1)
        level = 10 * np.log10(np.maximum(octaves, 1e-12 * octaves.max()))
        away = level - MASTERED
        away = away - np.average(away, weights=_WEIGHTS)
        gains -= np.sign(away) * np.maximum(np.abs(away) - _LEFT, 0)
        gains = np.clip(gains, _CUT, _BOOST)
        gains[0] = min(gains[0], 0.0)  # nothing is gained by more rumble
    return Tone(tuple(np.round(gains, 1).tolist()))
