"""Instruments and ensembles that can be asked for, read from ``data/orchestration.toml``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from scripts.core import paths
from scripts.core.errors import UsageError
from scripts.core.toml import read_tables
from scripts.styles.style import ROLES, TrackStyle

STYLE_TRACK = "style"  # in an ensemble: the style's own instrument


@dataclass(frozen=True)
class AskedInstrument:
    """An instrument as people name it.

    Parameters
    ----------
    sounds : tuple of str
        Instruments of ``data/instruments`` that count as this one, the lead's first.
    accompany : str
        Its instrument for chords; empty for the lead's.
    chords : bool
        Whether it can play chords.
    bass : str
        Its instrument for a bass line; empty if it plays none.
    octave : int
        Octaves by which a lead is moved into its range.
    role : str
        The role that it takes unless it is alone; empty for melody or chords.
    stand_in : bool
        Whether its sounds are those of another instrument, because it has none of its own.
    """

    sounds: tuple[str, ...]
    accompany: str = ""
    chords: bool = False
    bass: str = ""
    octave: int = 0
    role: str = ""
    stand_in: bool = False

    @property
    def chord_sound(self) -> str:
        """Instrument that plays its chords."""
        return self.accompany or self.sounds[0]


@dataclass(frozen=True)
class Orchestration:
    """The tables of ``data/orchestration.toml``.

    Parameters
    ----------
    instruments : mapping of str to AskedInstrument
    ensembles : mapping of str to mapping
        Instrument of each role, by name.
    substitutes : mapping of str to tuple of str
        Instruments for a role whose own is excluded, best first.
    tracks : mapping of str to TrackStyle
        How a role is played that the style does not have.
    """

    instruments: Mapping[str, AskedInstrument]
    ensembles: Mapping[str, Mapping[str, str]]
    substitutes: Mapping[str, tuple[str, ...]]
    tracks: Mapping[str, TrackStyle] = field(default_factory=dict)


@lru_cache(maxsize=2)
def load_orchestration(path: Path = paths.DATA / "orchestration.toml") -> Orchestration:
    """Read the tables.

    Raises
    ------
    UsageError
        When the file is invalid.
    """
    tables, _ = read_tables(path)
    try:
        return Orchestration(
            {n: AskedInstrument(**_with_tuples(row)) for n, row in tables["instrument"].items()},
            {n: {role: str(row[role]) for role in row} for n, row in tables["ensemble"].items()},
            {role: tuple(names) for role, names in tables["substitutes"].items()},
            {
                role: TrackStyle(instrument="", **_with_tuples(row))
                for role, row in tables["tracks"].items()
            },
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path.name}: {error}; correct the file") from error


def parse_instruments(text: str) -> tuple[tuple[str, ...], bool]:
    """Parse what should play: names with commas between them, ``only`` before them if alone.

    Returns
    -------
    names : tuple of str
        Names of instruments and ensembles.
    alone : bool
        Whether nothing else may play.

    Raises
    ------
    UsageError
        When a name is unknown.
    """
    first, _, rest = text.strip().partition(" ")
    alone = first.lower() in ("only", "solo") and bool(rest.strip())
    known = load_orchestration()
    names = [*known.instruments, *known.ensembles]
    return _parse_names(rest if alone else text, names, "instrument"), alone


def parse_excluded(text: str) -> tuple[str, ...]:
    """Parse what must not play: names of instruments or roles with commas between them.

    Raises
    ------
    UsageError
        When a name is unknown.
    """
    return _parse_names(text, [*load_orchestration().instruments, *ROLES], "instrument or role")


def _parse_names(text: str, known: Sequence[str], kind: str) -> tuple[str, ...]:
    found = []
    for part in text.replace(";", ",").split(","):
        name = " ".join(part.lower().split())
        if not name:
            continue
        singular = name[:-1] if name.endswith("s") and name not in known else name
        if singular not in known:
            raise UsageError(
                f'unknown {kind} "{name[:30]}": expected one such as {", ".join(known[:6])}; '
                "data/orchestration.toml lists all"
            )
        found.append(singular)
    return tuple(dict.fromkeys(found))


def _with_tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
