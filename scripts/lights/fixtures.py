"""Fixtures: which channels of a DMX universe a lamp has, read from ``data/lights.toml``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from scripts.core.toml import convert_tables
from scripts.lights.show import Light

CHANNELS = 512  # of a universe
_CHANNELS_OF_KIND = {"rgb": 3, "rgbw": 4, "drgb": 4, "dimmer": 1, "strip": 0}


class Fixture(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lamp or strip.

    Parameters
    ----------
    kind : str
        Its channels in order: ``rgb``, ``rgbw``, ``drgb`` (dimmer first), ``dimmer``; or
        ``strip``.
    channel : int
        The first of them, 1 to 512.
    leds : int
        Of a strip.
    delay : float
        Seconds by which it follows the others.
    """

    kind: Literal["rgb", "rgbw", "drgb", "dimmer", "strip"]
    channel: Annotated[int, Meta(ge=1, le=CHANNELS)] = 1
    leds: Annotated[int, Meta(ge=1, le=490)] = 60
    delay: Annotated[float, Meta(ge=0, le=2)] = 0.0

    def __post_init__(self) -> None:
        if self.channel + _CHANNELS_OF_KIND[self.kind] - 1 > CHANNELS:
            raise ValueError(f"a {self.kind} lamp at channel {self.channel} ends after {CHANNELS}")

    def values(self, light: Light) -> tuple[int, ...]:
        """Values of its channels, 0 to 255 each."""
        red, green, blue = light.rgb
        if self.kind == "dimmer":
            return (round(255 * light.level),)
        if self.kind == "drgb":
            full = Light(light.color, 1.0).rgb
            return (round(255 * light.level), *full)
        if self.kind == "rgbw":
            white = min(red, green, blue)
            return red - white, green - white, blue - white, white
        return red, green, blue


def load_fixtures(path: Path) -> tuple[Fixture, ...]:
    """Read the fixtures.

    Raises
    ------
    UsageError
        If the file is invalid.
    """
    return tuple(convert_tables(path, Fixture).values())


def fill_universe(fixtures: Sequence[Fixture], light_at: Callable[[float], Light]) -> bytes:
    """Values of all channels of a universe.

    Parameters
    ----------
    fixtures : sequence of Fixture
    light_at : callable
        Returns the light so many seconds ago.
    """
    values = bytearray(CHANNELS)
    for fixture in fixtures:
        if fixture.kind != "strip":
            found = fixture.values(light_at(fixture.delay))
            values[fixture.channel - 1 : fixture.channel - 1 + len(found)] = bytes(found)
    return bytes(values)
