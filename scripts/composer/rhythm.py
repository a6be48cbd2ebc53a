"""Plans the rhythm of a sheet before the model writes its pitches.

Phrases are chains of half bars, as they follow each other in songs that people sing
(``data/rhythms.toml``); a phrase returns with its rhythm, and ends with a rest.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from scripts.core.errors import UsageError
from scripts.core.toml import read_tables

RhythmPlan = tuple[tuple[int, ...], ...]  # see `SheetGrammar.rhythm`
_SIXTEENTH = 6  # ticks
_HALF_BAR = 8  # sixteenths
_PHRASE_BARS = 2
_ONSET, _HELD, _REST = "x", "-", "."
_EMPTY = _REST * _HALF_BAR
_WHOLE_NOTE = _ONSET + _HELD * (2 * _HALF_BAR - 1)  # the last bar
_PATTERNS = ("abac", "aaba", "abab", "aabc")  # of phrases within a part
_CANDIDATES = 60  # plans of a part among which the best is chosen
_MIN_NOTES = 5  # of a phrase
_PHRASE_END = re.compile(r"\.{2,}|-{7,}")  # a rest of an eighth, or a note of a half
_MIN_PHRASE = 5.0  # quarters


@dataclass(frozen=True)
class RhythmTargets:
    """What a plan is chosen for.

    Parameters
    ----------
    silence : float
        Share of the time in which nothing sounds.
    syncopation : float
        Share of notes that begin off the beat and last over it.
    """

    silence: float
    syncopation: float


@lru_cache(maxsize=4)
def load_rhythms(path: Path) -> Mapping[str, Mapping[str, Mapping[str, int]]]:
    """Read how often half bars follow each other, by table.

    Raises
    ------
    UsageError
        If the file is invalid.
    """
    tables, _ = read_tables(path)
    try:
        for row in (row for rows in tables.values() for row in rows.values()):
            for figure, count in row.items():
                if len(figure) != _HALF_BAR or set(figure) - {_ONSET, _HELD, _REST} or count < 1:
                    raise ValueError(f'invalid rhythm "{figure}"')
    except (AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"{path.name}: {error}; correct the file") from error
    return tables


def plan_rhythm(
    parts: Sequence[int], figures: Mapping[str, Mapping[str, int]], seed: int
) -> RhythmPlan:
    """Plan the rhythm of a sheet in 4/4.

    Parameters
    ----------
    parts : sequence of int
        Bars of each part.
    figures : mapping
        A table of :func:`load_rhythms`.
    seed : int
    """
    rng = random.Random(seed)
    targets = RhythmTargets(rng.uniform(0.25, 0.42), rng.uniform(0.04, 0.12))
    bars: list[str] = []
    density = None
    for length in parts:
        plans = [_plan_part(length, figures, rng) for _ in range(_CANDIDATES)]
        best = min(plans, key=lambda plan: _badness(plan, targets, density))
        density = sum(bar.count(_ONSET) for bar in best) / length
        bars += best
    bars[-1] = _WHOLE_NOTE
    return _to_ticks("".join(bars))


def _plan_part(
    length: int, figures: Mapping[str, Mapping[str, int]], rng: random.Random
) -> list[str]:
    """Rhythms of the bars of a part, as sixteenths."""
    pattern = rng.choice(_PATTERNS)
    phrases: dict[str, list[str]] = {}
    bars: list[str] = []
    while len(bars) < length:
        name = pattern[len(bars) // _PHRASE_BARS % len(pattern)]
        if name not in phrases:
            phrases[name] = _sample_phrase(figures, rng)
        bars += phrases[name]
    return bars[:length]


def _sample_phrase(figures: Mapping[str, Mapping[str, int]], rng: random.Random) -> list[str]:
    """Bars of a phrase that begins after a rest and ends with one."""
    for _ in range(_CANDIDATES):
        halves, before = [], _EMPTY
        for _ in range(2 * _PHRASE_BARS):
            options = figures.get(before) or figures[_EMPTY]
            before = rng.choices(list(options), list(options.values()))[0]
            halves.append(before)
        text = "".join(halves)
        if text.count(_ONSET) >= _MIN_NOTES and text.endswith(_REST * 2):
            break
    lead = len(text) - len(text.lstrip(_HELD))
    text = _REST * lead + text[lead:]  # nothing is held from the phrase before
    size = 2 * _HALF_BAR
    return [text[at : at + size] for at in range(0, len(text), size)]


def _badness(bars: Sequence[str], targets: RhythmTargets, density: float | None) -> float:
    """How far a part is from its targets, and how like the part before it is."""
    text = "".join(bars)
    silence = text.count(_REST) / len(text)
    notes = text.count(_ONSET)
    total = 4 * abs(silence - targets.silence)
    total += 6 * abs(_count_syncopations(text) / max(1, notes) - targets.syncopation)
    total += 0.5 * max(0.0, _MIN_PHRASE - _phrase_length(text))
    if density is not None:  # the second part sounds fuller or sparser than the first
        total += max(0.0, 1.0 - abs(notes / len(bars) - density))
    return total


def _phrase_length(text: str) -> float:
    """Median length in quarters from a rest to the next one, or to a long note."""
    lengths = sorted(
        len(part) - len(part) % 2 for part in _PHRASE_END.split(text) if _ONSET in part
    )
    return lengths[len(lengths) // 2] / 4 if lengths else 0.0


def _count_syncopations(text: str) -> int:
    """Count notes that begin between two beats and last over the next one."""
    found = 0
    for at, sign in enumerate(text):
        beat = at - at % 4 + 4
        if sign == _ONSET and at % 4 and beat < len(text):
            found += set(text[at + 1 : beat + 1]) == {_HELD}
    return found


def _to_ticks(text: str) -> RhythmPlan:
    """Lengths of notes, and negative ones of rests; a bar that begins with a held note has a 0."""
    size = 2 * _HALF_BAR
    bars = []
    for start in range(0, len(text), size):
        bar = text[start : start + size]
        events: list[int] = [0] if bar[0] == _HELD else []
        for sign, group in groupby(bar):
            count = len(list(group)) * _SIXTEENTH
            if sign == _REST:
                events.append(-count)
            elif sign == _ONSET:
                events += [_SIXTEENTH] * (count // _SIXTEENTH)
            elif events[-1] > 0:
                events[-1] += count
            else:  # held from the bar before
                events.append(count)
        bars.append(tuple(events))
    return tuple(bars)
