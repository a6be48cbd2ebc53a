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

_SLOWEST, _TEMPO_OCTAVES = 62.0, 1.3  # tempo without arousal, and octaves by which it rises with it
_TEMPO_SHARE = 0.5  # of that tempo beside the style's own
_TEMPO_MARGIN = 1.12  # by which the middle may leave the style's range
_TEMPO_SPREAD = 0.25  # share of the style's range of tempos that is left open
_ENERGY, _MAX_ENERGY = 0.5, 0.2  # added to the sections' energy for a unit of arousal; at most
_MODE = 2.5  # a unit of valence makes major scales e**5 times likelier beside minor ones
_FIFTH = 0.6  # a unit beyond the mood's makes scales e**0.6 times likelier for each sharp more
_TILT = 3.2  # dB per octave above the middle that a unit of valence adds
_FLATTEST = -2.0  # dB per octave above the middle: as bright as a feeling makes a sound
_MIDDLE_OCTAVE, _HIGH_OCTAVE = 4, 8  # 500 Hz and 8 kHz, between which the slope is measured
_MAJOR_THIRD = 4
_LIMITS = (20.0, 300.0)  # of the tempo


def follow_feeling(style: Style, feeling: Feeling) -> Style:
    """Return `style` as a feeling wants it.

    Arousal moves the tempo; valence prefers major to minor scales and a bright to a dark sound.
    """
    mood = _find_mood(feeling)
    if mood is None:
        return style
    return replace(
        style,
        tempo=_move_tempo(style.tempo, feeling.arousal),
        scales=_prefer_scales(style.scales, feeling.valence, mood.valence),
        mastering=_tilt(style.mastering, feeling.valence),
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
    """Move a range of tempos toward the tempo of an arousal, and narrow it."""
    usual = _SLOWEST * 2 ** (_TEMPO_OCTAVES * arousal)
    low, high = tempo
    center = math.sqrt(low * high)
    moved = center * (usual / center) ** _TEMPO_SHARE
    moved = min(high * _TEMPO_MARGIN, max(low / _TEMPO_MARGIN, moved))
    spread = (high / low) ** (_TEMPO_SPREAD / 2)
    return (max(_LIMITS[0], moved / spread), min(_LIMITS[1], moved * spread))


def _prefer_scales(
    scales: Mapping[str, float], valence: float, mood_valence: float
) -> Mapping[str, float]:
    """Weigh scales by the valence of a feeling, and by how far it is from its mood's."""
    return {
        name: weight
        * math.exp(_MODE * valence * (1 if _is_major(name) else -1))
        * math.exp(_FIFTH * (valence - mood_valence) * SCALES[name].fifths)
        for name, weight in scales.items()
    }


def _is_major(scale: str) -> bool:
    return _MAJOR_THIRD in SCALES[scale].intervals


def _tilt(mastering: Mastering, valence: float) -> Mastering:
    """Let the spectrum above the middle fall less for a pleasant feeling, more for another."""
    levels = mastering.spectrum
    own = (levels[_HIGH_OCTAVE] - levels[_MIDDLE_OCTAVE]) / (_HIGH_OCTAVE - _MIDDLE_OCTAVE)
    tilt = min(_TILT * valence, max(0.0, _FLATTEST - own))
    spectrum = tuple(
        level + tilt * max(0, octave - _MIDDLE_OCTAVE)
        for octave, level in zip(range(OCTAVES), levels, strict=True)
    )
    return msgspec.structs.replace(mastering, spectrum=spectrum)
