"""Lets a song follow the valence and arousal of a feeling, within the style of its mood."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from scripts.core import paths
from scripts.request.feeling import Feeling
from scripts.score.keys import SCALES
from scripts.styles.mastering import OCTAVES, Mastering
from scripts.styles.moods import Mood, load_moods
from scripts.styles.style import Style

_TEMPO_OCTAVES = 0.4  # by which the tempo doubles for each unit of arousal
_TEMPO_SPREAD = 0.25  # share of the style's range of tempos that is left open
_ENERGY, _MAX_ENERGY = 0.5, 0.2  # added to the sections' energy for a unit of arousal; at most
_MODE = 0.6  # how much a unit of valence prefers scales that are a fifth brighter
_TILT = 1.2  # dB per octave that the spectrum rises for a unit of valence
_MIDDLE_OCTAVE = 4  # 500 Hz, about which the spectrum is tilted
_LIMITS = (20.0, 300.0)  # of the tempo


def follow_feeling(style: Style, feeling: Feeling) -> Style:
    """Return `style` as a feeling wants it.

    Arousal beyond what is usual for the mood makes it faster; valence prefers brighter scales and
    a brighter sound. At the mood's own values only the range of tempos becomes narrower.
    """
    mood = _find_mood(feeling)
    if mood is None:
        return style
    arousal, valence = feeling.arousal - mood.arousal, feeling.valence - mood.valence
    return replace(
        style,
        tempo=_move_tempo(style.tempo, arousal),
        scales=_prefer_scales(style.scales, valence),
        mastering=_tilt(style.mastering, valence),
    )


def energy_of(feeling: Feeling) -> float:
    """What a feeling adds to the energy of each section."""
    mood = _find_mood(feeling)
    if mood is None:
        return 0.0
    return min(_MAX_ENERGY, max(-_MAX_ENERGY, _ENERGY * (feeling.arousal - mood.arousal)))


def _find_mood(feeling: Feeling) -> Mood | None:
    return load_moods(paths.DATA / "moods.toml").get(feeling.mood)


def _move_tempo(tempo: tuple[float, float], arousal: float) -> tuple[float, float]:
    low, high = tempo
    factor = 2 ** (_TEMPO_OCTAVES * arousal)
    center = low + (high - low) * min(1.0, max(0.0, 0.5 + arousal))
    half = (high - low) * _TEMPO_SPREAD / 2
    return (
        min(_LIMITS[1], max(_LIMITS[0], (center - half) * factor)),
        min(_LIMITS[1], max(_LIMITS[0], (center + half) * factor)),
    )


def _prefer_scales(scales: Mapping[str, float], valence: float) -> Mapping[str, float]:
    return {
        name: weight * math.exp(_MODE * valence * SCALES[name].fifths)
        for name, weight in scales.items()
    }


def _tilt(mastering: Mastering, valence: float) -> Mastering:
    spectrum = tuple(
        level + _TILT * valence * (octave - _MIDDLE_OCTAVE)
        for octave, level in zip(range(OCTAVES), mastering.spectrum, strict=True)
    )
    return msgspec.structs.replace(mastering, spectrum=spectrum)
