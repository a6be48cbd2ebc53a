"""The light for what is heard now: follows the player through seeking, pauses and crossfades."""

from __future__ import annotations

import colorsys
import hashlib
from collections.abc import Sequence
from pathlib import Path

from scripts.lights.show import DARK, Light, LightMode, LightPlayback, LightScene, LightShow
from scripts.lights.show_file import load_show

_CACHED_SHOWS = 4
_SONGS_WITHOUT_SHOW = 24 * 3600.0  # seconds that the light of any other audio file lasts
_QUIET_INTENSITY = 0.35  # of such a file, of which nothing is known


class LightFollower:
    """Light of the songs that are heard.

    Parameters
    ----------
    mode : LightMode
    delay : float
        Seconds by which the light is later than the estimate of what is heard, or earlier.
    """

    def __init__(self, mode: LightMode, delay: float = 0.0) -> None:
        self.mode, self.delay = mode, delay
        self._shows: dict[Path, LightPlayback] = {}

    def light(self, heard: Sequence[tuple[Path, float, float]]) -> Light:
        """Light for what is heard: file, position in seconds and level (0 to 1) of each song.

        Songs that fade into each other mix their light as they mix their sound, without
        accents: those of two songs together could flash too fast.
        """
        mixed, done = DARK, 0.0
        sounding = [song for song in heard if song[2] > 0]
        for path, position, level in sounding:
            done += level
            playback, seconds = self._playback(path), max(0.0, position - self.delay)
            light = playback.at(seconds, has_accents=len(sounding) == 1)
            mixed = light if done == level else mixed.mixed_with(light, level / done)
        return mixed

    def _playback(self, path: Path) -> LightPlayback:
        found = self._shows.get(path)
        if found is None or found.mode != self.mode:
            found = LightPlayback(load_show(path) or _quiet_show(path), self.mode)
            if len(self._shows) >= _CACHED_SHOWS:
                del self._shows[next(iter(self._shows))]
            self._shows[path] = found
        return found


def _quiet_show(path: Path) -> LightShow:
    """Light of a file from elsewhere: two colors that its name decides, and no accents."""
    hue = hashlib.sha256(path.name.encode("utf-8", "replace")).digest()[0] / 256
    first, second = (
        tuple(round(255 * value) for value in colorsys.hsv_to_rgb((hue + shift) % 1, 0.65, 1.0))
        for shift in (0.0, 0.2)
    )
    scene = LightScene(
        start=0.0,
        seconds=_SONGS_WITHOUT_SHOW,
        section="",
        rgb=(first[0], first[1], first[2]),
        second_rgb=(second[0], second[1], second[2]),
        intensity=_QUIET_INTENSITY,
        fade=0.0,
    )
    return LightShow(_SONGS_WITHOUT_SHOW, "", (scene,), (), 0.0, 14.0)
