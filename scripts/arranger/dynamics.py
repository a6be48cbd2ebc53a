"""The dramatic line: who enters and leaves when, crescendos, and the breath before a drop."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

from scripts.arranger.events import NoteEvent, Section
from scripts.styles.style import Style

Tracks = dict[str, list[NoteEvent]]

# Of an introduction: from which share of it on a role plays. Roles that are missing play from
# the start.
_ENTRANCES: Mapping[str, Mapping[str, float]] = {
    "harmony": {"drums": 0.5, "percussion": 0.5, "bass": 0.5},
    "beat": {"chords": 0.5, "pad": 0.5, "bass": 0.25},
    "bass line": {"chords": 0.5, "pad": 0.75, "drums": 0.25},
}
# Of an outro: until which share of it a role plays, by the style's way of ending.
_EXITS: Mapping[str, Mapping[str, float]] = {
    "ring": {"melody": 0.5, "percussion": 0.5, "arp": 0.75},
    "hit": {"melody": 0.5, "arp": 0.5},
    "roll": {"drums": 0.5, "percussion": 0.25},
    "tag": {"percussion": 0.5, "arp": 0.5},
    "echo": {"melody": 0.25, "bass": 0.75, "arp": 0.75, "percussion": 0.5},
    "fade": {"drums": 0.25, "percussion": 0.25, "bass": 0.75, "melody": 0.5},
}
_FADED = 0.35  # of its level is left at the end of an outro that fades
_BEAT_LEADS = 0.7  # claim on the drums from which a style may begin with them
_PULLED = ("chords", "bass", "drums", "percussion", "arp", "pad")  # silent before a drop


def entrance_of(style: Style, seed: int) -> str:
    """How a song begins: a quiet style with its harmony, others also with drums or bass."""
    kinds = list(_ENTRANCES) if style.claims.get("drums", 0.0) >= _BEAT_LEADS else ["harmony"]
    return random.Random(f"entrance {seed}").choice(kinds)


def staged(
    section: Section,
    following: Section | None,
    full: int,
    tracks: Tracks,
    entrance: str,
    ending: str,
) -> Tracks:
    """The notes of a section that are played when roles enter, leave, swell and hold back.

    Parameters
    ----------
    following : Section or None
        None for the last section.
    full : int
        Ticks of a bar.
    entrance, ending : str
        How the song begins, and the style's way of ending.
    """
    start, length = section.start * full, section.bars * full
    out: Tracks = {}
    for role, events in tracks.items():
        low = _ENTRANCES[entrance].get(role, 0.0) if section.name == "intro" else 0.0
        high = _EXITS[ending].get(role, 1.0) if section.name == "outro" else 1.0
        first, last = start + _bar(low, section) * full, start + _bar(high, section) * full
        # What a swing or a drummer's hand puts a little early belongs to its bar all the same.
        kept = [
            e
            for e in events
            if first - full / 32 <= e.start < last - full / 32 or (low == 0 and e.start < start)
        ]
        out[role] = [_swelled(e, section, following, start, length, ending) for e in kept]
    if following is not None and following.name == "drop" and section.name == "build":
        _breathe(out, start + length, full)
    return out


def _bar(share: float, section: Section) -> int:
    """A share of a section in whole bars."""
    return round(share * section.bars)


def _swelled(
    event: NoteEvent,
    section: Section,
    following: Section | None,
    start: float,
    length: float,
    ending: str,
) -> NoteEvent:
    """A crescendo through a build and towards a louder section, a diminuendo in what fades."""
    place = min(1.0, max(0.0, (event.start - start) / length))
    factor = 1.0
    if section.name == "build":
        factor = 0.78 + 0.32 * place
    elif section.name == "outro" and ending == "fade":
        factor = 1 - (1 - _FADED) * place
    elif following is not None and following.energy > section.energy + 0.1:
        factor = 0.97 + 0.1 * max(0.0, place - 0.5)
    return event if factor == 1.0 else replace(event, velocity=min(1.0, event.velocity * factor))


def _breathe(tracks: Tracks, end: float, full: int) -> None:
    """Everything but tune and riser stops half a bar before a drop."""
    stop = end - full / 2
    for role in _PULLED:
        if role in tracks:
            tracks[role] = [
                replace(e, ticks=min(e.ticks, stop - e.start))
                for e in tracks[role]
                if e.start < stop - 3
            ]
