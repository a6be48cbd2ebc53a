"""A style and its parts, read from ``data/styles/NAME.toml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.core.errors import UsageError
from scripts.core.toml import line_of, read_tables
from scripts.score.chords import parse_roman
from scripts.score.keys import SCALES, Key
from scripts.score.time_signature import parse_meter

ROLES = ("melody", "chords", "bass", "drums", "pad", "arp", "percussion", "texture", "fx", "tone")
ENDINGS = ("ring", "hit", "roll", "tag", "echo", "fade")


@dataclass(frozen=True)
class TrackStyle:
    """How one role sounds.

    Parameters
    ----------
    instrument : str
        A name in ``data/instruments``.
    patterns : tuple of str
        Rhythms in ``data/grooves`` to choose from.
    gain : float
        dB.
    pan : float
        -1 (left) to 1 (right).
    reverb, delay : float
        Send levels, 0 to 1.
    duck : float
        How far the kick pushes it down, 0 to 1 (side-chain).
    manners : tuple of str
        Ways of playing that take turns, where the instrument knows several.
    """

    instrument: str
    patterns: tuple[str, ...] = ()
    gain: float = -6.0
    pan: float = 0.0
    reverb: float = 0.0
    delay: float = 0.0
    duck: float = 0.0
    manners: tuple[str, ...] = ()


@dataclass(frozen=True)
class MelodyRules:
    """What the model may write: range in MIDI pitches, lengths in ticks (24 a quarter)."""

    low: int = 60
    high: int = 81
    durations: tuple[int, ...] = (12, 24, 36, 48)
    density: int = 4
    harmony: int = 4
    rests: bool = True
    triplets: bool = False
    ties: bool = False
    syncopation: bool = True
    chromatic: bool = False
    half_bar_chords: bool = False


@dataclass(frozen=True)
class Style:
    """A style; see docs/styles.md for what each field does."""

    name: str
    kind: str
    words: tuple[str, ...]
    genre: str
    tags: str
    tempo: tuple[float, float]
    scales: Mapping[str, float]
    major: tuple[str, ...]
    minor: tuple[str, ...]
    form: tuple[str, ...]
    claims: Mapping[str, float]
    melody: MelodyRules
    tracks: Mapping[str, TrackStyle]
    meters: Mapping[str, float] = field(default_factory=lambda: {"4/4": 1.0})
    meter_tags: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[int, ...] = ()
    plan: tuple[str, ...] = ()
    swing: float = 0.0
    room: float = 1.9
    ending: str = "ring"
    habit: str = "pop"
    hints: tuple[str, ...] = ()


def load_styles(folder: Path) -> dict[str, Style]:
    """All styles of `folder` by name.

    Raises
    ------
    UsageError
        Naming the file and the field that is wrong.
    """
    return {path.stem: read_style(path) for path in sorted(folder.glob("*.toml"))}


def read_style(path: Path) -> Style:
    """Read and check one style file."""
    data, text = read_tables(path)
    try:
        return _style(path.stem, data)
    except KeyError as error:
        raise UsageError(f"{path.name}: the field {error} is missing") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"{path.name}, line {_line(text, str(error))}: {error}") from error


def _line(text: str, said: str) -> int:
    """Where the field stands that an error speaks of: by its way, or by its name in quotes."""
    way = re.match(r"[a-z_]+(?:\.[a-z_]+)*", said)
    named = re.search(r"argument '(\w+)'", said)
    return line_of(text, *(named[1],) if named else way[0].split(".") if way else ())


def _style(name: str, data: dict[str, Any]) -> Style:
    melody = dict(data.get("melody", {}))
    if "range" in melody:
        melody["low"], melody["high"] = melody.pop("range")
    if "durations" in melody:
        melody["durations"] = tuple(int(d) for d in melody["durations"])
    rules = MelodyRules(**melody)
    if not 24 <= rules.low < rules.high <= 103 or rules.high - rules.low < 12:
        raise ValueError("melody.range must span an octave or more between 24 and 103")
    if not rules.durations or any(d % 6 or d <= 0 for d in rules.durations):
        raise ValueError("melody.durations must be multiples of 6 ticks (a sixteenth)")
    tracks = {}
    for role, row in data["tracks"].items():
        if role not in ROLES:
            raise ValueError(f"tracks.{role} is none of {', '.join(ROLES)}")
        row = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
        tracks[role] = TrackStyle(**row)
    for role in ROLES[:4]:
        if role not in tracks:
            raise ValueError(f"tracks.{role} is missing")
    scales = dict(data["scales"])
    for scale in scales:
        if scale not in SCALES:
            raise ValueError(f"scales: {scale!r} is not known")
    for field_name, key in (("major", Key("C")), ("minor", Key("A", "minor")), ("plan", Key("C"))):
        listed = data.get("plan", "").split() if field_name == "plan" else data[field_name]
        for roman in listed:
            if parse_roman(roman, key) is None:
                raise ValueError(f"{field_name}: {roman!r} is no chord in Roman numerals")
    if data.get("ending", "ring") not in ENDINGS:
        raise ValueError(f"ending must be one of {', '.join(ENDINGS)}")
    meters = dict(data.get("meters", {"4/4": 1}))
    for meter in meters:
        if parse_meter(meter) is None:
            raise ValueError(f"meters: {meter!r} is no metre")
    low, high = data["tempo"]
    if not 20 <= low <= high <= 300:
        raise ValueError("tempo must be two numbers from 20 to 300, low first")
    return Style(
        name=name,
        kind=str(data.get("kind", "style")),
        words=tuple(data.get("words", ())),
        genre=str(data["genre"]),
        tags=str(data["tags"]),
        tempo=(float(low), float(high)),
        scales=scales,
        major=tuple(data["major"]),
        minor=tuple(data["minor"]),
        form=tuple(data["form"]),
        claims=dict(data["claims"]),
        melody=rules,
        tracks=tracks,
        meters=meters,
        meter_tags=dict(data.get("meter_tags", {})),
        parts=tuple(data.get("parts", ())),
        plan=tuple(str(data.get("plan", "")).split()),
        swing=float(data.get("swing", 0.0)),
        room=float(data.get("room", 1.9)),
        ending=str(data.get("ending", "ring")),
        habit=str(data.get("habit", "pop")),
        hints=tuple(data.get("hints", ())),
    )
