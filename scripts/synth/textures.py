"""The ``texture`` engine: vinyl crackle, weather, and transition effects between sections."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from scripts.core.audio_format import RATE
from scripts.synth.hits import exponential_decay, sample_times, sine_sweep
from scripts.synth.noise import band_noise

Sound = npt.NDArray[np.float32]


def render_texture(kind: str, duration: float, key: int, seed: int) -> Sound:
    """Render a texture.

    Parameters
    ----------
    kind : str
        A key of :data:`TEXTURES`, or ``effects``.
    duration : float
        Seconds; at least 0.05 s is rendered.
    key : int
        MIDI key, which selects one of :data:`TRANSITION_EFFECTS`; other kinds ignore it.
    seed : int
        Selects the noise.

    Returns
    -------
    (2, n) float32 array, 44,100 Hz
    """
    count = max(RATE // 20, round(duration * RATE))
    make = (
        TRANSITION_EFFECTS[key % len(TRANSITION_EFFECTS)] if kind == "effects" else TEXTURES[kind]
    )
    return np.stack([make(count, seed * 2 + side) for side in (0, 1)])


def _random_bursts(
    count: int, density: float, seed: int, low: float, high: float, decay: float
) -> npt.NDArray[np.float32]:
    """Short bursts of noise at random times, `density` per second on average."""
    rng = np.random.default_rng(seed)
    n = max(1, int(rng.poisson(density * count / RATE)))
    at, levels = rng.integers(0, count, n), rng.exponential(1.0, n) * rng.choice((-1, 1), n)
    size = int(decay * RATE * 6)
    shape = band_noise(low, high, size, seed) * exponential_decay(
        sample_times(size / RATE + 1e-4)[:size], decay
    )
    out = np.zeros(count + size, np.float32)
    for start, level in zip(at.tolist(), levels.astype(np.float32), strict=True):
        out[start : start + size] += level * shape
    return out[:count]


def _vinyl(count: int, seed: int) -> npt.NDArray[np.float32]:
    clicks = _random_bursts(count, 9.0, seed, 1500, 9000, 0.0006) + 0.5 * _random_bursts(
        count, 40.0, seed + 7, 3000, 9000, 0.0003
    )
    return np.asarray(0.35 * clicks + 0.03 * band_noise(300, 6000, count, seed), dtype=np.float32)


def _rain(count: int, seed: int) -> npt.NDArray[np.float32]:
    return np.asarray(
        0.16 * band_noise(700, 9000, count, seed)
        + 0.5 * _random_bursts(count, 60.0, seed, 1500, 7000, 0.002),
        dtype=np.float32,
    )


def _random_modulation(count: int, seed: int, period: float) -> npt.NDArray[np.float32]:
    """Smooth random modulation from 0 to 1 with a new target every `period` seconds."""
    points = np.random.default_rng(seed // 2).random(int(count / RATE / period) + 3)
    at = np.arange(count) / (RATE * period)
    i = at.astype(int)
    x = at - i
    x = x * x * (3 - 2 * x)
    return np.asarray(points[i] * (1 - x) + points[i + 1] * x, dtype=np.float32)


def _wind(count: int, seed: int) -> npt.NDArray[np.float32]:
    level = _random_modulation(count, seed, 2.7)
    return np.asarray(
        0.35 * band_noise(180, 700, count, seed) * level
        + 0.16 * band_noise(600, 2200, count, seed + 3) * level**2,
        dtype=np.float32,
    )


def _waves(count: int, seed: int) -> npt.NDArray[np.float32]:
    level = _random_modulation(count, seed, 4.1)
    return np.asarray(
        0.3 * band_noise(120, 1500, count, seed) * (0.2 + 0.8 * level**2)
        + 0.2 * band_noise(2000, 9000, count, seed + 3) * level**3,
        dtype=np.float32,
    )


def _riser(count: int, seed: int) -> npt.NDArray[np.float32]:
    """Riser: noise that gains bandwidth, and a tone that rises by two octaves."""
    x = np.arange(count, dtype=np.float32) / np.float32(count)
    out = np.zeros(count, np.float32)
    for n, (low, high) in enumerate(((300, 900), (900, 2500), (2500, 6000), (6000, 14_000))):
        out += band_noise(low, high, count, seed + n) * np.clip(x * 4 - n * 0.75, 0, 1)
    cycles = np.cumsum(220 * 2 ** (2 * x.astype(np.float64))) / RATE
    whine = np.sin(2 * np.pi * np.mod(cycles, 1)).astype(np.float32)
    return np.asarray((0.22 * out + 0.12 * whine * x) * x**1.5, dtype=np.float32)


def _downlifter(count: int, seed: int) -> npt.NDArray[np.float32]:
    return _riser(count, seed)[::-1].copy()


def _impact(count: int, seed: int) -> npt.NDArray[np.float32]:
    t = sample_times(count / RATE + 1e-4)[:count]
    boom = sine_sweep(t, 110, 38, 0.12) * exponential_decay(t, 0.7)
    dust = band_noise(150, 5000, count, seed) * exponential_decay(t, 0.25)
    return np.asarray(0.8 * boom + 0.35 * dust, dtype=np.float32)


def _reversed_cymbal(count: int, seed: int) -> npt.NDArray[np.float32]:
    x = np.arange(count, dtype=np.float32) / np.float32(count)
    return np.asarray(0.4 * band_noise(2500, 14_000, count, seed) * x**4, dtype=np.float32)


TEXTURES: dict[str, Callable[[int, int], npt.NDArray[np.float32]]] = {
    "vinyl": _vinyl,
    "rain": _rain,
    "wind": _wind,
    "waves": _waves,
}
# Index is the note's key modulo 4: C riser, C# downlifter, D impact, D# reversed cymbal.
TRANSITION_EFFECTS = (_riser, _downlifter, _impact, _reversed_cymbal)
