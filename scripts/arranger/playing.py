"""How people play: vibrato, bends, slides, falls and strums, by instrument."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from scripts.arranger.events import Bend, NoteEvent
from scripts.core.toml import convert_tables
from scripts.score.time_signature import TimeSignature

_LONG = 0.3  # seconds from which a note is bent or falls
_JOINED = 0.09  # seconds: a shorter gap joins two notes
_MAX_SLIDE = 5  # semitones
_PHRASE_GAP = 0.35  # seconds of silence after which a phrase has ended
_VIBRATO_RISE = 0.3  # seconds until a vibrato has its depth
_STEPS = 8  # points of a vibrato's period
_OFF_BEAT = 4  # ticks from a beat from which a chord is struck upwards
_UP_STROKE = 0.92  # softer from string to string


class Playing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an instrument is played; ``data/playing.toml`` says what the numbers are."""

    vibrato: tuple[float, float, float] = (0.0, 5.0, 0.3)
    approach: tuple[float, float, float] = (0.0, 0.1, 0.0)
    slide: tuple[float, float] = (0.05, 0.0)
    fall: tuple[float, float, float] = (0.0, 0.2, 0.0)
    strum: Annotated[float, Meta(ge=0, le=0.1)] = 0.0
    power: bool = False

    def __post_init__(self) -> None:
        if self.vibrato[1] <= 0:
            raise ValueError("a vibrato needs times a second")


PLAIN = Playing()


@lru_cache(maxsize=4)
def load_playing(path: Path) -> Mapping[str, Playing]:
    """Read how the instruments are played, by name.

    Raises
    ------
    UsageError
        If the file is invalid.
    """
    return convert_tables(path, Playing)


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
    chords = [list(chord) for _, chord in groupby(sorted(events, key=_start), key=_start)]
    tops = [max(chord, key=lambda e: e.pitch) for chord in chords]
    out = []
    for before, chord, top, after in zip(
        [None, *tops], chords, tops, [*tops[1:], None], strict=False
    ):
        bend = _bend(before, top, after, playing, second, rng)
        # Notes that begin together are bent alike, as a pitch wheel does.
        out += [replace(event, bend=bend) if bend else event for event in chord]
    return out


def _start(event: NoteEvent) -> float:
    return event.start


def _bend(
    before: NoteEvent | None,
    event: NoteEvent,
    following: NoteEvent | None,
    playing: Playing,
    second: float,
    rng: random.Random,
) -> Bend:
    """Pitch curve of a note between two others; `second` is one in ticks."""
    seconds = event.ticks / second
    points: list[tuple[float, float]] = []
    is_joined = (
        before is not None and abs(event.start - before.start - before.ticks) < _JOINED * second
    )
    step = before.pitch - event.pitch if before is not None else 0
    if is_joined and 0 < abs(step) <= _MAX_SLIDE and rng.random() < playing.slide[1]:
        points = [(0.0, float(step)), (min(playing.slide[0], seconds / 2) * second, 0.0)]
    elif seconds >= _LONG and rng.random() < playing.approach[2]:
        depth, length, _ = playing.approach
        points = [(0.0, -depth), (0.25 * length * second, -depth), (length * second, 0.0)]
    ends_phrase = (
        following is None or following.start - event.start - event.ticks > _PHRASE_GAP * second
    )
    falls = ends_phrase and seconds >= _LONG and rng.random() < playing.fall[2]
    stop = seconds - playing.fall[1] if falls else seconds
    points += [(at * second, depth) for at, depth in _vibrato(playing, stop)]
    if falls:
        points += [(max(0.0, stop) * second, 0.0), (event.ticks, -playing.fall[0])]
    return tuple(points)


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


def strum(
    events: Sequence[NoteEvent], playing: Playing, tempo: float, meter: TimeSignature
) -> list[NoteEvent]:
    """Strike the strings of chords one after the other, down on the beat and up between beats.

    Parameters
    ----------
    events : sequence of NoteEvent
        Notes of a chord begin at the same tick.
    tempo : float
        Quarter notes a minute.

    Returns
    -------
    list of NoteEvent
    """
    if not playing.strum:
        return list(events)
    delay = playing.strum * tempo / 60 * 24
    out = []
    for start, chord in groupby(sorted(events, key=_start), key=_start):
        notes = list(chord)
        beats = (*meter.beat_starts, meter.bar_ticks)
        distance = min(abs(start % meter.bar_ticks - beat) for beat in beats)
        is_up = len(notes) > 2 and distance >= _OFF_BEAT
        for n, event in enumerate(sorted(notes, key=lambda e: e.pitch, reverse=is_up)):
            out.append(
                replace(
                    event,
                    start=start + n * delay,
                    ticks=max(1.0, event.ticks - n * delay),
                    velocity=event.velocity * (_UP_STROKE**n if is_up else 1.0),
                )
            )
    return out
