"""Style definitions, read from ``data/styles/NAME.toml``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.core.errors import UsageError
from scripts.core.toml import find_line, read_tables
from scripts.score.chords import parse_roman_numeral
from scripts.score.keys import SCALES, Key
from scripts.score.time_signature import parse_time_signature
from scripts.styles.mastering import USUAL_MASTERING, Mastering, load_mastering

ROLES = ("melody", "chords", "bass", "drums", "pad", "arp", "percussion", "texture", "fx", "tone")
ENDINGS = ("ring", "hit", "roll", "tag", "echo", "fade")


@dataclass(frozen=True)
class TrackStyle:
    """Sound and patterns of one role.

    Parameters
    ----------
    instrument : str
        Name of an instrument in ``data/instruments``.
    patterns : tuple of str
        Names of patterns in ``data/grooves`` to choose from.
    gain : float
        Level in dB.
    pan : float
        -1 (left) to 1 (right).
    reverb, delay, ambience : float
        Send levels, 0 to 1: to the style's reverberation, the echo, and the small room in which a
        band plays.
    duck : float
        Depth of the side-chain ducking by the kick drum, 0 to 1.
    alternatives : tuple of str
        Instruments that may play instead; the seed chooses.
    manners : tuple of str
        Articulations that alternate, for instruments that have several.
    octave : int
        Octaves by which a melody is moved into the instrument's range.
    featured : bool
        Whether the instrument was asked for, so that it plays in soft sections, too.
    double : bool
        Whether it is played twice, once for the left and once for the right.
    """

    instrument: str
    patterns: tuple[str, ...] = ()
    gain: float = -6.0
    pan: float = 0.0
    reverb: float = 0.0
    delay: float = 0.0
    ambience: float = 0.0
    duck: float = 0.0
    alternatives: tuple[str, ...] = ()
    manners: tuple[str, ...] = ()
    octave: int = 0
    featured: bool = False
    double: bool = False


@dataclass(frozen=True)
class MelodyRules:
    """Constraints on the melody that the model writes.

    Parameters
    ----------
    low, high : int
        Range in MIDI pitches.
    durations : tuple of int
        Allowed note lengths in ticks (24 per quarter).
    density : int
        Notes per quarter times two.
    harmony : int
        Number of different chords, 1 to 9.
    rests, triplets, ties, syncopation : bool
        Whether these are allowed.
    chromatic : bool
        Whether pitches outside the scale are allowed.
    half_bar_chords : bool
        Whether the chord may change in the middle of a bar.
    rhythm : str
        A table of ``data/rhythms.toml``, by which the rhythm is planned; empty leaves it to the
        model.
    """

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
    rhythm: str = ""


@dataclass(frozen=True)
class Style:
    """A musical style; docs/styles.md describes each field."""

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
    mastering: Mastering = USUAL_MASTERING
    endings: tuple[str, ...] = ("ring",)
    habit: str = "pop"
    hints: tuple[str, ...] = ()

    @property
    def ending(self) -> str:
        """The usual ending."""
        return self.endings[0]


def load_styles(folder: Path) -> dict[str, Style]:
    """Read all styles in `folder`, by name.

    Raises
    ------
    UsageError
        If a file is invalid; the message names the file and the field.
    """
    return {path.stem: read_style(path) for path in sorted(folder.glob("*.toml"))}


def read_style(path: Path) -> Style:
    """Read and validate one style file.

    Raises
    ------
    UsageError
        If it is invalid; the message names the file and the field.
    """
    data, text = read_tables(path)
    try:
        return _parse_style(path.stem, data, path.parent.parent / "mastering.toml")
    except KeyError as error:
        raise UsageError(f"{path.name}: the field {error} is missing") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"{path.name}, line {_find_error_line(text, str(error))}: {error}"
        ) from error


def _find_error_line(text: str, message: str) -> int:
    """Line of the field that an error names: a dotted path at its start or a quoted argument."""
    path = re.match(r"[a-z_]+(?:\.[a-z_]+)*", message)
    named = re.search(r"argument '(\w+)'", message)
    return find_line(text, *(named[1],) if named else path[0].split(".") if path else ())


def _parse_style(name: str, data: dict[str, Any], families: Path) -> Style:
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
            raise ValueError(f"tracks.{role}: unknown role; expected one of {', '.join(ROLES)}")
        row = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
        tracks[role] = TrackStyle(**row)
    for role in ROLES[:4]:
        if role not in tracks:
            raise ValueError(f"tracks.{role} is missing")
    scales = dict(data["scales"])
    for scale in scales:
        if scale not in SCALES:
            raise ValueError(f"scales: unknown scale {scale!r}")
    for field_name, key in (("major", Key("C")), ("minor", Key("A", "minor")), ("plan", Key("C"))):
        listed = data.get("plan", "").split() if field_name == "plan" else data[field_name]
        for roman in listed:
            if parse_roman_numeral(roman, key) is None:
                raise ValueError(f"{field_name}: invalid Roman numeral {roman!r}")
    ending = data.get("ending", "ring")
    endings = (ending,) if isinstance(ending, str) else tuple(ending)
    if not endings or set(endings) - set(ENDINGS):
        raise ValueError(f"ending must be one or more of {', '.join(ENDINGS)}")
    meters = dict(data.get("meters", {"4/4": 1}))
    for meter in meters:
        if parse_time_signature(meter) is None:
            raise ValueError(f"meters: invalid meter {meter!r}")
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
        mastering=_find_mastering(data.get("mastering", ""), families),
        endings=endings,
        habit=str(data.get("habit", "pop")),
        hints=tuple(data.get("hints", ())),
    )


def _find_mastering(family: str, path: Path) -> Mastering:
    """Mastering target of a family; the usual one without a name."""
    if not family:
        return USUAL_MASTERING
    found = load_mastering(path)
    if family not in found:
        names = ", ".join(found)
        raise ValueError(f"mastering: unknown family {family!r}; expected one of {names}")
    return found[family]
