"""Drum tracks from learned grooves, with fills, crashes and humanized timing."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from scripts.arranger.events import DRUM_KEYS, NoteEvent, Section, touch_of
from scripts.arranger.grooves import Groove, Place
from scripts.score.time_signature import Meter

_SURE = 0.72  # probability from which a stroke is always played
_RARE = 0.25  # probability up to which a stroke is an ornament, drawn for each bar
# Pieces left out at low energy.
_QUIET = ("crash", "openhat", "tom1", "tom2", "tom3", "bell")
_FEW = 0.45  # energy below which optional strokes are left out
_SPREAD = 0.05  # standard deviation of velocity between strokes


def drum(
    section: Section,
    meter: Meter,
    groove: Groove,
    grooves: Mapping[str, Groove],
    tempo: float,
    rng: random.Random,
) -> list[NoteEvent]:
    """Arrange the drums of a section from a learned groove, with its timing.

    Frequent strokes are always played, less frequent ones are drawn for two bars at a time,
    ornaments for each bar, so that a phrase of four bars runs a, a, a', b.

    Parameters
    ----------
    groove : Groove
    grooves : mapping of str to Groove
        All grooves, to choose a fill from.
    tempo : float
        Quarter notes a minute.

    Returns
    -------
    list of NoteEvent
        In ticks from the start of the song, micro-timing included.
    """
    full = meter.bar_ticks
    places = {p: groove.places(p, meter) for p in groove.pieces}
    fill = _fill(section, groove, grooves, rng)
    out: list[NoteEvent] = []
    drawn: dict[tuple[str, float], bool] = {}
    for b in range(section.bars):
        at = (section.start + b) * full
        if b % 2 == 0:
            drawn = {(p, x.tick): rng.random() < x.share for p in places for x in places[p]}
        till = full
        if fill is not None and b == section.bars - 1:
            beats = meter.groups[-2:] if section.energy > 0.75 else meter.groups[-1:]
            till = full - sum(beats)
            out += _strokes(
                at,
                {p: [x for x in fill.places(p, meter) if x.tick >= till] for p in fill.pieces},
                section.energy + 0.1,
                tempo,
                rng,
                lambda p, x: rng.random() < min(1.0, x.share * 2.2),
            )
        chosen = {
            p: [x for x in found if x.tick < till]
            for p, found in places.items()
            if not (p in _QUIET and section.energy < _FEW)
        }

        def played(
            piece: str, place: Place, drawn: Mapping[tuple[str, float], bool] = drawn
        ) -> bool:
            if place.share >= _SURE:
                return True
            if section.energy < _FEW and place.share < 0.5:
                return False
            if place.share <= _RARE:
                return rng.random() < place.share * 1.2
            return drawn[piece, place.tick]

        out += _strokes(at, chosen, section.energy, tempo, rng, played)
    if section.energy >= 0.55 and section.name != "intro":
        out.append(
            NoteEvent(
                section.start * full,
                full,
                DRUM_KEYS["crash"],
                min(1.0, 0.45 + 0.4 * section.energy),
            )
        )
        out.append(
            NoteEvent(
                section.start * full, 12, DRUM_KEYS["kick"], min(1.0, 0.5 + 0.4 * section.energy)
            )
        )
    return out


def _fill(
    section: Section, groove: Groove, grooves: Mapping[str, Groove], rng: random.Random
) -> Groove | None:
    if section.energy < 0.4 or section.bars < 4 or section.name == "outro":
        return None
    own = [g for g in grooves.values() if g.name.startswith(f"{groove.family}-fill-")]
    other = [g for g in grooves.values() if g.name.startswith("rock-fill-")]
    found: Sequence[Groove] = own or other
    return rng.choice(found) if found else None


def _strokes(
    at: float,
    places: Mapping[str, list[Place]],
    energy: float,
    tempo: float,
    rng: random.Random,
    played: Callable[[str, Place], bool],
) -> list[NoteEvent]:
    """Build the strokes of one bar, each at most 20 ms early or late."""
    most = 0.020 * tempo / 60 * 24
    loose = 0.0025 * tempo / 60 * 24
    out = []
    for piece, found in places.items():
        for place in found:
            if not played(piece, place):
                continue
            late = min(max(place.late + rng.gauss(0.0, loose), -most), most)
            force = (
                (0.25 + 0.75 * place.force) * (0.12 + touch_of(energy)) * rng.gauss(1.0, _SPREAD)
            )
            out.append(
                NoteEvent(
                    max(0.0, at + place.tick + late),
                    6,
                    DRUM_KEYS[piece],
                    min(1.0, max(0.05, force)),
                )
            )
    return out
