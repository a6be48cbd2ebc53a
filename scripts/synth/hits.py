"""Building blocks of drum sounds: hits, pitch sweeps, decays and noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scripts.core.audio_format import RATE
from scripts.synth.additive import Mono, radians
from scripts.synth.instruments import Kit
from scripts.synth.noise import band_noise

_FIFTH = 1.4983  # frequency ratio in equal temperament
_DEEP = 80.0  # Hz; drums below are tuned to the tonic only


@dataclass(frozen=True)
class Hit:
    """One hit on a piece of a drum kit.

    Parameters
    ----------
    kit : Kit
    velocity : float
        0 to 1.
    seed : int
        Selects the noise, which varies between hits.
    home : float
        Tonic of the song in Hz, in any octave, that drums are tuned to; 0 leaves them untuned.
    """

    kit: Kit
    velocity: float
    seed: int
    home: float = 0.0

    def tuned(self, pitch: float) -> float:
        """Tune a drum: the frequency in Hz of the allowed note nearest to `pitch` Hz.

        Deep drums, whose tone sounds like a bass note, use the tonic; others also its fifth.
        """
        if not self.home:
            return pitch
        notes = (self.home,) if pitch < _DEEP else (self.home, self.home * _FIFTH)
        near = [note * 2.0 ** round(math.log2(pitch / note)) for note in notes]
        return min(near, key=lambda note: abs(math.log2(note / pitch)))

    def noise(self, low: float, high: float, count: int, salt: int = 0) -> Mono:
        """Noise from `low` to `high` Hz; varies by hit, hard hits are brighter."""
        top = max(high * self.kit.bright * (0.7 + 0.3 * self.velocity), low * 1.5)
        step = 2 ** (round(4 * math.log2(top)) / 4)  # quantized: few bands to cache
        return band_noise(low, round(step), count, self.seed * 31 + salt)


def seconds(length: float) -> Mono:
    """Sample times in seconds of a sound of `length` seconds."""
    return np.arange(int(length * RATE), dtype=np.float32) / np.float32(RATE)


def fall(t: Mono, time: float) -> Mono:
    """Exponential decay with time constant `time` in seconds."""
    return np.asarray(np.exp(t * np.float32(-1 / time)), dtype=np.float32)


def tone(t: Mono, start: float, end: float, time: float) -> Mono:
    """Sine whose frequency moves from `start` to `end` Hz with time constant `time` in seconds."""
    turns = end * t + (start - end) * time * (1 - fall(t, time))
    return np.asarray(np.sin(radians(turns)), dtype=np.float32)
