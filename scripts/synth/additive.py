"""Additive synthesis: sums of partials, each with its own frequency and level over time.

A sum of sines cannot alias and is in tune by construction. It is computed by matrix
multiplication: a note is split into rows of :data:`HOP` samples; within a row a partial is
``cos(a + b) = cos a cos b - sin a sin b`` with `a` its phase at the row's start (one matrix) and
`b` the phase since then (another), so two products give all rows of all partials at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from scripts.core.audio_format import RATE

Mono = npt.NDArray[np.float32]
HOP = 256  # samples; levels are set every 5.8 ms and interpolated linearly
MAX_FREQUENCY = 17_000.0  # Hz; partials above are left out
_NEGLIGIBLE_LEVEL = 3e-5  # relative to the strongest partial, -90 dB: too quiet to compute


def count_rows(count: int) -> int:
    """Number of rows of levels for `count` samples, the end point included."""
    return -(-count // HOP) + 1


def row_times(count: int, rate: int = RATE) -> npt.NDArray[np.float64]:
    """Start times in seconds of the rows of `count` samples."""
    return np.asarray(np.arange(count_rows(count)) * (HOP / rate), dtype=np.float64)


def sum_partials(
    frequencies: npt.NDArray[np.float64],
    levels: npt.NDArray[np.inexact],
    phases: npt.NDArray[np.float64],
    count: int,
    rate: int = RATE,
) -> Mono:
    """Sum partials to audio.

    Parameters
    ----------
    frequencies : (k,) array
        Hz; partials above 0.46 times the sample rate are dropped.
    levels : (..., rows_for(count), k) array
        Amplitude at each row's start; a complex amplitude also shifts the partial's phase.
    phases : (k,) array
        Cosine phase at the first sample, in cycles.
    count : int
        Number of samples.
    rate : int
        Sample rate in Hz.

    Returns
    -------
    (..., count) float32 array
    """
    strongest = np.abs(levels).max(axis=tuple(range(levels.ndim - 1)))
    is_audible = (strongest > _NEGLIGIBLE_LEVEL * max(float(strongest.max()), 1e-9)) & (
        frequencies < rate * 0.46
    )
    frequencies, phases, levels = (
        frequencies[is_audible],
        phases[is_audible],
        levels[..., is_audible],
    )
    rows = levels.shape[-2] - 1
    start = np.outer(np.arange(rows) * (HOP / rate), frequencies) + phases
    turn = np.outer(frequencies, np.arange(HOP) / rate)
    here, within = cycles_to_radians(start), cycles_to_radians(turn)
    spin = np.empty(here.shape, np.complex64)
    spin.real, spin.imag = np.cos(here), np.sin(here)
    wheel = np.concatenate((np.cos(within), -np.sin(within)))
    levels = levels.astype(np.complex64 if np.iscomplexobj(levels) else np.float32)
    ahead = np.arange(HOP, dtype=np.float32) / np.float32(HOP)
    out = _concat_real_imag(levels[..., :-1, :] * spin) @ wheel
    step = _concat_real_imag((levels[..., 1:, :] - levels[..., :-1, :]) * spin) @ wheel
    step *= ahead
    out += step
    return np.ascontiguousarray(out.reshape(*levels.shape[:-2], -1)[..., :count])


def _concat_real_imag(values: npt.NDArray[np.complex64]) -> npt.NDArray[np.float32]:
    """Concatenate real and imaginary parts along the last axis."""
    return np.concatenate((values.real, values.imag), axis=-1)


def cycles_to_radians(cycles: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Convert cycles to single-precision radians, wrapped to one turn in full precision first."""
    return np.asarray((cycles - np.floor(cycles)) * (2 * np.pi), dtype=np.float32)


def interpolate_at(sound: Mono, position: npt.NDArray[np.float64]) -> Mono:
    """Interpolate `sound`, (..., n), at fractional sample positions (cubic Lagrange).

    Used for vibrato and glides. Positions are clipped to 1 to n - 3.
    """
    position = np.clip(position, 1.0, sound.shape[-1] - 3.0)
    index = position.astype(np.int64)
    x = (position - index).astype(np.float32)
    before, here, after, later = (  # mode="clip" is faster; indices are in range
        sound.take(index + n, axis=-1, mode="clip") for n in (-1, 0, 1, 2)
    )
    first = after - before / 3 - here / 2 - later / 6
    second = (before + after) / 2 - here
    third = (later - before) / 6 + (here - after) / 2
    return np.asarray(here + x * (first + x * (second + x * third)), dtype=np.float32)
