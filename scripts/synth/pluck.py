"""The ``pluck`` engine: plucked strings."""

from __future__ import annotations

import numpy as np
from scipy import fft

from scripts.core.audio_format import RATE
from scripts.synth.additive import Mono, interpolate_at
from scripts.synth.filters import decimate_by_two
from scripts.synth.instruments import FormantPeaks, Pluck
from scripts.synth.spectra import formant_gain
from scripts.synth.stroke import MIN_SAMPLES, NoteParams, decay_time


def render_pluck(voice: Pluck, note: NoteParams) -> Mono:
    """Render a plucked string (Karplus and Strong 1983), resampled to the exact pitch.

    Returns (n,) float32 samples at 44,100 Hz.
    """
    f = note.frequency
    ring = decay_time(voice.ring, f)
    rate = RATE * 2 if voice.drive else RATE
    count = max(MIN_SAMPLES, round(min(note.seconds, ring) * rate))
    period = max(2, int(rate / f - 0.5))
    exact = period + 0.5  # the two-point average adds a delay of half a sample
    ratio = f * exact / rate
    rng = np.random.default_rng(note.seed)
    burst = rng.uniform(-1, 1, period)
    # Soft notes are duller: a one-pole low-pass, applied circularly to the excitation.
    pole = min(0.94, (0.25 + 0.65 * voice.damp) + 0.3 * (1 - note.velocity) * (1 - voice.damp))
    z = np.exp(-2j * np.pi / period * np.arange(period // 2 + 1))
    burst = fft.irfft(fft.rfft(burst) * (1 - pole) / (1 - pole * z), period)
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
    sound = interpolate_at(
        np.pad(string, (1, 4)), np.arange(1.0, count + 1.0) * ratio + (1.0 - ratio)
    )
    if voice.formants:
        sound = _apply_formants(sound, voice.formants, rate)
    if voice.drive:
        push = np.float32(voice.drive * (0.6 + 0.6 * note.velocity))
        sound = decimate_by_two(np.tanh(sound * push))
    return sound


def _apply_formants(sound: Mono, peaks: FormantPeaks, rate: int) -> Mono:
    """Apply the resonances of the body."""
    size = fft.next_fast_len(len(sound), real=True)
    spectrum = fft.rfft(sound, size)
    spectrum *= formant_gain(np.arange(len(spectrum)) * (rate / size), peaks).astype(np.float32)
    return np.asarray(fft.irfft(spectrum, size)[: len(sound)], dtype=np.float32)
