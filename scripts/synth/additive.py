"""Sums of partials, each with its own frequency and its own level over time.

A sum of sines cannot alias and is in tune by construction. The sum is done by matrix
multiplication: a note is cut into rows of :data:`HOP` samples; within a row a partial is
``cos(a + b) = cos a cos b - sin a sin b`` with `a` its phase at the row's start (one matrix) and
`b` the phase since then (another), so that two products give all rows of all partials at once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scripts.synth import RATE

Mono = npt.NDArray[np.float32]
HOP = 256  # samples; levels are set every 5.8 ms and move linearly between
TOP = 17_000.0  # Hz; no partial above
_FAINT = 3e-5  # of the strongest partial, -90 dB: not worth its time


def rows_for(count: int) -> int:
    """Rows of levels that `count` samples need."""
    return -(-count // HOP) + 1


def row_times(count: int, rate: int = RATE) -> npt.NDArray[np.float64]:
    """Seconds at which the rows of `count` samples begin."""
    return np.asarray(np.arange(rows_for(count)) * (HOP / rate), dtype=np.float64)


def sum_partials(frequencies: npt.NDArray[np.float64], levels: npt.NDArray[np.floating],
                 phases: npt.NDArray[np.float64], count: int, rate: int = RATE) -> Mono:
    """Audio of partials.

    Parameters
    ----------
    frequencies : (k,) array
        Hz.
    levels : (rows_for(count), k) array
        Amplitude at each row's start.
    phases : (k,) array
        Of a cosine at the first sample, in cycles.
    count : int
        Samples.

    Returns
    -------
    (count,) float32 array
    """
    strongest = np.abs(levels).max(axis=0)
    kept = (strongest > _FAINT * max(float(strongest.max()), 1e-9)) & (frequencies < rate * 0.46)
    frequencies, phases, levels = frequencies[kept], phases[kept], levels[:, kept]
    rows = len(levels) - 1
    start = np.outer(np.arange(rows) * (HOP / rate), frequencies) + phases
    turn = np.outer(frequencies, np.arange(HOP) / rate)
    here, within = _angle(start), _angle(turn)
    cosine, sine = np.cos(here), np.sin(here)
    wheel = np.concatenate((np.cos(within), -np.sin(within)))
    levels = levels.astype(np.float32)
    ahead = np.arange(HOP, dtype=np.float32) / np.float32(HOP)
    out = np.concatenate((levels[:-1] * cosine, levels[:-1] * sine), axis=1) @ wheel
    step = levels[1:] - levels[:-1]
    out += (np.concatenate((step * cosine, step * sine), axis=1) @ wheel) * ahead
    return np.ascontiguousarray(out.reshape(-1)[:count])


def _angle(cycles: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Radians in single precision; whole turns are dropped while there is precision to do so."""
    return ((cycles - np.floor(cycles)) * (2 * np.pi)).astype(np.float32)


def warp(sound: Mono, position: npt.NDArray[np.float64]) -> Mono:
    """Read `sound` at fractional positions (cubic Lagrange), for vibrato and slides."""
    position = np.clip(position, 1.0, len(sound) - 3.0)
    index = position.astype(np.int64)
    x = (position - index).astype(np.float32)
    before, here = sound.take(index - 1), sound.take(index)
    after, later = sound.take(index + 1), sound.take(index + 2)
    first = after - before / 3 - here / 2 - later / 6
    second = (before + after) / 2 - here
    third = (later - before) / 6 + (here - after) / 2
    return np.asarray(here + x * (first + x * (second + x * third)), dtype=np.float32)
