"""The ``pluck`` engine: plucked strings."""

from __future__ import annotations

import numpy as np
from scipy import fft

from scripts.core.audio_format import RATE
from scripts.synth.additive import Mono, warp
from scripts.synth.filters import halve
from scripts.synth.instruments import Peaks, Pluck
from scripts.synth.spectra import formants
from scripts.synth.stroke import SHORTEST, Stroke, ring_time


def play_pluck(voice: Pluck, stroke: Stroke) -> Mono:
    """Render a plucked string (Karplus and Strong 1983), resampled to the exact pitch.

    Returns (n,) float32 samples at 44,100 Hz.
    """
    f = stroke.frequency
    ring = ring_time(voice.ring, f)
    rate = RATE * 2 if voice.drive else RATE
    count = max(SHORTEST, round(min(stroke.seconds, ring) * rate))
    period = max(2, int(rate / f - 0.5))
    exact = period + 0.5  # the two-point average adds a delay of half a sample
    ratio = f * exact / rate
    rng = np.random.default_rng(stroke.seed)
    burst = rng.uniform(-1, 1, period)
    # Soft notes are duller: a one-pole low-pass, applied circularly to the excitation.
    pole = min(0.94, (0.25 + 0.65 * voice.damp) + 0.3 * (1 - stroke.velocity) * (1 - voice.damp))
    turn = np.exp(-2j * np.pi / period * np.arange(period // 2 + 1))
    burst = fft.irfft(fft.rfft(burst) * (1 - pole) / (1 - pole * turn), period)
    burst = burst - 0.9 * np.roll(burst, max(1, round(voice.place * period)))
    burst -= burst.mean()
    burst /= max(float(np.sqrt(np.mean(burst**2))), 1e-6)
    loss = 10 ** (-3 * period / rate / ring)
    rows = -(-int(count * ratio + 4) // period)
    out = np.empty((rows, period))
    row = burst
    for r in range(rows):
        out[r] = row
        row = 0.5 * loss * (row + np.concatenate((row[-1:], row[:-1])))
    string = out.ravel().astype(np.float32)
    sound = warp(np.pad(string, (1, 4)), np.arange(1.0, count + 1.0) * ratio + (1.0 - ratio))
    if voice.formants:
        sound = _body(sound, voice.formants, rate)
    if voice.drive:
        push = np.float32(voice.drive * (0.6 + 0.6 * stroke.velocity))
        sound = halve(np.tanh(sound * push))
    return sound


def _body(sound: Mono, peaks: Peaks, rate: int) -> Mono:
    """Apply the resonances of the body."""
    size = fft.next_fast_len(len(sound), real=True)
    spectrum = fft.rfft(sound, size)
    spectrum *= formants(np.arange(len(spectrum)) * (rate / size), peaks).astype(np.float32)
    return np.asarray(fft.irfft(spectrum, size)[: len(sound)], dtype=np.float32)
