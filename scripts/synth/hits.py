"""What all drums are made of: a stroke, falling tones and noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scripts.core.audio_format import RATE
from scripts.synth.additive import Mono, radians
from scripts.synth.instruments import Kit
from scripts.synth.noise import band_noise

_FIFTH = 1.4983  # of equal temperament
_DEEP = 80.0  # Hz


@dataclass(frozen=True)
class Hit:
    """A stroke on a piece.

    Parameters
    ----------
    kit : Kit
    velocity : float
        0 to 1.
    seed : int
    home : float
        Hz of the song's tonic in any octave, which the skins are tuned to; 0 leaves them.
    """

    kit: Kit
    velocity: float
    seed: int
    home: float = 0.0

    def tuned(self, pitch: float) -> float:
        """The nearest note to `pitch` in Hz, as drums are tuned for a record.

        Deep drums, whose tone is heard as a bass's, take the tonic; others also its fifth.
        """
        if not self.home:
            return pitch
        notes = (self.home,) if pitch < _DEEP else (self.home, self.home * _FIFTH)
        near = [note * 2.0 ** round(math.log2(pitch / note)) for note in notes]
        return min(near, key=lambda note: abs(math.log2(note / pitch)))

    def noise(self, low: float, high: float, count: int, salt: int = 0) -> Mono:
        """Noise that differs from stroke to stroke; a hard stroke is a brighter one."""
        top = max(high * self.kit.bright * (0.7 + 0.3 * self.velocity), low * 1.5)
        step = 2 ** (round(4 * math.log2(top)) / 4)  # few different bands, each made once
        return band_noise(low, round(step), count, self.seed * 31 + salt)


def seconds(length: float) -> Mono:
    """Times of a sound's samples."""
    return np.arange(int(length * RATE), dtype=np.float32) / np.float32(RATE)


def fall(t: Mono, time: float) -> Mono:
    """Exponential decay with time constant `time`."""
    return np.asarray(np.exp(t * np.float32(-1 / time)), dtype=np.float32)


def tone(t: Mono, start: float, end: float, time: float) -> Mono:
    """A sine that drops from `start` to `end` Hz with time constant `time`."""
    turns = end * t + (start - end) * time * (1 - fall(t, time))
    return np.asarray(np.sin(radians(turns)), dtype=np.float32)
