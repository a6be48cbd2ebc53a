"""The twelve moods: what music and light they mean, read from ``data/moods.toml``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from scripts.core.toml import convert_tables

Rgb = tuple[int, int, int]  # 0 to 255 each
_COLOR = re.compile(r"#[0-9a-f]{6}")
_COLORS = 4  # of a palette
_Share = Annotated[float, Meta(ge=0, le=1)]


class Mood(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mood.

    Parameters
    ----------
    english : str
        How a model is asked whether a text means it.
    style : str
        Name of a style of this mood.
    valence : float
        Usual valence, -1 (unpleasant) to 1.
    arousal : float
        Usual arousal, 0 (calm) to 1.
    palette : tuple of str
        Colors such as ``#ffd28c``: of intro and verse, chorus, bridge, drop.
    intensity : (float, float)
        Of the light in the softest and the loudest section, 0 to 1.
    accent : float
        How much a stroke on the beat brightens the light, 0 to 1.
    drift : float
        Seconds in which the light moves from one color to the next and back.
    """

    english: str
    style: str
    valence: Annotated[float, Meta(ge=-1, le=1)]
    arousal: _Share
    palette: tuple[str, ...]
    intensity: tuple[_Share, _Share]
    accent: _Share
    drift: Annotated[float, Meta(ge=1, le=120)]

    def __post_init__(self) -> None:
        if len(self.palette) != _COLORS or not all(map(_COLOR.fullmatch, self.palette)):
            raise ValueError(f"palette must have {_COLORS} colors such as #ffd28c")

    @property
    def colors(self) -> tuple[Rgb, ...]:
        """The palette as numbers."""
        return tuple((int(c[1:3], 16), int(c[3:5], 16), int(c[5:7], 16)) for c in self.palette)


@lru_cache(maxsize=2)
def load_moods(path: Path) -> Mapping[str, Mood]:
    """Read the moods by their identifiers.

    Raises
    ------
    UsageError
        If the file is invalid.
    """
    return convert_tables(path, Mood)


def mood_of_styles(names: Iterable[str], moods: Mapping[str, Mood]) -> str:
    """Identifier of the first mood among the names of styles; empty if there is none."""
    by_style = moods_by_style(moods)
    return next((by_style[name] for name in names if name in by_style), "")


def moods_by_style(moods: Mapping[str, Mood]) -> dict[str, str]:
    """Identifiers of the moods by the names of their styles."""
    return {mood.style: name for name, mood in moods.items()}
