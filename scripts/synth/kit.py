"""A drum kit from oscillators and filtered noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.signal import butter, sosfilt

from scripts.synth import RATE
from scripts.synth.instruments import Instrument
from scripts.synth.wavetable import Mono, times

# Inharmonic partials of struck metal, Hz.
_METAL = (2050.0, 3070.0, 3680.0, 4130.0, 5430.0, 8030.0)


def play_drum(kit: Instrument, name: str, velocity: float, seed: int) -> Mono:
    """One stroke of the kit's piece `name`, (n,) float32, 44,100 Hz."""
    sound = _PIECES[name](kit, velocity, np.random.default_rng(seed))
    edge = min(len(sound), 64)
    sound[-edge:] *= np.linspace(1, 0, edge)
    return np.asarray(sound * (0.2 + 0.8 * velocity**1.4), dtype=np.float32)


def _noise(rng: np.random.Generator, n: int, low: float, high: float = 0.0
           ) -> npt.NDArray[np.float64]:
    white = rng.standard_normal(n)
    high = min(high, 20_000) if high else 0
    sos = butter(2, [low, high], "bandpass", fs=RATE, output="sos") if high else \
        butter(2, low, "highpass", fs=RATE, output="sos")
    filtered: npt.NDArray[np.float64] = sosfilt(sos, white)
    return filtered


def _kick(kit: Instrument, v: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    pitch, decay, punch = kit.kick
    t = times(decay * 2.4)
    sweep = pitch * t + pitch * (1.5 + 2.5 * punch) * 0.035 * (1 - np.exp(-t / 0.035))
    body = np.sin(2 * np.pi * sweep) * np.exp(-t / decay * 1.8)
    click = _noise(rng, len(t), 1500, 6000) * np.exp(-t / 0.004) * punch * 0.35 * v
    return np.asarray(0.95 * np.tanh(1.6 * body + click))


def _snare(kit: Instrument, v: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    pitch, decay, snap = kit.snare
    t = times(decay * 2.2)
    tone = (np.sin(2 * np.pi * pitch * t) + 0.6 * np.sin(2 * np.pi * pitch * 1.78 * t)) \
        * np.exp(-t / 0.05)
    wires = _noise(rng, len(t), 1400, 9000 * kit_bright(kit)) * np.exp(-t / (decay * 0.45))
    return np.asarray(0.45 * tone * (1.2 - 0.4 * v) + (0.35 + 0.5 * snap) * wires)


def _clap(kit: Instrument, v: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    t = times(0.3)
    late = t - np.array([[0.0], [0.011], [0.023]])  # three hands
    bursts = np.where(late >= 0, np.exp(-np.maximum(late, 0) / 0.006), 0.0).sum(axis=0)
    shape = 0.6 * bursts + np.where(t > 0.03, np.exp(-(t - 0.03) / 0.07), 0.0)
    return np.asarray(0.8 * _noise(rng, len(t), 900, 5500 * kit_bright(kit)) * shape)


def _rim(kit: Instrument, v: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    t = times(0.08)
    ring = np.sin(2 * np.pi * 1700 * t) + 0.5 * np.sin(2 * np.pi * 460 * t)
    return np.asarray(0.6 * ring * np.exp(-t / 0.012))


def _hat(kit: Instrument, v: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    return 0.4 * _metal(kit, rng, 0.09, 0.025 + 0.012 * v, 6500)


def _openhat(kit: Instrument, v: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    return 0.38 * _metal(kit, rng, 0.45, 0.14, 6000)


def _ride(kit: Instrument, v: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    t = times(0.9)
    ping = np.sin(2 * np.pi * 3150 * t) * np.exp(-t / 0.12) * 0.15
    return np.asarray(0.26 * _metal(kit, rng, 0.9, 0.28, 4500) + ping * v)


def _crash(kit: Instrument, v: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    return 0.42 * _metal(kit, rng, 2.2, 0.6, 3500)


def _shaker(kit: Instrument, v: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    t = times(0.1)
    shape = np.minimum(t / 0.018, 1) * np.exp(-np.maximum(t - 0.018, 0) / 0.022)
    return np.asarray(0.4 * _noise(rng, len(t), 5500, 13_000 * kit_bright(kit)) * shape)


def _tom(kit: Instrument, v: float, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    t = times(0.5)
    sweep = 98 * t + 45 * 0.06 * (1 - np.exp(-t / 0.06))
    skin = _noise(rng, len(t), 300, 2500) * np.exp(-t / 0.02) * 0.2
    return np.asarray(0.8 * np.sin(2 * np.pi * sweep) * np.exp(-t / 0.16) + skin)


def _metal(kit: Instrument, rng: np.random.Generator, seconds: float, decay: float, low: float
           ) -> npt.NDArray[np.float64]:
    t = times(seconds)
    phases = rng.uniform(0, 6.28, len(_METAL))
    ring = np.sin(2 * np.pi * np.outer(_METAL, t) + phases[:, None]).mean(axis=0)
    hiss = _noise(rng, len(t), low, 15_000 * min(1.0, 0.6 + 0.4 * kit_bright(kit)))
    return np.asarray((0.8 * hiss + 0.5 * ring * kit_bright(kit)) * np.exp(-t / decay))


def kit_bright(kit: Instrument) -> float:
    """The kit's brightness; the data file's ``bright`` is 0.3 to 1.5 for kits."""
    return float(np.clip(kit.bright, 0.3, 1.5))


_PIECES: dict[str, Callable[[Instrument, float, np.random.Generator],
                            npt.NDArray[np.float64]]] = {
    "kick": _kick, "snare": _snare, "clap": _clap, "rim": _rim, "hat": _hat, "openhat": _openhat,
    "ride": _ride, "crash": _crash, "shaker": _shaker, "tom": _tom}
