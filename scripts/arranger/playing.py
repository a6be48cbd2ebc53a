"""How people play: vibrato, bends, slides, falls and strums, by instrument."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from scripts.arranger.events import Bend, NoteEvent
from scripts.core.errors import UsageError
from scripts.core.toml import read_tables

_LONG = 0.3  # seconds from which a note is bent or falls
_JOINED = 0.09  # seconds: a shorter gap joins two notes
_MAX_SLIDE = 5  # semitones
_PHRASE_GAP = 0.35  # seconds of silence after which a phrase has ended
_VIBRATO_RISE = 0.3  # seconds until a vibrato has its depth
_STEPS = 8  # points of a vibrato's period


@dataclass(frozen=True)
class Playing:
    """How an instrument is played; ``data/playing.toml`` says what the numbers are."""

    vibrato: tuple[float, float, float] = (0.0, 5.0, 0.3)
    approach: tuple[float, float, float] = (0.0, 0.1, 0.0)
    slide: tuple[float, float] = (0.05, 0.0)
    fall: tuple[float, float, float] = (0.0, 0.2, 0.0)
    strum: float = 0.0
    power: bool = False


PLAIN = Playing()


@lru_cache(maxsize=4)
def load_playing(path: Path) -> Mapping[str, Playing]:
    """Read how the instruments are played, by name.

    Raises
    ------
    UsageError
        If the file is invalid.
    """
    tables, _ = read_tables(path)
    try:
        return {name: _parse(row) for name, row in tables.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"{path.name}: {error}; correct the file") from error


def _parse(row: Mapping[str, object]) -> Playing:
    values = {k: tuple(map(float, v)) if isinstance(v, list) else v for k, v in row.items()}
    playing = Playing(**values)  # type: ignore[arg-type]
    for name, found in values.items():
        usual = getattr(PLAIN, name)
        if isinstance(usual, tuple) and len(found) != len(usual):  # type: ignore[arg-type]
            raise ValueError(f"{name} must have {len(usual)} numbers")
    return playing


def play_lead(
    events: Sequence[NoteEvent], playing: Playing, tempo: float, rng: random.Random
) -> list[NoteEvent]:
    """Bend the notes of a lead as a player would.

    Parameters
    ----------
    events : sequence of NoteEvent
        In the order of their starts.
    tempo : float
        Quarter notes a minute.

    Returns
    -------
    list of NoteEvent
    """
    if playing == PLAIN:
        return list(events)
    second = tempo / 60 * 24  # ticks
    out = []
    before: NoteEvent | None = None
    for event, following in pairwise([*events, None]):
        assert event is not None
        seconds = event.ticks / second
        bend: list[tuple[float, float]] = []
        is_joined = (
            before is not None
            and event.start - before.start > 0
            and (abs(event.start - before.start - before.ticks) < _JOINED * second)
        )
        step = before.pitch - event.pitch if before is not None else 0
        if is_joined and 0 < abs(step) <= _MAX_SLIDE and rng.random() < playing.slide[1]:
            bend = [(0.0, float(step)), (min(playing.slide[0], seconds / 2) * second, 0.0)]
        elif seconds >= _LONG and rng.random() < playing.approach[2]:
            depth, length, _ = playing.approach
            bend = [(0.0, -depth), (0.25 * length * second, -depth), (length * second, 0.0)]
        ends_phrase = (
            following is None or following.start - event.start - event.ticks > _PHRASE_GAP * second
        )
        falls = ends_phrase and seconds >= _LONG and rng.random() < playing.fall[2]
        stop = seconds - playing.fall[1] if falls else seconds
        bend += [(at * second, depth) for at, depth in _vibrato(playing, stop)]
        if falls:
            bend += [(max(0.0, stop) * second, 0.0), (event.ticks, -playing.fall[0])]
        out.append(replace(event, bend=tuple(bend)) if bend else event)
        before = event
    return out


def _vibrato(playing: Playing, seconds: float) -> Bend:
    """Vibrato of a note as (second, semitones)."""
    cents, rate, delay = playing.vibrato
    period = 1 / rate
    cycles = int((seconds - delay) / period)
    if not cents or cycles < 1:
        return ()
    points = [(delay, 0.0)]
    for index in range(1, cycles * _STEPS + 1):
        at = index * period / _STEPS
        depth = cents / 100 * min(1.0, at / _VIBRATO_RISE)
        points.append((delay + at, depth * math.sin(2 * math.pi * index / _STEPS)))
    return tuple(points)


def strum(events: Sequence[NoteEvent], playing: Playing, tempo: float) -> list[NoteEvent]:
    """Strike the strings of chords one after the other, down on the beat and up between beats.

    Parameters
    ----------
    events : sequence of NoteEvent
        Notes of a chord begin at the same tick.
    tempo : float
        Quarter notes a minute.
    """
    if not playing.strum:
        return list(events)
    delay = playing.strum * tempo / 60 * 24
    chords: dict[float, list[NoteEvent]] = {}
    for event in events:
        chords.setdefault(event.start, []).append(event)
    out = []
    for start, chord in chords.items():
        is_up = start % 24 >= 6 and len(chord) > 2
        for n, event in enumerate(sorted(chord, key=lambda e: e.pitch, reverse=is_up)):
            softer = 0.92**n if is_up else 1.0
            out.append(
                replace(
                    event,
                    start=start + n * delay,
                    ticks=max(1.0, event.ticks - n * delay),
                    velocity=event.velocity * softer,
                )
            )
    return out
