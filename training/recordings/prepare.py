"""Prepares recordings: trims, tunes, loops, levels and fades them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from scripts.core.audio_format import RATE
from scripts.synth.filters import apply_biquads, high_pass
from scripts.synth.loudness import block_powers
from training.recordings.takes import Audio

_ONSET_LEVEL = 0.01  # of the peak, where a sound begins
_BEFORE_ONSET = 0.002  # seconds kept before it
_TARGET_LEVEL = -20.0  # dBFS, K-weighted, of the loudest 400 ms
_MAX_PEAK = 0.97
_FADE = 0.25  # share of a decaying sound over which it fades out
_SILENT_END = 1024  # samples
_LOOP_WINDOW = RATE // 20  # samples that are compared to find a loop
_LOOP_FADE = RATE // 12  # samples of crossfade before its end
_MIN_LOOP = 0.7  # seconds
_LOWEST = 20.0  # Hz
_SEMITONE = 0.7 / 12  # octaves on either side, in which the fundamental is looked for
_MIN_FUNDAMENTAL = 0.002  # share of the power


def trim(audio: Audio, seconds: float) -> Audio:
    """Cut silence before the sound, rumble below it, and what is longer than `seconds`."""
    audio = apply_biquads(audio, high_pass(_LOWEST))
    envelope = np.abs(audio).max(axis=0)
    onset = int(np.argmax(envelope > _ONSET_LEVEL * envelope.max()))
    first = max(0, onset - round(_BEFORE_ONSET * RATE))
    out = np.array(audio[:, first : first + round(seconds * RATE)])
    edge = min(onset - first + 1, 32)
    out[:, :edge] *= np.linspace(0, 1, edge, dtype=np.float32)
    return out


def measure_cents(audio: Audio, key: int) -> float:
    """Measure by how many cents a sound is higher than a key; within a quarter tone of it.

    By the centroid of the power around the fundamental, and without one by autocorrelation.
    """
    frequency = 440 * 2 ** ((key - 69) / 12)
    part = audio[:, RATE // 20 : RATE // 20 + 2 * RATE]
    power = (np.abs(np.fft.rfft(part * np.hanning(part.shape[1]), RATE * 32)) ** 2).sum(axis=0)
    low, high = int(frequency * 2**-_SEMITONE * 32), int(frequency * 2**_SEMITONE * 32) + 1
    near = power[low:high]
    if near.sum() < _MIN_FUNDAMENTAL * power.sum():
        return _cents_by_autocorrelation(audio.mean(axis=0), key)
    near[near < near.max() * 1e-3] = 0
    centroid = (np.arange(low, high) * near).sum() / near.sum() / 32
    return 1200 * math.log2(centroid / frequency)


def _cents_by_autocorrelation(mono: npt.NDArray[np.float32], key: int) -> float:
    """Median over several windows; 0 where there is no clear pitch."""
    period = RATE / (440 * 2 ** ((key - 69) / 12))
    size = max(4096, int(period * 12))
    found = []
    for start in range(int(0.15 * RATE), min(len(mono) - size, int(1.2 * RATE)), size // 2):
        part = mono[start : start + size] * np.hanning(size)
        spectrum = np.fft.rfft(part, size * 2)
        correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:size]
        multiple = max(1, int(size / 4 / period))  # a later peak is measured more exactly
        low, high = (int(period * multiple * 2 ** (c / 1200)) for c in (-50, 50))
        lag = low + int(np.argmax(correlation[low : high + 2]))
        is_peak = low < lag < high and correlation[lag] > max(correlation[lag - 1 : lag + 2 : 2])
        if is_peak and correlation[lag] > 0.3 * correlation[0]:
            a, b, c = correlation[lag - 1 : lag + 2]
            lag_exact = lag + (a - c) / (2 * (a - 2 * b + c)) if a - 2 * b + c else lag
            found.append(1200 * math.log2(period * multiple / lag_exact))
    return float(np.median(found)) if found else 0.0


def make_loop(audio: Audio) -> tuple[Audio, tuple[int, int]]:
    """Find the best loop in the second half of a sustained sound, and crossfade into it."""
    count = audio.shape[1]
    mono = audio.mean(axis=0)
    end = count - _LOOP_WINDOW
    pattern = mono[end - _LOOP_WINDOW : end + _LOOP_WINDOW]
    first, last = int(count * 0.3), end - int(_MIN_LOOP * RATE)
    likeness = _correlate(mono[first - _LOOP_WINDOW : last + _LOOP_WINDOW], pattern)
    start = first + int(np.argmax(likeness))
    out = np.array(audio[:, :end])
    fade = min(_LOOP_FADE, start)
    ramp = np.linspace(0, 1, fade, dtype=np.float32)
    before_start = audio[:, start - fade : start]
    out[:, end - fade : end] = out[:, end - fade : end] * (1 - ramp) + before_start * ramp
    # A few samples of the loop follow its end, for the interpolation.
    return np.concatenate((out, out[:, start : start + 64]), axis=1), (start, end)


def _correlate(sound: npt.NDArray[np.float32], pattern: npt.NDArray[np.float32]) -> Audio:
    """Normalized correlation of a pattern at each place of a sound."""
    size = 1 << (len(sound) + len(pattern)).bit_length()
    spectrum = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(pattern, size))
    places = len(sound) - len(pattern) + 1
    product = np.fft.irfft(spectrum, size)[:places]
    energy = np.concatenate(([0.0], np.cumsum(sound.astype(np.float64) ** 2)))
    norm = np.sqrt(energy[len(pattern) :] - energy[: -len(pattern)])
    return np.asarray(product / np.maximum(norm, 1e-6), dtype=np.float32)


def fade_out(audio: Audio, share: float = _FADE) -> Audio:
    """Fade out over the last share of a sound."""
    edge = max(1, int(audio.shape[1] * share))
    shape = np.cos(np.linspace(0, np.pi / 2, edge, dtype=np.float32)) ** 2
    out = np.array(audio)
    out[:, -edge:] *= shape
    return np.pad(out, ((0, 0), (0, _SILENT_END)))  # in which what the codec smears decays


def loudness(audio: Audio) -> float:
    """K-weighted level in dBFS of the loudest 400 ms."""
    stereo = np.repeat(audio, 3 - len(audio), axis=0)
    if stereo.shape[1] < RATE // 2:
        stereo = np.pad(stereo, ((0, 0), (0, RATE // 2 - stereo.shape[1])))
    return 10 * math.log10(max(float(block_powers(stereo).max()) / 2, 1e-12))


def loudness_gain(audio: Audio) -> float:
    """Gain in dB that brings a sound to the common level, without clipping."""
    wanted = _TARGET_LEVEL - loudness(audio)
    highest = 20 * math.log10(_MAX_PEAK / float(np.abs(audio).max()))
    return min(wanted, highest)


def cut_silence(audio: Audio, level: float = 1e-3) -> Audio:
    """Cut the end of a sound where it is below a level for good."""
    loud = np.nonzero(np.abs(audio).max(axis=0) > level)[0]
    return audio[:, : int(loud[-1]) + 1] if len(loud) else audio[:, :1]
