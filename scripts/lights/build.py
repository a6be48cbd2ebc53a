"""Builds the light show of a song from its arrangement."""

from __future__ import annotations

import colorsys
from bisect import bisect_left
from collections.abc import Mapping

from scripts.arranger.arrange import SongArrangement
from scripts.arranger.events import NoteEvent, Section, SectionEvents
from scripts.lights.show import LightScene, LightShow
from scripts.score.keys import Key
from scripts.score.time_signature import TICKS_PER_QUARTER
from scripts.styles.moods import Mood, Rgb, mood_of_styles

_STROKES = {35: 1.0, 36: 1.0, 38: 0.95, 39: 0.9, 40: 0.95, 49: 1.0, 41: 0.7, 45: 0.7, 48: 0.7}
_OTHER_STROKE = 0.3  # of a hi-hat or shaker, relative to a kick drum
_PITCHED_STROKE = 0.45  # of a bass note or chord where nothing is drummed
_NEAR_BEAT = TICKS_PER_QUARTER / 6  # ticks that a stroke may lie beside its beat
_PALETTE_PLACES = {"chorus": 1, "solo": 1, "bridge": 2, "build": 2, "drop": 3}  # others: 0
_NEXT_COLOR = {0: 2, 1: 3, 2: 0, 3: 1}  # to which the light of a place moves
_DROP_FADE = 0.1  # seconds
_KEY_HUE = 1 / 36  # of the color circle, by which the key moves the palette at most
_NEUTRAL = Mood(
    english="",
    style="",
    valence=0.0,
    arousal=0.5,
    palette=("#3c64c8", "#c85a96", "#3ca08c", "#e6b450"),
    intensity=(0.3, 0.75),
    accent=0.4,
    drift=8.0,
)


def build_light_show(arrangement: SongArrangement, moods: Mapping[str, Mood]) -> LightShow:
    """Build the light show of a song.

    Each section of the form is a scene: its energy decides the intensity, its name the place in
    the mood's palette, which the key moves a little. Each beat has the strength of what is struck
    on it.
    """
    spec = arrangement.spec
    name = spec.feeling.mood if spec.feeling else mood_of_styles(spec.styles, moods)
    mood = moods.get(name, _NEUTRAL)
    colors = tuple(_tint(color, arrangement.sheet.key) for color in mood.colors)
    seconds_per_tick = 60 / spec.tempo / TICKS_PER_QUARTER
    scenes, beats = [], []
    for events in arrangement.sections():
        scenes.append(_build_scene(events.section, arrangement, mood, colors, seconds_per_tick))
        beats += _find_beats(events, arrangement, seconds_per_tick)
    return LightShow(
        seconds=round(spec.length, 3),
        mood=name,
        scenes=_until_the_end(scenes, spec.length),
        beats=tuple(beats),
        accent=mood.accent,
        drift=mood.drift,
        loop=spec.loop,
    )


def _build_scene(
    section: Section,
    arrangement: SongArrangement,
    mood: Mood,
    colors: tuple[Rgb, ...],
    seconds_per_tick: float,
) -> LightScene:
    bar = arrangement.bar_ticks * seconds_per_tick
    place = _PALETTE_PLACES.get(section.name, 0)
    low, high = mood.intensity
    return LightScene(
        start=round(section.start * bar, 3),
        seconds=round(section.bars * bar, 3),
        section=section.name,
        rgb=colors[place],
        second_rgb=colors[_NEXT_COLOR[place]],
        intensity=round(low + (high - low) * section.energy, 3),
        fade=_DROP_FADE if section.name == "drop" else round(bar / 2, 3),
    )


def _until_the_end(scenes: list[LightScene], length: float) -> tuple[LightScene, ...]:
    """Let the last scene last until the song ends; its last chord rings after the last bar."""
    last = scenes[-1]
    seconds = round(max(last.seconds, length - last.start), 3)
    values = {name: getattr(last, name) for name in last.__struct_fields__}
    return (*scenes[:-1], LightScene(**(values | {"seconds": seconds})))


def _find_beats(
    events: SectionEvents, arrangement: SongArrangement, seconds_per_tick: float
) -> list[tuple[float, float]]:
    """Times of the beats of a section in seconds, and how hard each is struck (0 to 1)."""
    section, bar = events.section, arrangement.bar_ticks
    strokes = _strokes(events)
    starts = [at for at, _ in strokes]
    found = []
    for n in range(section.start, section.start + section.bars):
        for beat in arrangement.sheet.meter.beat_starts:
            at = n * bar + beat
            near = strokes[
                bisect_left(starts, at - _NEAR_BEAT) : bisect_left(starts, at + _NEAR_BEAT)
            ]
            strength = max((value for _, value in near), default=0.0)
            found.append((round(at * seconds_per_tick, 3), round(min(1.0, strength), 2)))
    return found


def _strokes(events: SectionEvents) -> list[tuple[float, float]]:
    """Start in ticks and strength of what is struck; of bass and chords if nothing is drummed."""
    drummed = [*events.tracks.get("drums", ()), *events.tracks.get("percussion", ())]
    if drummed:
        return sorted((e.start, e.velocity * _STROKES.get(e.pitch, _OTHER_STROKE)) for e in drummed)
    pitched: list[NoteEvent] = [*events.tracks.get("bass", ()), *events.tracks.get("chords", ())]
    return sorted((e.start, e.velocity * _PITCHED_STROKE) for e in pitched)


def _tint(rgb: Rgb, key: Key) -> Rgb:
    """Move a color around the color circle as far as the key is from C on the circle of fifths."""
    fifths = (key.tonic_pc * 7 + 6) % 12 - 6  # -6 to 5
    hue, lightness, saturation = colorsys.rgb_to_hls(*(value / 255 for value in rgb))
    red, green, blue = colorsys.hls_to_rgb((hue + fifths / 6 * _KEY_HUE) % 1, lightness, saturation)
    return round(255 * red), round(255 * green), round(255 * blue)
