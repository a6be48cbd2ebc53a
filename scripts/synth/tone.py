"""Octave-band equalizer of the mix, and its automatic setting."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from scripts.core.audio_format import RATE

OCTAVES = np.array([31.5, 63, 125, 250, 500, 1000, 2000, 4000, 8000, 16_000])  # Hz
# Level of each octave in mastered music, dB: on average the power density of popular recordings
# falls by about 5 dB per octave from 100 Hz to 4 kHz and faster above (Pestana et al., "Spectral
# Characteristics of Popular Commercial Recordings 1950-2010", AES 135, 2013); an octave band is
# twice as wide as the one below it, which adds 3 dB.
MASTERED = np.array([-10.0, -1.5, 0.0, -2.0, -4.0, -6.0, -8.0, -10.5, -14.5, -21.0])
_WEIGHTS = np.array([0.0, 1, 1, 1, 1, 1, 1, 1, 1, 0.3])
_LEFT = 2.0  # dB by which the style may differ from the reference
_CUT, _BOOST = -10.0, 9.0  # limits of a gain in dB
_TURNS = 5  # iterations of the fit
_FINE = 3  # bands per octave
BANDS = (OCTAVES[:, None] * 2 ** ((np.arange(_FINE) - (_FINE - 1) / 2) / _FINE)).reshape(-1)
TAPS = 1024  # of the impulse response
_FRAME = 8192  # FFT size of overlap-save
_BATCH = 4  # frames transformed at once


@dataclass(frozen=True)
class Tone:
    """Equalizer curve with a gain for each octave.

    Parameters
    ----------
    gains : tuple of float
        dB at :data:`OCTAVES`, interpolated linearly over log frequency.
    """

    gains: tuple[float, ...] = (0.0,) * len(OCTAVES)

    @property
    def is_flat(self) -> bool:
        return not any(self.gains)

    def at(self, frequencies: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Gain factors at `frequencies` in Hz."""
        place = np.log2(np.maximum(frequencies, 10.0))
        return np.asarray(10 ** (np.interp(place, np.log2(OCTAVES), self.gains) / 20))

    @cached_property
    def response(self) -> npt.NDArray[np.float32]:
        """Minimum-phase impulse response of `TAPS` taps, by cepstrum (Oppenheim and Schafer)."""
        size = TAPS * 8
        gain = np.log(self.at(np.fft.rfftfreq(size, 1 / RATE)))
        cepstrum = np.fft.irfft(gain, size)
        cepstrum[1 : size // 2] *= 2
        cepstrum[size // 2 + 1 :] = 0
        response = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)), size)[:TAPS]
        response[-256:] *= np.linspace(1, 0, 256)
        return np.asarray(response, dtype=np.float32)


class Equaliser:
    """Streaming equalizer: FFT convolution by overlap-save in frames that fit the CPU cache.

    Parameters
    ----------
    tone : Tone
        Equalizer curve to apply.
    """

    def __init__(self, tone: Tone) -> None:
        self._spectrum = None if tone.is_flat else fft.rfft(tone.response, _FRAME)
        self._before = np.zeros((2, TAPS), np.float32)
        self._padded = self._out = np.zeros((2, 0), np.float32)

    def __call__(self, block: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Filter the next (2, n) samples; the buffer returned is reused by the next call."""
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
        for at in range(0, frames, _BATCH):  # small batches stay in the CPU cache
            spectra = fft.rfft(cut[:, at : at + _BATCH], axis=2)
            spectra *= self._spectrum
            wet = fft.irfft(spectra, _FRAME, axis=2, overwrite_x=True)[:, :, TAPS:]
            out[:, at * hop : (at + wet.shape[1]) * hop].reshape(2, -1, hop)[:] = wet
        return out[:, :n]


def bands(sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Power per sample of (2, n) audio in each of :data:`BANDS`, channels summed."""
    size = fft.next_fast_len(sound.shape[1], real=True)
    spectrum = np.abs(fft.rfft(sound, size, axis=1)) ** 2
    edges = np.searchsorted(
        np.arange(spectrum.shape[1]) * (RATE / size),
        np.append(BANDS * 2 ** (-0.5 / _FINE), BANDS[-1] * 2 ** (0.5 / _FINE)),
    )
    total = np.concatenate(([0.0], np.cumsum(spectrum.sum(axis=0, dtype=np.float64))))
    return np.asarray((total[edges[1:]] - total[edges[:-1]]) / sound.shape[1])


def balanced(power: npt.NDArray[np.float64]) -> Tone:
    """Fit an equalizer curve that brings a spectrum close to that of mastered music.

    The bands overlap, so the gains are adjusted iteratively.

    Parameters
    ----------
    power : (len(BANDS),) array
        As from :func:`bands`.
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
        gains[0] = min(gains[0], 0.0)  # never boost rumble
    return Tone(tuple(np.round(gains, 1).tolist()))
