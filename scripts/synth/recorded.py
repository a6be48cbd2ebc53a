"""Plays recorded sounds at the pitch and length of a note."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence

import numpy as np
from scipy import fft

from scripts.core.audio_format import RATE
from scripts.synth.cache import LruCache
from scripts.synth.filters import frequency_response, high_pass, low_pass
from scripts.synth.interpolation import interpolate
from scripts.synth.recordings import Recordings, Samples, Zone
from scripts.synth.stroke import NoteParams, Sound

_FULL_SCALE = np.float32(1 / 32768)
# A note that is softer than its recording is darker: its highest partials are up to so many dB
# softer; below them there is a slope from the fundamental on.
_SOFT_CUT, _SLOPE_OCTAVES = 10.0, 2.0
_MIN_SOFTNESS = 0.12  # a smaller difference, about a decibel, is inaudible
_PADDING = 2048  # samples in which the filters decay
_SIZE_STEP = 32768  # samples
_MAX_SAMPLE = 32767
_CACHE_BYTES = 10 << 20
_EDGE = 256  # samples over which a sound that is cut fades out
_LOCK = threading.Lock()
_SHAPED: LruCache[Samples] = LruCache(_CACHE_BYTES)


def render_recorded(
    recordings: Sequence[Recordings], note: NoteParams, cuts: tuple[float, float] = (0.0, 0.0)
) -> Sound:
    """Render a note of a pitched instrument.

    Parameters
    ----------
    cuts : (float, float)
        Cutoffs in Hz of a high-pass and a low-pass at the pitch of the recording; 0 for none.

    Returns
    -------
    (1 or 2, n) float32 array, 44,100 Hz
    """
    found = recordings[0]
    key = 69 + 12 * math.log2(note.frequency / 440)
    zone = found.find(key, note.velocity, note.take)
    step = 2 ** ((key - zone.key - zone.tune / 100) / 12)
    count = max(1, round(note.seconds * RATE))
    softness = round(1 - note.velocity / zone.velocity, 4)
    if softness < _MIN_SOFTNESS:
        softness = 0.0
    return _read(_shape(found, zone, softness, cuts), zone, step, count)


def _shape(
    recordings: Recordings, zone: Zone, softness: float, cuts: tuple[float, float]
) -> Samples:
    """Filter a recording; whole, so that a sound does not depend on the length of the note."""
    if not softness and not any(cuts):
        return recordings.load(zone)
    key = (recordings.folder, zone.file, softness, cuts)
    with _LOCK:
        shaped = _SHAPED.get(key)
    if shaped is None:
        shaped = _filter(recordings.load(zone), _key_frequency(zone), softness, cuts)
        with _LOCK:
            _SHAPED.put(key, shaped, shaped.nbytes)
    return shaped


def _key_frequency(zone: Zone) -> float:
    return float(440 * 2 ** ((zone.key + zone.tune / 100 - 69) / 12))


def _filter(
    samples: Samples, frequency: float, softness: float, cuts: tuple[float, float]
) -> Samples:
    """Apply the cuts, and attenuate the partials of a note that is softer than its recording."""
    count = samples.shape[1]
    whole = -(-(count + _PADDING) // _SIZE_STEP) * _SIZE_STEP  # few sizes, as responses are cached
    size = fft.next_fast_len(whole, real=True)
    spectrum = fft.rfft(samples.astype(np.float32), size, axis=1)
    if softness:
        octaves = np.log2(np.fft.rfftfreq(size, 1 / RATE)[1:] / frequency)
        share = np.clip(octaves / _SLOPE_OCTAVES, 0, 1)
        gains = np.concatenate(([1.0], 10 ** (-_SOFT_CUT * softness / 20 * share)))
        spectrum *= gains.astype(np.float32)
    for cutoff, design in zip(cuts, (high_pass, low_pass), strict=True):
        if cutoff:
            spectrum *= frequency_response((design(cutoff),), size)
    filtered = fft.irfft(spectrum, size, axis=1, overwrite_x=True)[:, :count]
    return np.asarray(np.clip(np.rint(filtered), -_MAX_SAMPLE, _MAX_SAMPLE), np.int16)


def render_recorded_hit(recordings: Sequence[Recordings], note: NoteParams) -> Sound | None:
    """Render a hit on a piece of a kit, (2, n); None if no folder has it."""
    for found in recordings:
        if found.has_key(note.key):
            zone = found.find(note.key, note.velocity, note.take)
            samples = found.load(zone)
            sound = samples * (_FULL_SCALE * np.float32(10 ** (zone.gain / 20)))
            angle = (zone.pan + 1) * np.pi / 4
            gains = np.array([[np.cos(angle)], [np.sin(angle)]], np.float32) * np.float32(2**0.5)
            return np.asarray(sound * gains, dtype=np.float32)
    return None


def _read(samples: Samples, zone: Zone, step: float, count: int) -> Sound:
    """Read `count` samples at `step` times the speed, around the loop where there is one."""
    places = np.arange(count, dtype=np.float64) * step
    last = samples.shape[1] - 3
    if zone.loop is None or zone.loop[1] > last:
        places = places[: max(1, int(last / step))]
    else:
        first, end = zone.loop
        over = places >= end
        places[over] = first + (places[over] - first) % (end - first)
    out = interpolate(samples, places) * (_FULL_SCALE * np.float32(10 ** (zone.gain / 20)))
    if len(places) < count:
        edge = min(_EDGE, len(places))
        out[:, -edge:] *= np.linspace(1, 0, edge, dtype=np.float32)
    return out
