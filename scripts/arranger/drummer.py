"""Drum tracks from learned grooves, with fills, crashes and humanized timing."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence

from scripts.arranger.events import DRUM_KEYS, NoteEvent, Section, base_velocity
from scripts.arranger.grooves import Groove, Hit
from scripts.score.time_signature import TimeSignature

_CORE_PROBABILITY = 0.72  # probability from which a stroke is always played
_ORNAMENT_PROBABILITY = 0.25  # probability up to which a stroke is an ornament, drawn for each bar
# Pieces left out at low energy.
_LOUD_PIECES = ("crash", "openhat", "tom1", "tom2", "tom3", "bell")
_LOW_ENERGY = 0.45  # energy below which optional strokes are left out
_VELOCITY_DEVIATION = 0.05  # standard deviation of velocity between strokes


def arrange_drum_groove(
    section: Section,
    meter: TimeSignature,
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
    hits = {p: groove.hits(p, meter) for p in groove.pieces}
    fill = _choose_fill(section, groove, grooves, rng)
    out: list[NoteEvent] = []
    drawn: dict[tuple[str, float], bool] = {}
    for b in range(section.bars):
        at = (section.start + b) * full
        if b % 2 == 0:
            drawn = {(p, x.tick): rng.random() < x.probability for p in hits for x in hits[p]}
        till = full
        if fill is not None and b == section.bars - 1:
            beats = meter.groups[-2:] if section.energy > 0.75 else meter.groups[-1:]
            till = full - sum(beats)
            out += _strokes(
                at,
                {p: [x for x in fill.hits(p, meter) if x.tick >= till] for p in fill.pieces},
                section.energy + 0.1,
                tempo,
                rng,
                lambda p, x: rng.random() < min(1.0, x.probability * 2.2),
            )
        chosen = {
            p: [x for x in found if x.tick < till]
            for p, found in hits.items()
            if not (p in _LOUD_PIECES and section.energy < _LOW_ENERGY)
        }

        def played(piece: str, hit: Hit, drawn: Mapping[tuple[str, float], bool] = drawn) -> bool:
            if hit.probability >= _CORE_PROBABILITY:
                return True
            if section.energy < _LOW_ENERGY and hit.probability < 0.5:
                return False
            if hit.probability <= _ORNAMENT_PROBABILITY:
                return rng.random() < hit.probability * 1.2
            return drawn[piece, hit.tick]

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


def _choose_fill(
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
    hits: Mapping[str, list[Hit]],
    energy: float,
    tempo: float,
    rng: random.Random,
    played: Callable[[str, Hit], bool],
) -> list[NoteEvent]:
    """Build the strokes of one bar, each at most 20 ms early or late."""
    most = 0.020 * tempo / 60 * 24
    loose = 0.0025 * tempo / 60 * 24
    out = []
    for piece, found in hits.items():
        for hit in found:
            if not played(piece, hit):
                continue
            late = min(max(hit.delay + rng.gauss(0.0, loose), -most), most)
            force = (
                (0.25 + 0.75 * hit.velocity)
                * (0.12 + base_velocity(energy))
                * rng.gauss(1.0, _VELOCITY_DEVIATION)
            )
            out.append(
                NoteEvent(
                    max(0.0, at + hit.tick + late),
                    6,
                    DRUM_KEYS[piece],
                    min(1.0, max(0.05, force)),
                )
            )
    return out
