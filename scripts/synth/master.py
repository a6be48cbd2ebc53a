"""Master bus: a glue compressor, then a lookahead limiter."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from scripts.core.audio_format import RATE
from scripts.synth.effects import Planar
from scripts.synth.loudness import true_peaks

Curve = npt.NDArray[np.float32]  # (n,), gain per sample
STEP = 128  # samples between two gain values, 3 ms
LOOK = 2  # lookahead of the limiter in steps
_BEFORE, _AFTER = 3, 4  # samples of context that the peak meter needs


def _share(seconds: float) -> float:
    """Coefficient per step of a one-pole smoother with this time constant."""
    return 1 - math.exp(-STEP / RATE / seconds)


_ATTACK, _RELEASE, _RECOVERY = _share(0.012), _share(0.16), _share(0.12)


class Master:
    """Gain, bus compressor and limiter for stereo blocks.

    Parameters
    ----------
    gain : float
        Factor before the compressor.
    ceiling : float
        Limit of all peaks in dBTP.
    threshold : float
        RMS level in dBFS above which the compressor works, at 2:1 with a knee of 6 dB.

    Notes
    -----
    Compressor and limiter only multiply by a gain curve, so the same curve applied to each track
    gives stems that add up to the mix. Gains are set at the boundaries of steps and interpolated
    linearly; the gain at a boundary never exceeds what the steps on both sides allow.
    """

    def __init__(self, gain: float, ceiling: float = -2.0, threshold: float = -17.0) -> None:
        self._gain = np.float32(gain)
        self._ceiling, self._threshold = 10 ** (ceiling / 20), threshold
        # Silent steps in front give the limiter lookahead before the first sound.
        self._skip = STEP * (LOOK + 1)  # samples of them still to be dropped
        self._sound = np.zeros((2, self._skip + _BEFORE), np.float32)
        self._memory = np.empty((2, 0), np.float32)
        self._measured = 0  # steps of the pending sound that have been measured
        self._needs: list[float] = []
        self._squeezes = [1.0]  # compressor gain at the boundaries of the measured steps
        self._reduction = 0.0  # dB
        self._bound = 1.0  # limiter gain before smoothing
        self._smooth = [1.0] * LOOK
        self._limits = [1.0]  # limiter gain at the boundaries of the pending sound

    def __call__(self, block: Planar) -> tuple[Planar, Curve]:
        """Process a (2, n) block of any length.

        Returns
        -------
        tuple of ((2, m) array, (m,) array)
            Finished sound, delayed by about ten milliseconds, and the gain applied to it;
            :meth:`flush` returns the rest.
        """
        self._take(block)
        steps = (self._sound.shape[1] - _BEFORE - _AFTER) // STEP
        if steps > self._measured:
            self._measure(steps)
        self._ride()
        return self._emit()

    def flush(self) -> tuple[Planar, Curve]:
        """Return the pending sound and its gain, followed by some silence."""
        return self(np.zeros((2, STEP * (LOOK + 2) + _AFTER), np.float32))

    def _take(self, block: Planar) -> None:
        """Append a block to the pending sound in a reused buffer."""
        held = self._sound.shape[1]
        need = held + block.shape[1]
        if self._memory.shape[1] < need:
            self._memory = np.empty((2, need + STEP), np.float32)
        self._memory[:, :held] = self._sound.copy()  # it may be a view of the same memory
        np.multiply(block, self._gain, out=self._memory[:, held:need])
        self._sound = self._memory[:, :need]

    def _measure(self, steps: int) -> None:
        """Compute the compressor gain and the gain the limiter requires for the new steps."""
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
        """Compute the limiter gain at boundaries whose lookahead is complete."""
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
        """Return the steps whose gain is final and remove them from the pending sound."""
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
