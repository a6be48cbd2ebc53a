"""Synthesizers for hand percussion: mono, one hit each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scripts.synth.additive import Mono, row_times, sum_partials
from scripts.synth.hits import DrumHit, exponential_decay, sample_times, sine_sweep


def hand_drum(frequency: float, decay: float, slap: float) -> Callable[[DrumHit], Mono]:
    """Return a synthesizer of a hand drum, such as a conga, bongo, surdo or cajon.

    Parameters
    ----------
    frequency : float
        Frequency in Hz.
    decay : float
        Time constant in seconds.
    slap : float
        Level of the hand's noise.
    """

    def make(h: DrumHit) -> Mono:
        pitch = h.tune(frequency)
        t = sample_times(decay * 4)
        body = sine_sweep(t, pitch * 1.08, pitch, 0.02) * exponential_decay(t, decay)
        body += (
            0.3 * sine_sweep(t, pitch * 1.7, pitch * 1.62, 0.02) * exponential_decay(t, decay * 0.4)
        )
        hand = (
            h.noise(700, 5000, len(t)) * exponential_decay(t, 0.006) * np.float32(slap * h.velocity)
        )
        return np.asarray(0.8 * body + hand, dtype=np.float32)

    return make


def idiophone(
    frequencies: tuple[float, ...], decay: float, click: float
) -> Callable[[DrumHit], Mono]:
    """Return a synthesizer of struck wood or metal: a few partials and the stick.

    Parameters
    ----------
    frequencies : tuple of float
        Frequencies in Hz of the partials, the lowest first.
    decay : float
        Time constant in seconds.
    click : float
        Level of the stick's noise.
    """

    def make(h: DrumHit) -> Mono:
        partials = np.array(frequencies) * (h.tune(frequencies[0]) / frequencies[0])
        t = sample_times(decay * 5)
        rows = np.exp(-row_times(len(t))[:, None] / (decay * np.linspace(1, 0.5, len(partials))))
        ring = sum_partials(
            partials,
            rows / np.arange(1, len(partials) + 1) ** 0.5,
            np.full(len(partials), 0.25),
            len(t),
        )
        stick = h.noise(2000, 9000, len(t)) * exponential_decay(t, 0.003) * np.float32(click)
        return np.asarray(0.5 * ring + stick, dtype=np.float32)

    return make


def guiro(h: DrumHit) -> Mono:
    """Guiro: teeth under a stick."""
    t = sample_times(0.28)
    teeth = 0.5 - 0.5 * np.cos(2 * np.pi * np.float32(62) * t)
    return np.asarray(
        0.5 * h.noise(1800, 9000, len(t)) * teeth**3 * exponential_decay(t, 0.12), dtype=np.float32
    )


def finger_snap(h: DrumHit) -> Mono:
    """Finger snap."""
    t = sample_times(0.18)
    return np.asarray(
        sine_sweep(t, 2300, 1900, 0.01) * exponential_decay(t, 0.008)
        + 0.7 * h.noise(1500, 6000, len(t)) * exponential_decay(t, 0.02),
        dtype=np.float32,
    )
