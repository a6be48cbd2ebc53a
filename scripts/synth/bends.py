"""Bends the pitch of a rendered note."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scripts.core.audio_format import RATE
from scripts.synth.interpolation import interpolate
from scripts.synth.stroke import Sound


def bend_sound(sound: Sound, points: Sequence[tuple[float, float]], count: int) -> Sound:
    """Read a sound faster or slower along a pitch curve.

    Parameters
    ----------
    sound : (1 or 2, n) array
    points : sequence of (seconds, semitones)
        In the order of their times, with straight lines between them.
    count : int
        Samples to return; fewer where the sound ends before.

    Returns
    -------
    (1 or 2, m) float32 array
    """
    seconds, semitones = zip(*points, strict=True)
    curve = np.interp(np.arange(count) / RATE, seconds, semitones)
    speed = 2 ** (curve / 12)
    places = np.cumsum(speed) - speed[0]
    inside = int(np.searchsorted(places, sound.shape[1] - 1, side="right"))
    return interpolate(sound, places[:inside])
