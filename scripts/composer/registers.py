"""Plans the register of each bar: a low first part, a higher second one with the climax."""

from __future__ import annotations

from collections.abc import Sequence

Register = tuple[int, int]  # lowest and highest MIDI pitch

_MIN_RANGE = 15  # semitones of a style's range from which parts differ in register
_CLIMAX = 3  # semitones at the top that only the climax reaches
_CLIMAX_PLACE = (0.5, 0.8)  # of the second part
_CYCLE = 3  # parts after which it begins again
_LOW_PART, _HIGH_PART = 0.75, 0.3  # of the range: the top of the first part, the bottom of the next


def plan_registers(parts: Sequence[int], low: int, high: int) -> list[Register]:
    """Plan the register of each bar.

    The second part lies higher than the first, and the highest notes are kept for one place of it.
    A third part has the whole range, and so has everything where it is narrow.

    Parameters
    ----------
    parts : sequence of int
        Bars of each part.
    low, high : int
        Range of the melody in MIDI pitches.

    Returns
    -------
    list of (lowest, highest) pitch, one for each bar
    """
    span = high - low
    if span < _MIN_RANGE or len(parts) < 2:
        return [(low, high)] * sum(parts)
    registers: list[Register] = []
    for index, bars in enumerate(parts):
        if index % _CYCLE == 0:
            registers += [(low, low + round(_LOW_PART * span))] * bars
            continue
        if index % _CYCLE > 1:
            registers += [(low, high)] * bars
            continue
        bottom = low + round(_HIGH_PART * span)
        first, last = (round(place * bars) for place in _CLIMAX_PLACE)
        registers += [
            (bottom, high if first <= bar < max(last, first + 1) else high - _CLIMAX)
            for bar in range(bars)
        ]
    return registers
