"""Synthesizers for the pieces of a drum kit: mono, one hit each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scripts.synth.additive import Mono, row_times, sum_partials
from scripts.synth.hits import DrumHit, exponential_decay, sample_times, sine_sweep
from scripts.synth.noise import cut_highs, cut_lows

# Frequencies in Hz of the six square oscillators of a drum machine's cymbals.
_MACHINE_OSCILLATORS = (205.3, 304.4, 369.6, 522.7, 540.0, 800.0)


def kick(h: DrumHit) -> Mono:
    """Bass drum: a pitch sweep with a click."""
    pitch, decay, punch = h.kit.kick
    pitch = h.tune(pitch)
    t = sample_times(min(decay * 3.2, 2.0))
    body = sine_sweep(t, pitch * (2.5 + 3 * punch), pitch, 0.018 + 0.012 * punch)
    body *= 0.35 * exponential_decay(t, decay * 0.28) + 0.65 * exponential_decay(t, decay * 0.75)
    click = (
        h.noise(1800, 7000, len(t))
        * exponential_decay(t, 0.003)
        * np.float32(0.5 * punch * h.velocity)
    )
    thump = sine_sweep(t, 420, 110, 0.008) * exponential_decay(t, 0.012) * np.float32(0.5 * punch)
    return np.asarray(
        np.tanh(np.float32(1.5 + 0.6 * h.velocity) * body + thump) + click, dtype=np.float32
    )


def snare(h: DrumHit) -> Mono:
    """Snare drum: heads, wires and stick, or a brush stroke."""
    pitch, decay, snap = h.kit.snare
    pitch = h.tune(pitch)
    t = sample_times(decay * 3)
    if h.kit.brushes:
        sweep = (
            h.noise(900, 7000, len(t))
            * np.minimum(t / 0.012, 1)
            * exponential_decay(t, decay * 0.5)
        )
        return np.asarray(0.7 * sweep, dtype=np.float32)
    skin = sine_sweep(t, pitch * 1.35, pitch, 0.012) * exponential_decay(t, decay * 0.32)
    skin += (
        0.55 * sine_sweep(t, pitch * 2.1, pitch * 1.72, 0.01) * exponential_decay(t, decay * 0.22)
    )
    wires = h.noise(1300, 9500, len(t)) * (
        0.7 * exponential_decay(t, decay * 0.30) + 0.3 * exponential_decay(t, decay * 0.7)
    )
    crack = h.noise(2500, 12_000, len(t), 5) * exponential_decay(t, 0.006) * np.float32(h.velocity)
    return np.asarray(
        (0.75 - 0.2 * snap) * skin + (0.25 + 0.45 * snap) * wires + 0.5 * crack, dtype=np.float32
    )


def side_stick(h: DrumHit) -> Mono:
    """Side stick."""
    t = sample_times(0.12)
    ring = sine_sweep(t, 1750, 1680, 0.01) * exponential_decay(t, 0.012) + 0.6 * sine_sweep(
        t, 480, 460, 0.01
    ) * exponential_decay(t, 0.02)
    return np.asarray(0.7 * ring + 0.4 * h.noise(2500, 9000, len(t)) * exponential_decay(t, 0.004))


def clap(h: DrumHit) -> Mono:
    """Hand clap: three quick bursts of noise and a tail."""
    t = sample_times(0.45)
    shape = np.zeros_like(t)
    for late in (0.0, 0.010, 0.021):
        shape += np.where(t >= late, np.exp(-np.maximum(t - late, 0) / 0.0055), 0)
    shape += np.where(t > 0.03, 0.9 * np.exp(-np.maximum(t - 0.03, 0) / 0.085), 0)
    return np.asarray(0.8 * h.noise(850, 5200, len(t)) * shape, dtype=np.float32)


def _cymbal(h: DrumHit, length: float, decay: float, ping: float, low: float = 300.0) -> Mono:
    """Cymbal: bands of noise, the low ones longer, over inharmonic partials."""
    t = sample_times(length)
    if h.kit.metal == "machine":
        return _machine_cymbal(h, t, decay)
    out = np.zeros_like(t)
    for n, (start, end, share, times) in enumerate(
        (
            (low, 1200, 0.18, 1.3),
            (1200, 4000, 0.35, 1.0),
            (4000, 9000, 0.8, 0.8),
            (9000, 16_000, 0.7, 0.55),
        )
    ):
        out += (
            np.float32(share)
            * h.noise(start, end, len(t), n)
            * exponential_decay(t, decay * times * (0.75 + 0.35 * h.velocity))
        )
    rng = np.random.default_rng(17)  # fixed seed: a cymbal's partials are the same for every hit
    partials = np.sort(rng.uniform(low, 9500, 40))
    levels = np.exp(-row_times(len(t))[:, None] / (decay * 1.4 * (3000 / (partials + 1500))))
    metal = sum_partials(partials, levels * rng.uniform(0.3, 1, 40), rng.random(40), len(t))
    out += np.float32(0.09 + 0.12 * ping) * metal
    if ping:
        stick = sine_sweep(t, 3350, 3300, 0.1) + 0.7 * sine_sweep(t, 5120, 5080, 0.1)
        out += np.float32(0.3 * ping) * stick * exponential_decay(t, 0.05)
        out += (
            np.float32(0.5 * ping) * h.noise(3000, 12_000, len(t), 9) * exponential_decay(t, 0.005)
        )
    return out


def _machine_cymbal(h: DrumHit, t: Mono, decay: float) -> Mono:
    """Drum machine cymbal: square waves and noise, high-passed."""
    frequencies = np.concatenate(
        [f * np.arange(1, int(16_000 / f), 2) for f in _MACHINE_OSCILLATORS]
    )
    levels = np.concatenate([1 / np.arange(1, int(16_000 / f), 2) for f in _MACHINE_OSCILLATORS])
    rng = np.random.default_rng(3)
    rows = np.exp(-row_times(len(t)) / decay)[:, None] * levels
    sound = sum_partials(frequencies, rows, rng.random(len(frequencies)), len(t))
    hiss = h.noise(7000, 15_000, len(t)) * exponential_decay(t, decay)
    return np.asarray(cut_lows(1.1 * sound, 6500.0) + 0.35 * hiss, dtype=np.float32)


def closed_hat(h: DrumHit) -> Mono:
    """Closed hi-hat."""
    return 0.8 * _cymbal(h, 0.16 + 0.06 * h.velocity, 0.02 + 0.018 * h.velocity, 0.0, 2500)


def pedal_hat(h: DrumHit) -> Mono:
    """Pedal hi-hat."""
    return 0.6 * _cymbal(h, 0.14, 0.018, 0.0, 1500)


def open_hat(h: DrumHit) -> Mono:
    """Open hi-hat."""
    return 0.75 * _cymbal(h, 0.9, 0.2, 0.0, 1800)


def ride(h: DrumHit) -> Mono:
    """Ride cymbal."""
    return 0.45 * _cymbal(h, 2.2, 0.42, 1.0, 500)


def ride_bell(h: DrumHit) -> Mono:
    """Bell of the ride cymbal."""
    t = sample_times(1.4)
    rows = np.exp(-row_times(len(t))[:, None] / np.array([0.5, 0.4, 0.3, 0.25, 0.2]))
    ring = sum_partials(
        np.array([1480.0, 2310, 3120, 4480, 6010]),
        rows * np.array([0.5, 1, 0.7, 0.6, 0.4]),
        np.zeros(5),
        len(t),
    )
    return np.asarray(0.3 * ring + 0.25 * _cymbal(h, 1.4, 0.3, 0.5, 800))


def crash(h: DrumHit) -> Mono:
    """Crash cymbal."""
    return 0.75 * _cymbal(h, 3.2, 0.75, 0.15, 350)


def splash(h: DrumHit) -> Mono:
    """Splash cymbal."""
    return 0.7 * _cymbal(h, 1.2, 0.28, 0.1, 900)


def tom(frequency: float) -> Callable[[DrumHit], Mono]:
    """Return a synthesizer of a tom at `frequency` Hz; orchestral kits play a timpani instead."""

    def make(h: DrumHit) -> Mono:
        pitch = h.tune(frequency)
        if h.kit.metal == "orchestra":
            return timpani(h, pitch)
        t = sample_times(0.8)
        body = sine_sweep(t, pitch * 1.6, pitch, 0.03) * exponential_decay(t, 0.19)
        body += 0.35 * sine_sweep(t, pitch * 2.2, pitch * 1.6, 0.02) * exponential_decay(t, 0.07)
        skin = (
            h.noise(300, 3500, len(t))
            * exponential_decay(t, 0.015)
            * np.float32(0.25 + 0.3 * h.velocity)
        )
        return np.asarray(0.9 * body + skin, dtype=np.float32)

    return make


def timpani(h: DrumHit, pitch: float) -> Mono:
    """Timpani at `pitch` Hz."""
    t = sample_times(2.4)
    modes, levels = np.array([1.0, 1.5, 1.99, 2.44]), np.array([1.0, 0.6, 0.35, 0.2])
    rows = np.exp(-row_times(len(t))[:, None] / (0.8 / modes)) * levels
    ring = sum_partials(pitch * modes, rows, np.full(4, 0.25), len(t))
    thud = cut_highs(h.noise(40, 1500, len(t)), 700) * exponential_decay(t, 0.03)
    return np.asarray(0.6 * ring + 0.6 * thud, dtype=np.float32)


def shaker(h: DrumHit) -> Mono:
    """Shaker."""
    t = sample_times(0.16)
    shape = np.minimum(t / 0.02, 1) * exponential_decay(np.maximum(t - 0.02, 0), 0.026)
    return np.asarray(0.55 * h.noise(5000, 14_000, len(t)) * shape, dtype=np.float32)


def tambourine(h: DrumHit) -> Mono:
    """Tambourine."""
    t = sample_times(0.3)
    rng = np.random.default_rng(23)
    partials = rng.uniform(5200, 13_000, 24)
    rows = np.exp(-row_times(len(t))[:, None] / rng.uniform(0.03, 0.09, 24))
    jingle = sum_partials(partials, rows, rng.random(24), len(t))
    return np.asarray(
        0.16 * jingle + 0.3 * h.noise(6000, 15_000, len(t)) * exponential_decay(t, 0.035)
    )
