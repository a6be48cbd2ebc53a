"""Plans the rhythm of a melody from its words: a note for each syllable, stresses on beats."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from scripts.composer.rhythm import HELD, ONSET, REST, SIXTEENTH
from scripts.score.time_signature import TimeSignature

_EIGHTH = 2 * SIXTEENTH
_FULL = 0.8  # share of the grid from which a finer one is used, or more bars
_BREATH = 0.25  # share of the last bar in which no syllable begins
_BARS = {"4/4": 2, "3/4": 4, "6/8": 4, "2/4": 4}  # of a line; others have 2
_MAX_BARS = 16
# What a stressed and an unstressed syllable cost on a downbeat, another beat, between beats.
_STRESSED = (0.0, 0.25, 2.5)
_UNSTRESSED = (0.7, 0.3, 0.0)
# What it costs to wait so many eighths for the next syllable; longer ones cost as much as the last.
_STRESSED_LENGTHS = (0.3, 0.0, 0.2, 0.4, 1.0, 1.6)
_UNSTRESSED_LENGTHS = (0.0, 0.25, 0.7, 1.1, 1.6, 2.2)
_LATE_START = 0.15  # for each eighth by which the line begins late
_VARIETY = 0.5  # spread of what each place costs in a song


@dataclass(frozen=True)
class SungLine:
    """Rhythm of a line.

    Parameters
    ----------
    bars : tuple of str
        Sixteenths of each bar: ``x`` begins a syllable, ``-`` holds it, ``.`` is a rest.
    starts : tuple of int
        Tick at which each syllable begins, from the start of the line.
    """

    bars: tuple[str, ...]
    starts: tuple[int, ...]


def plan_line(stresses: Sequence[bool], meter: TimeSignature, seed: int | str) -> SungLine:
    """Place the syllables of a line.

    Stressed syllables come on beats and last longer, the line ends with a rest to breathe.

    Parameters
    ----------
    stresses : sequence of bool
        For each syllable; at least one.
    meter : TimeSignature
    seed : int or str
        Lines with the same seed prefer the same places.
    """
    bars, step = _choose_grid(len(stresses), meter)
    per_bar = meter.bar_ticks // step
    places = bars * per_bar - max(1, round(_BREATH * per_bar))
    rng = random.Random(f"line {seed}")
    liking = [rng.uniform(0, _VARIETY) for _ in range(bars * meter.bar_ticks // SIXTEENTH)]
    levels = [_level(place * step, meter) for place in range(places)]
    likings = [liking[place * step // SIXTEENTH] for place in range(places)]
    found = _place(tuple(stresses), levels, likings, step)
    starts = tuple(place * step for place in found)
    return SungLine(_draw(starts, bars, meter), starts)


def is_strong(tick: int, meter: TimeSignature) -> bool:
    """Whether a tick of a line is on a beat."""
    return _level(tick, meter) < 2


def _choose_grid(syllables: int, meter: TimeSignature) -> tuple[int, int]:
    """Bars of a line and ticks between its places."""
    bars = _BARS.get(str(meter), 2)
    while bars < _MAX_BARS:
        for step in (_EIGHTH, SIXTEENTH):
            if syllables <= _FULL * bars * (meter.bar_ticks // step):
                return bars, step
        bars *= 2
    return bars, SIXTEENTH


def _level(tick: int, meter: TimeSignature) -> int:
    """0 for a downbeat, 1 for another beat, 2 between beats."""
    within = tick % meter.bar_ticks
    if within == 0:
        return 0
    return 1 if within in meter.beat_starts else 2


def _place(
    stresses: tuple[bool, ...], levels: Sequence[int], likings: Sequence[float], step: int
) -> list[int]:
    """Find the cheapest places of syllables."""
    count, places = len(stresses), len(levels)
    eighths = _EIGHTH // step  # places of an eighth

    @cache
    def cost_at(syllable: int, place: int) -> float:
        kind = _STRESSED if stresses[syllable] else _UNSTRESSED
        return kind[levels[place]] + likings[place]

    def cost_of_length(syllable: int, length: int) -> float:
        kind = _STRESSED_LENGTHS if stresses[syllable] else _UNSTRESSED_LENGTHS
        index = max(0, -(-length // eighths) - 1)
        return kind[min(index, len(kind) - 1)]

    # best[place]: cheapest way to have the syllables up to now end with one at this place
    best = {
        place: (cost_at(0, place) + _LATE_START * place / eighths, [place])
        for place in range(places - count + 1)
    }
    for syllable in range(1, count):
        best = _add_syllable(best, syllable, places - count + syllable, cost_at, cost_of_length)
    return min(best.values(), key=lambda item: item[0])[1]


def _add_syllable(
    best: Mapping[int, tuple[float, list[int]]],
    syllable: int,
    last: int,
    cost_at: Callable[[int, int], float],
    cost_of_length: Callable[[int, int], float],
) -> dict[int, tuple[float, list[int]]]:
    """Extend the cheapest ways by a syllable, which comes at `last` at the latest."""
    found: dict[int, tuple[float, list[int]]] = {}
    for place in range(syllable, last + 1):
        ways = [
            (cost + cost_of_length(syllable - 1, place - before), before)
            for before, (cost, _) in best.items()
            if before < place
        ]
        if ways:
            cost, before = min(ways)
            found[place] = (cost + cost_at(syllable, place), [*best[before][1], place])
    return found


def _draw(starts: Sequence[int], bars: int, meter: TimeSignature) -> tuple[str, ...]:
    """Write syllables as sixteenths; each is held to the next one, the last one to the breath."""
    signs = [REST] * (bars * meter.bar_ticks // SIXTEENTH)
    breath = max(_EIGHTH, round(_BREATH * meter.bar_ticks)) // SIXTEENTH
    ends = [*(start // SIXTEENTH for start in starts[1:]), len(signs) - breath]
    for start, end in zip(starts, ends, strict=True):
        first = start // SIXTEENTH
        signs[first] = ONSET
        for at in range(first + 1, end):
            signs[at] = HELD
    size = meter.bar_ticks // SIXTEENTH
    text = "".join(signs)
    return tuple(text[at : at + size] for at in range(0, len(text), size))
