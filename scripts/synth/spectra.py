"""Harmonic spectra of waveforms, and formants of instruments' bodies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_ORGAN_DRAWBARS = {1: 0.9, 2: 0.8, 3: 0.6, 4: 0.5, 6: 0.25, 8: 0.3}
_CHURCH_STOPS = {1: 1.0, 2: 0.9, 3: 0.35, 4: 0.7, 6: 0.25, 8: 0.5, 12: 0.15, 16: 0.25}


def _is_odd(k: Array) -> npt.NDArray[np.bool_]:
    return np.asarray(k % 2 == 1)


def _drawbar_levels(bars: dict[int, float]) -> Callable[[Array], Array]:
    """Organ with these drawbars (harmonic -> level); other harmonics are faint."""
    return lambda k: np.array([bars.get(int(n), 0.012 / n) for n in k])


def _string_excited_at(place: float) -> Callable[[Array], Array]:
    """String excited at fraction `place` of its length; harmonics with a node there are missing."""
    return lambda k: np.abs(np.sin(np.pi * k * place)) / k + 0.01 / k


# Name -> levels of harmonics 1, 2, ...
WAVEFORMS: dict[str, Callable[[Array], Array]] = {
    "saw": lambda k: 1 / k,
    "square": lambda k: np.where(_is_odd(k), 1 / k, 0.0),
    "pulse": lambda k: np.abs(np.sin(np.pi * k * 0.25)) / k,  # duty cycle of 25%
    "triangle": lambda k: np.where(_is_odd(k), 1 / k**2, 0.05 / k**2),
    "sine": lambda k: np.where(k == 1, 1.0, 0.0),
    "round": lambda k: 1 / k**2,
    "organ": _drawbar_levels(_ORGAN_DRAWBARS),
    "church": _drawbar_levels(_CHURCH_STOPS),
    "accordion": lambda k: np.where(_is_odd(k), 1.0, 0.7) / k**0.8,
    "piano": _string_excited_at(1 / 8),
    "string": _string_excited_at(1 / 5),
    "bridge": _string_excited_at(1 / 13),
    "clarinet": lambda k: np.where(_is_odd(k), 1.0, np.minimum(0.06 * k, 0.6)) / k**1.15,
    "reed": lambda k: np.where(_is_odd(k), 1.0, 0.8) / k**0.95,
    "double reed": lambda k: np.where(k == 1, 0.5, 1.0) / k**0.85,
    "flute": lambda k: np.where(k == 1, 1.0, np.where(k == 2, 0.35, 0.2)) / k**1.3,
    "brass": lambda k: 1 / k**0.75,
}


def harmonic_levels(wave: str, frequency: float, max_frequency: float) -> Array:
    """Levels of the harmonics of `frequency` below `max_frequency` Hz, 400 at most, RMS 1."""
    k = np.arange(1, max(1, min(400, int(max_frequency / frequency))) + 1, dtype=np.float64)
    levels = WAVEFORMS[wave](k)
    return np.asarray(levels / np.sqrt(0.5 * np.sum(levels**2)))


def formant_gain(frequencies: Array, peaks: tuple[tuple[float, float, float], ...]) -> Array:
    """Gain factors at `frequencies` in Hz of peaks given as (center Hz, width Hz, gain dB)."""
    gain = np.zeros_like(frequencies)
    for center, width, decibels in peaks:
        gain += decibels / (1 + ((frequencies - center) / width) ** 2)
    return np.asarray(10 ** (gain / 20))
