"""Streaming effects: reverb, delay and binaural tones, block by block."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import fft

from scripts.core.audio_format import RATE
from scripts.synth.additive import Mono
from scripts.synth.noise import cut_highs, cut_lows

Planar = npt.NDArray[np.float32]  # (2, n)


def widen(sound: Planar, sides: float) -> Planar:
    """Multiply the difference between left and right of (2, n) audio by `sides`, in place."""
    if sides != 1.0:
        extra = (sound[0] - sound[1]) * np.float32((sides - 1) / 2)
        sound[0] += extra
        sound[1] -= extra
    return sound


@lru_cache(maxsize=8)
def impulse_response(seconds: float, seed: int = 5) -> Planar:
    """Synthesize a room's impulse response: early reflections, then decaying noise (Moorer 1979).

    High frequencies decay faster than low ones.

    Parameters
    ----------
    seconds : float
        Reverberation time (RT60) in the middle of the spectrum.
    seed : int
        Selects the noise and the reflections.

    Returns
    -------
    (2, n) float32 array at half the sample rate, of unit energy per channel
    """
    rate = RATE // 2
    n = int(seconds * 0.9 * rate)  # down by 54 dB; the last tenth is faded out
    t = np.arange(n, dtype=np.float32) / np.float32(rate)
    rng = np.random.default_rng(seed)
    white = rng.standard_normal((2, n)).astype(np.float32)
    # The filters assume the full sample rate, so cutoffs are doubled at half the rate.
    low = cut_highs(white, 1400.0 * 2) * np.exp(-6.9 * t / seconds)
    high = cut_lows(white, 1400.0 * 2) * np.exp(-6.9 * t / (seconds * 0.55))
    tail = cut_lows(cut_highs(low + high, 6500.0 * 2), 170.0 * 2)
    gap = int(0.018 * rate)
    tail[:, :gap] = 0.0
    tail[:, gap : 4 * gap] *= np.linspace(0.2, 1, 3 * gap, dtype=np.float32)
    tail[:, n - n // 10 :] *= np.linspace(1, 0, n // 10, dtype=np.float32)
    tail /= np.sqrt((tail**2).sum(axis=1, keepdims=True))
    for _ in range(7):  # early reflections
        at = int(rng.uniform(0.006, 0.045) * rate)
        tail[int(rng.integers(2)), at] += 0.22 * float(rng.choice((-1, 1)))
    return np.asarray(tail / np.sqrt((tail**2).sum(axis=1, keepdims=True)), dtype=np.float32)


class Reverb:
    """Convolution reverb, run at half the sample rate because its response has no highs.

    Blocks must have an even number of samples, except the last.

    Parameters
    ----------
    seconds : float
        Reverberation time (RT60).
    seed : int
        As for :func:`impulse_response`.
    """

    def __init__(self, seconds: float = 1.9, seed: int = 5) -> None:
        self._response = impulse_response(seconds, seed)
        self._spectra: dict[int, npt.NDArray[np.complex64]] = {}
        self._overlap = np.zeros((2, self._response.shape[1]), np.float32)
        self._history = np.zeros(6, np.float32)
        self._last_sample = np.zeros((2, 1), np.float32)
        self._product = np.zeros((2, 0), np.complex64)
        self._out = np.zeros((2, 0), np.float32)

    def __call__(self, send: Mono) -> Planar:
        """Return the wet signal, (2, n), of a mono block; the buffer is reused by the next call."""
        n = len(send)
        # Downsample: a seven-tap half-band filter, then every other sample is dropped.
        padded = np.concatenate((self._history, send, np.zeros(n % 2, np.float32)))
        self._history = padded[-6:].copy()
        even, odd = padded[0::2], padded[1::2]
        half = (
            np.float32(0.5) * odd[1:-2]
            + np.float32(0.28) * (even[1:-2] + even[2:-1])
            - np.float32(0.03) * (even[:-3] + even[3:])
        )
        m = len(half)
        size = fft.next_fast_len(m + self._response.shape[1], real=True)
        if size not in self._spectra:
            self._spectra = {size: fft.rfft(self._response, size, axis=1)}
            self._product = np.empty_like(self._spectra[size])
            self._out = np.empty((2, 2 * m + 2), np.float32)
        np.multiply(self._spectra[size], fft.rfft(half, size), out=self._product)
        wet = fft.irfft(self._product, size, axis=1, overwrite_x=True)
        keep = self._overlap.shape[1]
        wet[:, :keep] += self._overlap
        self._overlap = np.array(wet[:, m : m + keep])
        # Upsample: the samples in between are means of their neighbors.
        out = self._out
        out[:, 1:2] = self._last_sample
        out[:, 3 : 2 * m + 2 : 2] = wet[:, :m]
        np.add(out[:, 1 : 2 * m : 2], out[:, 3 : 2 * m + 2 : 2], out=out[:, 2 : 2 * m + 1 : 2])
        out[:, 2 : 2 * m + 1 : 2] *= np.float32(0.5)
        self._last_sample = wet[:, m - 1 : m].copy()
        return out[:, 2 : n + 2]


class BinauralBeats:
    """Generator of binaural beats: one sine for each ear, a few hertz apart.

    Parameters
    ----------
    beat : float
        Difference of the frequencies in Hz.
    carrier : float
        Mean of the frequencies in Hz.
    level : float
        Amplitude.
    start : int
        Song position of the first sample.
    """

    def __init__(self, beat: float, carrier: float, level: float, start: int) -> None:
        self._cycles_per_sample = np.array([[carrier - beat / 2], [carrier + beat / 2]]) / RATE
        self._level, self._position = np.float32(level), start

    def __call__(self, count: int) -> Planar:
        """Return the next (2, `count`) samples."""
        turns = self._cycles_per_sample * np.arange(self._position, self._position + count)
        self._position += count
        return np.asarray(np.sin(2 * np.pi * np.mod(turns, 1)), dtype=np.float32) * self._level


class Delay:
    """Stereo ping-pong delay.

    Parameters
    ----------
    seconds : float
        Time between echoes.
    feedback : float
        Gain from one echo to the next, 0 to below 1.
    """

    def __init__(self, seconds: float, feedback: float = 0.36) -> None:
        self._delay_line = np.zeros((2, max(64, int(seconds * RATE))), np.float32)
        self._feedback = np.float32(feedback)

    def __call__(self, send: Mono) -> Planar:
        """Return the wet signal, (2, n), of a mono block."""
        out = np.empty((2, len(send)), np.float32)
        size, at = self._delay_line.shape[1], 0
        while at < len(send):
            n = min(size, len(send) - at)
            echo = self._delay_line[:, :n]
            out[:, at : at + n] = echo
            fed = echo[::-1] * self._feedback
            fed[0] += send[at : at + n]
            self._delay_line = np.concatenate((self._delay_line[:, n:], fed), axis=1)
            at += n
        return out
