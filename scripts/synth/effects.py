"""Effects that work block by block and remember where they were."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, oaconvolve, sosfilt

from scripts.synth import RATE

Stereo = npt.NDArray[np.float32]  # (n, 2)


class Reverb:
    """Convolution with a decaying noise tail (Moorer 1979): a medium hall.

    Parameters
    ----------
    seconds : float
        Time to fall by 60 dB.
    """

    def __init__(self, seconds: float = 1.9, seed: int = 5) -> None:
        n = int(seconds * RATE)
        t = np.arange(n) / RATE
        rng = np.random.default_rng(seed)
        noise = rng.standard_normal((n, 2))
        noise = sosfilt(butter(1, [220, 5200], "bandpass", fs=RATE, output="sos"), noise, axis=0)
        tail = noise * (10 ** (-3 * t / seconds))[:, None]
        tail[:int(0.012 * RATE)] *= 0.15  # a short gap before the room answers
        self._tail = (tail / np.sqrt((tail**2).sum(axis=0))).astype(np.float32)
        self._rest = np.zeros((n - 1, 2), np.float32)

    def __call__(self, send: npt.NDArray[np.float32]) -> Stereo:
        """Wet signal of a mono block."""
        n = len(send)
        wet = np.stack([oaconvolve(send, self._tail[:, c]) for c in (0, 1)], axis=1)
        keep = len(self._rest)
        wet[:keep] += self._rest[:len(wet)]
        self._rest = wet[n:n + keep].astype(np.float32)
        return wet[:n].astype(np.float32)


class Delay:
    """A ping-pong echo.

    Parameters
    ----------
    seconds : float
        Between echoes.
    feedback : float
        0 to below 1.
    """

    def __init__(self, seconds: float, feedback: float = 0.38) -> None:
        self._line = np.zeros((max(64, int(seconds * RATE)), 2), np.float32)
        self._feedback = np.float32(feedback)

    def __call__(self, send: npt.NDArray[np.float32]) -> Stereo:
        """Wet signal of a mono block."""
        out = np.empty((len(send), 2), np.float32)
        size, at = len(self._line), 0
        while at < len(send):
            n = min(size, len(send) - at)
            echo = self._line[:n].copy()
            out[at:at + n] = echo
            fed = echo[:, ::-1] * self._feedback
            fed[:, 0] += send[at:at + n]
            self._line = np.concatenate((self._line[n:], fed))
            at += n
        return out


class HighPass:
    """Takes out DC and rumble below `cutoff` Hz."""

    def __init__(self, cutoff: float = 24.0) -> None:
        self._sos = butter(2, cutoff, "highpass", fs=RATE, output="sos")
        self._state = np.zeros((self._sos.shape[0], 2, 2))

    def __call__(self, block: Stereo) -> Stereo:
        out, self._state = sosfilt(self._sos, block, axis=0, zi=self._state)
        return np.asarray(out, dtype=np.float32)


def soft_limit(block: Stereo, ceiling: float = 0.89) -> Stereo:
    """Bend peaks towards `ceiling` (0 to 1); below two thirds of it nothing is changed."""
    knee = np.float32(ceiling * 0.66)
    room = np.float32(ceiling) - knee
    size = np.abs(block)
    over = np.maximum(size - knee, 0)
    return np.where(size > knee, np.sign(block) * (knee + room * np.tanh(over / room)), block)
