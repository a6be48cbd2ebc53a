"""Instruments as data, from ``data/instruments/*.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from scripts.errors import UsageError

ENGINES = ("wavetable", "fm", "pluck", "drums")


@dataclass(frozen=True)
class Instrument:
    """One instrument; the comments of ``data/instruments/instruments.toml`` explain the fields."""

    name: str
    engine: str
    wave: str = "saw"
    dark: float = 800.0
    bright: float = 4000.0
    mod_decay: float = 0.5
    envelope: tuple[float, float, float, float] = (0.01, 0.5, 0.7, 0.1)
    unison: tuple[float, ...] = (0.0,)
    vibrato: tuple[float, float] = (0.0, 5.0)
    wobble: float = 0.0
    drive: float = 0.0
    noise: float = 0.0
    octave: int = 0
    ratio: float = 1.0
    index: float = 1.0
    index_decay: float = 0.5
    damp: float = 0.5
    body: float = 0.0
    kick: tuple[float, float, float] = (50.0, 0.25, 0.5)
    snare: tuple[float, float, float] = (190.0, 0.18, 0.6)


@lru_cache(maxsize=4)
def load_instruments(folder: Path) -> dict[str, Instrument]:
    """All instruments by name.

    Raises
    ------
    UsageError
        Naming the file and instrument that cannot be read.
    """
    found: dict[str, Instrument] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            tables = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise UsageError(f"{path.name}: {error}; mend the instrument file") from error
        for name, row in tables.items():
            values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v
                                      for k, v in row.items()}
            try:
                found[name] = Instrument(name=name, **values)
            except TypeError as error:
                raise UsageError(f"{path.name}: [{name}] {error}") from error
            if found[name].engine not in ENGINES:
                raise UsageError(f"{path.name}: [{name}] engine must be one of "
                                 + ", ".join(ENGINES))
    return found
