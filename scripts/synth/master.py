"""Master bus: a glue compressor, then a lookahead limiter."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from scripts.core.audio_format import RATE
from scripts.synth.effects import Planar
from scripts.synth.loudness import true_peaks

GainCurve = npt.NDArray[np.float32]  # (n,), gain per sample
STEP_SAMPLES = 128  # samples between two gain values, 3 ms
LOOKAHEAD_STEPS = 2  # lookahead of the limiter in steps
_CONTEXT_BEFORE, _CONTEXT_AFTER = 3, 4  # samples of context that the peak meter needs


def _smoothing_coefficient(seconds: float) -> float:
    """Coefficient per step of a one-pole smoother with this time constant."""
    return 1 - math.exp(-STEP_SAMPLES / RATE / seconds)


_ATTACK, _RELEASE, _LIMITER_RELEASE = (
    _smoothing_coefficient(0.012),
    _smoothing_coefficient(0.16),
    _smoothing_coefficient(0.12),
)


class MasterBus:
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
        self._skip = STEP_SAMPLES * (LOOKAHEAD_STEPS + 1)  # samples of them still to be dropped
        self._pending = np.zeros((2, self._skip + _CONTEXT_BEFORE), np.float32)
        self._buffer = np.empty((2, 0), np.float32)
        self._measured = 0  # steps of the pending sound that have been measured
        self._required_gains: list[float] = []
        self._compressor_gains = [1.0]  # compressor gain at the boundaries of the measured steps
        self._reduction = 0.0  # dB
        self._limiter_gain = 1.0  # limiter gain before smoothing
        self._limiter_history = [1.0] * LOOKAHEAD_STEPS
        self._limiter_gains = [1.0]  # limiter gain at the boundaries of the pending sound

    def __call__(self, block: Planar) -> tuple[Planar, GainCurve]:
        """Process a (2, n) block of any length.

        Returns
        -------
        tuple of ((2, m) array, (m,) array)
            Finished sound, delayed by about ten milliseconds, and the gain applied to it;
            :meth:`flush` returns the rest.
        """
        self._append(block)
        steps = (self._pending.shape[1] - _CONTEXT_BEFORE - _CONTEXT_AFTER) // STEP_SAMPLES
        if steps > self._measured:
            self._measure(steps)
        self._update_limiter()
        return self._read_finished()

    def flush(self) -> tuple[Planar, GainCurve]:
        """Return the pending sound and its gain, followed by some silence."""
        return self(
            np.zeros((2, STEP_SAMPLES * (LOOKAHEAD_STEPS + 2) + _CONTEXT_AFTER), np.float32)
        )

    def _append(self, block: Planar) -> None:
        """Append a block to the pending sound in a reused buffer."""
        pending = self._pending.shape[1]
        need = pending + block.shape[1]
        if self._buffer.shape[1] < need:
            self._buffer = np.empty((2, need + STEP_SAMPLES), np.float32)
        self._buffer[:, :pending] = self._pending.copy()  # it may be a view of the same memory
        np.multiply(block, self._gain, out=self._buffer[:, pending:need])
        self._pending = self._buffer[:, :need]

    def _measure(self, steps: int) -> None:
        """Compute the compressor gain and the gain the limiter requires for the new steps."""
        new = self._pending[
            :,
            self._measured * STEP_SAMPLES : steps * STEP_SAMPLES + _CONTEXT_BEFORE + _CONTEXT_AFTER,
        ]
        inside = new[:, _CONTEXT_BEFORE:-_CONTEXT_AFTER]
        rows = inside.reshape(2, -1, STEP_SAMPLES)
        power = np.einsum("ijk,ijk->j", rows, rows) / (2 * STEP_SAMPLES)
        over = 10 * np.log10(np.maximum(power, 1e-10)) - self._threshold
        targets = np.clip(over + 3, 0, 6) ** 2 / 24 + np.maximum(over - 3, 0) / 2
        reduction, reductions = self._reduction, []
        for target in targets.tolist():
            reduction += (target - reduction) * (_ATTACK if target > reduction else _RELEASE)
            reductions.append(reduction)
        self._reduction = reduction
        gains = 10 ** (np.array([-20 * math.log10(self._compressor_gains[-1]), *reductions]) / -20)
        peaks = true_peaks(new, STEP_SAMPLES) * np.maximum(gains[:-1], gains[1:])
        self._required_gains += np.minimum(1.0, self._ceiling / np.maximum(peaks, 1e-9)).tolist()
        self._compressor_gains += gains[1:].tolist()
        self._measured = steps

    def _update_limiter(self) -> None:
        """Compute the limiter gain at boundaries whose lookahead is complete."""
        known = len(self._required_gains) - LOOKAHEAD_STEPS
        done = len(self._limiter_gains) - 1
        if known <= done:
            return
        required = np.array(self._required_gains[done:])
        least = np.lib.stride_tricks.sliding_window_view(required, LOOKAHEAD_STEPS + 1).min(axis=1)
        bound, bounds = self._limiter_gain, []
        for required_gain in least.tolist():
            bound = min(required_gain, bound + (1 - bound) * _LIMITER_RELEASE)
            bounds.append(bound)
        self._limiter_gain = bound
        history = self._limiter_history[1:] + bounds
        self._limiter_gains += np.convolve(
            history, np.full(LOOKAHEAD_STEPS, 1 / LOOKAHEAD_STEPS), "valid"
        ).tolist()
        self._limiter_history = history[-LOOKAHEAD_STEPS:]

    def _read_finished(self) -> tuple[Planar, GainCurve]:
        """Return the steps whose gain is final and remove them from the pending sound."""
        ready = len(self._limiter_gains) - 1
        ramp = np.linspace(0, 1, STEP_SAMPLES, endpoint=False, dtype=np.float32)
        gains = []
        for values in (self._limiter_gains, self._compressor_gains[: ready + 1]):
            edge = np.array(values, np.float32)
            gain = np.multiply(np.diff(edge)[:, None], ramp)
            gain += edge[:-1, None]
            gains.append(gain.reshape(-1))
        curve, compressor_gain = gains
        curve *= compressor_gain
        out = self._pending[:, _CONTEXT_BEFORE : _CONTEXT_BEFORE + ready * STEP_SAMPLES] * curve
        curve *= self._gain
        self._pending = self._pending[:, ready * STEP_SAMPLES :]
        self._measured -= ready
        self._required_gains, self._limiter_gains = (
            self._required_gains[ready:],
            self._limiter_gains[ready:],
        )
        self._compressor_gains = self._compressor_gains[ready:]
        skip, self._skip = min(self._skip, out.shape[1]), max(0, self._skip - out.shape[1])
        return out[:, skip:], curve[skip:]
