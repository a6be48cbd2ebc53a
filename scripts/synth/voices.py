"""Renders a held note with the instrument's synthesis engine."""

from __future__ import annotations

import numpy as np

from scripts.core.audio_format import RATE
from scripts.synth.additive import Mono
from scripts.synth.drums import play_drum
from scripts.synth.ensemble import play_ensemble
from scripts.synth.fm import play_fm
from scripts.synth.instruments import Ensemble, Fm, Instrument, Kit, Partials, Texture
from scripts.synth.noise import band_noise, cut_highs, cut_lows
from scripts.synth.partials import play_partials
from scripts.synth.pluck import play_pluck
from scripts.synth.stroke import Sound, Stroke
from scripts.synth.textures import play_texture


def play(instrument: Instrument, stroke: Stroke) -> Sound:
    """Render a note while its key is held; the sound may end by itself.

    Returns
    -------
    (1 or 2, n) float32 array, 44,100 Hz
        With attack and without release. Except for drums, velocity affects only the timbre; the
        caller sets the level.
    """
    voice = instrument.voice
    if isinstance(voice, Kit):
        return play_drum(voice, stroke.key, stroke.velocity, stroke.seed, stroke.frequency)
    if isinstance(voice, Texture):
        return play_texture(voice.kind, stroke.seconds, stroke.key, stroke.seed)
    # Partials and ensembles apply the cuts to the levels of their harmonics.
    cut = isinstance(voice, Ensemble) or (isinstance(voice, Partials) and not voice.drive)
    cuts = instrument.low_cut, instrument.high_cut
    if isinstance(voice, Ensemble):
        sound = play_ensemble(
            voice,
            stroke.frequency,
            stroke.velocity,
            stroke.seconds,
            stroke.seed,
            instrument.width,
            cuts,
        )
    elif isinstance(voice, Partials):
        sound = play_partials(voice, stroke, instrument.width, cuts)
    elif isinstance(voice, Fm):
        sound = play_fm(voice, stroke)
    else:
        sound = play_pluck(voice, stroke)[None, :]
    if instrument.breath[0]:
        sound = sound + _breath(instrument.breath, stroke, sound.shape[1])
    if instrument.low_cut and not cut:
        sound = cut_lows(sound, instrument.low_cut)
    if instrument.high_cut and not cut:
        sound = cut_highs(sound, instrument.high_cut)
    return _shape(sound, instrument.envelope)


def _shape(sound: Sound, envelope: tuple[float, float, float, float]) -> Sound:
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


def _breath(breath: tuple[float, float, float, float, float], stroke: Stroke, count: int) -> Mono:
    """Noise of breath, bow, hammer or pick; see :class:`Instrument`."""
    level, low, high, decay, held = breath
    t = np.arange(count, dtype=np.float32) / np.float32(RATE)
    shape = np.float32(1 - held) * np.exp(-t / np.float32(decay)) + np.float32(held)
    level *= 0.3 + 0.7 * stroke.velocity
    return np.asarray(band_noise(low, high, count, stroke.seed) * shape * np.float32(level))
