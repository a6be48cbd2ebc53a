"""Building blocks of drum sounds: hits, pitch sweeps, decays and noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scripts.core.audio_format import RATE
from scripts.synth.additive import Mono, cycles_to_radians
from scripts.synth.instruments import Kit
from scripts.synth.noise import band_noise

_FIFTH_RATIO = 1.4983  # frequency ratio in equal temperament
_BASS_LIMIT = 80.0  # Hz; drums below are tuned to the tonic only


@dataclass(frozen=True)
class DrumHit:
    """One hit on a piece of a drum kit.

    Parameters
    ----------
    kit : Kit
    velocity : float
        0 to 1.
    seed : int
        Selects the noise, which varies between hits.
    tonic_frequency : float
        Tonic of the song in Hz, in any octave, that drums are tuned to; 0 leaves them untuned.
    """

    kit: Kit
    velocity: float
    seed: int
    tonic_frequency: float = 0.0

    def tune(self, frequency: float) -> float:
        """Tune a drum: the frequency in Hz of the allowed note nearest to `frequency` Hz.

        Deep drums, whose tone sounds like a bass note, use the tonic; others also its fifth.
        """
        if not self.tonic_frequency:
            return frequency
        notes = (
            (self.tonic_frequency,)
            if frequency < _BASS_LIMIT
            else (self.tonic_frequency, self.tonic_frequency * _FIFTH_RATIO)
        )
        candidates = [note * 2.0 ** round(math.log2(frequency / note)) for note in notes]
        return min(candidates, key=lambda note: abs(math.log2(note / frequency)))

    def noise(self, low: float, high: float, count: int, seed_offset: int = 0) -> Mono:
        """Noise from `low` to `high` Hz; varies by hit, hard hits are brighter."""
        top = max(high * self.kit.bright * (0.7 + 0.3 * self.velocity), low * 1.5)
        step = 2 ** (round(4 * math.log2(top)) / 4)  # quantized: few bands to cache
        return band_noise(low, round(step), count, self.seed * 31 + seed_offset)


def sample_times(duration: float) -> Mono:
    """Sample times in seconds of a sound of `duration` seconds."""
    return np.arange(int(duration * RATE), dtype=np.float32) / np.float32(RATE)


def exponential_decay(t: Mono, time_constant: float) -> Mono:
    """Exponential decay within `time_constant` seconds."""
    return np.asarray(np.exp(t * np.float32(-1 / time_constant)), dtype=np.float32)


def sine_sweep(t: Mono, start: float, end: float, time_constant: float) -> Mono:
    """Sine whose frequency moves from `start` to `end` Hz within `time_constant` seconds."""
    cycles = end * t + (start - end) * time_constant * (1 - exponential_decay(t, time_constant))
    return np.asarray(np.sin(cycles_to_radians(cycles)), dtype=np.float32)
