"""The master bus: a compressor that glues, then a limiter that looks ahead."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from scripts.core.audio_format import RATE
from scripts.synth.effects import Planar
from scripts.synth.loudness import true_peaks

Curve = npt.NDArray[np.float32]  # (n,), the gain of each sample
STEP = 128  # samples between two values of gain, 3 ms
LOOK = 2  # steps that the limiter looks ahead
_BEFORE, _AFTER = 3, 4  # samples of the neighbours that the peak meter needs


def _share(seconds: float) -> float:
    """Part of the way that a one-pole smoother goes in one step."""
    return 1 - math.exp(-STEP / RATE / seconds)


_ATTACK, _RELEASE, _RECOVERY = _share(0.012), _share(0.16), _share(0.12)


class Master:
    """Gain, bus compression and limiting of stereo blocks.

    Parameters
    ----------
    gain : float
        Before the compressor, as a factor.
    ceiling : float
        dBTP that no peak passes.
    threshold : float
        dBFS of RMS from which the compressor works, at 2:1 over a knee of 6 dB.

    Notes
    -----
    Both work by a gain that moves and never bend the wave, so the same curve applied to each
    track gives stems that add up to the mix. Gains are set at the steps' boundaries and run
    straight between; a boundary's gain is at most what the steps on both sides can bear.
    """

    def __init__(self, gain: float, ceiling: float = -2.0, threshold: float = -17.0) -> None:
        self._gain = np.float32(gain)
        self._ceiling, self._threshold = 10 ** (ceiling / 20), threshold
        # Silent steps in front, so that the gain can be down in time for the first sound.
        self._skip = STEP * (LOOK + 1)  # samples of them that are still to be left out
        self._sound = np.zeros((2, self._skip + _BEFORE), np.float32)
        self._memory = np.empty((2, 0), np.float32)
        self._measured = 0  # steps of the sound that have their peak
        self._needs: list[float] = []
        self._squeezes = [1.0]  # compressor's gain at the boundaries of the measured steps
        self._reduction = 0.0  # dB
        self._bound = 1.0  # limiter's gain before smoothing
        self._smooth = [1.0] * LOOK
        self._limits = [1.0]  # limiter's gain at the first boundary of what is held

    def __call__(self, block: Planar) -> tuple[Planar, Curve]:
        """The next of the finished sound, and the gain it was given.

        Sound comes out about ten milliseconds late; :meth:`flush` gives the rest.
        """
        self._take(block)
        steps = (self._sound.shape[1] - _BEFORE - _AFTER) // STEP
        if steps > self._measured:
            self._measure(steps)
        self._ride()
        return self._emit()

    def flush(self) -> tuple[Planar, Curve]:
        """What is still held, and some silence behind it."""
        return self(np.zeros((2, STEP * (LOOK + 2) + _AFTER), np.float32))

    def _take(self, block: Planar) -> None:
        """Put a block behind what is held, in memory that is used again and again."""
        held = self._sound.shape[1]
        need = held + block.shape[1]
        if self._memory.shape[1] < need:
            self._memory = np.empty((2, need + STEP), np.float32)
        self._memory[:, :held] = self._sound.copy()  # it may lie in the same memory
        np.multiply(block, self._gain, out=self._memory[:, held:need])
        self._sound = self._memory[:, :need]

    def _measure(self, steps: int) -> None:
        """Find what the compressor and the limiter ask for in the new steps."""
        fresh = self._sound[:, self._measured * STEP : steps * STEP + _BEFORE + _AFTER]
        inside = fresh[:, _BEFORE:-_AFTER]
        rows = inside.reshape(2, -1, STEP)
        power = np.einsum("ijk,ijk->j", rows, rows) / (2 * STEP)
        over = 10 * np.log10(np.maximum(power, 1e-10)) - self._threshold
        wishes = np.clip(over + 3, 0, 6) ** 2 / 24 + np.maximum(over - 3, 0) / 2
        reduction, ridden = self._reduction, []
        for wish in wishes.tolist():
            reduction += (wish - reduction) * (_ATTACK if wish > reduction else _RELEASE)
            ridden.append(reduction)
        self._reduction = reduction
        squeezes = 10 ** (np.array([-20 * math.log10(self._squeezes[-1]), *ridden]) / -20)
        peaks = true_peaks(fresh, STEP) * np.maximum(squeezes[:-1], squeezes[1:])
        self._needs += np.minimum(1.0, self._ceiling / np.maximum(peaks, 1e-9)).tolist()
        self._squeezes += squeezes[1:].tolist()
        self._measured = steps

    def _ride(self) -> None:
        """Work out the limiter's gain at the boundaries whose future is known."""
        known = len(self._needs) - LOOK
        done = len(self._limits) - 1
        if known <= done:
            return
        needs = np.array(self._needs[done:])
        least = np.lib.stride_tricks.sliding_window_view(needs, LOOK + 1).min(axis=1)
        bound, bounds = self._bound, []
        for wish in least.tolist():
            bound = min(wish, bound + (1 - bound) * _RECOVERY)
            bounds.append(bound)
        self._bound = bound
        history = self._smooth[1:] + bounds
        self._limits += np.convolve(history, np.full(LOOK, 1 / LOOK), "valid").tolist()
        self._smooth = history[-LOOK:]

    def _emit(self) -> tuple[Planar, Curve]:
        ready = len(self._limits) - 1
        ramp = np.linspace(0, 1, STEP, endpoint=False, dtype=np.float32)
        gains = []
        for values in (self._limits, self._squeezes[: ready + 1]):
            edge = np.array(values, np.float32)
            gain = np.multiply(np.diff(edge)[:, None], ramp)
            gain += edge[:-1, None]
            gains.append(gain.reshape(-1))
        curve, squeeze = gains
        curve *= squeeze
        out = self._sound[:, _BEFORE : _BEFORE + ready * STEP] * curve
        curve *= self._gain
        self._sound = self._sound[:, ready * STEP :]
        self._measured -= ready
        self._needs, self._limits = self._needs[ready:], self._limits[ready:]
        self._squeezes = self._squeezes[ready:]
        skip, self._skip = min(self._skip, out.shape[1]), max(0, self._skip - out.shape[1])
        return out[:, skip:], curve[skip:]
