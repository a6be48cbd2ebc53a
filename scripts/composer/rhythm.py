"""Plans the rhythm of a sheet before the model writes its pitches.

Phrases are chains of figures, as they follow each other in songs that people sing
(``data/rhythms.toml``); a phrase returns with its rhythm, and ends with a rest.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from scripts.core.errors import UsageError
from scripts.core.toml import read_tables

RhythmPlan = tuple[tuple[int, ...], ...]  # see `SheetGrammar.rhythm`
Figures = Mapping[str, Mapping[str, int]]  # how often a figure follows another

SIXTEENTH = 6  # ticks
ONSET, HELD, REST = "x", "-", "."
START = "start"  # in place of the figure before the first
_PATTERNS = ("abac", "aaba", "abab", "aabc")  # of phrases within a part
_CANDIDATES = 60  # plans of a part among which the best is chosen
_FLATNESS = 0.7  # exponent of the counts
_MIN_NOTES = 5  # of a phrase
_BREATH = REST * 2  # at the end of a phrase
_LAST_NOTE = re.compile(r"x(-{3,})$")  # of a phrase that ends without a rest
_PHRASE_END = re.compile(r"\.{2,}|-{7,}")  # a rest of an eighth, or a note of a half
_MIN_PHRASE = 5.0  # quarters
_SOLO_PART, _SOLO_DENSITY, _SOLO_SILENCE = 2, 1.5, 0.6  # the third part, relative to the others


@dataclass(frozen=True)
class RhythmTable:
    """Figures of one kind of song in one meter.

    Parameters
    ----------
    bar, beat : int
        Sixteenths of a bar and of a beat.
    phrase_bars : int
        Bars of a phrase.
    figures : mapping
        How often each figure follows another; all figures have the same length.
    """

    bar: int
    beat: int
    phrase_bars: int
    figures: Figures

    @property
    def size(self) -> int:
        """Sixteenths of a figure."""
        return len(next(iter(self.figures[START])))


# Meter -> sixteenths of a bar, a beat and a figure, bars of a phrase.
METERS = {"4/4": (16, 4, 8, 2), "2/4": (8, 4, 8, 4), "3/4": (12, 4, 12, 4), "6/8": (12, 6, 12, 2)}


@dataclass(frozen=True)
class RhythmTargets:
    """What a plan is chosen for.

    Parameters
    ----------
    silence : float
        Share of the time in which nothing sounds.
    syncopation : float
        Share of notes that begin off the beat and last over it.
    density : float
        Notes of a quarter.
    """

    silence: float
    syncopation: float
    density: float


@lru_cache(maxsize=4)
def load_rhythms(path: Path) -> Mapping[str, Mapping[str, RhythmTable]]:
    """Read the tables of a file, by name and meter.

    Raises
    ------
    UsageError
        If the file is invalid.
    """
    tables, _ = read_tables(path)
    try:
        return {
            name: {meter: _parse_table(meter, rows) for meter, rows in meters.items()}
            for name, meters in tables.items()
        }
    except (AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"{path.name}: {error}; correct the file") from error


def _parse_table(meter: str, rows: Figures) -> RhythmTable:
    if meter not in METERS:
        raise ValueError(f'unknown meter "{meter}"; expected one of {", ".join(METERS)}')
    bar, beat, size, phrase_bars = METERS[meter]
    if START not in rows:
        raise ValueError(f'the table of {meter} has no row "{START}"')
    for figure, count in (item for row in rows.values() for item in row.items()):
        if len(figure) != size or set(figure) - {ONSET, HELD, REST} or count < 1:
            raise ValueError(f'invalid rhythm "{figure}"')
    return RhythmTable(bar, beat, phrase_bars, rows)


def find_table(
    tables: Mapping[str, Mapping[str, RhythmTable]], names: Iterable[str], meter: str
) -> RhythmTable | None:
    """Return the first of the named tables that has the meter, or None."""
    return next((tables[n][meter] for n in names if meter in tables.get(n, {})), None)


def plan_rhythm(
    parts: Sequence[int], table: RhythmTable, seed: int | str, density: float = 1.5
) -> RhythmPlan:
    """Plan the rhythm of a sheet; a third part, which is for solos, is busier.

    Parameters
    ----------
    parts : sequence of int
        Bars of each part.
    table : RhythmTable
    seed : int or str
    density : float
        Usual notes of a quarter where the melody is not silent; each sheet has its own.
    """
    rng = random.Random(seed)
    silence = rng.uniform(0.25, 0.42)
    density *= rng.uniform(0.7, 1.2)
    targets = RhythmTargets(silence, rng.uniform(0.04, 0.12), density * (1 - silence))
    bars: list[str] = []
    busy = replace(
        targets, silence=silence * _SOLO_SILENCE, density=targets.density * _SOLO_DENSITY
    )
    before = None
    for index, length in enumerate(parts):
        plans = [_plan_part(length, table, rng) for _ in range(_CANDIDATES)]
        wanted = busy if index == _SOLO_PART else targets
        best = min(plans, key=lambda plan: _badness(plan, table.beat, wanted, before))
        before = _density(best)
        bars += best
    bars[-1] = ONSET + HELD * (table.bar - 1)
    return _to_ticks(bars)


def _plan_part(length: int, table: RhythmTable, rng: random.Random) -> list[str]:
    """Rhythms of the bars of a part, as sixteenths."""
    pattern = rng.choice(_PATTERNS)
    phrases: dict[str, list[str]] = {}
    bars: list[str] = []
    while len(bars) < length:
        name = pattern[len(bars) // table.phrase_bars % len(pattern)]
        if name not in phrases:
            phrases[name] = _sample_phrase(table, rng)
        bars += phrases[name]
    return bars[:length]


def _sample_phrase(table: RhythmTable, rng: random.Random) -> list[str]:
    """Bars of a phrase that begins after a rest and ends with one."""
    silent = REST * table.size
    first = silent if silent in table.figures else START
    text = ""
    for _ in range(_CANDIDATES):
        text = _breathe(_chain(first, table.phrase_bars * table.bar, table, rng))
        if text.count(ONSET) >= _MIN_NOTES and text.endswith(_BREATH):
            break
    lead = len(text) - len(text.lstrip(HELD))
    text = REST * lead + text[lead:]  # nothing is held from the phrase before
    return [text[at : at + table.bar] for at in range(0, len(text), table.bar)]


def _chain(first: str, length: int, table: RhythmTable, rng: random.Random) -> str:
    """Chain figures after `first` to so many sixteenths; a dead end goes on as after `first`."""
    text, before = "", first
    while len(text) < length:
        before = _choose(table.figures.get(before) or table.figures[first], rng)
        text += before
    return text


def _choose(options: Mapping[str, int], rng: random.Random) -> str:
    """Choose a figure by its count; rare ones come more often, so that songs differ."""
    return rng.choices(list(options), [count**_FLATNESS for count in options.values()])[0]


def _breathe(text: str) -> str:
    """End a long last note earlier, by half of it and at most a quarter note."""
    match = _LAST_NOTE.search(text)
    if match is None:
        return text
    rest = min(4, len(match[1]) // 4 * 2)
    return text[: len(text) - rest] + REST * rest


def _badness(bars: Sequence[str], beat: int, targets: RhythmTargets, before: float | None) -> float:
    """How far a part is from its targets, and how like the part before it is.

    `before` are the notes of a quarter in that part.
    """
    text = "".join(bars)
    silence = text.count(REST) / len(text)
    density = _density(bars)
    total = 4 * abs(silence - targets.silence)
    syncopations = _count_syncopations(text, beat) / max(1, text.count(ONSET))
    total += 6 * abs(syncopations - targets.syncopation)
    total += 0.5 * max(0.0, _MIN_PHRASE - _phrase_length(text))
    total += 0.6 * abs(density - targets.density)
    if before is not None:  # the second part sounds fuller or sparser than the first
        total += max(0.0, 1.0 - 4 * abs(density - before))
    return total


def _density(bars: Sequence[str]) -> float:
    """Notes of a quarter."""
    text = "".join(bars)
    return 4 * text.count(ONSET) / len(text)


def _phrase_length(text: str) -> float:
    """Median length in quarters from a rest to the next one, or to a long note."""
    lengths = sorted(len(part) - len(part) % 2 for part in _PHRASE_END.split(text) if ONSET in part)
    return lengths[len(lengths) // 2] / 4 if lengths else 0.0


def _count_syncopations(text: str, beat: int) -> int:
    """Count notes that begin between two beats and last over the next one."""
    found = 0
    for at, sign in enumerate(text):
        following = at - at % beat + beat
        if sign == ONSET and at % beat and following < len(text):
            found += set(text[at + 1 : following + 1]) == {HELD}
    return found


def _to_ticks(bars: Sequence[str]) -> RhythmPlan:
    """Lengths of notes, and negative ones of rests; a bar that begins with a held note has a 0."""
    plan = []
    for bar in bars:
        events: list[int] = [0] if bar[0] == HELD else []
        for sign, group in groupby(bar):
            count = len(list(group)) * SIXTEENTH
            if sign == REST:
                events.append(-count)
            elif sign == ONSET:
                events += [SIXTEENTH] * (count // SIXTEENTH)
            elif events[-1] > 0:
                events[-1] += count
            else:  # held from the bar before
                events.append(count)
        plan.append(tuple(events))
    return tuple(plan)


def plan_riff(bars: int, table: RhythmTable, seed: int | str, density: float) -> RhythmPlan:
    """Plan the rhythm of a riff.

    Every bar of several figures begins with the same one, on the beat.

    Parameters
    ----------
    bars : int
        Bars of the riff.
    table : RhythmTable
    seed : int or str
    density : float
        Notes of a quarter.
    """
    rng = random.Random(seed)
    targets = RhythmTargets(0.15, rng.uniform(0.05, 0.2), density)
    riffs = [_sample_riff(bars, table, rng) for _ in range(_CANDIDATES)]
    return _to_ticks(min(riffs, key=lambda riff: _badness(riff, table.beat, targets, None)))


def _sample_riff(bars: int, table: RhythmTable, rng: random.Random) -> list[str]:
    """Rhythms of the bars of a riff, as sixteenths."""
    openings = [f for f in table.figures if f[0] == ONSET and f.count(ONSET) > 1]
    weights = [sum(table.figures[f].values()) for f in openings]
    opening = rng.choices(openings, weights)[0]
    riff = []
    for _ in range(bars):
        riff.append(opening + _chain(opening, table.bar - table.size, table, rng))
        if len(opening) == table.bar:  # the next bar is another figure
            opening = rng.choices(openings, weights)[0]
    return riff
