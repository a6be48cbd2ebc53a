"""The engines: one note of an instrument as mono audio."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from scripts.synth import RATE
from scripts.synth.instruments import Instrument
from scripts.synth.wavetable import Mono, cycle, oscillate, times

LONGEST_TAIL = 3.5  # seconds after the key is released


def envelope(shape: tuple[float, float, float, float], held: float, t: npt.NDArray[np.float64]
             ) -> Mono:
    """Attack, exponential decay to the sustain level, and release after `held` seconds."""
    attack, decay, sustain, release = shape
    body = sustain + (1 - sustain) * np.exp(-np.maximum(t - attack, 0) / max(decay / 3, 1e-3))
    level = np.where(t < attack, np.sin(0.5 * np.pi * np.minimum(t / max(attack, 1e-4), 1)), body)
    fall = np.exp(-np.maximum(t - held, 0) * 4.6 / release)
    out = (level * fall).astype(np.float32)
    edge = min(len(out), 96)
    out[-edge:] *= np.linspace(1, 0, edge, dtype=np.float32)
    return out


def play_note(instrument: Instrument, frequency: float, held: float, velocity: float,
              quarter: float, seed: int) -> Mono:
    """One note.

    Parameters
    ----------
    frequency : float
        Hz.
    held : float
        Seconds until the key is released.
    velocity : float
        0 to 1; changes timbre as well as level.
    quarter : float
        Seconds a quarter note, for effects in time with the music.
    seed : int
        Of the noise in it.

    Returns
    -------
    (n,) float32 array, 44,100 Hz, about -1 to 1
    """
    frequency *= 2.0 ** instrument.octave
    release = instrument.envelope[3]
    t = times(held + min(release * 1.2 + 0.01, LONGEST_TAIL))
    engine = {"wavetable": _wavetable, "fm": _fm, "pluck": _pluck}[instrument.engine]
    level = 0.25 + 0.75 * velocity**1.5
    sound = engine(instrument, frequency, held, velocity, quarter, t, seed)
    if instrument.drive:
        push = instrument.drive * (0.5 + velocity)
        sound = np.tanh(sound * push) / (0.6 + 0.4 * instrument.drive)
    return (sound * envelope(instrument.envelope, held, t) * np.float32(level)).astype(np.float32)


def _wavetable(i: Instrument, f: float, held: float, velocity: float, quarter: float,
               t: npt.NDArray[np.float64], seed: int) -> Mono:
    bright = i.bright * (0.45 + 0.55 * velocity)
    tables = (cycle(i.wave, f, i.dark), cycle(i.wave, f, round(bright, -2) + 100))
    if i.wobble:
        sweep = np.cos(2 * np.pi * t / quarter * i.wobble)
        mix = (0.5 - 0.5 * sweep).astype(np.float32)
    else:
        mix = np.exp(-t / i.mod_decay).astype(np.float32)
    depth, rate = i.vibrato
    phase = t * f
    if depth:
        onset = np.minimum(t / 0.35, 1.0) if rate > 1 else 1.0
        swing = depth / 1200 * np.log(2) * f / (2 * np.pi * rate)
        phase = phase + onset * swing * (1 - np.cos(2 * np.pi * rate * t))
    rng = np.random.default_rng(seed)
    total = np.zeros(len(t), np.float32)
    for cents in i.unison:
        shift = 2 ** (cents / 1200)
        start = rng.random() if len(i.unison) > 1 else 0.0
        total += oscillate(tables, phase * shift + start, mix)
    total *= np.float32(0.32 / np.sqrt(len(i.unison)))
    if i.noise:
        hiss = rng.standard_normal(len(t)).astype(np.float32)
        breath = 0.25 if i.envelope[2] > 0 else 0.0  # struck strings hiss only at the start
        hiss *= np.exp(-t / 0.05).astype(np.float32) + np.float32(breath)
        total += np.float32(i.noise * velocity) * hiss
    return total


def _fm(i: Instrument, f: float, held: float, velocity: float, quarter: float,
        t: npt.NDArray[np.float64], seed: int) -> Mono:
    """Two operators (Chowning 1973); the index follows velocity and falls with time."""
    # Keep the sidebands below the Nyquist frequency.
    ratio = min(i.ratio, max(1.0, 16_000 / f - 1))
    depth = i.index * (0.3 + 0.9 * velocity) * np.exp(-t / i.index_decay)
    modulator = np.sin(2 * np.pi * f * ratio * t)
    sound = np.sin(2 * np.pi * f * t + depth * modulator)
    if i.body:
        soft = i.body * (0.4 + 0.6 * velocity) * np.exp(-t / 0.6)
        sound = 0.55 * sound + 0.45 * np.sin(2 * np.pi * f * 1.001 * t
                                             + soft * np.sin(2 * np.pi * f * 1.001 * t))
    return np.asarray(0.42 * sound, dtype=np.float32)


def _pluck(i: Instrument, f: float, held: float, velocity: float, quarter: float,
           t: npt.NDArray[np.float64], seed: int) -> Mono:
    """A plucked string (Karplus and Strong 1983), read back at the exact pitch."""
    period = max(2, round(RATE / f - 0.5))
    exact = period + 0.5  # the two-point average delays by half a sample
    ratio = f * exact / RATE
    count = int(len(t) * ratio) + 2
    rng = np.random.default_rng(seed)
    burst = rng.uniform(-1, 1, period)
    # A soft touch is a dull one: a one-pole low-pass, run twice round the string.
    pole = min(0.92, i.damp + 0.45 * (1 - velocity))
    burst = lfilter([1 - pole], [1, -pole], np.tile(burst, 2))[period:]
    burst -= burst.mean()
    burst /= max(np.sqrt(np.mean(burst**2)), 1e-6)
    # Loss a period so that the fundamental falls by 60 dB in the envelope's decay time.
    loss = 10 ** (-3 * period / RATE / max(i.envelope[1] * 1.6, 0.1))
    rows = -(-count // period)
    out = np.empty((rows, period))
    row = burst
    for r in range(rows):
        out[r] = row
        row = 0.5 * loss * (row + np.concatenate((row[-1:], row[:-1])))
    string = out.ravel()[:count + 1]
    sound = np.interp(np.arange(len(t)) * ratio, np.arange(len(string)), string)
    if i.body:
        sound = sound + i.body * np.sin(2 * np.pi * f * t) * np.exp(-t * 3)
    return np.asarray(0.3 * sound, dtype=np.float32)
