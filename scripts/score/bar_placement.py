"""Lays bars out in time: when each bar of each voice starts.

Bars are played as they are written: a bar that is too short or too long for the time signature is
followed by a rest up to the next bar line only where the bars around it keep to the time signature.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate

from scripts.score.written_bars import Warn, WrittenBar

_TICKS_PER_EIGHTH = 12
_SPLIT_BARS = 3  # bars into which bar lines may divide one
_IRREGULAR_SHARE = 0.15  # of bars that do not fit the time signature: above, bars are free
_ALIGNED_SHARE = 0.75  # of bars with equal lengths in all voices: above, voices meet at bar lines


def place_bars(
    voices: Sequence[Sequence[WrittenBar]], full: Fraction | None, warn: Warn
) -> list[list[Fraction]]:
    """Find the start of each bar of each voice, in ticks.

    Parameters
    ----------
    voices : sequence of sequence of WrittenBar
        In playing order; at least one bar each.
    full : Fraction or None
        Length of a bar of the piece in ticks; None where bars are free.
    """
    lengths = [[bar.ticks for bar in bars] for bars in voices]
    longest = max(range(len(voices)), key=lambda v: len(lengths[v]))
    written = [_starts(own) for own in lengths]
    if all(set(own) <= set(written[longest]) for own in written):
        rests = _rests_for_meter(voices[longest], lengths[longest], full, warn)
        pickup = _pickup(lengths[longest], full)
        ends = [written[longest][i] + lengths[longest][i] for i in rests]
        totals = list(accumulate(rests.values(), initial=pickup))
        return [[at + totals[bisect_right(ends, at)] for at in own] for own in written]
    common = [max(n[i] for n in lengths if i < len(n)) for i in range(len(lengths[longest]))]
    shorter = [
        (v, i) for v, own in enumerate(lengths) for i, n in enumerate(own[:-1]) if n != common[i]
    ]
    if len(shorter) > (1 - _ALIGNED_SHARE) * sum(map(len, lengths)):
        warn(voices[0][0].line, "the bars of the voices differ; each voice is played as written")
        return written
    for v, i in shorter:
        missing = _format_eighths(common[i] - lengths[v][i])
        warn(
            voices[v][i].line,
            f"a bar is {missing} shorter than in the other voices; a rest fills it",
        )
    rests = _rests_for_meter(voices[longest], common, full, warn)
    starts = _starts([n + rests.get(i, 0) for i, n in enumerate(common)])
    pickup = _pickup(common, full)
    return [[pickup + at for at in starts[: len(own)]] for own in lengths]


def _starts(lengths: Sequence[Fraction]) -> list[Fraction]:
    return list(accumulate(lengths[:-1], initial=Fraction(0)))


def _pickup(lengths: Sequence[Fraction], full: Fraction | None) -> Fraction:
    """Time before a first bar that is shorter than the others, so that it ends on a bar line."""
    short = full is not None and lengths[0] < full and len(lengths) > 1
    return full - lengths[0] if full is not None and short else Fraction(0)


def _rests_for_meter(
    bars: Sequence[WrittenBar], lengths: Sequence[Fraction], full: Fraction | None, warn: Warn
) -> dict[int, Fraction]:
    """Find the rests after bars of these lengths that do not fit the meter, by index of the bar."""
    if full is None or len({bar.full for bar in bars}) > 1:
        return {}
    rests: dict[int, Fraction] = {}
    misfits = _find_misfits(lengths, full)
    if len(misfits) > max(2, _IRREGULAR_SHARE * len(lengths)):
        first = bars[misfits[0]].line
        warn(first, "many bars do not fill the time signature; they are played as written")
        return {}
    for i in misfits:
        before = i - 1 if i and bars[i].starts_part else i  # a pickup ends on the bar line
        rests[before] = rests.get(before, Fraction(0)) + full - lengths[i] % full
        how = (
            f"{_format_eighths(full - lengths[i])} too short"
            if lengths[i] < full
            else f"{_format_eighths(lengths[i] % full)} too long"
        )
        warn(bars[i].line, f"a bar is {how}; a rest fills the time up to the next bar line")
    return rests


def _find_misfits(lengths: Sequence[Fraction], full: Fraction) -> list[int]:
    """Indices of bars that neither fit the meter nor are completed by the bars after them."""
    misfits: list[int] = []
    i = 1 if _pickup(lengths, full) else 0
    while i < len(lengths) - 1:
        if lengths[i] % full == 0:
            i += 1
            continue
        total, j = lengths[i], i + 1
        while total % full and j < min(i + _SPLIT_BARS, len(lengths)) and lengths[j] % full:
            total += lengths[j]
            j += 1
        if total % full == 0 or j == len(lengths):
            i = j
            continue
        misfits.append(i)
        i += 1
    return misfits


def _format_eighths(ticks: Fraction) -> str:
    eighths = float(ticks / _TICKS_PER_EIGHTH)
    return f"{eighths:g} eighth{'s' if eighths != 1 else ''}"
