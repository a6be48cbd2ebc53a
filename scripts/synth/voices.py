"""Renders a held note with the instrument's synthesis engine."""

from __future__ import annotations

import numpy as np

from scripts.core.audio_format import RATE
from scripts.synth.additive import Mono
from scripts.synth.drums import render_drum
from scripts.synth.ensemble import render_ensemble
from scripts.synth.fm import render_fm
from scripts.synth.instruments import (
    Ensemble,
    Fm,
    Instrument,
    Kit,
    Partials,
    Recorded,
    Texture,
)
from scripts.synth.noise import band_noise, cut_highs, cut_lows
from scripts.synth.partials import render_partials
from scripts.synth.pluck import render_pluck
from scripts.synth.recorded import render_recorded, render_recorded_hit
from scripts.synth.stroke import NoteParams, Sound
from scripts.synth.textures import render_texture

_OTHER_PIECES = Kit()  # of a recorded kit: pieces that were not recorded


def render_held_note(instrument: Instrument, note: NoteParams) -> Sound:
    """Render a note while its key is held; the sound may end by itself.

    Returns
    -------
    (1 or 2, n) float32 array, 44,100 Hz
        With attack and without release. Except for drums, velocity affects only the timbre; the
        caller sets the level.
    """
    voice = instrument.voice
    if isinstance(voice, Recorded) and voice.kit:
        hit = render_recorded_hit(instrument.recordings, note)
        return hit if hit is not None else render_drum(_OTHER_PIECES, note.key, 0.8, note.seed)
    if isinstance(voice, Kit):
        return render_drum(voice, note.key, note.velocity, note.seed, note.frequency)
    if isinstance(voice, Texture):
        return render_texture(voice.kind, note.seconds, note.key, note.seed)
    # Partials and ensembles apply the cuts to the levels of their harmonics, recorded
    # instruments to whole recordings.
    cut = isinstance(voice, Ensemble | Recorded) or (
        isinstance(voice, Partials) and not voice.drive
    )
    cuts = instrument.low_cut, instrument.high_cut
    if isinstance(voice, Ensemble):
        sound = render_ensemble(
            voice,
            note.frequency,
            note.velocity,
            note.seconds,
            note.seed,
            instrument.width,
            cuts,
        )
    elif isinstance(voice, Partials):
        sound = render_partials(voice, note, instrument.width, cuts)
    elif isinstance(voice, Recorded):
        sound = render_recorded(instrument.recordings, note, cuts)
    elif isinstance(voice, Fm):
        sound = render_fm(voice, note)
    else:
        sound = render_pluck(voice, note)[None, :]
    if instrument.breath[0]:
        sound = sound + _breath_noise(instrument.breath, note, sound.shape[1])
    if instrument.low_cut and not cut:
        sound = cut_lows(sound, instrument.low_cut)
    if instrument.high_cut and not cut:
        sound = cut_highs(sound, instrument.high_cut)
    return _apply_envelope(sound, instrument.envelope)


def _apply_envelope(sound: Sound, envelope: tuple[float, float, float, float]) -> Sound:
    """Apply attack and decay to the sustain level, and a short fade at the end."""
    attack, decay, sustain, _ = envelope
    out = np.array(sound, dtype=np.float32)
    rise = min(out.shape[1], max(48, int(attack * RATE)))
    out[:, :rise] *= (0.5 - 0.5 * np.cos(np.pi * np.arange(rise) / rise)).astype(np.float32)
    if sustain < 1:
        t = np.arange(out.shape[1] - rise, dtype=np.float32) / np.float32(RATE * max(decay, 0.01))
        out[:, rise:] *= np.float32(sustain) + np.float32(1 - sustain) * np.exp(np.float32(-4) * t)
    edge = min(out.shape[1], 512)
    out[:, -edge:] *= np.linspace(1, 0, edge, dtype=np.float32)
    return out


def _breath_noise(
    breath: tuple[float, float, float, float, float], note: NoteParams, count: int
) -> Mono:
    """Noise of breath, bow, hammer or pick; see :class:`Instrument`."""
    level, low, high, decay, sustain = breath
    t = np.arange(count, dtype=np.float32) / np.float32(RATE)
    shape = np.float32(1 - sustain) * np.exp(-t / np.float32(decay)) + np.float32(sustain)
    level *= 0.3 + 0.7 * note.velocity
    return np.asarray(band_noise(low, high, count, note.seed) * shape * np.float32(level))
