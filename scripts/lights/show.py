"""A light show: scenes and beats of one song, and the light at each moment."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Annotated

import msgspec
from msgspec import Meta

FLASH_INTERVAL = 1 / 3  # seconds; more than three flashes a second can cause seizures (WCAG 2.3.1)
_DECAY = 0.16  # seconds in which an accent falls to a third
_ACCENT_ROOM = 0.45  # by which the light is weaker between the strongest accents
_CALM_LEVEL = 0.6  # of the intensity
_CALM_DRIFT, _CALM_FADE = 12.0, 2.0  # seconds, at least
_LAST_FADE = 2.0  # seconds before the end of the song
_Share = Annotated[float, Meta(ge=0, le=1)]
_Seconds = Annotated[float, Meta(ge=0, le=1e6)]
_Byte = Annotated[int, Meta(ge=0, le=255)]
Color = tuple[float, float, float]  # linear mixture, 0 to 1 each


class LightMode(StrEnum):
    """The setting ``lights``."""

    OFF = "off"
    CALM = "calm"
    FULL = "full"


class LightScene(msgspec.Struct, frozen=True):
    """Light of one section of a song.

    Parameters
    ----------
    start, seconds : float
        From the beginning of the song; length.
    section : str
    rgb, second_rgb : (int, int, int)
        The light moves between these colors.
    intensity : float
        0 to 1.
    fade : float
        Seconds in which it replaces the scene before.
    """

    start: _Seconds
    seconds: _Seconds
    section: str
    rgb: tuple[_Byte, _Byte, _Byte]
    second_rgb: tuple[_Byte, _Byte, _Byte]
    intensity: _Share
    fade: _Seconds


class LightShow(msgspec.Struct, frozen=True):
    """Light of one song, as ``NAME.light.json`` has it.

    Parameters
    ----------
    seconds : float
        Length of the song.
    mood : str
        Identifier of one of the twelve moods, or empty.
    scenes : tuple of LightScene
        In order; at least one.
    beats : tuple of (float, float)
        Time of each beat in seconds, and how hard it is struck, 0 to 1.
    accent : float
        How much the hardest stroke brightens the light, 0 to 1.
    drift : float
        Seconds in which the light moves from one color of a scene to the other and back.
    loop : bool
        Whether the end joins the beginning.
    """

    seconds: _Seconds
    mood: str
    scenes: Annotated[tuple[LightScene, ...], Meta(min_length=1, max_length=100_000)]
    beats: Annotated[tuple[tuple[_Seconds, _Share], ...], Meta(max_length=1_000_000)]
    accent: _Share
    drift: Annotated[float, Meta(ge=1, le=120)]
    loop: bool = False


@dataclass(frozen=True)
class Light:
    """Light at one moment.

    Parameters
    ----------
    color : (float, float, float)
        0 to 1 each, at full brightness.
    level : float
        Brightness, 0 to 1.
    """

    color: Color
    level: float

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Color at this brightness, 0 to 255 each."""
        red, green, blue = (round(255 * self.level * value) for value in self.color)
        return red, green, blue

    def mixed_with(self, other: Light, share: float) -> Light:
        """Mixture with `share` (0 to 1) of another light."""
        return Light(
            _mix(self.color, other.color, share),
            self.level + (other.level - self.level) * share,
        )


DARK = Light((0.0, 0.0, 0.0), 0.0)


class LightPlayback:
    """The light of a show at any moment.

    Parameters
    ----------
    show : LightShow
    mode : LightMode
        ``calm`` leaves out accents, and moves slowly.
    """

    def __init__(self, show: LightShow, mode: LightMode) -> None:
        self.show, self.mode = show, mode
        self._starts = [scene.start for scene in show.scenes]

    def at(self, seconds: float, has_accents: bool = True) -> Light:
        """Light `seconds` after the beginning of the song, with or without its accents."""
        if self.mode == LightMode.OFF:
            return DARK
        is_calm = self.mode == LightMode.CALM
        light = self._scene_light(max(0, bisect_right(self._starts, seconds) - 1), seconds)
        if is_calm:
            return Light(light.color, light.level * _CALM_LEVEL * self._end_level(seconds))
        # Between accents the light is weaker, so that bright scenes have room for them.
        steady = light.level * (1 - _ACCENT_ROOM * self.show.accent)
        accent = self._accent(seconds) if has_accents else 0.0
        level = steady + (1 - steady) * self.show.accent * accent
        return Light(light.color, level * self._end_level(seconds))

    def _scene_light(self, index: int, seconds: float) -> Light:
        scene = self.show.scenes[index]
        is_calm = self.mode == LightMode.CALM
        drift = max(self.show.drift, _CALM_DRIFT) if is_calm else self.show.drift
        phase = 0.5 - 0.5 * math.cos(2 * math.pi * seconds / drift)
        first, second = _to_color(scene.rgb), _to_color(scene.second_rgb)
        light = Light(_mix(first, second, phase), scene.intensity)
        fade = max(scene.fade, _CALM_FADE) if is_calm else scene.fade
        since = seconds - scene.start
        if index and since < fade:
            return self._steady_light(index - 1, phase).mixed_with(light, max(0.0, since) / fade)
        return light

    def _steady_light(self, index: int, phase: float) -> Light:
        scene = self.show.scenes[index]
        colors = _to_color(scene.rgb), _to_color(scene.second_rgb)
        return Light(_mix(*colors, phase), scene.intensity)

    def _accent(self, seconds: float) -> float:
        """Strength of the last accent that is left, 0 to 1."""
        index = bisect_right(self._accent_times, seconds) - 1
        if index < 0:
            return 0.0
        return self._accents[index][1] * math.exp((self._accent_times[index] - seconds) / _DECAY)

    @cached_property
    def _accents(self) -> list[tuple[float, float]]:
        kept = limit_flashes(self.show.beats)
        if self.show.loop and len(kept) > 1:  # the last one is near the first one's return
            gap = kept[0][0] + self.show.seconds - kept[-1][0]
            kept = kept[:-1] if gap < FLASH_INTERVAL - 1e-6 else kept
        return kept

    @cached_property
    def _accent_times(self) -> list[float]:
        return [at for at, _ in self._accents]

    def _end_level(self, seconds: float) -> float:
        left = self.show.seconds - seconds
        return 1.0 if self.show.loop else min(1.0, max(0.0, left / _LAST_FADE))


def limit_flashes(beats: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Leave out strokes so that any two that are left are :data:`FLASH_INTERVAL` apart.

    Of two that are too near the harder one stays, or else the first.
    """
    kept: list[tuple[float, float]] = []
    for at, strength in sorted(beats):
        if not strength:
            continue
        if not kept or at - kept[-1][0] >= FLASH_INTERVAL - 1e-6:
            kept.append((at, strength))
        elif strength > kept[-1][1] and (
            len(kept) == 1 or at - kept[-2][0] >= FLASH_INTERVAL - 1e-6
        ):
            kept[-1] = (at, strength)
    return kept


def _to_color(rgb: tuple[int, int, int]) -> Color:
    return rgb[0] / 255, rgb[1] / 255, rgb[2] / 255


def _mix(first: Color, second: Color, share: float) -> Color:
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue
