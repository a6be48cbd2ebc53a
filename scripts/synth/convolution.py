"""Streaming convolution, and impulse responses from frequency responses."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from scripts.synth.effects import Planar

FIR_TAPS = 1024  # of the impulse responses
_FFT_SIZE = 8192  # FFT size of overlap-save
_FRAMES_AT_ONCE = 4  # frames transformed at once
_CEPSTRUM_FACTOR = 8  # length of the cepstrum relative to the response, against aliasing


def response_frequencies(rate: int) -> npt.NDArray[np.float64]:
    """Frequencies in Hz at which :func:`minimum_phase` needs gains."""
    return np.asarray(np.fft.rfftfreq(FIR_TAPS * _CEPSTRUM_FACTOR, 1 / rate), np.float64)


def minimum_phase(gains: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Minimum-phase impulse response, `FIR_TAPS` long, by cepstrum (Oppenheim, Schafer).

    Parameters
    ----------
    gains : array
        Factors at :func:`response_frequencies`.
    """
    size = FIR_TAPS * _CEPSTRUM_FACTOR
    cepstrum = np.fft.irfft(np.log(gains), size)
    cepstrum[1 : size // 2] *= 2
    cepstrum[size // 2 + 1 :] = 0
    response = np.fft.irfft(np.exp(np.fft.rfft(cepstrum)), size)[:FIR_TAPS]
    response[-256:] *= np.linspace(1, 0, 256)
    return np.asarray(response, dtype=np.float32)


class Convolver:
    """Streaming FFT convolution by overlap-save in frames that fit the CPU cache.

    Parameters
    ----------
    response : (FIR_TAPS,) array
        Impulse response.
    """

    def __init__(self, response: npt.NDArray[np.float32]) -> None:
        self._spectrum = fft.rfft(response, _FFT_SIZE)
        self._history = np.zeros((2, FIR_TAPS), np.float32)
        self._padded = self._out = np.zeros((2, 0), np.float32)

    def __call__(self, block: Planar) -> Planar:
        """Filter the next (2, n) samples; the buffer returned is reused by the next call."""
        n, hop = block.shape[1], _FFT_SIZE - FIR_TAPS
        frames = -(-n // hop)
        if self._padded.shape[1] != FIR_TAPS + frames * hop:
            self._padded = np.zeros((2, FIR_TAPS + frames * hop), np.float32)
            self._out = np.empty((2, frames * hop), np.float32)
        padded, out = self._padded, self._out
        padded[:, :FIR_TAPS] = self._history
        padded[:, FIR_TAPS : FIR_TAPS + n] = block
        padded[:, FIR_TAPS + n :] = 0
        self._history = padded[:, n : n + FIR_TAPS].copy()
        cut = np.lib.stride_tricks.sliding_window_view(padded, _FFT_SIZE, axis=1)[:, ::hop]
        for at in range(0, frames, _FRAMES_AT_ONCE):  # small batches stay in the CPU cache
            spectra = fft.rfft(cut[:, at : at + _FRAMES_AT_ONCE], axis=2)
            spectra *= self._spectrum
            wet = fft.irfft(spectra, _FFT_SIZE, axis=2, overwrite_x=True)[:, :, FIR_TAPS:]
            out[:, at * hop : (at + wet.shape[1]) * hop].reshape(2, -1, hop)[:] = wet
        return out[:, :n]
