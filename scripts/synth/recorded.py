"""Plays recorded sounds at the pitch and length of a note."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import fft

from scripts.core.audio_format import RATE
from scripts.synth.interpolation import interpolate
from scripts.synth.recordings import Recordings, Samples, Zone
from scripts.synth.stroke import NoteParams, Sound

_FULL_SCALE = np.float32(1 / 32768)
# A note that is softer than its recording is darker: its highest partials are up to so many dB
# softer; below them there is a slope from the fundamental on.
_SOFT_CUT, _SLOPE_OCTAVES = 10.0, 2.0
_PADDING = 2048  # samples in which the filter decays
_EDGE = 256  # samples over which a sound that is cut fades out


def render_recorded(recordings: Sequence[Recordings], note: NoteParams) -> Sound:
    """Render a note of a pitched instrument.

    Returns
    -------
    (1 or 2, n) float32 array, 44,100 Hz
    """
    found = recordings[0]
    key = 69 + 12 * math.log2(note.frequency / 440)
    zone = found.find(key, note.velocity, note.take)
    step = 2 ** ((key - zone.key - zone.tune / 100) / 12)
    count = max(1, round(note.seconds * RATE))
    samples: Samples | Sound = found.load(zone)
    softness = 1 - note.velocity / zone.velocity
    if softness > 0:  # the whole recording, so that the sound does not depend on the note's length
        samples = _darken(samples, note.frequency / step, softness)
    return _read(samples, zone, step, count)


def _darken(samples: Samples | Sound, frequency: float, softness: float) -> Sound:
    """Attenuate the partials of a note that is softer than its recording."""
    count = samples.shape[1]
    size = fft.next_fast_len(count + _PADDING, real=True)
    octaves = np.log2(np.fft.rfftfreq(size, 1 / RATE)[1:] / frequency)
    share = np.clip(octaves / _SLOPE_OCTAVES, 0, 1)
    gains = np.concatenate(([1.0], 10 ** (-_SOFT_CUT * softness / 20 * share)))
    spectrum = fft.rfft(samples.astype(np.float32), size, axis=1) * gains.astype(np.float32)
    return np.asarray(fft.irfft(spectrum, size, axis=1)[:, :count], dtype=np.float32)


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


def _read(samples: Samples | Sound, zone: Zone, step: float, count: int) -> Sound:
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
