"""Dynamics of a section: entrances and exits of roles, crescendos, the pause before a drop."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import replace

from scripts.arranger.events import NoteEvent, Section
from scripts.styles.style import Style

Tracks = dict[str, list[NoteEvent]]

# Fraction of an intro after which a role enters, by entrance. Roles not listed play from the
# start.
_ENTRANCES: Mapping[str, Mapping[str, float]] = {
    "harmony": {"drums": 0.5, "percussion": 0.5, "bass": 0.5},
    "beat": {"chords": 0.5, "pad": 0.5, "bass": 0.25},
    "bass line": {"chords": 0.5, "pad": 0.75, "drums": 0.25},
    "chords": {"drums": 1.0, "percussion": 1.0, "bass": 1.0, "pad": 0.5},
    "band": {},
}
_BEGINNERS = ("chords", "pad", "bass", "drums")  # roles of which one begins a song
_QUIET_ENTRANCES = ("harmony", "chords", "band")  # of songs without prominent drums
# Fraction of an outro after which a role stops, by the style's ending.
_EXITS: Mapping[str, Mapping[str, float]] = {
    "ring": {"melody": 0.5, "percussion": 0.5, "arp": 0.75},
    "hit": {"melody": 0.5, "arp": 0.5},
    "roll": {"drums": 0.5, "percussion": 0.25},
    "tag": {"percussion": 0.5, "arp": 0.5},
    "echo": {"melody": 0.25, "bass": 0.75, "arp": 0.75, "percussion": 0.5},
    "fade": {"drums": 0.25, "percussion": 0.25, "bass": 0.75, "melody": 0.5},
}
_MIDDLE_ENERGY, _ENERGY_SPREAD = 0.6, 0.4  # of the sections of a form
_SOFTEST, _LOUDEST = -0.9, 0.6  # shares of the dynamics
_MEAN_WAVE = 0.6  # so that a swell leaves the mean level about as it is
_SWELL_BARS, _SWELL_SHARE = 8, 0.4  # length of a swell, and its share of the dynamics
_VELOCITY_DECIBELS = 24.0  # of a velocity from 0 to 1
_MIN_VELOCITY = 0.06
_FADE_LEVEL = 0.35  # velocity factor at the end of an outro that fades
_MIN_DRUM_CLAIM = 0.7  # claim on the drums from which a song may begin with drums or bass
_STOPPING = ("chords", "bass", "percussion", "arp", "pad")  # roles that stop before a chorus
_SILENT_BEFORE_DROP = (*_STOPPING, "drums")
_STOP_CHANCE = 0.35


def choose_entrance(style: Style, seed: int) -> str:
    """Choose how a song begins: with chords, the band, or, if they are prominent, drums or bass.

    Parameters
    ----------
    seed : int
        The same style and seed give the same entrance.
    """
    has_beat = style.claims.get("drums", 0.0) >= _MIN_DRUM_CLAIM
    allowed = tuple(_ENTRANCES) if has_beat else _QUIET_ENTRANCES
    kinds = [
        kind
        for kind in allowed
        if any(role in style.tracks and not _ENTRANCES[kind].get(role) for role in _BEGINNERS)
    ]
    if not kinds:
        return "band"
    return random.Random(f"entrance {seed}").choice(kinds)


def apply_dynamics(
    section: Section,
    following: Section | None,
    full: int,
    tracks: Tracks,
    entrance: str,
    ending: str,
    stops: bool = False,
) -> Tracks:
    """Apply entrances, exits, crescendos and the pause before the next section to a section.

    Parameters
    ----------
    following : Section or None
        The next section; None for the last.
    full : int
        Ticks of a bar.
    tracks : dict of str to list of NoteEvent
        The section's notes by role.
    entrance : str
        As :func:`choose_entrance` returns it.
    ending : str
        One of :data:`scripts.styles.style.ENDINGS`.
    stops : bool
        Whether the band stops half a bar before the end; lead and drums go on.

    Returns
    -------
    dict of str to list of NoteEvent
        The remaining notes, with scaled velocities.
    """
    start, length = section.start * full, section.bars * full
    out: Tracks = {}
    for role, events in tracks.items():
        low = _ENTRANCES[entrance].get(role, 0.0) if section.name == "intro" else 0.0
        high = _EXITS[ending].get(role, 1.0) if section.name == "outro" else 1.0
        first, last = (
            start + _whole_bars(low, section) * full,
            start + _whole_bars(high, section) * full,
        )
        # A note that humanized timing puts slightly early still belongs to its bar.
        audible = [
            e
            for e in events
            if first - full / 32 <= e.start < last - full / 32 or (low == 0 and e.start < start)
        ]
        out[role] = [_scale_velocity(e, section, following, start, length, ending) for e in audible]
    if following is not None and following.name == "drop" and section.name == "build":
        _silence(out, _SILENT_BEFORE_DROP, start + length - full / 2)
    elif stops:
        _silence(out, _STOPPING, start + length - full / 2)
    return out


def has_stop(style: Style, following: Section | None, seed: str) -> bool:
    """Whether the band stops before the next section: some choruses, where drums are prominent."""
    if following is None or following.name != "chorus":
        return False
    has_beat = style.claims.get("drums", 0.0) >= _MIN_DRUM_CLAIM
    return has_beat and random.Random(seed).random() < _STOP_CHANCE


def swell(section: Section, full: int, tracks: Tracks, dynamics: float) -> Tracks:
    """Play louder the more energy a section has, and let its phrases swell and fade.

    Parameters
    ----------
    full : int
        Ticks of a bar.
    dynamics : float
        Decibels between soft and loud sections; 0 changes nothing.
    """
    if not dynamics:
        return tracks
    start, phrase = section.start * full, _SWELL_BARS * full
    energy = (section.energy - _MIDDLE_ENERGY) / _ENERGY_SPREAD
    level = dynamics * min(_LOUDEST, max(_SOFTEST, energy))

    def play(event: NoteEvent) -> NoteEvent:
        """Scale the velocity of a note by its place in the phrase."""
        place = (event.start - start) % phrase / phrase
        wave = _SWELL_SHARE * dynamics * (math.sin(math.pi * place) - _MEAN_WAVE)
        velocity = event.velocity + (level + wave) / _VELOCITY_DECIBELS
        return replace(event, velocity=min(1.0, max(_MIN_VELOCITY, velocity)))

    return {role: [play(event) for event in events] for role, events in tracks.items()}


def _whole_bars(share: float, section: Section) -> int:
    """Convert a fraction of a section to whole bars."""
    return round(share * section.bars)


def _scale_velocity(
    event: NoteEvent,
    section: Section,
    following: Section | None,
    start: float,
    length: float,
    ending: str,
) -> NoteEvent:
    """Scale velocity: crescendo in a build or before a louder section, diminuendo in a fade."""
    place = min(1.0, max(0.0, (event.start - start) / length))
    factor = 1.0
    if section.name == "build":
        factor = 0.78 + 0.32 * place
    elif section.name == "outro" and ending == "fade":
        factor = 1 - (1 - _FADE_LEVEL) * place
    elif following is not None and following.energy > section.energy + 0.1:
        factor = 0.97 + 0.1 * max(0.0, place - 0.5)
    return event if factor == 1.0 else replace(event, velocity=min(1.0, event.velocity * factor))


def _silence(tracks: Tracks, roles: Iterable[str], stop: float) -> None:
    """Silence roles from tick `stop` on."""
    for role in roles:
        if role in tracks:
            tracks[role] = [
                replace(e, ticks=min(e.ticks, stop - e.start))
                for e in tracks[role]
                if e.start < stop - 3
            ]
