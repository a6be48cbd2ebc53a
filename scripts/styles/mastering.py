"""Mastering targets of families of styles, read from ``data/mastering.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import msgspec

from scripts.core.toml import convert_tables

OCTAVES = 10  # from 31.5 Hz to 16 kHz
# On average the power density of popular recordings falls by about 5 dB per octave from 100 Hz to
# 4 kHz and faster above (Pestana et al., "Spectral Characteristics of Popular Commercial Recordings
# 1950-2010", AES 135, 2013); an octave band is twice as wide as the one below it, which adds 3 dB.
POPULAR_SPECTRUM = (-10.0, -1.5, 0.0, -2.0, -4.0, -6.0, -8.0, -10.5, -14.5, -21.0)


class Mastering(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a finished song of a family is like.

    Parameters
    ----------
    spectrum : tuple of float
        Level of each octave from 31.5 Hz to 16 kHz in dB, relative to that of 125 Hz.
    loudness : float
        LUFS.
    threshold : float
        RMS level in dBFS above which the bus compressor works.
    width : float
        Least level of the sides relative to the middle, in dB.
    dynamics : float
        Decibels between soft and loud sections, beyond those of their instruments.
    """

    spectrum: tuple[float, ...] = POPULAR_SPECTRUM
    loudness: float = -14.0
    threshold: float = -17.0
    width: float = -12.0
    dynamics: float = 0.0

    def __post_init__(self) -> None:
        if len(self.spectrum) != OCTAVES:
            raise ValueError(f"spectrum must have {OCTAVES} numbers")
        if not -24 <= self.loudness <= -8 or not 0 <= self.dynamics <= 20:
            raise ValueError("loudness must be -24 to -8, and dynamics 0 to 20")


USUAL_MASTERING = Mastering()


@lru_cache(maxsize=8)
def load_mastering(path: Path) -> Mapping[str, Mastering]:
    """Read the families by name.

    Raises
    ------
    UsageError
        If the file is invalid.
    """
    return convert_tables(path, Mastering)
