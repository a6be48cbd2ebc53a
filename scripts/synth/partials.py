"""The ``partials`` engine: additive synthesis with a moving low-pass filter."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scripts.core.audio_format import RATE
from scripts.synth.additive import (
    HOP,
    MAX_FREQUENCY,
    cycles_to_radians,
    interpolate_at,
    row_times,
    sum_partials,
)
from scripts.synth.filters import decimate_by_two
from scripts.synth.instruments import Partials
from scripts.synth.noise import cut_gain
from scripts.synth.spectra import formant_gain, harmonic_levels
from scripts.synth.stroke import C4, MIN_SAMPLES, NoteParams, Sound, decay_time

_MAX_INTERPOLATION_ERROR = 1e-3  # largest interpolation error relative to the sound, -60 dB


def render_partials(
    voice: Partials, note: NoteParams, width: float, cuts: tuple[float, float]
) -> Sound:
    """Render a held note.

    Parameters
    ----------
    voice : Partials
    note : NoteParams
    width : float
        Stereo width of the unison voices, 0 (mono) to 1.
    cuts : tuple of float
        Low-cut and high-cut frequency in Hz, 0 for none; ignored if the voice has drive.

    Returns
    -------
    (1 or 2, n) float32 array, 44,100 Hz
    """
    f = note.frequency
    rate = RATE * 2 if voice.drive else RATE  # oversampling: distortion must not alias
    seconds = note.seconds
    if voice.ring:
        seconds = min(seconds, decay_time(voice.ring * voice.after[1], f) * 0.9)
    count = max(MIN_SAMPLES, round(seconds * rate))
    frequencies, strength, rings = _modes(voice, f, note.velocity)
    if not voice.drive:
        strength = strength * cut_gain(frequencies, *cuts)
    levels = _filter_gains(voice, note, frequencies, row_times(count, rate)) * strength.astype(
        np.float32
    )
    if voice.ring:
        levels *= _decay_gains(voice, f, frequencies, rings, row_times(count, rate))
    rng = np.random.default_rng(note.seed)
    phases = _spread_phases(len(frequencies), rng)
    sound = _sum_unison(
        frequencies, levels, phases, _pan_gains(voice, width), voice.unison, count, rate
    )
    sound = _bend_pitch(voice, f, sound, rate)
    if voice.drive:
        push = np.float32(voice.drive * (0.5 + 0.7 * note.velocity))
        driven = np.tanh(sound * push) * np.float32(1 / (0.5 + 0.5 * voice.drive))
        sound = decimate_by_two(driven)
    return sound


def _sum_unison(
    frequencies: npt.NDArray[np.float64],
    levels: npt.NDArray[np.float32],
    phases: npt.NDArray[np.float64],
    sides: npt.NDArray[np.float64],
    unison: tuple[float, ...],
    count: int,
    rate: int,
) -> Sound:
    """Sum the partials of all unison voices: (channels, n)."""
    detuning = np.outer(2 ** (np.array(unison) / 1200) - 1, frequencies)  # detuning in Hz
    n = np.arange(len(unison))
    starts = 0.37 * n * n + 0.11 * n
    # Slightly detuned voices equal one voice with slowly varying complex levels. Levels are
    # interpolated linearly between rows, a chord instead of an arc: use this if the error is small.
    error = (2 * np.pi * np.abs(detuning).max(axis=0) * (HOP / rate)) ** 2 / 8
    power = np.square(levels).mean(axis=0, dtype=np.float64)
    if len(unison) == 1 or np.average(error**2, weights=power) < _MAX_INTERPOLATION_ERROR**2:
        t = row_times(count, rate).astype(np.float32)
        drift = np.zeros((len(sides), *levels.shape), np.complex64)
        for voice, start, gains in zip(detuning.astype(np.float32), starts, sides.T, strict=True):
            turn = np.outer(t, voice * np.float32(2 * np.pi)) + np.float32(2 * np.pi * start)
            drift.real += gains[:, None, None] * np.cos(turn)
            drift.imag += gains[:, None, None] * np.sin(turn)
        return sum_partials(frequencies, levels * drift, phases, count, rate)
    out = []
    for side in sides:
        voices = [i for i in n if side[i] > 0.01]
        out.append(
            sum_partials(
                np.concatenate([frequencies + detuning[i] for i in voices]),
                np.concatenate([levels * side[i] for i in voices], axis=1),
                np.concatenate([phases + starts[i] for i in voices]),
                count,
                rate,
            )
        )
    return np.stack(out)


def _modes(voice: Partials, f: float, velocity: float) -> tuple[npt.NDArray[np.float64], ...]:
    """Frequencies in Hz, levels and relative decay times of a note's partials."""
    if voice.ratios:
        levels = np.array(voice.levels)
        levels[1:] *= 0.35 + 0.85 * velocity  # a hard mallet excites the higher modes
        return f * np.array(voice.ratios), levels, np.array(voice.rings)
    top = min(MAX_FREQUENCY, voice.bright * max(1.0, (f / C4) ** voice.follow) * 6)
    levels = harmonic_levels(voice.wave, f, max(top, f * 1.5))
    k = np.arange(1, len(levels) + 1)
    stiff = voice.stretch * (f / C4) ** 1.2
    frequencies = f * k * np.sqrt((1 + stiff * k**2) / (1 + stiff))
    if voice.formants:
        levels = levels * formant_gain(frequencies, voice.formants)
    return frequencies, levels, np.ones_like(levels)


def _filter_gains(
    voice: Partials,
    note: NoteParams,
    frequencies: npt.NDArray[np.float64],
    t: npt.NDArray[np.float64],
) -> npt.NDArray[np.float32]:
    """Gain of the moving low-pass: (rows, partials)."""
    follow = (note.frequency / C4) ** voice.follow
    bright = voice.bright * (0.3 + 0.7 * note.velocity) * follow
    dark = min(voice.dark * (0.6 + 0.4 * note.velocity) * follow, bright)
    sweeps = note.wobble or voice.wobble
    if sweeps:
        open_ = 0.5 - 0.5 * np.cos(2 * np.pi * t / note.quarter_seconds * sweeps)
    else:
        open_ = np.exp(-np.maximum(t - voice.rise, 0) / max(voice.fall, 1e-3))
        if voice.rise:
            open_ *= np.minimum(t / voice.rise, 1.0)
    # Interpolate the cutoff in octaves; single precision saves time on rows times partials.
    cutoff = (np.log(dark) + np.log(bright / dark) * open_).astype(np.float32)
    above = np.log(frequencies).astype(np.float32)[None, :] - cutoff[:, None]
    gain = 1 / np.sqrt(1 + np.exp(np.float32(2 * voice.slope) * above))
    if voice.peak:
        lift = np.float32(10 ** (voice.peak / 20) - 1)
        gain *= 1 + lift * np.exp(-np.square(above * np.float32(1 / 0.3 / np.log(2))))
    return np.asarray(gain)


def _decay_gains(
    voice: Partials,
    f: float,
    frequencies: npt.NDArray[np.float64],
    rings: npt.NDArray[np.float64],
    t: npt.NDArray[np.float64],
) -> npt.NDArray[np.float32]:
    """Gain of the decay: (rows, partials)."""
    seconds = decay_time(voice.ring, f) * rings
    seconds /= 1 + voice.damp * (frequencies / frequencies[0] - 1)
    rate = 6.9 / np.maximum(seconds, 0.02)
    share, times = voice.after
    exponent = np.maximum(-np.outer(t, rate), -40.0).astype(
        np.float32
    )  # bounded to avoid denormals
    fall = np.float32(1 - share) * np.exp(exponent)
    if share:
        fall += np.float32(share) * np.exp(exponent * np.float32(1 / times))
    return np.asarray(fall)


def _spread_phases(count: int, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Phases in cycles for a low crest factor (Schroeder 1970), slightly randomized."""
    k = np.arange(1, count + 1)
    return np.asarray(-0.5 * k * (k - 1) / count + 0.25 + rng.uniform(-0.02, 0.02, count))


def _pan_gains(voice: Partials, width: float) -> npt.NDArray[np.float64]:
    """Pan gains of the unison voices: (channels, voices)."""
    n = len(voice.unison)
    if n == 1 or not width:
        return np.full((1, n), 1 / np.sqrt(n))
    place = width * np.where(np.arange(n) % 2, 1, -1) * np.linspace(0.6, 1.0, n)
    if n % 2:
        place[n // 2] = 0.0
    angle = (place + 1) * np.pi / 4
    return np.asarray(np.stack((np.cos(angle), np.sin(angle))) * np.sqrt(2 / n))


def _bend_pitch(voice: Partials, f: float, sound: Sound, rate: int) -> Sound:
    """Apply vibrato and glide by reading the sound at a varying speed."""
    cents, speed, onset = voice.vibrato
    semitones, time = voice.glide
    if not cents and not semitones:
        return sound
    n = np.arange(sound.shape[1])
    t = n.astype(np.float32) / np.float32(rate)
    shift = np.zeros_like(t)  # samples
    if cents:
        depth = np.float32(cents / 1200 * np.log(2) / (2 * np.pi * speed) * rate)
        ramp = np.minimum(t / np.float32(max(onset, 1e-3)), 1) ** 2
        shift += depth * ramp * (1 - np.cos(cycles_to_radians(n * (speed / rate))))
    if semitones:
        bend = np.float32((2 ** (semitones / 12) - 1) * time * rate)
        shift += bend * (1 - np.exp(t * np.float32(-1 / time)))
    # Positions beyond the end repeat the last sample.
    position = np.minimum(n + shift, sound.shape[1] - 1.0)
    return interpolate_at(np.pad(sound, ((0, 0), (1, 3))), position + 1.0)
