"""Frequency-modulation (FM) synthesis."""

from __future__ import annotations

import numpy as np

from scripts.core.audio_format import RATE
from scripts.synth.additive import cycles_to_radians
from scripts.synth.hits import exponential_decay
from scripts.synth.instruments import Fm
from scripts.synth.stroke import MIN_SAMPLES, NoteParams, Sound, decay_time


def render_fm(voice: Fm, note: NoteParams) -> Sound:
    """Render a note with two operators (Chowning 1973).

    The modulation index follows velocity and decays over time. Returns (1 or 2, n) samples: two
    channels if the voice has a tremolo.
    """
    f = note.frequency
    ring = decay_time(voice.ring, f)
    n = np.arange(max(MIN_SAMPLES, round(min(note.seconds, ring) * RATE)))
    t = n.astype(np.float32) / np.float32(RATE)
    # Limit the ratio so that sidebands stay below the Nyquist frequency.
    ratio = (
        min(voice.ratio, max(1.0, (15_000 / f - 1) / 2))
        if voice.ratio != int(voice.ratio)
        else max(1, min(int(voice.ratio), int((15_000 / f - 1) / 2)))
    )
    carrier, modulator = (
        cycles_to_radians(n * (f / RATE)),
        cycles_to_radians(n * (f * ratio / RATE)),
    )
    index = np.float32(voice.index * (0.25 + 0.95 * note.velocity))
    sound = np.sin(carrier + index * exponential_decay(t, voice.index_decay) * np.sin(modulator))
    if voice.body:
        index = np.float32(voice.body * (0.35 + 0.65 * note.velocity))
        soft = np.sin(carrier + index * exponential_decay(t, 0.7) * np.sin(carrier))
        sound = np.float32(0.5) * (sound + soft)
    sound *= exponential_decay(t, ring / 6.9)
    depth, speed = voice.tremolo
    if not depth:
        return np.asarray(sound[None, :])
    swing = np.float32(depth) * np.sin(cycles_to_radians(n * (speed / RATE)))
    return np.stack((sound * (1 + swing), sound * (1 - swing)))
